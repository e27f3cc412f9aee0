//! What is decided about a pair.

use serde_json::Value;

use super::state::{Colour, Record};
use crate::decision::{Event, Wait};

/// Something to do. Doing it twice is doing it once.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Make a deployment, unless it is there.
    CreateChild {
        /// Which one.
        colour: Colour,
        /// What it declares, with the snapshot that it starts from.
        spec: Value,
    },
    /// Give a deployment another spec.
    PatchChild {
        /// Which one.
        colour: Colour,
        /// All that it declares then.
        spec: Value,
    },
    /// Delete a deployment.
    DeleteChild(Colour),
    /// Declare a snapshot of a deployment, unless it is there; its files outlive it.
    TakeSavepoint {
        /// Of which one.
        colour: Colour,
        /// Under which name.
        name: String,
    },
    /// Delete a snapshot, whose files stay.
    ForgetSavepoint(String),
}

/// What is decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What is to be written before the act is done.
    pub record: Record,
    /// What is to be done then.
    pub act: Option<Act>,
    /// What is to be told.
    pub events: Vec<Event>,
    /// What is awaited.
    pub wait: Wait,
}
