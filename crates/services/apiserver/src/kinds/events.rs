//! Events: the two shapes in which they are told, and their end after an hour.
//!
//! They are stored as `v1` events; `events.k8s.io/v1` is a view of the same objects. Nothing is lost on the way there
//! and back.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::object;
use crate::status::Answer;
use crate::store::{Key, Store, Stored};
use crate::surroundings::Surroundings;

/// The resource under which events are stored.
pub const EVENTS: &str = "events";
/// How long an event is kept after its last write.
const KEPT: SignedDuration = SignedDuration::from_hours(1);
/// How many events one act removes.
const BATCH: usize = 500;

/// Names of fields: in `v1`, and in `events.k8s.io/v1`. Every other field has the same name in both.
const RENAMED: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// Shows a `v1` event as one of `events.k8s.io/v1`.
pub fn to_events_v1(core: &Value) -> Value {
    rename(core, "events.k8s.io/v1", |name| {
        RENAMED.iter().find(|(core, _)| *core == name).map_or(name, |(_, view)| *view)
    })
}

/// Makes a `v1` event of one of `events.k8s.io/v1`.
pub fn to_core(view: &Value) -> Value {
    rename(view, "v1", |name| RENAMED.iter().find(|(_, view)| *view == name).map_or(name, |(core, _)| *core))
}

fn rename<'a>(event: &'a Value, api_version: &str, name_of: impl Fn(&'a str) -> &'a str) -> Value {
    let mut renamed = Map::new();
    for (name, value) in event.as_object().into_iter().flatten() {
        renamed.insert(name_of(name).to_owned(), value.clone());
    }
    if renamed.contains_key("apiVersion") {
        renamed.insert("apiVersion".to_owned(), Value::String(api_version.to_owned()));
    }
    Value::Object(renamed)
}

/// The events whose hour is over and that nothing holds.
pub fn expired_events(store: &Store, surroundings: &dyn Surroundings) -> Vec<Key> {
    let now = surroundings.now();
    expired(store, now).into_iter().map(|event| event.key.clone()).collect()
}

/// Removes the events whose hour is over and that nothing holds; the server calls it each minute. Answers how many went.
pub async fn sweep(store: &Store, surroundings: &dyn Surroundings) -> Answer<usize> {
    let mut gone = 0;
    for batch in expired(store, surroundings.now()).chunks(BATCH) {
        let batch = batch.to_vec();
        gone += store
            .write(move |tx| {
                let mut gone = 0;
                for event in batch {
                    // One that was written meanwhile lives on.
                    if tx.get(&event.key).is_some_and(|newest| newest.revision == event.revision) {
                        tx.delete(&event.key, event.value())?;
                        gone += 1;
                    }
                }
                Ok(gone)
            })
            .await?;
    }
    Ok(gone)
}

fn expired(store: &Store, now: Timestamp) -> Vec<Arc<Stored>> {
    let (_, mut events) = store.list(EVENTS, None);
    events.retain(|event| {
        let value = event.value();
        // What is held by a finalizer goes when its holder lets go of it, and what is being deleted goes anyway.
        let is_free = object::finalizers(&value).is_empty() && !object::is_deleting(&value);
        is_free && last_written(&value, now).is_some_and(|at| now.duration_since(at) >= KEPT)
    });
    events
}

/// When an event was written last. A time in the future is some other clock's and does not count.
fn last_written(event: &Value, now: Timestamp) -> Option<Timestamp> {
    let managed = event.get("metadata").and_then(|meta| meta.get("managedFields")).and_then(Value::as_array);
    let managed = managed.into_iter().flatten().filter_map(|entry| entry.get("time")?.as_str());
    let own = ["lastTimestamp", "eventTime"].into_iter().filter_map(|field| event.get(field)?.as_str());
    let repeated = event.get("series").and_then(|series| series.get("lastObservedTime")).and_then(Value::as_str);
    let created = object::meta(event, "creationTimestamp");
    let told = managed.chain(own).chain(repeated).chain([created]);
    told.filter_map(|text| text.parse::<Timestamp>().ok()).filter(|at| *at <= now).max()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::surroundings::Machine;

    #[tokio::test]
    async fn what_a_finalizer_holds_or_is_being_deleted_is_not_swept() {
        let store = Store::in_memory().unwrap();
        let old = "2020-01-01T00:00:00Z";
        for (name, meta) in [
            ("free", json!({})),
            ("held", json!({"finalizers": ["example.com/x"]})),
            ("deleting", json!({"deletionTimestamp": old})),
        ] {
            let mut event = json!({"metadata": meta, "lastTimestamp": old});
            event["metadata"]["name"] = json!(name);
            let key = Key::new(EVENTS, "ns", name);
            store.write(move |tx| tx.put(&key, event)).await.unwrap();
        }
        assert_eq!(sweep(&store, &Machine).await.unwrap(), 1);
        assert!(store.get(&Key::new(EVENTS, "ns", "free")).is_none());
    }
}
