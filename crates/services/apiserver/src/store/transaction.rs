//! What an act sees and does: everything saved, and everything that earlier acts of its batch did.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::batch::{Batch, Mark};
use super::committed::Committed;
use super::key::{Change, ChangeKind, Key, Stored};
use super::nesting::depth;
use super::records::RecordChange;
use crate::status::{Answer, Resource, Status};

/// How deep an object may nest. It is more than a body may, because field managers are kept one level a field; and less
/// than the 127 levels that the reader of stored objects goes.
const DEPTH_MAX: usize = 110;
/// How many bytes an object may have.
const BYTES_MAX: usize = 3 << 20;

/// One act's view of the store, and its changes.
#[derive(Debug)]
pub struct Transaction<'a> {
    committed: &'a Committed,
    batch: &'a mut Batch,
    start: Mark,
}

impl<'a> Transaction<'a> {
    /// Begins an act.
    pub(super) fn begin(committed: &'a Committed, batch: &'a mut Batch) -> Self {
        let start = batch.mark();
        Self { committed, batch, start }
    }
}

impl Transaction<'_> {
    /// The newest state of an object.
    pub fn get(&self, key: &Key) -> Option<Arc<Stored>> {
        let written = self.batch.written().get(key);
        written.or_else(|| self.committed.index.get(key).filter(|_| !self.batch.hides(key))).cloned()
    }

    /// The objects of a resource in key order, of one namespace or of all.
    pub fn list(&self, resource: &str, namespace: Option<&str>) -> Vec<Arc<Stored>> {
        let saved = self.committed.index.list(resource, namespace).filter(|object| !self.batch.hides(&object.key));
        let mut found: Vec<Arc<Stored>> = saved.cloned().collect();
        let count = found.len();
        found.extend(self.batch.written().list(resource, namespace).cloned());
        if found.len() > count {
            found.sort_by_cached_key(|object| object.key.clone());
        }
        found
    }

    /// The keys of objects that have this owner, in order.
    pub fn dependents(&self, owner_uid: &str) -> Vec<Key> {
        let saved = self.committed.index.dependents(owner_uid);
        self.merged(saved, self.batch.written().dependents(owner_uid))
    }

    /// The keys of objects in a namespace, in order.
    pub fn in_namespace(&self, namespace: &str) -> Vec<Key> {
        let saved = self.committed.index.in_namespace(namespace);
        self.merged(saved, self.batch.written().in_namespace(namespace))
    }

    /// The object with this unique id.
    pub fn by_uid(&self, uid: &str) -> Option<Arc<Stored>> {
        let saved = || self.committed.index.by_uid(uid).filter(|object| !self.batch.hides(&object.key));
        self.batch.written().by_uid(uid).or_else(saved).cloned()
    }

    /// The revision of the newest change that this act sees.
    pub fn revision(&self) -> u64 {
        self.batch.revision()
    }

    /// Creates or replaces an object: takes the next revision and writes it to `metadata.resourceVersion`. It is 422
    /// for an object that nests too deep, and 413 for one that is too large.
    pub fn put(&mut self, key: &Key, object: Value) -> Answer<Arc<Stored>> {
        let levels = depth(&object);
        if levels > DEPTH_MAX {
            let message = format!("the object nests {levels} levels deep, at most {DEPTH_MAX} are allowed");
            return Err(Status::new(422, "Invalid", message));
        }
        let object = Stored::of(key.clone(), self.next_revision(), object);
        if object.body.len() > BYTES_MAX {
            return Err(Status::too_large(BYTES_MAX));
        }
        let previous = self.get(key);
        let kind = if previous.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        Ok(self.change(kind, object, previous))
    }

    /// Deletes an object: takes the next revision. `last` is the object as subscribers see it go, and gets that
    /// revision as `metadata.resourceVersion`.
    pub fn delete(&mut self, key: &Key, last: Value) -> Answer<Arc<Stored>> {
        let Some(previous) = self.get(key) else {
            let (plural, group) = key.resource.split_once('.').unwrap_or((&key.resource, ""));
            return Err(Status::not_found(&Resource { group, plural }, &key.name));
        };
        let last = Stored::of(key.clone(), self.next_revision(), last);
        Ok(self.change(ChangeKind::Deleted, last, Some(previous)))
    }

    /// Adds a row to the audit, saved with this act's changes.
    pub fn audit(&mut self, record: Value) {
        self.batch.audit(record.to_string());
    }

    /// The value of a record.
    pub fn record(&self, table: &str, key: &str) -> Option<String> {
        match self.batch.find_record(table, key) {
            Some(change) => change.value.clone(),
            None => self.committed.records.get(table, key).map(str::to_owned),
        }
    }

    /// Creates or replaces a record.
    pub fn put_record(&mut self, table: &'static str, key: &str, value: &str) {
        self.batch.record(RecordChange { table, key: key.to_owned(), value: Some(value.to_owned()) });
    }

    /// Removes a record, if it is there.
    pub fn delete_record(&mut self, table: &'static str, key: &str) {
        self.batch.record(RecordChange { table, key: key.to_owned(), value: None });
    }

    /// Takes back everything this act did so far, audit rows too. A dry run does its work, keeps what
    /// [`Transaction::put`] gave, and calls this.
    pub fn undo(&mut self) {
        self.batch.undo(self.start);
    }

    fn next_revision(&self) -> u64 {
        self.batch.revision() + 1
    }

    fn change(&mut self, kind: ChangeKind, object: Stored, previous: Option<Arc<Stored>>) -> Arc<Stored> {
        let object = Arc::new(object);
        self.batch.change(Change::new(kind, Arc::clone(&object), previous));
        object
    }

    fn merged<'k>(&self, saved: impl Iterator<Item = &'k Key>, written: impl Iterator<Item = &'k Key>) -> Vec<Key> {
        let keys: BTreeSet<&Key> = saved.filter(|key| !self.batch.hides(key)).chain(written).collect();
        keys.into_iter().cloned().collect()
    }
}
