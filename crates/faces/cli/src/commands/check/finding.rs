//! One thing that is wrong with a manifest: the path of the field, and what is said of it.

/// What is wrong at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// Path of the field, as messages write it: `spec.job.parallelism`.
    pub(super) path: String,
    /// What is wrong with it and what is allowed, without the path.
    pub(super) message: String,
}

impl Finding {
    /// Makes a finding.
    pub(super) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}
