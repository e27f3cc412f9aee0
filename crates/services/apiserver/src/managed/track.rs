//! Tracking: what an update, or an apply, does to the entries of `metadata.managedFields`.
//!
//! Everything here works on objects without their `managedFields`.
//!
//! # Source
//! `structured-merge-diff`, `merge/update.go`; `apimachinery`, `pkg/util/managedfields/internal/fieldmanager.go`.

use kobel_resources::schema::Schema;
use serde_json::{Value, json};

use super::conflicts::{Conflict, find};
use super::entry::{Entry, Force, Manager, cap, decode, managed_fields, take, unmanaged};
use super::merge::{merge, prune};
use super::set::{Set, of_fields};
use super::shape::Shape;
use super::walk::{compare, fields_of};

/// A write of one manager to an object that is there as `live`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Write<'a> {
    /// The object as it is; only its type, if it is not there yet.
    pub(crate) live: &'a Value,
    /// The object as it is wanted: whole for an update, in parts for an apply.
    pub(crate) wanted: &'a Value,
    /// Who writes.
    pub(crate) manager: &'a Manager<'a>,
    /// The schema of the kind.
    pub(crate) schema: &'a Schema,
}

/// What an apply makes.
#[derive(Debug)]
pub(crate) struct Merged {
    /// The object.
    pub(crate) object: Value,
    /// Its entries.
    pub(crate) entries: Vec<Entry>,
}

/// An object of which nothing is known yet.
pub(crate) fn nothing() -> Value {
    json!({})
}

/// The entries that an update starts from: those it gives itself, else those that are there.
pub(crate) fn entries_before_update(old: Option<&Value>, new: &Value, manager: &Manager<'_>) -> Vec<Entry> {
    let live = || decode(old.and_then(managed_fields)).unwrap_or_default();
    // Entries that come through a subresource are not the caller's to change.
    if !manager.subresource.is_empty() {
        return live();
    }
    let given = managed_fields(new);
    if given.is_some_and(is_reset) {
        return Vec::new();
    }
    decode(given).filter(|entries| !entries.is_empty()).unwrap_or_else(live)
}

/// An empty list, or a list of one empty entry, asks to forget all managers.
fn is_reset(given: &Value) -> bool {
    match given.as_array().map(Vec::as_slice) {
        Some([]) => true,
        Some([one]) => one.as_object().is_some_and(serde_json::Map::is_empty),
        _ => false,
    }
}

/// Fields that this way of writing does not reach: they keep their values and their managers.
fn out_of_reach(write: &Write<'_>) -> Set {
    match write.manager.subresource {
        "status" => of_fields(&[&["metadata"], &["spec"]]),
        "" if write.schema.property("status").is_some() => of_fields(&[&["status"]]),
        _ => Set::default(),
    }
}

/// What an update leaves of the entries, and adds to that of its manager.
pub(crate) fn update(write: &Write<'_>, mut entries: Vec<Entry>) -> Vec<Entry> {
    let found = compare(write.live, write.wanted, Shape::Object(write.schema)).without_trees(&out_of_reach(write));
    let changed = found.changed();
    let mut mine = Entry::of(write.manager, changed.difference(&unmanaged()));
    let identifier = mine.identifier();
    take(&mut entries, &changed.union(&found.removed));
    if !mine.set.is_empty() {
        mine.time = Some(write.manager.time.to_owned());
        match entries.iter_mut().find(|entry| entry.identifier() == identifier) {
            Some(entry) => {
                entry.set = entry.set.union(&mine.set);
                entry.time = mine.time;
            }
            None => entries.push(mine),
        }
    }
    cap(&mut entries);
    entries
}

/// The entry that holds all fields of an object which nobody was known to manage.
pub(crate) fn before_first_apply(write: &Write<'_>) -> Vec<Entry> {
    let found = compare(&nothing(), write.live, Shape::Object(write.schema)).without_trees(&out_of_reach(write));
    let entry = Entry::before_first_apply(write.manager, found.changed().difference(&unmanaged()));
    if entry.set.is_empty() { Vec::new() } else { vec![entry] }
}

/// Merges what is applied into the object and takes out what its manager no longer applies.
pub(crate) fn apply(write: &Write<'_>, mut entries: Vec<Entry>, force: Force) -> Result<Merged, Vec<Conflict>> {
    let shape = Shape::Object(write.schema);
    let unreached = out_of_reach(write);
    let applied = fields_of(write.wanted, shape).without_trees(&unreached);
    let mut mine = Entry::of(write.manager, applied.difference(&unmanaged()));
    let identifier = mine.identifier();
    let place = entries.iter().position(|entry| entry.identifier() == identifier);
    let before = place.map(|place| entries.remove(place));
    let mut object = merge(Some(write.live), write.wanted, shape);
    if let Some(before) = &before
        && !before.set.is_empty()
    {
        let owned = entries.iter().fold(applied, |all, entry| all.union(&entry.set));
        object = prune(&object, &before.set, &owned, shape);
    }
    let found = compare(write.live, &object, shape).without_trees(&unreached);
    let changed = found.changed();
    if force == Force::No {
        let conflicts = find(&entries, &changed);
        if !conflicts.is_empty() {
            return Err(conflicts);
        }
    }
    take(&mut entries, &changed.union(&found.removed));
    // An apply that changes nothing but who owns what has no time of its own.
    let is_same = *write.live == object;
    mine.time = if is_same { before.and_then(|before| before.time) } else { Some(write.manager.time.to_owned()) };
    if !mine.set.is_empty() {
        entries.push(mine);
    }
    Ok(Merged { object, entries })
}
