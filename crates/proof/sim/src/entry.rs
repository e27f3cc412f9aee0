//! What happened: the history of a run, which invariants are checked against and transcripts are made of.

use std::fmt;
use std::sync::Arc;

use kobel_model::deployment::Identity;
use serde_json::Value;

use crate::call::Numbered;
use crate::fault::Fault;

/// An object of the API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey {
    /// The plural name of its kind, such as `flinkdeployments`.
    pub resource: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.resource, self.namespace, self.name)
    }
}

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The controller.
    Controller,
    /// A person, or a script.
    User,
    /// The cluster itself, such as its garbage collection.
    Cluster,
}

/// What a write did to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Made it.
    Create,
    /// Changed it, its status aside.
    Update,
    /// Changed its status.
    UpdateStatus,
    /// Marked it as leaving; finalizers hold it.
    MarkDeleted,
    /// Took it away.
    Delete,
}

/// What a snapshot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotKind {
    /// A checkpoint.
    Checkpoint,
    /// A savepoint.
    Savepoint,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// The controller called somebody.
    Called(Numbered),
    /// A fault hit the call of this number, or an event.
    Fault {
        /// The call; zero for an event.
        n: u32,
        /// What hit it.
        fault: Fault,
    },
    /// An object was written.
    Wrote {
        /// The revision.
        rev: u64,
        /// What was done.
        verb: Verb,
        /// To what.
        key: ObjectKey,
        /// As it was.
        before: Option<Arc<Value>>,
        /// As it is; absent if it is gone.
        after: Option<Arc<Value>>,
        /// By whom.
        by: Who,
    },
    /// The start of a cluster was asked for.
    StartAsked {
        /// Whose.
        of: Identity,
        /// The generation that its label tells.
        generation: i64,
        /// The id of its job; absent for a session cluster.
        job: Option<String>,
        /// Whether another launch of it had living processes.
        beside_living: bool,
    },
    /// A process was started.
    Spawned {
        /// Whose.
        of: Identity,
        /// What it is, such as `jobmanager`.
        role: String,
    },
    /// A process has ended.
    Exited {
        /// Whose.
        of: Identity,
        /// What it was.
        role: String,
        /// How, such as `exit code 0`.
        how: String,
        /// Who ended it: the controller by asking, the world by a fault, or the process itself.
        by: Who,
    },
    /// A job was started, or came back after its JobManager was lost.
    JobStarted {
        /// The cluster that runs it.
        cluster: Identity,
        /// Whose job it is: the deployment, or the session job in the namespace of its cluster.
        lineage: Identity,
        /// Its id.
        job: String,
        /// The snapshot that it started from.
        from: Option<String>,
        /// The records that it had counted in it.
        count: u64,
        /// The most records that a complete snapshot of its lineage has counted, which lies on the disk now.
        newest: u64,
    },
    /// A job has another state.
    JobState {
        /// Its id.
        job: String,
        /// As Flink spells it.
        state: &'static str,
        /// The records that it has counted.
        count: u64,
    },
    /// A snapshot was completed.
    Snapshot {
        /// Where it lies.
        path: String,
        /// Of which job.
        job: String,
        /// Of which lineage.
        lineage: Identity,
        /// The records that were counted.
        count: u64,
        /// What it is.
        kind: SnapshotKind,
        /// The trigger that asked for it.
        trigger: Option<String>,
        /// Whether the job was stopped with it.
        stops: bool,
    },
    /// A snapshot is gone from the disk.
    Disposed {
        /// Where it lay.
        path: String,
        /// Who took it away.
        by: Who,
    },
    /// A life of the controller began or ended.
    Life {
        /// Its number, from 1.
        number: u32,
        /// Whether it began.
        began: bool,
    },
    /// A person or a script did something.
    User(String),
}

/// An entry with its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// In virtual milliseconds.
    pub at_ms: i64,
    /// What.
    pub entry: Entry,
}
