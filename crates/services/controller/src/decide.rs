//! What is reported of a deployment: a stored object and the time in, a condition or the reason for none out.
//!
//! Pure. A condition that says what is already said is no report, so an object at rest is not written.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use kobel_model::deployment::Substrate;
use kobel_resources::read::unhonoured;
use kobel_resources::status::Condition;
use kobel_resources::{Context, Problem};
use serde_json::Value;

/// The type of the condition.
const HONOURED: &str = "Honoured";

/// What is to be done about an object.
#[derive(Debug, PartialEq)]
pub(crate) enum Decision {
    /// The condition is to be written.
    Report(Condition),
    /// Nothing is to be done.
    Nothing(Why),
}

/// Why nothing is to be done.
#[derive(Debug, PartialEq)]
pub(crate) enum Why {
    /// The object is being deleted.
    Leaving,
    /// The object cannot be read; it was stored before a rule that it breaks.
    Unreadable(Vec<Problem>),
    /// Every field has an effect, and nothing else was ever said.
    Honoured,
    /// The status says so already.
    Said,
}

/// Decides what is to be said of a stored deployment at this time.
pub(crate) fn decide(object: &Value, now: Timestamp) -> Decision {
    if object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null()) {
        return Decision::Nothing(Why::Leaving);
    }
    let paths = match without_effect(object) {
        Ok(paths) => paths,
        Err(problems) => return Decision::Nothing(Why::Unreadable(problems)),
    };
    let said = said(object);
    if paths.is_empty() && said.is_none() {
        return Decision::Nothing(Why::Honoured);
    }
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
    let wanted = since(condition(&paths, generation), said.as_ref(), now);
    if said.as_ref() == Some(&wanted) { Decision::Nothing(Why::Said) } else { Decision::Report(wanted) }
}

/// The paths of the fields that have no effect on this machine.
fn without_effect(object: &Value) -> Result<Vec<String>, Vec<Problem>> {
    // A stored object is its own past: what may not change has not changed.
    let context = Context { previous: Some(object), find: &|_, _| None, defaults: &BTreeMap::new() };
    let reading = kobel_resources::read(object, &context)?;
    Ok(unhonoured(&reading.declared, Substrate::Local))
}

/// The condition as the status has it.
fn said(object: &Value) -> Option<Condition> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    let found = conditions.iter().find(|condition| condition.get("type").and_then(Value::as_str) == Some(HONOURED))?;
    serde_json::from_value(found.clone()).ok()
}

/// The condition of an object in which these fields have no effect.
fn condition(paths: &[String], generation: Option<i64>) -> Condition {
    let (status, reason, message) = if paths.is_empty() {
        ("True", "AllFields", "every field has an effect on this machine".to_owned())
    } else {
        ("False", "NotOnThisSubstrate", format!("have no effect on this machine: {}", paths.join(", ")))
    };
    Condition {
        kind: HONOURED.to_owned(),
        status: Some(status.to_owned()),
        reason: Some(reason.to_owned()),
        message: Some(message),
        last_transition_time: None,
        observed_generation: generation,
    }
}

/// Dates the condition: from when its status has been what it is.
fn since(mut wanted: Condition, said: Option<&Condition>, now: Timestamp) -> Condition {
    let earlier = said.filter(|said| said.status == wanted.status).and_then(|said| said.last_transition_time.clone());
    wanted.last_transition_time = Some(earlier.unwrap_or_else(|| now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()));
    wanted
}
