//! Entries of `metadata.managedFields`: who manages which fields, how they are read, written and ordered.
//!
//! # Source
//! `apimachinery`, `pkg/util/managedfields/internal/managedfields.go` and `capmanagers.go`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::fields_v1;
use super::set::{Set, of_fields};

/// How many entries may come from updates; the oldest are put together when there are more.
const UPDATE_ENTRIES_MAX: usize = 10;

/// The manager of entries that were put together.
const ANCIENT: &str = "ancient-changes";

/// The manager of everything that was there before the first apply.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// How a manager came to its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// By server-side apply.
    Apply,
    /// By create, update or patch.
    Update,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// Whether an apply takes fields away from other managers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// Fields of others are taken over.
    Yes,
    /// Fields of others are conflicts.
    No,
}

/// Who writes.
#[derive(Debug, Clone, Copy)]
pub struct Manager<'a> {
    /// The manager's name; an empty one is written as `unknown`.
    pub name: &'a str,
    /// How it writes.
    pub operation: Operation,
    /// Through which subresource, empty for the object itself.
    pub subresource: &'a str,
    /// In which version of the kind.
    pub api_version: &'a str,
    /// When.
    pub time: &'a str,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The manager's name.
    pub(crate) manager: String,
    /// How it came to its fields.
    pub(crate) operation: Operation,
    /// Through which subresource.
    pub(crate) subresource: String,
    /// In which version of the kind the fields are named.
    pub(crate) api_version: String,
    /// When the set changed last; absent if that never changed the object.
    pub(crate) time: Option<String>,
    /// The fields.
    pub(crate) set: Set,
}

impl Entry {
    /// Makes the entry of a manager, without a time.
    pub(crate) fn of(manager: &Manager<'_>, set: Set) -> Self {
        let name = if manager.name.is_empty() { "unknown" } else { manager.name };
        Self {
            manager: name.to_owned(),
            operation: manager.operation,
            subresource: manager.subresource.to_owned(),
            api_version: manager.api_version.to_owned(),
            time: None,
            set,
        }
    }

    /// Makes the entry that holds all fields of an object which nobody was known to manage.
    pub(crate) fn before_first_apply(manager: &Manager<'_>, set: Set) -> Self {
        let past = Manager { name: BEFORE_FIRST_APPLY, operation: Operation::Update, ..*manager };
        Self { time: Some(manager.time.to_owned()), ..Self::of(&past, set) }
    }

    /// What tells entries apart; an applier keeps its entry when it changes the version.
    pub(crate) fn identifier(&self) -> String {
        let mut parts = Map::new();
        parts.insert("manager".to_owned(), json!(self.manager));
        parts.insert("operation".to_owned(), json!(self.operation.name()));
        if self.operation == Operation::Update {
            parts.insert("apiVersion".to_owned(), json!(self.api_version));
        }
        if !self.subresource.is_empty() {
            parts.insert("subresource".to_owned(), json!(self.subresource));
        }
        Value::Object(parts).to_string()
    }

    /// How a conflict names the manager.
    pub(crate) fn shown(&self) -> String {
        let mut text = json!(self.manager).to_string();
        if !self.subresource.is_empty() {
            text = format!("{text} with subresource {}", json!(self.subresource));
        }
        if self.operation == Operation::Update {
            text = format!("{text} using {}", self.api_version);
        }
        text
    }

    fn seconds(&self) -> i64 {
        let time: Option<Timestamp> = self.time.as_deref().and_then(|time| time.parse().ok());
        time.map_or(0, Timestamp::as_second)
    }

    fn to_json(&self) -> Value {
        let mut out = json!({
            "apiVersion": self.api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields_v1::encode(&self.set),
            "manager": self.manager,
            "operation": self.operation.name(),
        });
        if !self.subresource.is_empty() {
            out["subresource"] = json!(self.subresource);
        }
        if let Some(time) = &self.time {
            out["time"] = json!(time);
        }
        out
    }

