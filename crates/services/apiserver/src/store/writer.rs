//! The one thread that writes.
//!
//! It takes an act, then every act that waits behind it, runs them one after the other, saves what they changed in one
//! SQLite transaction, shows it to readers and subscribers, and only then answers. So one wait for the disk serves many
//! writers, and nobody sees or is told anything that a power failure could take back.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::ErrorCode;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

use super::batch::Batch;
use super::committed::{Committed, Shared};
use super::database::{AuditBounds, Database};
use super::health::Health;
use super::transaction::Transaction;
use crate::status::{Answer, Status};

/// Acts in one batch at most.
const MAX_ACTS: usize = 512;
/// Bytes in one batch, after which no further act is taken in.
const MAX_BYTES: usize = 8 << 20;

/// Whether an act's changes stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They are saved with the batch.
    Keep,
    /// The act failed: they are taken back.
    Undo,
}

/// Something that the writer does for somebody who waits.
pub trait Act: Send {
    /// Does it, and keeps its result.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Verdict;
    /// Answers, after the batch is saved or was not.
    fn answer(self: Box<Self>, outcome: Result<&Database, &Status>);
}

/// An act that a caller gave as a closure.
pub struct Call<T, F> {
    act: Option<F>,
    result: Option<Answer<T>>,
    reply: oneshot::Sender<Answer<T>>,
}

impl<T, F> Call<T, F>
where
    T: Send + 'static,
    F: FnOnce(&mut Transaction<'_>) -> Answer<T> + Send + 'static,
{
    /// Makes an act, and the place where its answer will be.
    pub fn new(act: F) -> (Box<Self>, oneshot::Receiver<Answer<T>>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Self { act: Some(act), result: None, reply }), answer)
    }
}

impl<T, F> Act for Call<T, F>
where
    T: Send + 'static,
    F: FnOnce(&mut Transaction<'_>) -> Answer<T> + Send + 'static,
{
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Verdict {
        let result = self.act.take().map(|act| act(transaction));
        let verdict = if matches!(result, Some(Ok(_))) { Verdict::Keep } else { Verdict::Undo };
        self.result = result;
        verdict
    }

    fn answer(self: Box<Self>, outcome: Result<&Database, &Status>) {
        let answer = match outcome {
            // Without a result the act panicked.
            Ok(_) => self.result.unwrap_or_else(|| Err(Status::internal("the request failed; the log says why"))),
            Err(status) => Err(Box::new(status.clone())),
        };
        // Nobody may be waiting any more; what was saved stays saved.
        self.reply.send(answer).ok();
    }
}

/// Rows of the audit with their ids.
type AuditRows = Vec<(u64, Value)>;

/// A look at the audit.
pub struct AuditQuery {
    after: u64,
    limit: usize,
    reply: oneshot::Sender<Answer<AuditRows>>,
}

impl AuditQuery {
    /// Asks for rows with an id above `after`.
    pub fn new(after: u64, limit: usize) -> (Box<Self>, oneshot::Receiver<Answer<AuditRows>>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Self { after, limit, reply }), answer)
    }
}

impl Act for AuditQuery {
    fn run(&mut self, _transaction: &mut Transaction<'_>) -> Verdict {
        Verdict::Keep
    }

    fn answer(self: Box<Self>, outcome: Result<&Database, &Status>) {
        let answer = outcome.map_err(|status| Box::new(status.clone())).and_then(|database| {
            let rows = database.audit_since(self.after, self.limit);
            rows.map_err(|error| Status::internal(format!("cannot read the audit: {error}")))
        });
        self.reply.send(answer).ok();
    }
}

/// Forgets old rows of the audit.
pub struct AuditTrim {
    bounds: AuditBounds,
    reply: oneshot::Sender<Answer<usize>>,
}

impl AuditTrim {
    /// Asks for some of the rows beyond the bounds to be forgotten; the answer is how many were.
    pub fn new(bounds: AuditBounds) -> (Box<Self>, oneshot::Receiver<Answer<usize>>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Self { bounds, reply }), answer)
    }
}

impl Act for AuditTrim {
    fn run(&mut self, _transaction: &mut Transaction<'_>) -> Verdict {
        Verdict::Keep
    }

    fn answer(self: Box<Self>, outcome: Result<&Database, &Status>) {
        let answer = outcome.map_err(|status| Box::new(status.clone())).and_then(|database| {
            let count = database.trim_audit(self.bounds);
            count.map_err(|error| Status::unavailable(format!("cannot trim the audit: {error}")))
        });
        self.reply.send(answer).ok();
    }
}

/// The writer's side of the store.
#[derive(Debug)]
pub struct Writer {
    database: Database,
    shared: Shared,
    newest: watch::Sender<u64>,
    health: Health,
    /// Set when the disk failed under a transaction: then nobody knows what the file holds until it is opened anew.
    broken: Option<String>,
}

impl Writer {
    /// Makes the writer of an open database.
    pub fn new(database: Database, shared: Shared, newest: watch::Sender<u64>, health: Health) -> Self {
        Self { database, shared, newest, health, broken: None }
    }

    /// Writes until nobody can ask any more, then closes the file.
    pub fn run(mut self, mut requests: mpsc::Receiver<Box<dyn Act>>) {
        while let Some(first) = requests.blocking_recv() {
            let (acts, batch) = self.run_acts(first, &mut requests);
            let outcome = self.save(batch);
            for act in acts {
                act.answer(outcome.as_ref().map(|()| &self.database).map_err(|status| &**status));
            }
        }
        self.database.close();
    }

    fn run_acts(&self, first: Box<dyn Act>, requests: &mut mpsc::Receiver<Box<dyn Act>>) -> (Vec<Box<dyn Act>>, Batch) {
        let committed = self.shared.read();
        let mut batch = Batch::over(committed.history.newest());
        let mut acts = Vec::new();
        let mut next = Some(first);
        while let Some(mut act) = next {
            run_act(act.as_mut(), &committed, &mut batch);
            acts.push(act);
            let is_full = acts.len() >= MAX_ACTS || batch.bytes() >= MAX_BYTES;
            next = if is_full { None } else { requests.try_recv().ok() };
        }
        (acts, batch)
    }

    /// Saves a batch and shows it. A batch that changed nothing does not touch the disk.
    fn save(&mut self, batch: Batch) -> Answer<()> {
        if batch.is_empty() {
            return Ok(());
        }
        if let Some(why) = &self.broken {
            return Err(Status::unavailable(format!("the store takes no writes until it is restarted: {why}")));
        }
        if let Err(error) = self.database.save(&batch) {
            let store = self.database.name();
            tracing::error!(target: "kobel.store", store, %error, "cannot save a batch of writes");
            if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
                self.broken = Some(error.to_string());
            }
            let trouble = format!("the store cannot save now: {error}");
            self.health.note(Some(trouble.clone()));
            return Err(Status::unavailable(trouble));
        }
        self.health.note(None);
        let revision = batch.revision();
        self.shared.publish(batch);
        // Records and audit rows have no revision: they wake nobody.
        self.newest.send_if_modified(|newest| mem::replace(newest, revision) != revision);
        Ok(())
    }
}

/// Runs one act; one that fails or panics leaves nothing.
fn run_act(act: &mut dyn Act, committed: &Committed, batch: &mut Batch) {
    let start = batch.mark();
    let ran = catch_unwind(AssertUnwindSafe(|| act.run(&mut Transaction::begin(committed, batch))));
    if ran.is_err() {
        tracing::error!(target: "kobel.store", "a write panicked; it left nothing");
    }
    if !matches!(ran, Ok(Verdict::Keep)) {
        batch.undo(start);
    }
}
