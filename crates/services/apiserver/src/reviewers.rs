//! Who looks at objects after their schema did: the review of the Flink kinds, and rules of bindings.
//!
//! A reviewer is a pure function of the object, of what is stored, and of a lookup of neighbours.

pub mod bindings;

#[cfg(test)]
mod tests;

use kobel_resources::read::local_defaults;
use kobel_resources::{Context, Lookup, Review};
use serde_json::Value;

/// Reviews an object of a Flink kind by the rules of one machine.
pub fn flink(object: &Value, previous: Option<&Value>, lookup: Lookup<'_>) -> Review {
    Review::of(object, &Context { previous, find: lookup, defaults: local_defaults() })
}
