//! The store: every object of the API, in memory for readers and in one SQLite file for ever.
//!
//! # What a write promises
//!
//! * [`Store::write`] answers `Ok` only after its changes are on the disk: SQLite has synced its write-ahead log. Neither
//!   a crash of the process nor a power failure takes them back.
//! * An act is all or nothing. Its objects, records and audit rows are saved together; an act that answers `Err`, or
//!   panics, leaves nothing.
//! * Acts run one after the other, in the order in which they were asked for, and each sees what the ones before it did.
//!   Many acts may share one SQLite transaction, so that one wait for the disk serves them all.
//! * Readers and subscribers see only what is saved, and all of a transaction at once.
//! * Revisions grow by one with each change and are never given out twice, not even after a restart.
//! * When saving fails, every act of the transaction answers 503 and nothing of it is seen. After a failure of the disk
//!   itself the store takes no writes until it is opened anew; only then is it known whether the last transaction is in
//!   the file.
//! * A caller that stops waiting does not stop its act.

mod batch;
mod committed;
mod database;
mod health;
mod history;
mod index;
mod key;
mod nesting;
mod private;
mod records;
mod subscription;
mod transaction;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use kobel_model::{Error, Result};
use serde_json::Value;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};

pub use self::key::{Change, ChangeKind, Key, Stored, event_line};
pub use self::nesting::depth;
pub use self::subscription::Subscription;
pub use self::transaction::Transaction;

use self::committed::Shared;
use self::database::{AUDIT_STEP, AuditBounds, Database};
use self::health::Health;
use self::writer::{Act, AuditQuery, AuditTrim, Call, Writer};
use crate::status::{Answer, Status};

/// Acts that may wait for the writer; beyond that callers are asked to come again.
const MAX_WAITING: usize = 4096;

/// The store. Clones share it; when the last is dropped, what was asked for is finished and the file is closed.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Shared,
    newest: watch::Receiver<u64>,
    health: Health,
    /// Only a drop takes it away.
    requests: Option<mpsc::Sender<Box<dyn Act>>>,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens the store in the SQLite file `path`, or makes it. The directory must exist. Only one process can have it
    /// open: the file `path` with `.lock` behind it is locked meanwhile.
    ///
    /// Others lose their rights to the files, and the right to write to the directory. Denied if the directory is
    /// shared by everybody or not ours to change, or if the file is a symbolic link.
    pub fn open(path: &Path) -> Result<Self> {
        Self::start(Database::open(path)?)
    }

    /// Makes a store that is gone when it is dropped.
    pub fn in_memory() -> Result<Self> {
        Self::start(Database::in_memory()?)
    }

    fn start(database: Database) -> Result<Self> {
        let committed = database.load()?;
        let (newest_sender, newest) = watch::channel(committed.history.newest());
        let shared = Shared::new(committed);
        let (requests, waiting) = mpsc::channel(MAX_WAITING);
        let health = Health::default();
        let writer = Writer::new(database, shared.clone(), newest_sender, health.clone());
        let thread = thread::Builder::new().name("store".to_owned()).spawn(move || writer.run(waiting));
        let thread = thread.map_err(|error| Error::io("cannot start the thread of the store", error))?;
        let inner = Inner { shared, newest, health, requests: Some(requests), writer: Some(thread) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Runs an act on the writer's thread and answers when its changes are on the disk. See the promises above.
    ///
    /// An act must not wait for another write: it would wait for itself. It is 429 when too many acts wait.
    pub async fn write<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Transaction<'_>) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let (call, answer) = Call::new(act);
        self.ask(call, answer).await
    }

    /// The saved state of an object.
    pub fn get(&self, key: &Key) -> Option<Arc<Stored>> {
        self.inner.shared.read().index.get(key).cloned()
    }

    /// The saved objects of a resource in key order, of one namespace or of all, and the revision of which this is the
    /// whole truth.
    pub fn list(&self, resource: &str, namespace: Option<&str>) -> (u64, Vec<Arc<Stored>>) {
        let committed = self.inner.shared.read();
        (committed.history.newest(), committed.index.list(resource, namespace).cloned().collect())
    }

    /// The saved object with this unique id.
    pub fn by_uid(&self, uid: &str) -> Option<Arc<Stored>> {
        self.inner.shared.read().index.by_uid(uid).cloned()
    }

    /// The revision of the newest saved change.
    pub fn revision(&self) -> u64 {
        self.inner.shared.read().history.newest()
    }

    /// Reads the changes after a revision, and those to come. It is 410 when some of them were forgotten, as all are
    /// by a restart, and 504 when that revision is not reached yet.
    pub fn subscribe(&self, after: u64) -> Answer<Subscription> {
        Subscription::begin(self.inner.shared.clone(), self.inner.newest.clone(), after)
    }

    /// The saved value of a record.
    pub fn record(&self, table: &str, key: &str) -> Option<String> {
        self.inner.shared.read().records.get(table, key).map(str::to_owned)
    }

    /// The saved records of a table, in the order of their keys.
    pub fn records(&self, table: &str) -> Vec<(String, String)> {
        let committed = self.inner.shared.read();
        committed.records.list(table).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// At most `limit` rows of the audit with an id above `after`, oldest first.
    pub async fn audit_since(&self, after: u64, limit: usize) -> Answer<Vec<(u64, Value)>> {
        let (query, answer) = AuditQuery::new(after, limit);
        self.ask(query, answer).await
    }

    /// Forgets the oldest rows of the audit: the newest million of the last 90 days stay. It is done in steps, so that
    /// writes do not wait for all of it.
    pub async fn trim_audit(&self, now: Timestamp) -> Answer<()> {
        self.trim_audit_to(AuditBounds::at(now)).await
    }

    async fn trim_audit_to(&self, bounds: AuditBounds) -> Answer<()> {
        loop {
            let (trim, answer) = AuditTrim::new(bounds);
            if self.ask(trim, answer).await? < AUDIT_STEP {
                return Ok(());
            }
        }
    }

    /// Tells why the store cannot take writes: from a save that failed until the next that succeeds, for ever after a
    /// failure of the disk, and when the writer is gone.
    pub fn health(&self) -> std::result::Result<(), String> {
        if self.inner.requests.as_ref().is_none_or(mpsc::Sender::is_closed) {
            return Err("the store is closed".to_owned());
        }
        self.inner.health.check()
    }

    async fn ask<T>(&self, act: Box<dyn Act>, answer: oneshot::Receiver<Answer<T>>) -> Answer<T> {
        let closed = || Status::unavailable("the store is closed");
        let requests = self.inner.requests.as_ref().ok_or_else(closed)?;
        requests.try_send(act).map_err(|error| match error {
            TrySendError::Full(_) => {
                Status::too_many_requests(format!("{MAX_WAITING} writes wait already, please try again later"))
            }
            TrySendError::Closed(_) => closed(),
        })?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("revision", &self.revision()).finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.requests = None;
        // The last clone may be dropped by an act, on the writer's own thread, which then ends by itself.
        if let Some(writer) = self.writer.take()
            && writer.thread().id() != thread::current().id()
            && writer.join().is_err()
        {
            tracing::error!(target: "kobel.store", "the writer of the store panicked");
        }
    }
}

#[cfg(test)]
mod tests;
