//! What goes when something goes: finalizers, dependents, and the content of namespaces.
//!
//! Everything happens in the transaction of the act that caused it, so nobody sees half of it. Work waits in a queue
//! and not on the call stack: chains of owners may be as long as people make them.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Value, json};

use crate::admission::metadata::{FOREGROUND, ORPHAN, is_own_finalizer};
use crate::object;
use crate::status::Answer;
use crate::store::Key;
use crate::verbs::request::Propagation;
use crate::verbs::site::{Audited, Site};

/// The resource of namespaces.
pub const NAMESPACES: &str = "namespaces";

/// One thing to do.
enum Work {
    /// Delete an object, or begin to.
    Delete(Key, Propagation),
    /// See whether an object that is being deleted can go on going.
    Proceed(Key),
    /// Look after what an object that is gone leaves.
    Gone(Value, Key),
    /// See whether a namespace that is being deleted is empty.
    Namespace(String),
}

/// What a delete did at once.
#[derive(Debug, Clone, PartialEq)]
pub enum Deletion {
    /// The object is gone; it was this.
    Done(Value),
    /// The object waits for its finalizers; this was its state when the deletion began.
    Begun(Value),
}

/// Deletes an object with everything that follows from it; `old` is its stored state.
pub fn delete(site: &mut Site<'_, '_>, key: &Key, old: Value, propagation: Propagation) -> Answer<Deletion> {
    let mut queue = VecDeque::new();
    let done = begin(site, key, old, propagation, &mut queue)?;
    settle(site, queue)?;
    Ok(done)
}

/// Removes an object that was being deleted and that nothing holds any more, with everything that follows from it;
/// answers its last state.
pub fn remove(site: &mut Site<'_, '_>, key: &Key, last: Value) -> Answer<Value> {
    let gone = site.tx.delete(key, last)?.value();
    settle(site, VecDeque::from([Work::Gone(gone.clone(), key.clone())]))?;
    Ok(gone)
}

/// Sees to an object that was written: it goes when it is being deleted and nothing holds it, or when it has owners and
/// none of them exists. Answers whether it is gone.
pub fn after_write(site: &mut Site<'_, '_>, key: &Key, object: &Value) -> Answer<bool> {
    let owners = object::owner_uids(object);
    if object::is_deleting(object) {
        settle(site, VecDeque::from([Work::Proceed(key.clone())]))?;
    } else if !owners.is_empty() && !owners.iter().any(|owner| is_owner_there(site, owner, key)) {
        settle(site, VecDeque::from([Work::Delete(key.clone(), Propagation::Background)]))?;
    }
    Ok(site.tx.get(key).is_none())
}

fn settle(site: &mut Site<'_, '_>, mut queue: VecDeque<Work>) -> Answer<()> {
    while let Some(work) = queue.pop_front() {
        match work {
            Work::Delete(key, propagation) => {
                let going = site.value(&key).filter(|object| !object::is_deleting(object));
                if let Some(object) = going
                    && let Deletion::Done(last) = begin(site, &key, object, propagation, &mut queue)?
                {
                    collected(site, &key, &last);
                }
            }
            Work::Proceed(key) => proceed(site, &key, &mut queue)?,
            Work::Gone(object, key) => look_after(site, &object, &key, &mut queue)?,
            Work::Namespace(name) => finish_namespace(site, &name, &mut queue)?,
        }
    }
    Ok(())
}

/// Deletes an object that nothing holds; of another it writes that it is being deleted.
fn begin(
    site: &mut Site<'_, '_>,
    key: &Key,
    old: Value,
    propagation: Propagation,
    queue: &mut VecDeque<Work>,
) -> Answer<Deletion> {
    let is_namespace = &*key.resource == NAMESPACES;
    let mut kept: Vec<String> =
        object::finalizers(&old).into_iter().filter(|name| !is_own_finalizer(name)).map(str::to_owned).collect();
    match propagation {
        Propagation::Background => {}
        Propagation::Foreground => kept.push(FOREGROUND.to_owned()),
        Propagation::Orphan => kept.push(ORPHAN.to_owned()),
    }
    if kept.is_empty() && !is_namespace {
        site.tx.delete(key, old.clone())?;
        queue.push_back(Work::Gone(old.clone(), key.clone()));
        return Ok(Deletion::Done(old));
    }
    let mut new = old.clone();
    set_finalizers(&mut new, kept);
    if !object::is_deleting(&old) {
        object::meta_mut(&mut new).insert("deletionTimestamp".to_owned(), json!(site.now()));
        if is_namespace { mark_terminating(&mut new) } else { mark_deleting(&mut new) }
    }
    let state = if new == old { old } else { site.tx.put(key, new)?.value() };
    if is_namespace {
        let content = site.tx.in_namespace(&key.name);
        queue.extend(content.into_iter().map(|key| Work::Delete(key, Propagation::Background)));
    }
    queue.push_back(Work::Proceed(key.clone()));
    Ok(Deletion::Begun(state))
}

