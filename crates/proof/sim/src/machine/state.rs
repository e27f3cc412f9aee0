//! The machine as data: what runs on it, what lies on it, and what comes of itself.
//!
//! # Invariant
//! A clone is another machine: nobody who listens to the one hears of the other.

use std::collections::{BTreeMap, BTreeSet};

use kobel_model::deployment::Identity;
use tokio::sync::mpsc::UnboundedSender;

use super::disk::{self, Disk, Stored};
use super::job::Job;
use super::operations::{Operation, OperationKey};
use super::processes::Launched;
use crate::entry::SnapshotKind;

/// What does not go on as long as it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Savepoints are not completed.
    Savepoints,
    /// Checkpoints are not completed.
    Checkpoints,
    /// Processes do not come to answer, and jobs are not made.
    Starts,
    /// Processes do not heed that they shall end.
    Ends,
    /// Jobs that have failed do not start again.
    Restarts,
}

/// How far a job comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It was made.
    Created,
    /// Its tasks are made.
    Scheduled,
    /// Its tasks run.
    Deployed,
    /// It was cancelled.
    Canceled,
    /// It has ended after its last savepoint.
    Finished,
}

/// What happens on the machine by itself when its time has come.
#[derive(Debug, Clone)]
pub enum Due {
    /// A process has come so far that it answers, or registers.
    Up {
        /// Whose.
        of: Identity,
        /// What it is.
        role: String,
        /// Which process.
        pid: u32,
    },
    /// A process that was asked to end has ended.
    Exits {
        /// Whose.
        of: Identity,
        /// What it is.
        role: String,
        /// Which process.
        pid: u32,
    },
    /// Another JobManager is elected.
    Elected {
        /// Whose.
        of: Identity,
        /// Of which launch.
        launch: u32,
    },
    /// A job comes further.
    Steps {
        /// Its id.
        job: String,
        /// What it must still be.
        attempt: u32,
        /// How far.
        step: Step,
    },
    /// A job takes a checkpoint.
    Checkpoint {
        /// Its id.
        job: String,
        /// What it must still be.
        attempt: u32,
    },
    /// A snapshot is complete.
    Taken {
        /// Of which job.
        job: String,
        /// What it must still be.
        attempt: u32,
        /// Its number.
        number: u64,
    },
    /// What has become of an operation is known.
    Told {
        /// Which one.
        of: OperationKey,
        /// What has become of it.
        end: Operation,
    },
}

/// The machine.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// What lies on its disk.
    pub(super) disk: Disk,
    /// What was launched.
    pub(super) launches: BTreeMap<Identity, Launched>,
    /// Every job that ever was, by id.
    pub(super) jobs: BTreeMap<String, Job>,
    /// What somebody asked for.
    pub(super) operations: BTreeMap<OperationKey, Operation>,
    /// The programs that session clusters were sent.
    pub(super) jars: BTreeSet<(Identity, String)>,
    /// What is held.
    pub(super) holds: BTreeSet<What>,
    /// What did not happen because it is held.
    pub(super) held: Vec<(What, Due)>,
    /// Who hears of ends.
    pub(super) listeners: Listeners,
    starts: BTreeMap<Identity, u32>,
    drawn: u32,
}

impl Machine {
    /// The job of a deployment or session job that was started last.
    pub fn job_of(&self, lineage: &Identity) -> Option<&Job> {
        self.jobs.values().filter(|job| job.lineage == *lineage).max_by_key(|job| job.born)
    }

    /// Every process that runs, and whose it is.
    pub fn processes(&self) -> Vec<(Identity, String)> {
        let living = |(of, launched): (&Identity, &Launched)| {
            let of = of.clone();
            launched.living().into_iter().map(move |role| (of.clone(), role)).collect::<Vec<_>>()
        };
        self.launches.iter().flat_map(living).collect()
    }

    /// Every snapshot of a lineage that can be started from, the oldest first: its address, the records in it, and what
    /// it is.
    pub fn snapshots(&self, lineage: &Identity) -> Vec<(String, u64, SnapshotKind)> {
        let told = |(place, stored): (&str, &Stored)| (disk::address(place), stored.count, stored.kind);
        self.disk.of(lineage).into_iter().map(told).collect()
    }

    /// Whose job took the snapshot at this path, however it is written, and the records in it.
    pub fn snapshot_at(&self, path: &str) -> Option<(Identity, u64)> {
        self.disk.at(&disk::place(path)).map(|stored| (stored.lineage.clone(), stored.count))
    }

    /// How many launches of a deployment have processes that run.
    pub fn living_launches(&self, of: &Identity) -> usize {
        usize::from(self.launches.get(of).is_some_and(|launched| !launched.living().is_empty()))
    }

    /// How often a deployment was launched, or a session job submitted.
    pub fn starts(&self, of: &Identity) -> u32 {
        self.starts.get(of).copied().unwrap_or(0)
    }

    /// Notes a start.
    pub(super) fn note_start(&mut self, of: &Identity) {
        let starts = self.starts.entry(of.clone()).or_insert(0);
        *starts = starts.saturating_add(1);
    }

    /// A number that was never given before, from 1.
    pub(super) fn draw(&mut self) -> u32 {
        self.drawn = self.drawn.wrapping_add(1);
        self.drawn
    }

    /// How many numbers were given.
    pub(crate) fn drawn(&self) -> u32 {
        self.drawn
    }

    /// A port that no launch has.
    pub(super) fn port(&mut self) -> u16 {
        loop {
            let port = 20_000 + u16::try_from(self.draw() % 12_000).unwrap_or(0);
            if !self.launches.values().any(|launched| launched.ports.contains(&port)) {
                return port;
            }
        }
    }

    /// The jobs of a cluster that its JobManager knows, in the order in which they were started.
    pub(super) fn known_jobs(&self, cluster: &Identity) -> Vec<&Job> {
        let mut known: Vec<&Job> = self.jobs.values().filter(|job| job.is_known && job.cluster == *cluster).collect();
        known.sort_by_key(|job| job.born);
        known
    }
}

/// Who hears of ends. What is cloned has no listeners.
#[derive(Debug, Default)]
pub(super) struct Listeners(Vec<UnboundedSender<Identity>>);

impl Listeners {
    /// One more listens.
    pub(super) fn add(&mut self, listener: UnboundedSender<Identity>) {
        self.0.push(listener);
    }

    /// Tells whose process has ended.
    pub(super) fn tell(&mut self, of: &Identity) {
        self.0.retain(|listener| listener.send(of.clone()).is_ok());
    }
}

impl Clone for Listeners {
    fn clone(&self) -> Self {
        Self::default()
    }
}
