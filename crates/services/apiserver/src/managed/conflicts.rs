//! Conflicts of an apply: fields that somebody else manages with another value, and the refusal that tells of them.
//!
//! # Source
//! `apimachinery`, `pkg/util/managedfields/internal/conflict.go`: the texts.

use serde_json::{Value, json};

use super::entry::Entry;
use super::set::{Set, Step};
use crate::status::Status;

/// A field that is not free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// How the manager of the field is shown.
    pub(crate) manager: String,
    /// The field.
    pub(crate) path: Vec<Step>,
}

/// Finds the fields of `changed` that others manage, by manager and path.
pub(crate) fn find(others: &[Entry], changed: &Set) -> Vec<Conflict> {
    let mut managers: Vec<&Entry> = others.iter().collect();
    managers.sort_by_cached_key(|entry| entry.identifier());
    let of_manager = |entry: &Entry| {
        let manager = entry.shown();
        let paths = entry.set.intersection(changed).paths();
        paths.into_iter().map(|path| Conflict { manager: manager.clone(), path }).collect::<Vec<_>>()
    };
    managers.into_iter().flat_map(of_manager).collect()
}

/// The refusal of an apply.
pub(crate) fn refusal(conflicts: &[Conflict]) -> Box<Status> {
    let causes: Vec<Value> = conflicts
        .iter()
        .map(|conflict| {
            let message = format!("conflict with {}", conflict.manager);
            json!({"reason": "FieldManagerConflict", "message": message, "field": shown(&conflict.path)})
        })
        .collect();
    let mut status = Status::new(409, "Conflict", message(conflicts));
    status.details = Some(json!({"causes": causes}));
    status
}

fn message(conflicts: &[Conflict]) -> String {
    if let [one] = conflicts {
        return format!("Apply failed with 1 conflict: conflict with {}: {}", one.manager, shown(&one.path));
    }
    let mut lines = Vec::new();
    let mut last = "";
    for conflict in conflicts {
        if conflict.manager != last {
            lines.push(format!("conflicts with {}:", conflict.manager));
            last = &conflict.manager;
        }
        lines.push(format!("- {}", shown(&conflict.path)));
    }
    format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
}

fn shown(path: &[Step]) -> String {
    path.iter().map(Step::to_string).collect()
}
