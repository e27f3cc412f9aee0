//! The launches that there are, and what has become of their processes.
//!
//! # Invariant
//! A launch stands until it was ended: its processes stay in it with how they ended.

use std::sync::Arc;

use kobel_manifest::launch::Launch;
use kobel_model::{Error, ErrorKind, Result};
use kobel_processes::{Label, ProcessState, Seen, SeenProcess};

use super::launch::{Started, read};

/// What a process does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run {
    /// It was never spawned.
    Intended,
    /// It runs.
    Running {
        /// Its process id.
        pid: u32,
        /// Whether it listens, or has registered.
        is_up: bool,
    },
    /// It has ended.
    Ended {
        /// Its process id.
        pid: u32,
        /// How.
        how: String,
        /// What it said last.
        last_words: String,
    },
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// What it is.
    pub role: String,
    /// The port of its REST API.
    pub rest_port: Option<u16>,
    /// What it does.
    pub run: Run,
}

/// A launch.
#[derive(Debug, Clone)]
pub struct Launched {
    /// What tells it from every other launch.
    pub number: u32,
    /// Which launch it is.
    pub label: Label,
    /// The first port of its REST API.
    pub rest_port: u16,
    /// Every port that it was given.
    pub ports: Vec<u16>,
    /// Whether the node still is what it was when it was launched.
    pub is_of_this_boot: bool,
    /// When it was asked to end.
    pub ending_ms: Option<i64>,
    /// Its processes.
    pub processes: Vec<Process>,
    /// What they were told.
    pub started: Arc<Started>,
    /// The process whose JobManager leads.
    pub leader: Option<String>,
    /// Whether another one is being elected.
    pub is_electing: bool,
}

impl Process {
    /// Its process id, if it runs.
    pub fn pid(&self) -> Option<u32> {
        match self.run {
            Run::Running { pid, .. } => Some(pid),
            Run::Intended | Run::Ended { .. } => None,
        }
    }

    /// Whether it runs and listens, or has registered.
    pub fn is_up(&self) -> bool {
        matches!(self.run, Run::Running { is_up: true, .. })
    }

    /// Whether it answers for others: a native application, a JobManager, or one that stands by.
    pub fn answers(&self) -> bool {
        self.role == "application" || self.role.starts_with("jobmanager")
    }

    /// Whether it does the work of jobs.
    pub fn works(&self) -> bool {
        self.role.starts_with("taskmanager")
    }
}

impl Launched {
    /// What is intended: nothing was spawned yet.
    pub fn intend(number: u32, label: &Label, launch: &Launch) -> Self {
        let process = |process: &kobel_manifest::launch::Process| Process {
            role: process.role.clone(),
            rest_port: process.rest_port,
            run: Run::Intended,
        };
        Self {
            number,
            label: label.clone(),
            rest_port: launch.rest_port,
            ports: launch.ports.clone(),
            is_of_this_boot: true,
            ending_ms: None,
            processes: launch.processes.iter().map(process).collect(),
            started: Arc::new(read(launch)),
            leader: None,
            is_electing: false,
        }
    }

    /// Whether any of it was ever spawned.
    pub fn is_begun(&self) -> bool {
        self.processes.iter().any(|process| process.run != Run::Intended)
    }

    /// The roles that run, in their order.
    pub fn living(&self) -> Vec<String> {
        self.processes.iter().filter(|process| process.pid().is_some()).map(|process| process.role.clone()).collect()
    }

    /// The process of a role.
    pub fn process(&self, role: &str) -> Option<&Process> {
        self.processes.iter().find(|process| process.role == role)
    }

    /// The process of a role, to be changed.
    pub fn process_mut(&mut self, role: &str) -> Option<&mut Process> {
        self.processes.iter_mut().find(|process| process.role == role)
    }

    /// Whether everything that does the work of jobs is there. A native application does it by itself.
    pub fn can_work(&self) -> bool {
        self.processes.iter().filter(|process| process.works()).all(Process::is_up)
    }

    /// The roles that are to be spawned: those that never were, up to the first one that has ended.
    pub fn intended(&self) -> Vec<String> {
        let begun = self.processes.iter().take_while(|process| !matches!(process.run, Run::Ended { .. }));
        begun.filter(|process| process.run == Run::Intended).map(|process| process.role.clone()).collect()
    }

    /// What is seen of it. One of which nothing was ever spawned is none.
    pub fn seen(&self) -> Option<Seen> {
        if !self.is_begun() {
            return None;
        }
        let seen = |process: &Process| {
            let (pid, state) = match &process.run {
                Run::Running { pid, .. } => (*pid, ProcessState::Running),
                Run::Ended { pid, how, last_words } => {
                    (*pid, ProcessState::Ended { how: how.clone(), last_words: last_words.clone() })
                }
                Run::Intended => {
                    (0, ProcessState::Ended { how: "it was never started".to_owned(), last_words: String::new() })
                }
            };
            SeenProcess { role: process.role.clone(), pid, state, rest_port: process.rest_port }
        };
        Some(Seen {
            label: self.label.clone(),
            rest_port: self.rest_port,
            is_ending: self.ending_ms.is_some(),
            processes: self.processes.iter().map(seen).collect(),
        })
    }

    /// Whether a start under this label is to be gone on with.
    ///
    /// # Errors
    /// Conflict while anything of it is alive under another label, or it is being ended.
    pub fn meets(&self, name: &str, label: &Label) -> Result<bool> {
        if self.ending_ms.is_some() {
            return Err(conflict("cannot start", name, "it is still being ended"));
        }
        if self.label == *label && self.is_of_this_boot && self.is_begun() {
            return Ok(true);
        }
        match self.processes.iter().find_map(|process| Some((process, process.pid()?))) {
            Some((process, pid)) => {
                let generation = self.label.generation;
                let why = format!("process {pid} (`{}`) of generation {generation} still runs", process.role);
                Err(conflict("cannot start", name, &why))
            }
            None => Ok(false),
        }
    }
}

/// That what is left of the last launch is in the way.
pub fn conflict(what: &str, name: &str, why: &str) -> Error {
    let hint = "end what is left of the last launch first";
    Error::new(ErrorKind::Conflict, format!("{what} of `{name}`: {why}")).with_hint(hint)
}
