//! One look at a snapshot that is wanted: from asked for to taken, failed or given up.
//!
//! What is about to be asked for is recorded first, under an id, so asking twice asks once.

use std::time::Duration;

use kobel_model::deployment::{SnapshotKind, StateSnapshot};

use crate::decision::{Act, Event, EventKind, Savepoint, Wait};
use crate::facts::Operation;
use crate::state::SnapshotState;
use crate::wording::moment;

/// The pause after the first failure; each further one doubles it.
const PAUSE_FIRST_MS: i64 = 10_000;
/// The longest pause.
const PAUSE_MAX_MS: i64 = 600_000;
/// How long a snapshot that nobody has heard of is asked for again under the same id.
const UNHEARD_MS: i64 = 60_000;
/// How long an answer is awaited that may never come.
pub(super) const PATIENCE_MS: i64 = 600_000;
/// When to look again at what goes on.
pub(super) const SOON: Duration = Duration::from_millis(500);
/// When to look again if nobody answers.
pub(super) const LATER: Duration = Duration::from_secs(5);

/// What was written down of a snapshot. Times are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRecord {
    /// How far it is.
    pub state: SnapshotState,
    /// The id under which it was asked for.
    pub trigger_id: Option<String>,
    /// When it was asked for.
    pub triggered_ms: Option<i64>,
    /// When it was completed or failed; while it is deleted, when deleting its files was tried last.
    pub result_ms: Option<i64>,
    /// Where it lies.
    pub path: Option<String>,
    /// What went wrong, for a person.
    pub error: Option<String>,
    /// How often it failed; while its files are deleted, how often that was tried.
    pub failures: u32,
}

impl Default for SnapshotRecord {
    fn default() -> Self {
        Self {
            state: SnapshotState::TriggerPending,
            trigger_id: None,
            triggered_ms: None,
            result_ms: None,
            path: None,
            error: None,
            failures: 0,
        }
    }
}

/// What is seen of the job that a snapshot is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferencedJob {
    /// Nothing declares it.
    Absent,
    /// It does not run; the reason is for a person.
    NotRunning(String),
    /// It runs.
    Running {
        /// Its id.
        job_id: String,
    },
    /// It cannot be seen; the reason is for a person.
    Unknown(String),
}

/// What is seen of the files of a savepoint; it is asked for only while the snapshot is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Files {
    /// They are there.
    Present,
    /// They are not there.
    Absent,
    /// They cannot be seen, or could not be deleted; the reason is for a person.
    Unknown(String),
}

/// What is seen in one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotFacts {
    /// The time of the look, in milliseconds since the epoch.
    pub now_ms: i64,
    /// A number that is never given twice, for the id of a trigger: 32 hexadecimal digits.
    pub fresh_id: String,
    /// Whether the snapshot is being deleted.
    pub is_deleting: bool,
    /// The job.
    pub job: ReferencedJob,
    /// What has become of the recorded trigger; absent if there is none, or nobody could be asked.
    pub operation: Option<Operation>,
    /// The files at the recorded path.
    pub files: Files,
    /// Where savepoints of the job go by default, if anywhere.
    pub default_directory: Option<String>,
}

/// What is decided about a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotDecision {
    /// What is to be written before the act is done.
    pub record: SnapshotRecord,
    /// What is to be done then.
    pub act: Option<Act>,
    /// What is to be told.
    pub events: Vec<Event>,
    /// What is awaited.
    pub wait: Wait,
}

/// A look under way.
pub(super) struct Round<'a> {
    pub(super) snapshot: &'a StateSnapshot,
    pub(super) record: &'a SnapshotRecord,
    pub(super) facts: &'a SnapshotFacts,
}