/// Writes on a namespace that it is going.
pub fn mark_terminating(namespace: &mut Value) {
    namespace["status"] = json!({"phase": "Terminating"});
}

/// Writes on an object what a deletion changes besides its time and its finalizers.
pub fn mark_deleting(object: &mut Value) {
    let generation = object::generation(object);
    let meta = object::meta_mut(object);
    meta.insert("deletionGracePeriodSeconds".to_owned(), json!(0));
    // Only kinds that count generations have one; for them the wish to be gone is a change of the wish.
    if generation > 0 {
        meta.insert("generation".to_owned(), json!(generation + 1));
    }
}

/// Replaces the finalizers of an object.
pub fn set_finalizers(object: &mut Value, names: Vec<String>) {
    let meta = object::meta_mut(object);
    if names.is_empty() {
        meta.shift_remove("finalizers");
    } else {
        meta.insert("finalizers".to_owned(), json!(names));
    }
}

/// Does what the collector's own finalizers wait for, and removes the object when nothing holds it any longer.
fn proceed(site: &mut Site<'_, '_>, key: &Key, queue: &mut VecDeque<Work>) -> Answer<()> {
    let Some(object) = site.value(key).filter(object::is_deleting) else { return Ok(()) };
    let uid = object::uid(&object).to_owned();
    let mut kept: Vec<String> = object::finalizers(&object).into_iter().map(str::to_owned).collect();
    let before = kept.len();
    if kept.iter().any(|name| name == ORPHAN) {
        for dependent in dependents(site, key, &uid) {
            forget_owner(site, &dependent, &uid, queue)?;
        }
        kept.retain(|name| name != ORPHAN);
    }
    if kept.iter().any(|name| name == FOREGROUND) {
        let mut is_blocked = false;
        for dependent in dependents(site, key, &uid) {
            let Some(value) = site.value(&dependent) else { continue };
            is_blocked |= dependent != *key && blocks(&value, &uid) && !waits_in_a_circle(site, &object, &value);
            if !object::is_deleting(&value) {
                queue.push_back(Work::Delete(dependent, Propagation::Foreground));
            }
        }
        if !is_blocked {
            kept.retain(|name| name != FOREGROUND);
        }
    }
    if kept.is_empty() && &*key.resource == NAMESPACES {
        queue.push_back(Work::Namespace(key.name.to_string()));
    }
    if kept.is_empty() && &*key.resource != NAMESPACES {
        let mut last = object;
        set_finalizers(&mut last, kept);
        site.tx.delete(key, last.clone())?;
        collected(site, key, &last);
        queue.push_back(Work::Gone(last, key.clone()));
    } else if kept.len() != before {
        let mut new = object;
        set_finalizers(&mut new, kept);
        site.tx.put(key, new)?;
    }
    Ok(())
}

/// Writes down that an object went because of another one.
fn collected(site: &mut Site<'_, '_>, key: &Key, last: &Value) {
    let manager = "garbage-collector";
    site.audit(&Audited { verb: "delete", key, subresource: "", manager, code: 200, old: Some(last), new: None });
}

/// Whether an object may own another: it is in the same namespace, or in none.
fn is_in_reach(owner: &Key, dependent: &Key) -> bool {
    owner.namespace.is_empty() || owner.namespace == dependent.namespace
}

/// Whether an owner exists where the dependent may have one.
fn is_owner_there(site: &Site<'_, '_>, owner: &str, dependent: &Key) -> bool {
    site.tx.by_uid(owner).is_some_and(|owner| is_in_reach(&owner.key, dependent))
}

