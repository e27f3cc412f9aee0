//! What is said of an object: in its status, in its condition, in events.

use std::sync::Arc;

use serde_json::Value;

use crate::entry::{Entry, Happened, ObjectKey, Verb};
use crate::world::World;

use super::command::Word;
use super::manifest::NAMESPACE;

/// The kinds that scripts name, with their plural names.
pub const RESOURCES: [(&str, &str); 4] = [
    ("FlinkDeployment", "flinkdeployments"),
    ("FlinkSessionJob", "flinksessionjobs"),
    ("FlinkStateSnapshot", "flinkstatesnapshots"),
    ("FlinkBlueGreenDeployment", "flinkbluegreendeployments"),
];

/// Where states stand in a status.
const STATES: [&str; 6] = [
    "/status/lifecycleState",
    "/status/jobStatus/state",
    "/status/jobManagerDeploymentStatus",
    "/status/reconciliationStatus/state",
    "/status/state",
    "/status/blueGreenState",
];

/// The object of this name, whatever its kind; a pair stands behind the others.
pub fn find(world: &World, name: &str) -> Option<(ObjectKey, Arc<Value>)> {
    RESOURCES.iter().find_map(|(_, resource)| {
        let key = key(resource, name);
        let object = world.api.get(&key)?;
        Some((key, object))
    })
}

/// The key of an object.
pub fn key(resource: &str, name: &str) -> ObjectKey {
    ObjectKey { resource: resource.to_owned(), namespace: NAMESPACE.to_owned(), name: name.to_owned() }
}

/// Whether a word holds of an object now. Events do not hold, they happen.
pub fn holds(world: &World, name: &str, word: &Word) -> bool {
    match word {
        Word::Gone => find(world, name).is_none(),
        Word::Event(_) => false,
        Word::Says(_) | Word::Error | Word::Field(..) => {
            find(world, name).is_some_and(|(_, object)| says(&object, word))
        }
    }
}

/// Whether a word came to hold of an object by something that happened.
pub fn came(happened: &Happened, name: &str, word: &Word) -> bool {
    let Entry::Wrote { key, after, verb, .. } = &happened.entry else { return false };
    match (word, after) {
        (Word::Event(reason), Some(event)) => {
            key.resource == "events"
                && event.pointer("/involvedObject/name").is_some_and(|of| of == name)
                && event.get("reason").is_some_and(|told| told == reason.as_str())
        }
        (Word::Gone, _) => *verb == Verb::Delete && is_of(key, name),
        (Word::Says(_) | Word::Error | Word::Field(..), Some(object)) => is_of(key, name) && says(object, word),
        (_, None) => false,
    }
}

fn is_of(key: &ObjectKey, name: &str) -> bool {
    key.name == name && key.resource != "events"
}

/// Whether a word is said in an object, about what it declares now.
fn says(object: &Value, word: &Word) -> bool {
    match word {
        Word::Error => is_current(object) && error(object).is_some(),
        Word::Says(text) => {
            let reason = settled(object).and_then(|condition| condition.get("reason"));
            let states = STATES.iter().filter_map(|place| object.pointer(place));
            is_current(object) && states.chain(reason).any(|said| said == text.as_str())
        }
        Word::Field(path, expected) => {
            let value = path.iter().try_fold(object, |at, part| at.get(part));
            value.is_some_and(|value| {
                let is_it = |wanted: Value| wanted == *value;
                value.as_str().map_or_else(|| serde_json::from_str(expected).is_ok_and(is_it), |text| text == expected)
            })
        }
        Word::Event(_) | Word::Gone => false,
    }
}

/// The error of an object, if there is one.
pub fn error(object: &Value) -> Option<&str> {
    object.pointer("/status/error").and_then(Value::as_str).filter(|error| !error.is_empty())
}

/// The condition that tells whether everything is as it was asked for.
pub fn settled(object: &Value) -> Option<&Value> {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array)?;
    conditions.iter().find(|condition| condition.get("type").is_some_and(|kind| kind == "Settled"))
}

/// Whether the status is about what is declared now; one without a condition does not tell.
fn is_current(object: &Value) -> bool {
    let said = settled(object).and_then(|condition| condition.get("observedGeneration"));
    said.is_none_or(|said| Some(said) == object.pointer("/metadata/generation"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::entry::Who;

    fn object(generation: i64) -> Value {
        json!({
            "metadata": {"name": "orders", "generation": generation},
            "status": {
                "lifecycleState": "STABLE", "jobStatus": {"state": "RUNNING"}, "error": "",
                "conditions": [{"type": "Settled", "reason": "Settled", "observedGeneration": 1}],
            },
        })
    }

    #[test]
    fn a_word_is_about_what_is_declared_now() {
        for text in ["Settled", "STABLE", "RUNNING"] {
            let word = Word::Says(text.to_owned());
            assert!(says(&object(1), &word) && !says(&object(2), &word), "{text}");
        }
        assert!(says(&object(2), &Word::read("status.jobStatus.state=RUNNING")));
        assert!(
            says(&object(2), &Word::read("metadata.generation=2")) && !says(&object(2), &Word::read("metadata.uid=2"))
        );
        assert!(!says(&object(1), &Word::Says("UPGRADING".to_owned())) && !says(&object(1), &Word::Error));
    }

    #[test]
    fn an_event_and_an_end_are_found_in_what_happened() {
        let wrote = |resource: &str, name: &str, verb, after: Option<Value>| Happened {
            at_ms: 0,
            entry: Entry::Wrote {
                rev: 1,
                verb,
                key: key(resource, name),
                before: None,
                after: after.map(Arc::new),
                by: Who::Controller,
            },
        };
        let event = json!({"involvedObject": {"name": "orders"}, "reason": "Submit"});
        let told = wrote("events", "orders.1", Verb::Create, Some(event));
        assert!(came(&told, "orders", &Word::Event("Submit".to_owned())));
        assert!(!came(&told, "other", &Word::Event("Submit".to_owned())));
        let gone = wrote("flinkdeployments", "orders", Verb::Delete, None);
        assert!(came(&gone, "orders", &Word::Gone) && !came(&gone, "other", &Word::Gone));
        let status = wrote("flinkdeployments", "orders", Verb::UpdateStatus, Some(object(1)));
        assert!(came(&status, "orders", &Word::Says("STABLE".to_owned())));
    }
}
