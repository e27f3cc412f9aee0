//! What an act works with: the transaction, the kinds, the surroundings, and who asked.
//!
//! An act lives on the store's writer thread and ends with its transaction.

use serde_json::{Value, json};

use crate::auth::Caller;
use crate::kinds::Kinds;
use crate::object;
use crate::store::{Key, Transaction};
use crate::surroundings::{Surroundings, show_micros, show_seconds};

/// How deep the audit names changed fields.
const AUDITED_DEPTH: usize = 3;

/// What an act works with.
pub struct Site<'a, 't> {
    /// The store as this act sees and changes it.
    pub tx: &'a mut Transaction<'t>,
    /// Every kind that is served.
    pub kinds: &'a Kinds,
    /// Time and chance.
    pub surroundings: &'a dyn Surroundings,
    /// Who asked.
    pub caller: &'a Caller,
}

/// What the audit keeps of an act.
pub struct Audited<'a> {
    /// `create`, `update`, `patch`, `delete`.
    pub verb: &'static str,
    /// Where the object is stored.
    pub key: &'a Key,
    /// The subresource, or empty.
    pub subresource: &'static str,
    /// The field manager, or empty.
    pub manager: &'a str,
    /// The code of the answer.
    pub code: u16,
    /// The object before.
    pub old: Option<&'a Value>,
    /// The object after; absent if it went at once.
    pub new: Option<&'a Value>,
}

impl Site<'_, '_> {
    /// The time now, as metadata shows it.
    pub fn now(&self) -> String {
        show_seconds(self.surroundings.now())
    }

    /// The stored object of a key.
    pub fn value(&self, key: &Key) -> Option<Value> {
        self.tx.get(key).map(|stored| stored.value())
    }

    /// Writes the audit record of an act that was done. It names fields and never shows values.
    pub fn audit(&mut self, act: &Audited<'_>) {
        let at = show_micros(self.surroundings.now());
        let uid = act.new.or(act.old).map(object::uid).unwrap_or_default();
        let version = |object: Option<&Value>| object.map(|object| object::meta(object, "resourceVersion").to_owned());
        let mut changed = Vec::new();
        if let Some(new) = act.new {
            gather_changes("", act.old.unwrap_or(&Value::Null), new, &mut changed);
        }
        self.tx.audit(json!({
            "at": at, "user": self.caller.user, "groups": self.caller.groups, "verb": act.verb,
            "resource": &*act.key.resource, "namespace": &*act.key.namespace, "name": &*act.key.name, "uid": uid,
            "subresource": act.subresource, "manager": act.manager, "code": act.code,
            "from": version(act.old), "to": version(act.new), "changed": changed,
        }));
    }
}

/// Gathers the paths of fields that differ, not deeper than the audit shows.
fn gather_changes(path: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    if old == new || ["metadata.managedFields", "metadata.resourceVersion"].contains(&path) {
        return;
    }
    let depth = if path.is_empty() { 0 } else { path.split('.').count() };
    let empty = serde_json::Map::new();
    let (before, after) = match (old, new) {
        (Value::Object(before), Value::Object(after)) => (before, after),
        (Value::Null, Value::Object(after)) => (&empty, after),
        (Value::Object(before), Value::Null) => (before, &empty),
        _ => return found.push(path.to_owned()),
    };
    if depth == AUDITED_DEPTH || (before.is_empty() && after.is_empty()) {
        return found.push(path.to_owned());
    }
    let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
    for key in keys {
        let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let (old, new) = (before.get(key).unwrap_or(&Value::Null), after.get(key).unwrap_or(&Value::Null));
        gather_changes(&below, old, new, found);
    }
}
