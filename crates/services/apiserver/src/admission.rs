//! What a body goes through before it is stored: decoding, pruning, defaults, and every rule.
//!
//! Each step answers with the texts of the Kubernetes API server. Nothing here reads or writes the store.

pub mod core_rules;
pub mod decoding;
pub mod metadata;
pub mod names;

#[cfg(test)]
mod tests;

use kobel_resources::Lookup;
use serde_json::Value;

use crate::kind::Kind;
use crate::object;
use crate::status::{Answer, Status};

/// The largest object that is stored, in bytes: that of etcd.
const OBJECT_MAX: usize = 1_572_864;

/// Which rules an object is held to besides those of its metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Its schema and its reviewer.
    Whole,
    /// Its schema only: what a person wrote is as it was.
    Schema,
}

/// Holds an object to every rule of its kind; `previous` is the state that it replaces.
///
/// Problems of the metadata come first, then those of the schema, then the reviewer's. A reviewer's problem about a
/// field of which the others complain already is dropped. The answer is what the caller should be warned of.
pub fn check(
    kind: &Kind,
    object: &Value,
    previous: Option<&Value>,
    depth: Depth,
    lookup: Lookup<'_>,
) -> Answer<Vec<String>> {
    let mut problems = match previous {
        Some(previous) => metadata::check_update(previous, object),
        None => metadata::check_new(kind, object),
    };
    problems.extend(core_rules::check(kind, object, previous));
    problems.extend(kind.schema.validate(object));
    let mut warnings = finalizer_warnings(kind, object, previous);
    if depth == Depth::Whole
        && let Some(reviewer) = kind.reviewer
    {
        let review = reviewer(object, previous, lookup).after(problems);
        problems = review.problems;
        warnings.extend(review.warnings);
    }
    if !problems.is_empty() {
        return Err(Status::invalid(&kind.kind, &kind.group, object::name(object), &problems));
    }
    if object.to_string().len() > OBJECT_MAX {
        return Err(Status::too_large(OBJECT_MAX));
    }
    Ok(warnings)
}

/// Warns of finalizers of custom resources that two writers could mean differently.
fn finalizer_warnings(kind: &Kind, object: &Value, previous: Option<&Value>) -> Vec<String> {
    let before = previous.map(object::finalizers).unwrap_or_default();
    let unclear = |name: &&str| !name.contains('/') && !before.contains(name) && !metadata::is_own_finalizer(name);
    let listed = object::finalizers(object).into_iter().filter(|name| kind.is_custom && unclear(name));
    let advice = "prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers";
    listed.map(|name| format!("metadata.finalizers: \"{name}\": {advice}")).collect()
}
