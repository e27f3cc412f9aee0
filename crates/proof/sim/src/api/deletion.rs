//! Deletions: an object that nothing holds goes at once, another one is marked and waits for its finalizers.

use std::sync::Arc;

use kobel_apiserver::admission::metadata::{FOREGROUND, ORPHAN, is_own_finalizer};
use kobel_apiserver::garbage::{NAMESPACES, mark_deleting, mark_terminating, set_finalizers};
use kobel_apiserver::object;
use kobel_apiserver::status::{Answer, Status};
use kobel_apiserver::surroundings::show_seconds;
use kobel_apiserver::verbs::delete::check_preconditions;
use kobel_apiserver::verbs::{DeleteOptions, DryRun, Propagation, Target};
use serde_json::{Value, json};

use super::commit;
use super::store::Stored;
use crate::entry::{ObjectKey, Verb, Who};
use crate::world::World;

/// What a deletion did at once.
#[derive(Debug)]
pub(crate) enum Deletion {
    /// The object is gone; it was this.
    Gone(Arc<Stored>),
    /// The object is there and is held.
    Held(Arc<Stored>),
}

impl Deletion {
    /// The object.
    pub(crate) fn object(&self) -> &Arc<Stored> {
        match self {
            Self::Gone(object) | Self::Held(object) => object,
        }
    }
}

/// Deletes the object of a path, or begins to.
pub(crate) fn delete(world: &mut World, target: &Target, options: &DeleteOptions, by: Who) -> Answer<Deletion> {
    let resource = target.kind.resource();
    let old = world.api.stored(&key_of(target, target.name()));
    let old = old.ok_or_else(|| Status::not_found(&resource, target.name()))?;
    check_preconditions(target, &old.value, options)?;
    if options.dry_run == DryRun::All {
        return Ok(Deletion::Held(old));
    }
    Ok(begin(world, &old, options.propagation, by))
}

/// Where an object of this name is stored.
pub(crate) fn key_of(target: &Target, name: &str) -> ObjectKey {
    ObjectKey { resource: target.kind.plural.clone(), namespace: target.namespace().to_owned(), name: name.to_owned() }
}

/// Deletes an object, or begins to.
pub(crate) fn begin(world: &mut World, old: &Arc<Stored>, propagation: Propagation, by: Who) -> Deletion {
    let is_namespace = old.key.resource == NAMESPACES;
    let listed = object::finalizers(&old.value).into_iter().filter(|name| !is_own_finalizer(name));
    let mut kept: Vec<String> = listed.map(str::to_owned).collect();
    match propagation {
        Propagation::Background => {}
        Propagation::Foreground => kept.push(FOREGROUND.to_owned()),
        Propagation::Orphan => kept.push(ORPHAN.to_owned()),
    }
    if kept.is_empty() && !is_namespace {
        commit::remove(world, old, Value::clone(&old.value), by);
        return Deletion::Gone(Arc::clone(old));
    }
    let mut new = Value::clone(&old.value);
    set_finalizers(&mut new, kept);
    if !object::is_deleting(&old.value) {
        let now = show_seconds(world.timestamp());
        object::meta_mut(&mut new).insert("deletionTimestamp".to_owned(), json!(now));
        if is_namespace { mark_terminating(&mut new) } else { mark_deleting(&mut new) }
    }
    if new == *old.value {
        return Deletion::Held(Arc::clone(old));
    }
    Deletion::Held(commit::put(world, &old.key, new, (Verb::MarkDeleted, by)))
}