impl Round<'_> {
    /// What is next for a snapshot that is wanted.
    pub(super) fn next(&self) -> SnapshotDecision {
        match self.record.state {
            SnapshotState::TriggerPending => self.begin(),
            SnapshotState::InProgress => self.follow(),
            SnapshotState::Completed | SnapshotState::Failed | SnapshotState::Abandoned => {
                self.settle(self.record.clone(), Vec::new())
            }
        }
    }

    /// Asks for the snapshot, unless it exists or its job does not run.
    fn begin(&self) -> SnapshotDecision {
        if let SnapshotKind::Savepoint { already_exists: true, path, .. } = &self.snapshot.kind {
            return self.settle(self.completed(path.clone()), Vec::new());
        }
        let job_id = match &self.facts.job {
            ReferencedJob::Running { job_id } => job_id,
            ReferencedJob::Absent => return self.abandon("its job is gone"),
            ReferencedJob::NotRunning(reason) => return self.abandon(&format!("its job does not run: {reason}")),
            ReferencedJob::Unknown(reason) => {
                return self.wait("JobUnknown", format!("waits until its job can be seen: {reason}"), LATER);
            }
        };
        let left = self.pause_left();
        if !left.is_zero() {
            return self.wait("Backoff", self.told_pause(left), left);
        }
        let record = SnapshotRecord {
            state: SnapshotState::InProgress,
            trigger_id: Some(self.facts.fresh_id.clone()),
            triggered_ms: Some(self.facts.now_ms),
            result_ms: None,
            ..self.record.clone()
        };
        self.ask(record, job_id, &self.facts.fresh_id)
    }

    /// Asks for the snapshot under an id that `record` holds.
    fn ask(&self, record: SnapshotRecord, job_id: &str, trigger_id: &str) -> SnapshotDecision {
        let (job_id, trigger_id) = (job_id.to_owned(), trigger_id.to_owned());
        let message = format!("asks for the {} {trigger_id} of job {job_id}", self.what());
        let act = match &self.snapshot.kind {
            SnapshotKind::Checkpoint => Act::TakeCheckpoint { job_id, trigger_id },
            SnapshotKind::Savepoint { path, format, .. } => {
                let directory = path.as_ref().or(self.facts.default_directory.as_ref()).cloned();
                if directory.is_none() {
                    return self.fail(
                        "no directory is known: set `spec.savepoint.path`, or \
                         `execution.checkpointing.savepoint-dir` of the job",
                    );
                }
                Act::TakeSavepoint(Savepoint { job_id, trigger_id, directory, format: *format, drain: false })
            }
        };
        let wait = Wait { reason: "SnapshotInProgress", message, again: SOON };
        SnapshotDecision { record, act: Some(act), events: Vec::new(), wait }
    }

    /// Follows a snapshot in progress.
    fn follow(&self) -> SnapshotDecision {
        let Some(trigger_id) = &self.record.trigger_id else {
            return self.fail("the id under which it was asked for is not recorded");
        };
        let job = &self.facts.job;
        match (&self.facts.operation, job) {
            (Some(Operation::Completed(path)), _) => self.complete(path.clone()),
            (Some(Operation::Failed(reason)), ReferencedJob::Running { .. } | ReferencedJob::Unknown(_)) => {
                self.fail(reason)
            }
            (Some(Operation::Failed(reason)), _) => self.abandon(reason),
            (Some(Operation::Unheard), ReferencedJob::Running { job_id }) if self.since_triggered() < UNHEARD_MS => {
                self.ask(self.record.clone(), job_id, trigger_id)
            }
            (Some(Operation::Unheard), ReferencedJob::Running { .. }) => {
                self.fail("the job manager has not heard of it; it may be another one than was asked")
            }
            (Some(Operation::InProgress), ReferencedJob::Running { .. }) => self.wait_for_operation(),
            (None | Some(Operation::Unheard), ReferencedJob::Absent | ReferencedJob::NotRunning(_)) => {
                self.abandon(&self.why_ended())
            }
            (_, ReferencedJob::Absent | ReferencedJob::NotRunning(_)) if self.since_triggered() >= PATIENCE_MS => {
                self.abandon(&self.why_ended())
            }
            (Some(Operation::Unknown(reason)), _) | (_, ReferencedJob::Unknown(reason)) => {
                self.wait("JobUnknown", format!("{}; the job cannot be asked: {reason}", self.told_progress()), LATER)
            }
            _ => self.wait_for_operation(),
        }
    }

    /// Takes the end of the operation as the end of the snapshot.
    fn complete(&self, path: Option<String>) -> SnapshotDecision {
        let path = path.filter(|path| !path.is_empty());
        match (&self.snapshot.kind, &path) {
            (SnapshotKind::Savepoint { .. }, None) => self.fail("it was completed, and its location was not told"),
            (SnapshotKind::Checkpoint, None) => {
                let message = "the checkpoint was completed, and its path is no longer known: the job keeps too few in \
                               its history (`web.checkpoints.history`)";
                self.settle(self.completed(None), vec![self.warning("CheckpointError", message)])
            }
            _ => self.settle(self.completed(path), Vec::new()),
        }
    }

    /// The record of a snapshot that is there.
    pub(super) fn completed(&self, path: Option<String>) -> SnapshotRecord {
        SnapshotRecord {
            state: SnapshotState::Completed,
            result_ms: Some(self.facts.now_ms),
            path,
            error: None,
            ..self.record.clone()
        }
    }

    /// Counts a failure, and tries again later if that is allowed.
    fn fail(&self, reason: &str) -> SnapshotDecision {
        let failures = self.record.failures.saturating_add(1);
        let is_last = self.snapshot.backoff_limit.is_some_and(|limit| failures > limit);
        let record = SnapshotRecord {
            state: if is_last { SnapshotState::Failed } else { SnapshotState::TriggerPending },
            trigger_id: None,
            result_ms: Some(self.facts.now_ms),
            error: Some(reason.to_owned()),
            failures,
            ..self.record.clone()
        };
        let (name, kind) = match &self.snapshot.kind {
            SnapshotKind::Savepoint { .. } => ("SavepointError", "savepoint"),
            SnapshotKind::Checkpoint => ("CheckpointError", "checkpoint"),
        };
        let events = vec![self.warning(name, &format!("the {kind} failed: {reason}"))];
        if is_last {
            return self.settle(record, events);
        }
        let after = Round { snapshot: self.snapshot, record: &record, facts: self.facts };
        let left = after.pause_left();
        let wait = Wait { reason: "Backoff", message: after.told_pause(left), again: left };
        SnapshotDecision { act: None, events, wait, record }
    }

    /// Gives the snapshot up: there is nobody who can take it.
    fn abandon(&self, reason: &str) -> SnapshotDecision {
        let record = SnapshotRecord {
            state: SnapshotState::Abandoned,
            result_ms: Some(self.facts.now_ms),
            error: Some(reason.to_owned()),
            ..self.record.clone()
        };
        let message = format!("the {} was given up: {reason}", self.what());
        self.settle(record, vec![self.warning("SnapshotAbandoned", &message)])
    }

    /// Why a snapshot in progress cannot be taken any more.
    fn why_ended(&self) -> String {
        match &self.facts.job {
            ReferencedJob::NotRunning(reason) => format!("its job no longer runs: {reason}"),
            _ => "its job is gone".to_owned(),
        }
    }

    /// Nothing is left to be done.
    fn settle(&self, record: SnapshotRecord, events: Vec<Event>) -> SnapshotDecision {
        let what = self.what();
        let message = match record.state {
            SnapshotState::Completed => record.path.as_ref().map_or_else(
                || format!("the {what} was completed"),
                |path| format!("the {what} was completed and lies at `{path}`"),
            ),
            SnapshotState::Failed => format!("the {what} failed for good; create another resource to try again"),
            _ => format!("the {what} was given up; create another resource once its job runs"),
        };
        let wait = Wait { reason: "Settled", message, again: Duration::ZERO };
        SnapshotDecision { record, act: None, events, wait }
    }

    fn wait_for_operation(&self) -> SnapshotDecision {
        self.wait("SnapshotInProgress", self.told_progress(), SOON)
    }

    /// Leaves everything as it is and looks again.
    pub(super) fn wait(&self, reason: &'static str, message: String, again: Duration) -> SnapshotDecision {
        let wait = Wait { reason, message, again };
        SnapshotDecision { record: self.record.clone(), act: None, events: Vec::new(), wait }
    }

    pub(super) fn warning(&self, reason: &'static str, message: &str) -> Event {
        Event { kind: EventKind::Warning, reason, message: message.to_owned() }
    }

    /// How long it is since the snapshot was asked for; for ever if that is not recorded.
    pub(super) fn since_triggered(&self) -> i64 {
        self.record.triggered_ms.map_or(i64::MAX, |triggered| self.facts.now_ms.saturating_sub(triggered).max(0))
    }

    /// How much is left of the pause after the last failure.
    pub(super) fn pause_left(&self) -> Duration {
        let (Some(last), 1..) = (self.record.result_ms, self.record.failures) else {
            return Duration::ZERO;
        };
        let doublings = self.record.failures.saturating_sub(1).min(16);
        let pause = (PAUSE_FIRST_MS << doublings).min(PAUSE_MAX_MS);
        // A clock that was set back does not make the pause longer.
        let left = last.saturating_add(pause).saturating_sub(self.facts.now_ms).clamp(0, pause);
        Duration::from_millis(left.unsigned_abs())
    }

    fn told_pause(&self, left: Duration) -> String {
        let (what, failures) = (self.what(), self.record.failures);
        let error = self.record.error.as_deref().unwrap_or("the reason is not known");
        let at = moment(i64::try_from(left.as_millis()).ok().map(|left| self.facts.now_ms.saturating_add(left)));
        format!("the {what} failed ({failures} so far, the last time: {error}); it is tried again at {at}")
    }

    pub(super) fn told_progress(&self) -> String {
        let id = self.record.trigger_id.as_deref().unwrap_or("without id");
        format!("waits for the {} {id}, since {}", self.what(), moment(self.record.triggered_ms))
    }

    /// The word for what is taken.
    pub(super) fn what(&self) -> &'static str {
        match &self.snapshot.kind {
            SnapshotKind::Savepoint { .. } => "savepoint",
            SnapshotKind::Checkpoint => "checkpoint",
        }
    }
}
