//! What a script can say. A leaf: everybody who reads or plays a script names these types.

use std::sync::Arc;

use serde_json::Value;

use crate::call::Port;
use crate::fault::{Aim, Fault};

/// One command of a script.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Sets how the world is.
    World(Settings),
    /// Creates an object.
    Create(Arc<Value>),
    /// Changes an object by a merge patch.
    Edit {
        /// Its name.
        name: String,
        /// The patch; in the place of a list may stand what comes into it or goes out of it.
        patch: Arc<Value>,
    },
    /// Changes the status of an object by a merge patch, as another operator would have written it.
    EditStatus {
        /// Its name.
        name: String,
        /// The patch, from the root of the object.
        patch: Arc<Value>,
    },
    /// Sets a key of the Flink configuration of an object; null takes it away.
    Configure {
        /// Its name.
        name: String,
        /// The key.
        key: String,
        /// What it is set to.
        value: Value,
    },
    /// Lets a job start anew from the newest snapshot that lies on the disk.
    Redeploy {
        /// Whose.
        name: String,
        /// The number that asks for it.
        nonce: i64,
    },
    /// Deletes an object.
    Delete {
        /// Its name.
        name: String,
        /// How.
        deletion: Deletion,
    },
    /// A write that the API must refuse.
    Refused(Box<Command>),
    /// Waits until one of several words is said of an object.
    Await {
        /// Its name.
        name: String,
        /// The words.
        words: Vec<Word>,
        /// For how long, in virtual milliseconds.
        within_ms: i64,
    },
    /// Lets this many virtual milliseconds go by.
    Run(i64),
    /// Kills processes.
    Kill {
        /// Whose.
        name: String,
        /// Which; `*` for all.
        role: String,
    },
    /// Lets a job fail.
    Fail {
        /// Whose.
        name: String,
        /// What comes of it.
        ending: Ending,
        /// Why, in the words of the job.
        why: String,
    },
    /// Lets a job come to its end.
    Finish {
        /// Whose.
        name: String,
    },
    /// Lets something begin and not end.
    Hold(Held),
    /// Lets it end.
    Release(Held),
    /// Lets the disk fail for so many virtual milliseconds.
    DiskFails(i64),
    /// Lets snapshots vanish from the disk.
    Lose {
        /// Whose.
        name: String,
        /// Which.
        lost: Lost,
    },
    /// Kills every process of the machine.
    LoseNode,
    /// Aims a fault.
    Fault {
        /// What goes wrong.
        fault: Fault,
        /// Where.
        place: Place,
    },
    /// Kills the controller at its next call; it comes back by itself.
    RestartController,
    /// Nothing: the script could not be read, for this reason.
    Unreadable(String),
    /// Shows what is said of an object.
    Show {
        /// Its name.
        name: String,
    },
    /// What must be so now.
    Expect {
        /// The name of an object.
        name: String,
        /// What is claimed of it.
        claims: Vec<Claim>,
    },
}

/// How the world is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// Where chance comes from.
    pub seed: Option<u64>,
    /// Whether the API keeps a record of who manages which field.
    pub managers: Option<Managers>,
    /// What becomes of a script that waits in vain.
    pub in_vain: Option<InVain>,
    /// What goes wrong at a time or at a revision.
    pub aims: Vec<Aim>,
    /// The other properties.
    pub knobs: Vec<Setting>,
}

impl Settings {
    /// The properties of the world that are set.
    pub fn iter(&self) -> std::slice::Iter<'_, Setting> {
        self.knobs.iter()
    }
}

/// Whether the API keeps a record of who manages which field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Managers {
    /// It does.
    Tracked,
    /// It does not.
    Untracked,
}

impl Managers {
    /// Both with their words.
    pub const ALL: [(&'static str, Self); 2] = [("tracked", Self::Tracked), ("untracked", Self::Untracked)];
}

/// What becomes of a script that waits in vain, for a word or until a command is possible.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InVain {
    /// It breaks the run.
    #[default]
    Breaks,
    /// It goes on without, and the end of the run is judged.
    GoesOn,
}

impl InVain {
    /// Both with their words.
    pub const ALL: [(&'static str, Self); 2] = [("breaks", Self::Breaks), ("goes-on", Self::GoesOn)];
}

/// One property of the world, from the smallest to the largest value it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Which.
    pub knob: Knob,
    /// The smallest value, in milliseconds.
    pub low: i64,
    /// The largest value, in milliseconds.
    pub high: i64,
}

/// A property of the world that a script sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knob {
    /// How long a call takes each way.
    Latency,
    /// How long a job takes to start.
    Start,
    /// How long a savepoint takes.
    Savepoint,
    /// How long a checkpoint takes.
    Checkpoint,
    /// How long a job takes to be cancelled.
    Cancel,
    /// How long a process takes to end.
    End,
    /// How far the clock of the disk is ahead.
    DiskSkew,
    /// How far the statistics of the REST API are behind.
    StatisticsBehind,
}

impl Knob {
    /// Every one with its word.
    pub const ALL: [(&'static str, Self); 8] = [
        ("latency", Self::Latency),
        ("start", Self::Start),
        ("savepoint", Self::Savepoint),
        ("checkpoint", Self::Checkpoint),
        ("cancel", Self::Cancel),
        ("end", Self::End),
        ("disk-skew", Self::DiskSkew),
        ("statistics-behind", Self::StatisticsBehind),
    ];
}

/// How an object is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// As it should be.
    Asked,
    /// Its finalizers are taken away.
    Forced,
}

/// Something that is said of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// The reason of its condition `Settled`, or the state of it, of its job or of its job manager.
    Says(String),
    /// An error.
    Error,
    /// A field has this value, as text.
    Field(Vec<String>, String),
    /// An event with this reason. One may be lost with the controller, so who must go on waits for something else.
    Event(String),
    /// It is not there any more.
    Gone,
}

