//! What every write causes: a revision, an entry of the history, the fault that is aimed at its event, and work for the
//! garbage collector.

use std::sync::Arc;

use kobel_apiserver::object;
use kobel_apiserver::store::ChangeKind;
use serde_json::Value;

use super::store::{Change, Due, Stored};
use crate::entry::{Entry, ObjectKey, Verb, Who};
use crate::fault::Fault;
use crate::world::{self, World};

/// How long the garbage collector takes to come.
const COLLECT_MS: i64 = 100;

/// Creates or replaces an object.
pub(crate) fn put(world: &mut World, key: &ObjectKey, value: Value, how: (Verb, Who)) -> Arc<Stored> {
    let previous = world.api.stored(key);
    let key = previous.as_ref().map_or_else(|| Arc::new(key.clone()), |previous| Arc::clone(&previous.key));
    let object = Arc::new(Stored::new(key, world.api.revision() + 1, value));
    let kind = if previous.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
    commit(world, Change::new(kind, Arc::clone(&object), previous, world.now_ms), how);
    object
}

/// Takes an object away; `last` is how watches see it go.
pub(crate) fn remove(world: &mut World, previous: &Arc<Stored>, last: Value, by: Who) -> Arc<Stored> {
    let object = Arc::new(Stored::new(Arc::clone(&previous.key), world.api.revision() + 1, last));
    let change = Change::new(ChangeKind::Deleted, Arc::clone(&object), Some(Arc::clone(previous)), world.now_ms);
    commit(world, change, (Verb::Delete, by));
    object
}

fn commit(world: &mut World, mut change: Change, (verb, by): (Verb, Who)) {
    let rev = change.object.revision;
    change.telling.from_ms = world.now_ms.saturating_add(world.latency());
    let mut strikes = Vec::new();
    while let Some(fault) = world.fault_at_event(rev) {
        match fault {
            Fault::Late { ms } => change.telling.from_ms = change.telling.from_ms.saturating_add(ms),
            Fault::Twice => change.telling.copies = 2,
            Fault::Hold => change.telling.is_held = true,
            other => strikes.push(other),
        }
    }
    let after = (verb != Verb::Delete).then(|| Arc::clone(&change.object.value));
    let before = change.previous.as_ref().map(|previous| Arc::clone(&previous.value));
    let key = ObjectKey::clone(&change.object.key);
    let is_for_collector = leaves_work(verb, &change.object.value);
    world.api.push(change);
    world.tell(Entry::Wrote { rev, verb, key, before, after, by });
    if is_for_collector && world.api.wants_collector() {
        world.later(COLLECT_MS, world::Due::Api(Due::Collect));
    }
    for fault in strikes {
        world.strike(&fault);
    }
}

/// Whether the garbage collector may have to do something because of a write.
fn leaves_work(verb: Verb, object: &Value) -> bool {
    match verb {
        Verb::Delete | Verb::MarkDeleted => true,
        Verb::Create => !object::owner_uids(object).is_empty(),
        Verb::Update | Verb::UpdateStatus => object::is_deleting(object),
    }
}
