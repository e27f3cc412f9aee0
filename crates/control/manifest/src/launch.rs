//! What a start consists of: files to write, then processes to start.

use std::fmt;
use std::path::PathBuf;

/// The job of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobStart<'a> {
    /// Its id: 32 hexadecimal digits, chosen before.
    pub job_id: &'a str,
    /// The snapshot that it starts from.
    pub restore: Option<&'a str>,
}

/// A file that only its owner may read, for it can hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// Where it lies, relative to the folder of the application.
    pub path: PathBuf,
    /// What it holds.
    pub text: String,
}

impl fmt::Debug for File {
    // The text may hold secrets, so it stays out of every message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = format_args!("{} bytes", self.text.len());
        f.debug_struct("File").field("path", &self.path).field("text", &size).finish()
    }
}

/// A process that runs until it is ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// What it is for the application, one of a kind in a launch: `application`, `jobmanager`, `jobmanager-2`,
    /// `taskmanager-1`, `zookeeper`.
    pub role: String,
    /// The program.
    pub program: PathBuf,
    /// What it is given.
    pub arguments: Vec<String>,
    /// What is added to, or replaced in, the environment that it inherits.
    pub environment: Vec<(String, String)>,
    /// The directory in which it is started.
    pub directory: PathBuf,
    /// The bytes of memory that it may use; absent if nobody knows.
    pub memory: Option<u64>,
    /// The thousandths of a CPU that it may use.
    pub cpu_millis: Option<u32>,
    /// The port on this machine where its REST API will answer, if it has one.
    pub rest_port: Option<u16>,
}

/// One start of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// What is written before anything is started.
    pub files: Vec<File>,
    /// What is started then, in this order.
    pub processes: Vec<Process>,
    /// The port on this machine where the REST API will answer: the first one, if several processes have one.
    pub rest_port: u16,
    /// Every port that its processes listen on by name. Nobody else is given one while the launch is there.
    pub ports: Vec<u16>,
}
