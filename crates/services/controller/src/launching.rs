//! A start that is asked for of a substrate.

use kobel_processes::Label;

/// A start that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Launching {
    /// Which start it is.
    pub(crate) label: Label,
    /// The snapshot that its job starts from.
    pub(crate) restore: Option<String>,
    /// The uid of the resource.
    pub(crate) uid: String,
}
