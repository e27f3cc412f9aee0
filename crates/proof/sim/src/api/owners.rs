//! The garbage collector: what has lost its owners goes, what waits for its dependents is let go, and a namespace that
//! is going takes its content with it.
//!
//! It looks at everything, some time after a write that may have left it work. What it changes calls it again, so it
//! never has to look twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use kobel_apiserver::admission::metadata::{FOREGROUND, ORPHAN};
use kobel_apiserver::garbage::{NAMESPACES, blocks, set_finalizers};
use kobel_apiserver::object;
use kobel_apiserver::verbs::Propagation;
use serde_json::Value;

use super::commit;
use super::deletion;
use super::store::Stored;
use crate::entry::{Verb, Who};
use crate::world::World;

/// Looks at everything.
pub(crate) fn collect(world: &mut World) {
    world.api.collector_came();
    let all: Vec<Arc<Stored>> = world.api.everything().cloned().collect();
    let homes: BTreeMap<&str, &str> =
        all.iter().map(|object| (object::uid(&object.value), object.key.namespace.as_str())).collect();
    for object in &all {
        // What was changed a moment ago is looked at the next time.
        if world.api.stored(&object.key).is_none_or(|now| now.revision != object.revision) {
            continue;
        }
        if !object::is_deleting(&object.value) {
            check_owners(world, object, &homes);
        } else if object.key.resource == NAMESPACES {
            empty(world, object, &all);
        } else {
            proceed(world, object, &all);
        }
    }
}

/// Whether one object may own another: it is in the same namespace, or in none.
fn is_in_reach(owner: &str, dependent: &str) -> bool {
    owner.is_empty() || owner == dependent
}

/// Deletes an object that has lost all its owners, and makes it forget those that it has lost.
fn check_owners(world: &mut World, object: &Arc<Stored>, homes: &BTreeMap<&str, &str>) {
    let owners = object::owner_uids(&object.value);
    let is_there = |uid: &&str| homes.get(uid).is_some_and(|home| is_in_reach(home, &object.key.namespace));
    let lost: Vec<&str> = owners.iter().copied().filter(|uid| !is_there(uid)).collect();
    if lost.is_empty() {
        return;
    }
    if lost.len() == owners.len() {
        deletion::begin(world, object, Propagation::Background, Who::Cluster);
    } else {
        forget_owners(world, object, &lost);
    }
}

fn forget_owners(world: &mut World, object: &Arc<Stored>, lost: &[&str]) {
    let mut new = Value::clone(&object.value);
    let meta = object::meta_mut(&mut new);
    if let Some(owners) = meta.get_mut("ownerReferences").and_then(Value::as_array_mut) {
        owners.retain(|owner| owner.get("uid").and_then(Value::as_str).is_none_or(|uid| !lost.contains(&uid)));
        if owners.is_empty() {
            meta.shift_remove("ownerReferences");
        }
    }
    commit::put(world, &object.key, new, (Verb::Update, Who::Cluster));
}

/// Deletes what is in a namespace, and the namespace when nothing is.
fn empty(world: &mut World, namespace: &Arc<Stored>, all: &[Arc<Stored>]) {
    let inside: Vec<&Arc<Stored>> = all.iter().filter(|object| object.key.namespace == namespace.key.name).collect();
    if inside.is_empty() && object::finalizers(&namespace.value).is_empty() {
        commit::remove(world, namespace, Value::clone(&namespace.value), Who::Cluster);
    }
    for object in inside.into_iter().filter(|object| !object::is_deleting(&object.value)) {
        // It may have gone a moment ago.
        if let Some(object) = world.api.stored(&object.key) {
            deletion::begin(world, &object, Propagation::Background, Who::Cluster);
        }
    }
}

/// Does what the collector's own finalizers wait for, and lets the object go when nothing holds it any longer.
fn proceed(world: &mut World, object: &Arc<Stored>, all: &[Arc<Stored>]) {
    let uid = object::uid(&object.value);
    let mut kept: Vec<String> = object::finalizers(&object.value).into_iter().map(str::to_owned).collect();
    let before = kept.len();
    let is_dependent = |other: &&Arc<Stored>| {
        is_in_reach(&object.key.namespace, &other.key.namespace) && object::owner_uids(&other.value).contains(&uid)
    };
    let dependents: Vec<Arc<Stored>> =
        all.iter().filter(is_dependent).filter_map(|other| world.api.stored(&other.key)).collect();
    if kept.iter().any(|name| name == ORPHAN) {
        for dependent in &dependents {
            forget_owners(world, dependent, &[uid]);
        }
        kept.retain(|name| name != ORPHAN);
    }
    if kept.iter().any(|name| name == FOREGROUND) {
        for dependent in dependents.iter().filter(|dependent| !object::is_deleting(&dependent.value)) {
            deletion::begin(world, dependent, Propagation::Foreground, Who::Cluster);
        }
        let is_blocked = dependents
            .iter()
            .filter_map(|dependent| world.api.stored(&dependent.key))
            .any(|dependent| blocks(&dependent.value, uid));
        if !is_blocked {
            kept.retain(|name| name != FOREGROUND);
        }
    }
    if kept.len() == before && !kept.is_empty() {
        return;
    }
    let mut new = Value::clone(&object.value);
    let is_free = kept.is_empty();
    set_finalizers(&mut new, kept);
    if is_free {
        commit::remove(world, object, new, Who::Cluster);
    } else {
        commit::put(world, &object.key, new, (Verb::Update, Who::Cluster));
    }
}
