//! Selectors: which objects a list, a watch or a collection delete is about.
//!
//! The grammar, its leniency and the texts of refusals are those of apimachinery (`labels`, `fields`).

mod fields;
mod labels;

pub use fields::FieldSelector;
pub use labels::LabelSelector;

use crate::store::Stored;

/// Labels and fields that an object must have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// What its labels must be.
    pub labels: LabelSelector,
    /// What its fields must be.
    pub fields: FieldSelector,
}

impl Selection {
    /// Whether every object is selected.
    pub fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether an object is selected.
    pub fn matches(&self, object: &Stored) -> bool {
        self.labels.matches(&object.labels) && self.fields.matches(object)
    }
}

#[cfg(test)]
mod tests;