    fn from_json(value: &Value) -> Option<Self> {
        let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
        let operation = match text("operation") {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return None,
        };
        if text("apiVersion").is_empty() || text("fieldsType") != "FieldsV1" {
            return None;
        }
        let set = match value.get("fieldsV1") {
            None | Some(Value::Null) => Set::default(),
            Some(fields) => fields_v1::decode(fields)?,
        };
        Some(Self {
            manager: text("manager").to_owned(),
            operation,
            subresource: text("subresource").to_owned(),
            api_version: text("apiVersion").to_owned(),
            time: value.get("time").and_then(Value::as_str).map(str::to_owned),
            set,
        })
    }
}

/// Fields that are never managed: they are the server's, or name the object.
pub(crate) fn unmanaged() -> Set {
    of_fields(&[
        &["apiVersion"],
        &["kind"],
        &["metadata"],
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "creationTimestamp"],
        &["metadata", "selfLink"],
        &["metadata", "uid"],
        &["metadata", "clusterName"],
        &["metadata", "generation"],
        &["metadata", "managedFields"],
        &["metadata", "resourceVersion"],
    ])
}

/// The `metadata.managedFields` of an object.
pub(crate) fn managed_fields(object: &Value) -> Option<&Value> {
    object.get("metadata")?.get("managedFields")
}

/// A copy of an object without `metadata.managedFields`.
pub(crate) fn bare(object: &Value) -> Value {
    let mut copy = object.clone();
    if let Some(meta) = copy.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.shift_remove("managedFields");
    }
    copy
}

/// Reads `metadata.managedFields`; nothing if an entry cannot be read.
pub(crate) fn decode(list: Option<&Value>) -> Option<Vec<Entry>> {
    match list {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(list) => list.as_array()?.iter().map(Entry::from_json).collect(),
    }
}

/// Writes `metadata.managedFields`: appliers first, then by time and name.
pub(crate) fn encode(mut entries: Vec<Entry>) -> Value {
    entries.sort_by_cached_key(|entry| {
        let names = (entry.manager.clone(), entry.api_version.clone(), entry.subresource.clone());
        (entry.operation, entry.seconds(), names)
    });
    Value::Array(entries.iter().map(Entry::to_json).collect())
}

/// Takes fields from every entry; entries that own nothing any more go.
pub(crate) fn take(entries: &mut Vec<Entry>, fields: &Set) {
    for entry in entries.iter_mut() {
        entry.set = entry.set.difference(fields);
    }
    entries.retain(|entry| !entry.set.is_empty());
}

/// Puts the oldest entries of updates together until there are few enough; versions stay apart.
pub(crate) fn cap(entries: &mut Vec<Entry>) {
    let mut updates: Vec<(i64, String)> = entries
        .iter()
        .filter(|entry| entry.operation == Operation::Update)
        .map(|entry| (entry.seconds(), entry.identifier()))
        .collect();
    updates.sort();
    let mut excess = updates.len().saturating_sub(UPDATE_ENTRIES_MAX);
    let mut oldest: BTreeMap<String, String> = BTreeMap::new();
    for (_, identifier) in updates {
        if excess == 0 {
            return;
        }
        let Some(place) = entries.iter().position(|entry| entry.identifier() == identifier) else { continue };
        let entry = entries.remove(place);
        match oldest.get(&entry.api_version) {
            None => {
                oldest.insert(entry.api_version.clone(), identifier);
                entries.insert(place, entry);
            }
            Some(first) => {
                put_together(entries, first, entry);
                excess -= 1;
            }
        }
    }
}

/// Adds an entry to the ancient one of its version, which the first entry of that version becomes if there is none.
fn put_together(entries: &mut [Entry], first: &str, entry: Entry) {
    let is_ancient = |other: &Entry| {
        other.manager == ANCIENT
            && other.operation == Operation::Update
            && other.subresource.is_empty()
            && other.api_version == entry.api_version
    };
    let place = entries.iter().position(is_ancient);
    let place = place.or_else(|| entries.iter().position(|other| other.identifier() == first));
    if let Some(bucket) = place.and_then(|place| entries.get_mut(place)) {
        ANCIENT.clone_into(&mut bucket.manager);
        bucket.subresource.clear();
        bucket.set = bucket.set.union(&entry.set);
        bucket.time = entry.time;
    }
}
