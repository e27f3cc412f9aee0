//! Who looks at objects after their schema did: the door for the Flink kinds, and rules of bindings.
//!
//! A reviewer is a pure function of the object, of what is stored, and of a lookup of neighbours.

pub mod bindings;

#[cfg(test)]
mod tests;

use kobel_resources::Context;
use kobel_resources::read::local_defaults;
use serde_json::Value;

use crate::kind::{Lookup, Review};

/// Reviews an object of a Flink kind: it is read as it will be when it is run.
pub fn flink(object: &Value, previous: Option<&Value>, lookup: Lookup<'_>) -> Review {
    let context = Context { previous, find: lookup, defaults: local_defaults() };
    match kobel_resources::read(object, &context) {
        Ok(reading) => Review { problems: Vec::new(), warnings: reading.warnings },
        Err(problems) => Review { problems, warnings: Vec::new() },
    }
}