impl Word {
    /// Reads it: `Settled`, `STABLE`, `error`, `gone`, `event=Submit`, `status.jobStatus.state=RUNNING`.
    pub fn read(text: &str) -> Self {
        match text {
            "gone" => Self::Gone,
            "error" => Self::Error,
            _ => match text.split_once('=') {
                Some(("event", reason)) => Self::Event(reason.to_owned()),
                Some((path, value)) => Self::Field(path.split('.').map(str::to_owned).collect(), value.to_owned()),
                None => Self::Says(text.to_owned()),
            },
        }
    }
}

/// What comes of a job that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Flink starts it again.
    Restarts,
    /// It stays failed.
    ForGood,
}

/// What can be kept from ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Savepoints.
    Savepoints,
    /// Checkpoints.
    Checkpoints,
    /// Starts of jobs.
    Starts,
    /// Ends of processes.
    Ends,
    /// Restarts of failed jobs.
    Restarts,
}

impl Held {
    /// Every one with its word.
    pub const ALL: [(&'static str, Self); 5] = [
        ("savepoints", Self::Savepoints),
        ("checkpoints", Self::Checkpoints),
        ("starts", Self::Starts),
        ("ends", Self::Ends),
        ("restarts", Self::Restarts),
    ];
}

/// Which snapshots vanish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The one with the most records.
    Newest,
    /// Every one.
    All,
}

/// Where a fault comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At the nth call of a name from now on.
    Call {
        /// To whom.
        port: Port,
        /// What.
        name: &'static str,
        /// About what.
        about: About,
        /// Which one, from 1.
        nth: u32,
    },
    /// At the call of this number.
    Number(u32),
    /// At the event of so many revisions from now on.
    Event(u64),
    /// At once.
    Now,
}

/// What a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// Exactly this.
    Exactly(String),
    /// The job that an object has now.
    JobOf(String),
}

/// What is claimed of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// A number.
    Number(Measure, Relation, u64),
    /// What its job started from.
    From(Origin),
    /// The state of its job, as the machine has it.
    Job(String),
    /// Something is said of it.
    Says(Word),
    /// It is there.
    There,
    /// Its error, or the message of its condition `Settled`, contains a text.
    Tells(String),
    /// A field has a value; null stands for one that is not there.
    Field(Vec<String>, Value),
}

/// What can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The records that its job has counted.
    Count,
    /// How often a cluster of it was started.
    Starts,
    /// How many jobs of it were started.
    Jobs,
    /// Its launches that live.
    Launches,
    /// Its processes that live.
    Processes,
    /// Its savepoints on the disk.
    Savepoints,
    /// Its checkpoints on the disk.
    Checkpoints,
}

impl Measure {
    /// Every one with its word.
    pub const ALL: [(&'static str, Self); 7] = [
        ("count", Self::Count),
        ("starts", Self::Starts),
        ("jobs", Self::Jobs),
        ("launches", Self::Launches),
        ("processes", Self::Processes),
        ("savepoints", Self::Savepoints),
        ("checkpoints", Self::Checkpoints),
    ];
}

/// How a number is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It is this.
    Is,
    /// It is at least this.
    AtLeast,
    /// It is at most this.
    AtMost,
}

/// What a job started from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// No state.
    Nothing,
    /// A savepoint.
    Savepoint,
    /// A checkpoint.
    Checkpoint,
    /// Whatever had the most records when it was started.
    Newest,
}

impl Origin {
    /// Every one with its word.
    pub const ALL: [(&'static str, Self); 4] = [
        ("nothing", Self::Nothing),
        ("savepoint", Self::Savepoint),
        ("checkpoint", Self::Checkpoint),
        ("newest", Self::Newest),
    ];
}
