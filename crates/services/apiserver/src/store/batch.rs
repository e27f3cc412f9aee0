//! What a batch of acts changed and nobody saved yet.
//!
//! An act's changes can be undone up to the mark where it began, so that an act that fails leaves nothing.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::index::Index;
use super::key::{Change, ChangeKind, Key, Stored};
use super::records::RecordChange;

/// The changes of a batch, over what is saved.
#[derive(Debug, Default)]
pub struct Batch {
    /// The revision that is saved.
    base: u64,
    /// The newest state of each object that the batch wrote.
    written: Index,
    /// Keys whose saved state no longer counts.
    hidden: HashSet<Key>,
    changes: Vec<Arc<Change>>,
    records: Vec<RecordChange>,
    audits: Vec<String>,
    bytes: usize,
}

/// A place in a batch, to go back to.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    changes: usize,
    records: usize,
    audits: usize,
    bytes: usize,
}

impl Batch {
    /// An empty batch over `revision`.
    pub fn over(revision: u64) -> Self {
        Self { base: revision, ..Self::default() }
    }

    /// The revision of the last change.
    pub fn revision(&self) -> u64 {
        self.changes.last().map_or(self.base, |change| change.revision)
    }

    /// Whether there is nothing to save.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.records.is_empty() && self.audits.is_empty()
    }

    /// About how many bytes are to be saved.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The newest state of each object that the batch wrote and did not delete.
    pub fn written(&self) -> &Index {
        &self.written
    }

    /// Whether the saved state of a key no longer counts.
    pub fn hides(&self, key: &Key) -> bool {
        self.hidden.contains(key)
    }

    /// Takes in a change of an object; its revision must be the next one.
    pub fn change(&mut self, change: Change) {
        debug_assert_eq!(change.revision, self.revision() + 1, "a revision is missing");
        match change.kind {
            ChangeKind::Added | ChangeKind::Modified => self.written.insert(Arc::clone(&change.object)),
            ChangeKind::Deleted => self.written.remove(&change.object.key),
        }
        self.hidden.insert(change.object.key.clone());
        self.bytes += change.object.body.len();
        self.changes.push(Arc::new(change));
    }

    /// Takes in a change of a record.
    pub fn record(&mut self, change: RecordChange) {
        self.bytes += change.key.len() + change.value.as_ref().map_or(0, String::len);
        self.records.push(change);
    }

    /// The newest change of a record in this batch.
    pub fn find_record(&self, table: &str, key: &str) -> Option<&RecordChange> {
        self.records.iter().rev().find(|change| change.table == table && change.key == key)
    }

    /// Takes in a row for the audit.
    pub fn audit(&mut self, record: String) {
        self.bytes += record.len();
        self.audits.push(record);
    }

    /// The present place.
    pub fn mark(&self) -> Mark {
        let (changes, records) = (self.changes.len(), self.records.len());
        Mark { changes, records, audits: self.audits.len(), bytes: self.bytes }
    }

    /// Takes back everything after a mark.
    pub fn undo(&mut self, mark: Mark) {
        // What was saved stays hidden behind an equal state: that is the same to every reader.
        while self.changes.len() > mark.changes
            && let Some(change) = self.changes.pop()
        {
            match &change.previous {
                Some(previous) => self.written.insert(Arc::clone(previous)),
                None => self.written.remove(&change.object.key),
            }
        }
        self.records.truncate(mark.records);
        self.audits.truncate(mark.audits);
        self.bytes = mark.bytes;
    }

    /// The last state of each changed object, none if it is deleted; an object that changed often is here once.
    pub fn states(&self) -> impl Iterator<Item = (&Key, Option<&Arc<Stored>>)> {
        let keys: BTreeSet<&Key> = self.changes.iter().map(|change| &change.object.key).collect();
        keys.into_iter().map(|key| (key, self.written.get(key)))
    }

    /// The changes of records, oldest first.
    pub fn records(&self) -> &[RecordChange] {
        &self.records
    }

    /// The rows for the audit, oldest first.
    pub fn audits(&self) -> &[String] {
        &self.audits
    }

    /// The changes of objects and of records, oldest first.
    pub fn into_parts(self) -> (Vec<Arc<Change>>, Vec<RecordChange>) {
        (self.changes, self.records)
    }
}
