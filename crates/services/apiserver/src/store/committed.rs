//! What is saved, as readers see it: objects, records, and the newest changes.
//!
//! One lock guards all three and a batch is published under it at once, so a reader sees all of a batch or none of it.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::batch::Batch;
use super::history::History;
use super::index::Index;
use super::key::ChangeKind;
use super::records::Records;

/// What is saved.
#[derive(Debug)]
pub struct Committed {
    /// The objects.
    pub index: Index,
    /// The records.
    pub records: Records,
    /// The newest changes; it also knows the revision.
    pub history: History,
}

impl Committed {
    /// Shows a batch to readers. It must have been saved.
    fn publish(&mut self, batch: Batch) {
        let (changes, records) = batch.into_parts();
        for change in changes {
            match change.kind {
                ChangeKind::Added | ChangeKind::Modified => self.index.insert(Arc::clone(&change.object)),
                ChangeKind::Deleted => self.index.remove(&change.object.key),
            }
            self.history.push(change);
        }
        for record in records {
            self.records.apply(record);
        }
    }
}

/// What is saved, shared between the writer, readers and subscribers.
#[derive(Debug, Clone)]
pub struct Shared {
    committed: Arc<RwLock<Committed>>,
}

impl Shared {
    /// Shares what was loaded.
    pub fn new(committed: Committed) -> Self {
        Self { committed: Arc::new(RwLock::new(committed)) }
    }

    /// Looks at what is saved. While this is held no batch is published.
    pub fn read(&self) -> RwLockReadGuard<'_, Committed> {
        self.committed.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a saved batch to readers, all of it at once.
    pub fn publish(&self, batch: Batch) {
        let mut committed: RwLockWriteGuard<'_, Committed> =
            self.committed.write().unwrap_or_else(PoisonError::into_inner);
        committed.publish(batch);
    }
}
