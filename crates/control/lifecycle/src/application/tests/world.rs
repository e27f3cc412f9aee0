//! A world in which acts have effects, so that whole stories can be told.

use std::collections::BTreeMap;

use super::case::{Case, NOW, act, launched};
use crate::decision::{Act, Decision};
use crate::facts::{self, Cluster, FoundJob, Newest, Operation};
use crate::state::JobState;

/// A cluster with a job in it.
#[derive(Debug, Clone)]
struct Running {
    generation: i64,
    job_id: String,
    state: JobState,
    is_ready: bool,
}

/// The world.
#[derive(Debug, Clone)]
pub struct World {
    pub case: Case,
    now_ms: i64,
    given: u32,
    cluster: Option<Running>,
    snapshots: BTreeMap<String, Vec<(String, i64)>>,
    savepoints: BTreeMap<String, Operation>,
    pub is_released: bool,
    /// What was done, oldest first.
    pub acts: Vec<String>,
}

impl World {
    /// An empty world in which `case` is declared.
    pub fn new(case: Case) -> Self {
        let (snapshots, savepoints) = (BTreeMap::new(), BTreeMap::new());
        Self { case, now_ms: NOW, given: 0, cluster: None, snapshots, savepoints, is_released: false, acts: Vec::new() }
    }

    /// Decides, writes it down and does it, until nothing is left to be done.
    pub fn settle(&mut self) {
        for _ in 0..200 {
            let decision = self.round();
            let is_settled = decision.act.is_none() && decision.wait.reason == "Settled";
            if is_settled || self.is_released {
                return;
            }
        }
        panic!("it does not settle: {:?}", self.acts);
    }

    /// One round: looks, decides, writes down, acts. Whoever comes after a crash between the last two acts the same.
    pub fn round(&mut self) -> Decision {
        let decision = self.look_and_write();
        if decision.act.is_some() {
            let mut after_crash = self.clone();
            let again = after_crash.look_and_write();
            assert_eq!(again.act, decision.act, "after a crash before the act; so far {:?}", self.acts);
        }
        if let Some(act) = &decision.act {
            self.apply(act);
        }
        if decision.act.is_some() {
            self.acts.push(act(&decision));
        }
        self.pass(1_000);
        decision
    }

    /// Time goes by, and what is under way goes on.
    pub fn pass(&mut self, milliseconds: i64) {
        self.now_ms += milliseconds;
        if let Some(running) = &mut self.cluster {
            running.state = match running.state {
                JobState::Reconciling if running.is_ready => JobState::Created,
                JobState::Created => JobState::Running,
                JobState::Cancelling => JobState::Canceled,
                state => state,
            };
            running.is_ready = true;
        }
    }

    /// The job completes a checkpoint.
    pub fn checkpoint(&mut self, path: &str) {
        let job_id = self.cluster.as_ref().map(|running| running.job_id.clone()).unwrap();
        self.snapshots.entry(job_id).or_default().push((path.to_owned(), self.now_ms));
    }

    /// Everything is killed.
    pub fn kill(&mut self) {
        self.cluster = None;
    }

    /// The job is killed just before it would run.
    pub fn kill_before_it_runs(&mut self) {
        self.cluster = self.cluster.take().filter(|running| running.state != JobState::Created);
    }

    /// The id of the job that runs.
    pub fn running(&self) -> Option<&str> {
        self.cluster
            .as_ref()
            .filter(|running| running.state == JobState::Running)
            .map(|running| running.job_id.as_str())
    }

    fn look_and_write(&mut self) -> Decision {
        self.given += 1;
        let id = self.case.record.job.id.clone();
        let running = self.cluster.as_ref();
        let facts = &mut self.case.facts;
        facts.now_ms = self.now_ms;
        facts.fresh_id = format!("{:032x}", self.given);
        facts.cluster = match running {
            None => Cluster::Absent,
            Some(running) if running.is_ready => Cluster::Ready(launched(running.generation, &running.job_id)),
            Some(running) => Cluster::Starting(launched(running.generation, &running.job_id)),
        };
        facts.job = match running.filter(|running| running.is_ready) {
            None => facts::Job::NotAsked,
            Some(running) if Some(&running.job_id) == id.as_ref() && running.state != JobState::Reconciling => {
                facts::Job::Found(FoundJob {
                    id: running.job_id.clone(),
                    name: "orders".to_owned(),
                    state: running.state,
                    start_ms: self.case.record.job.start_ms.unwrap_or_default(),
                    failure: None,
                })
            }
            Some(_) => facts::Job::Absent,
        };
        let pending = self.case.record.job.savepoints.pending.as_ref();
        facts.savepoint =
            pending.map(|pending| self.savepoints.get(&pending.trigger_id).cloned().unwrap_or(Operation::Unheard));
        let newest = id.and_then(|id| self.snapshots.get(&id)).and_then(|taken| taken.last());
        facts.newest =
            newest.map_or(Newest::None, |(path, at_ms)| Newest::Snapshot { path: path.clone(), at_ms: *at_ms });
        let decision = self.case.decide();
        self.case.record = decision.record.clone();
        decision
    }

    fn apply(&mut self, act: &Act) {
        match act {
            Act::Start(start) => {
                assert!(self.cluster.is_none(), "a second cluster is started: {:?}", self.acts);
                self.cluster = Some(Running {
                    generation: start.generation,
                    job_id: start.job_id.clone().unwrap(),
                    state: JobState::Reconciling,
                    is_ready: false,
                });
            }
            Act::Remove => self.cluster = None,
            Act::StopWithSavepoint(savepoint) | Act::TakeSavepoint(savepoint) => {
                let path = format!("file:///savepoints/savepoint-{}", self.snapshots.values().flatten().count());
                let taken = (path.clone(), self.now_ms);
                self.snapshots.entry(savepoint.job_id.clone()).or_default().push(taken);
                self.savepoints.insert(savepoint.trigger_id.clone(), Operation::Completed(Some(path)));
                if let (Some(running), Act::StopWithSavepoint(_)) = (&mut self.cluster, act) {
                    running.state = JobState::Finished;
                }
            }
            Act::Cancel { .. } => {
                if let Some(running) = &mut self.cluster {
                    running.state = JobState::Cancelling;
                }
            }
            Act::TakeCheckpoint { .. } | Act::Dispose { .. } => {}
            Act::Release => self.is_released = true,
        }
    }
}
