//! A job: the records that it counts, the snapshots that it takes, and what its JobManager remembers of it.
//!
//! # Invariant
//! A job counts while its tasks run and only then. Its count follows from the time, so nothing has to happen for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use kobel_model::deployment::Identity;
use kobel_rest::states::JobStatus;
use serde_json::Value;

use super::launch::Settings;
use super::operations::OperationKey;
use crate::entry::SnapshotKind;

/// How long a record takes.
const RECORD_MS: i64 = 10;

/// What its tasks do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tasks {
    /// There are none: they are not made yet, or wait for resources.
    None,
    /// They restore their state.
    Initializing,
    /// They run, or have run until the job ended.
    Running,
}

/// A snapshot that is being taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flight {
    /// What it is.
    pub kind: SnapshotKind,
    /// The records that it holds.
    pub count: u64,
    /// When it was begun, in milliseconds since 1970.
    pub begun_ms: i64,
    /// Who asked for it; nobody if it is due.
    pub asked: Option<OperationKey>,
    /// Where it goes, if it was said.
    pub directory: Option<String>,
    /// Whether the job is stopped with it.
    pub stops: bool,
}

/// A snapshot that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its number.
    pub number: u64,
    /// Where it lies.
    pub place: String,
    /// What it is.
    pub kind: SnapshotKind,
    /// When it was begun, in milliseconds since 1970.
    pub begun_ms: i64,
    /// When it was complete, in milliseconds since 1970.
    pub at_ms: i64,
    /// Whether the job was stopped with it.
    pub stops: bool,
}

/// What a job goes on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Where it lies.
    pub place: String,
    /// The records that were counted in it.
    pub count: u64,
}

/// What the JobManager of a job remembers of its snapshots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// Those that were taken, the oldest first.
    pub taken: Vec<Taken>,
    /// How many were completed.
    pub completed: i64,
    /// How many were not.
    pub failed: i64,
    /// What was restored last, with the time.
    pub restored: Option<(String, i64)>,
    /// How often the job was restored.
    pub restores: i64,
    /// How often it has started again after a failure.
    pub restarts: i64,
    /// Its failures with their times, the oldest first.
    pub failures: Vec<(i64, String)>,
    /// What was told of them last, and when by the virtual clock.
    pub told: Option<(i64, Arc<Value>)>,
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whose it is: the deployment, or the session job in the namespace of its cluster.
    pub lineage: Identity,
    /// The cluster that runs it.
    pub cluster: Identity,
    /// The launch of that cluster.
    pub launch: u32,
    /// Its state, as Flink spells it.
    pub state: &'static str,
    /// What it was started from last.
    pub from: Option<String>,
    /// How often it was started, or came back after its JobManager was lost.
    pub starts: u32,
    /// Its place in the order in which jobs were started.
    pub born: u32,
    /// What it is told.
    pub settings: Arc<Settings>,
    /// Its state.
    pub status: JobStatus,
    /// What its tasks do.
    pub tasks: Tasks,
    /// Whether a JobManager knows it.
    pub is_known: bool,
    /// Whether it waits for task managers.
    pub is_waiting: bool,
    /// Changes with everything after which what was to come of it does not come.
    pub attempt: u32,
    /// When it was started, in milliseconds since 1970.
    pub started_ms: i64,
    /// When its state changed last, in milliseconds since 1970.
    pub changed_ms: i64,
    /// When it ended, in milliseconds since 1970.
    pub ended_ms: Option<i64>,
    /// Why it cannot even be made.
    pub doomed: Option<String>,
    /// What it goes on from after a failure.
    pub point: Option<Point>,
    /// The number of its next snapshot.
    pub next: u64,
    /// The snapshots that are being taken.
    pub flights: BTreeMap<u64, Flight>,
    /// What its JobManager remembers.
    pub memory: Memory,
    counted: u64,
    counts_since: Option<i64>,
}

/// What a job begins with.
#[derive(Debug, Clone)]
pub struct Birth {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub lineage: Identity,
    /// The cluster that runs it.
    pub cluster: Identity,
    /// The launch of that cluster.
    pub launch: u32,
    /// What it is told.
    pub settings: Arc<Settings>,
    /// What it starts from.
    pub restore: Option<String>,
}

impl Job {
    /// A job that is being made.
    pub fn new(birth: Birth, born: u32, at_ms: i64) -> Self {
        let Birth { id, name, lineage, cluster, launch, settings, restore: _ } = birth;
        Self {
            id,
            name,
            lineage,
            cluster,
            launch,
            state: JobStatus::Initializing.as_str(),
            from: None,
            starts: 1,
            born,
            settings,
            status: JobStatus::Initializing,
            tasks: Tasks::None,
            is_known: true,
            is_waiting: false,
            attempt: born,
            started_ms: at_ms,
            changed_ms: at_ms,
            ended_ms: None,
            doomed: None,
            point: None,
            next: 1,
            flights: BTreeMap::new(),
            memory: Memory::default(),
            counted: 0,
            counts_since: None,
        }
    }

    /// The records that it has counted by this virtual time.
    pub fn count(&self, now_ms: i64) -> u64 {
        let since = self.counts_since.map_or(0, |since| now_ms.saturating_sub(since) / RECORD_MS);
        self.counted.saturating_add(u64::try_from(since).unwrap_or(0))
    }

    /// It counts from now on.
    pub fn go_on(&mut self, now_ms: i64) {
        self.halt(now_ms);
        self.counts_since = Some(now_ms);
    }

    /// It does not count any more.
    pub fn halt(&mut self, now_ms: i64) {
        self.counted = self.count(now_ms);
        self.counts_since = None;
    }

    /// It goes back to what was counted then, and counts no more.
    pub fn go_back(&mut self, count: u64) {
        self.counted = count;
        self.counts_since = None;
    }

    /// Whether it counts.
    pub fn is_counting(&self) -> bool {
        self.counts_since.is_some()
    }

    /// Whether it has ended for good.
    pub fn is_over(&self) -> bool {
        self.status.is_globally_terminal()
    }

    /// Whether every task of it runs.
    pub fn is_running(&self) -> bool {
        self.is_known && self.status == JobStatus::Running && self.tasks == Tasks::Running
    }

    /// Whether it is being stopped with a savepoint.
    pub fn is_stopping(&self) -> bool {
        self.flights.values().any(|flight| flight.stops)
    }

    /// What was to come of it does not come.
    ///
    /// `attempt` was never given before.
    pub fn turn(&mut self, attempt: u32) {
        self.attempt = attempt;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kobel_manifest::engine::Engine;
    use kobel_model::deployment::FlinkVersion;

    #[test]
    fn a_job_counts_a_hundred_records_a_second_while_it_runs() {
        let settings = Arc::new(Settings::read(&BTreeMap::new(), Engine::Flink, FlinkVersion::V2_3));
        let of = Identity { namespace: "default".to_owned(), name: "a".to_owned() };
        let (lineage, cluster, restore) = (of.clone(), of, None);
        let birth = Birth { id: "0a".to_owned(), name: "a".to_owned(), lineage, cluster, launch: 1, settings, restore };
        let mut job = Job::new(birth, 1, 0);
        assert_eq!(job.count(5_000), 0);
        job.go_on(5_000);
        assert_eq!((job.count(5_999), job.count(6_000)), (99, 100));
        job.halt(6_000);
        assert_eq!(job.count(60_000), 100);
        job.go_back(30);
        job.go_on(60_000);
        assert_eq!(job.count(61_000), 130);
    }
}
