//! A broken promise: what a run is looked through for.

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its name.
    pub invariant: &'static str,
    /// What was seen instead.
    pub why: String,
    /// The entry of the history at which it was seen.
    pub entry: usize,
    /// When, in virtual milliseconds.
    pub at_ms: i64,
}
