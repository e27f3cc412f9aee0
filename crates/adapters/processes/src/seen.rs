//! What is said of a launch: which it is, and what has become of its processes.

use serde::{Deserialize, Serialize};

/// Which launch of an application it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The generation of the resource that it was started for.
    pub generation: i64,
    /// The id of its job; absent for a session cluster.
    pub job_id: Option<String>,
}

/// A launch as it is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Which launch it is.
    pub label: Label,
    /// The port of its REST API: the first one, if several processes have one.
    pub rest_port: u16,
    /// Whether it was asked to end.
    pub is_ending: bool,
    /// Its processes, in the order in which they were started.
    pub processes: Vec<SeenProcess>,
}

impl Seen {
    /// The ports where its REST API may answer: those of the processes that have one and run, in their order.
    pub fn rest_ports(&self) -> Vec<u16> {
        let running = self.processes.iter().filter(|process| process.state == ProcessState::Running);
        let ports: Vec<u16> = running.filter_map(|process| process.rest_port).collect();
        // A launch of an earlier version does not tell which process has the port.
        if ports.is_empty() { vec![self.rest_port] } else { ports }
    }
}

/// One process of a launch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenProcess {
    /// What it is in the launch, such as `jobmanager`.
    pub role: String,
    /// Its process id; zero if it never ran.
    pub pid: u32,
    /// What has become of it.
    pub state: ProcessState,
    /// The port of its own REST API, if it has one.
    pub rest_port: Option<u16>,
}

/// What has become of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessState {
    /// It runs.
    Running,
    /// It has ended, or could not be started.
    Ended {
        /// How it ended, such as `exit code 1` or `killed by SIGKILL`.
        how: String,
        /// The last lines of its output, at most 2 KiB.
        last_words: String,
    },
}

/// Whether limits of memory and CPU hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limits {
    /// The kernel enforces them.
    Enforced,
    /// They do not hold on this machine; the reason is for a person.
    NotHere(String),
}