/// What an object owns. References from other namespaces do not count: namespaces are strangers.
fn dependents(site: &Site<'_, '_>, owner: &Key, uid: &str) -> Vec<Key> {
    site.tx.dependents(uid).into_iter().filter(|dependent| is_in_reach(owner, dependent)).collect()
}

/// Whether a dependent waits for its own dependents, of which the object is one: then neither would ever go.
fn waits_in_a_circle(site: &Site<'_, '_>, object: &Value, dependent: &Value) -> bool {
    if !object::is_deleting(dependent) || object::finalizers(dependent) != [FOREGROUND] {
        return false;
    }
    let (wanted, mut seen) = (object::uid(dependent), BTreeSet::new());
    let mut waiting: Vec<String> = object::owner_uids(object).into_iter().map(str::to_owned).collect();
    while let Some(owner) = waiting.pop() {
        if owner == wanted {
            return true;
        }
        if let Some(stored) = site.tx.by_uid(&owner).filter(|_| seen.insert(owner)) {
            waiting.extend(object::owner_uids(&stored.value()).into_iter().map(str::to_owned));
        }
    }
    false
}

/// Whether an object keeps its owner of this unique id from going.
pub fn blocks(dependent: &Value, owner: &str) -> bool {
    let listed = dependent.get("metadata").and_then(|meta| meta.get("ownerReferences")).and_then(Value::as_array);
    listed.into_iter().flatten().any(|reference| {
        reference.get("uid").and_then(Value::as_str) == Some(owner)
            && reference.get("blockOwnerDeletion") == Some(&Value::Bool(true))
    })
}

/// Takes one owner from an object.
fn forget_owner(site: &mut Site<'_, '_>, key: &Key, owner: &str, queue: &mut VecDeque<Work>) -> Answer<()> {
    let Some(mut object) = site.value(key) else { return Ok(()) };
    let meta = object::meta_mut(&mut object);
    if let Some(owners) = meta.get_mut("ownerReferences").and_then(Value::as_array_mut) {
        owners.retain(|reference| reference.get("uid").and_then(Value::as_str) != Some(owner));
        if owners.is_empty() {
            meta.shift_remove("ownerReferences");
        }
    }
    site.tx.put(key, object)?;
    queue.push_back(Work::Proceed(key.clone()));
    Ok(())
}

/// Looks after the dependents, the waiting owners and the namespace of an object that is gone.
fn look_after(site: &mut Site<'_, '_>, gone: &Value, key: &Key, queue: &mut VecDeque<Work>) -> Answer<()> {
    let uid = object::uid(gone);
    if !uid.is_empty() {
        for dependent in dependents(site, key, uid) {
            let Some(value) = site.value(&dependent) else { continue };
            let mut others = object::owner_uids(&value).into_iter().filter(|owner| *owner != uid);
            if others.any(|owner| is_owner_there(site, owner, &dependent)) {
                forget_owner(site, &dependent, uid, queue)?;
            } else {
                queue.push_back(Work::Delete(dependent, Propagation::Background));
            }
        }
    }
    for owner in object::owner_uids(gone) {
        if let Some(owner) = site.tx.by_uid(owner).filter(|owner| is_in_reach(&owner.key, key)) {
            queue.push_back(Work::Proceed(owner.key.clone()));
        }
    }
    if !key.namespace.is_empty() {
        queue.push_back(Work::Namespace(key.namespace.to_string()));
    }
    Ok(())
}

/// Removes a namespace that is being deleted, once nothing is in it and nothing holds it.
fn finish_namespace(site: &mut Site<'_, '_>, name: &str, queue: &mut VecDeque<Work>) -> Answer<()> {
    let key = Key::new(NAMESPACES, "", name);
    let Some(mut last) = site.value(&key).filter(object::is_deleting) else { return Ok(()) };
    if object::finalizers(&last).is_empty() && site.tx.in_namespace(name).is_empty() {
        last["spec"] = json!({});
        site.tx.delete(&key, last.clone())?;
        collected(site, &key, &last);
        queue.push_back(Work::Gone(last, key));
    }
    Ok(())
}
