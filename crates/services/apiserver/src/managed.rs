//! Managed fields and server-side apply: who owns which fields of an object.
//!
//! Pure: an object, what somebody wants of it and the kind's schema go in; the object with its new
//! `metadata.managedFields` comes out. An update that changes nothing leaves `managedFields` as it was.
//!
//! # Source
//! `apimachinery`, `pkg/util/managedfields`, on top of `structured-merge-diff`.

mod check;
mod conflicts;
mod entry;
mod fields_v1;
mod last_applied;
mod merge;
mod set;
mod shape;
#[cfg(test)]
mod tests;
mod track;
mod walk;

use kobel_resources::schema::Schema;
use serde_json::Value;

pub use self::entry::{Force, Manager, Operation};

use self::entry::Entry;
use self::shape::Shape;
use self::track::{Merged, Write};
use crate::object;
use crate::status::{Answer, Status};

/// Rewrites `metadata.managedFields` of `new`, which replaces `old`, or is created if there is no `old`.
///
/// Entries that `new` brings itself are honoured: they replace those of `old`, and `[]` or `[{}]` forgets them all.
pub fn track_update(old: Option<&Value>, new: &mut Value, manager: &Manager<'_>, schema: &Schema) {
    let entries = track::entries_before_update(old, new, manager);
    // An object whose managers were forgotten stays without, until somebody applies to it.
    if entries.is_empty() && old.is_some() {
        write_entries(new, entries);
        return;
    }
    let live = old.map_or_else(track::nothing, entry::bare);
    let wanted = entry::bare(new);
    let entries = track::update(&Write { live: &live, wanted: &wanted, manager, schema }, entries);
    write_entries(new, entries);
}

/// Applies a part of an object: merges it into `live`, or creates the object if there is none.
///
/// # Errors
/// 400 if `applied` is of another type or brings `managedFields`; 409 with every field that somebody else manages,
/// unless `force` takes them over; 500 if `applied` has fields that the schema does not declare.
pub fn apply(
    live: Option<&Value>,
    applied: &Value,
    manager: &Manager<'_>,
    force: Force,
    schema: &Schema,
) -> Answer<Value> {
    check_type(live, applied, manager)?;
    let shape = Shape::Object(schema);
    let found = check::check(applied, shape);
    if !found.is_empty() {
        let place = format!("{}/{}; {}", object::namespace(applied), object::name(applied), type_of(applied));
        let message = format!("failed to create typed patch object ({place}): {}", check::one_text(&found));
        return Err(Status::new(500, "", message));
    }
    let entries = entry::decode(live.and_then(entry::managed_fields)).unwrap_or_default();
    let bare = live.map_or_else(track::nothing, entry::bare);
    let write = Write { live: &bare, wanted: applied, manager, schema };
    let entries = if entries.is_empty() && live.is_some() { track::before_first_apply(&write) } else { entries };
    let Merged { mut object, entries } = merged(&write, entries, force)?;
    if manager.name == last_applied::KUBECTL {
        last_applied::refresh(&mut object, applied);
    }
    write_entries(&mut object, entries);
    Ok(object)
}

fn check_type(live: Option<&Value>, applied: &Value, manager: &Manager<'_>) -> Answer<()> {
    let text = |object: &Value, field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_other_kind = live.is_some_and(|live| text(live, "kind") != text(applied, "kind"));
    if text(applied, "apiVersion") != manager.api_version || is_other_kind {
        return Err(Status::bad_request(format!("invalid object type: {}", type_of(applied))));
    }
    if entry::managed_fields(applied).is_some_and(|given| !given.is_null()) {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    Ok(())
}

/// `group/version, Kind=Kind`; the group may be empty.
fn type_of(object: &Value) -> String {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
    format!("{group}/{version}, Kind={}", text("kind"))
}

/// `kubectl` takes over what it applied without server-side apply before, as if it were forced to.
fn merged(write: &Write<'_>, entries: Vec<Entry>, force: Force) -> Answer<Merged> {
    let mut conflicts = match track::apply(write, entries.clone(), force) {
        Ok(merged) => return Ok(merged),
        Err(conflicts) => conflicts,
    };
    if write.manager.name == last_applied::KUBECTL {
        let own = last_applied::still_applied(write.live, write.schema, write.manager.api_version);
        conflicts.retain(|conflict| !own.contains(&conflict.path));
        if conflicts.is_empty() {
            return track::apply(write, entries, Force::Yes).map_err(|conflicts| conflicts::refusal(&conflicts));
        }
    }
    Err(conflicts::refusal(&conflicts))
}

fn write_entries(object: &mut Value, entries: Vec<Entry>) {
    if !entries.is_empty() {
        object::meta_mut(object).insert("managedFields".to_owned(), entry::encode(entries));
    } else if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.shift_remove("managedFields");
    }
}
