//! The record of a launch. It is written before the first process is spawned and removed after the last one is gone.

use std::fs;
use std::path::{Component, Path, PathBuf};

use kobel_manifest::launch::{Launch, Process};
use kobel_model::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::cgroups;
use crate::file;
use crate::kernel::ProcessId;
use crate::output::{self, End};
use crate::seen::Label;

/// The name of the record in the folder of its application.
pub const NAME: &str = ".launch.json";

/// A launch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// The life of the process table in which its processes have their pids.
    pub boot: String,
    /// Which launch it is.
    pub label: Label,
    /// The port of its REST API.
    pub rest_port: u16,
    /// Every port of its processes. A record of an earlier version names none.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// When it was asked to end, in milliseconds since the boot.
    pub ending_ms: Option<u64>,
    /// Its processes.
    pub processes: Vec<Entry>,
}

/// One process of a launch: intended, running or ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// What it is in the launch.
    pub role: String,
    /// The port of its own REST API, if it has one and the record is of no earlier version.
    #[serde(default)]
    pub rest_port: Option<u16>,
    /// What it carries in its environment, and its children with it.
    pub token: String,
    /// The process, once it was spawned.
    pub id: Option<ProcessId>,
    /// How long the file of its output was before it said anything.
    pub output_from: u64,
    /// The control group that it is in.
    pub cgroup: Option<PathBuf>,
    /// How it ended.
    pub ended: Option<Ended>,
    /// How it is spawned, and spawned again.
    pub command: CommandLine,
}

/// The end of a process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ended {
    /// How it ended.
    pub how: String,
    /// The last lines of its output.
    pub last_words: String,
}

/// How a process is spawned.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CommandLine {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What is added to the environment.
    pub environment: Vec<(String, String)>,
    /// The directory it works in.
    pub directory: PathBuf,
    /// Bytes of memory that it may use.
    pub memory: Option<u64>,
    /// Thousandths of a CPU that it may use.
    pub cpu_millis: Option<u32>,
}

impl Record {
    /// Writes down what is intended: nothing was spawned yet.
    pub fn intend(boot: &str, label: &Label, launch: &Launch) -> Self {
        let processes = launch.processes.iter().map(Entry::intend).collect();
        let (rest_port, ports) = (launch.rest_port, launch.ports.clone());
        Self { boot: boot.to_owned(), label: label.clone(), rest_port, ports, ending_ms: None, processes }
    }

    /// Reads the record of the application in `folder`.
    pub fn load(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(format!("cannot read `{}`", path.display()), error)),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            let hint = "end the processes of the application by hand, then remove this file";
            Error::corrupt(format!("`{}` is no record of a launch", path.display())).with_source(error).with_hint(hint)
        })
    }

    /// Replaces the record in `folder`.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let bytes = serde_json::to_vec(self)
            .map_err(|error| Error::invalid("the launch has a path that is no UTF-8").with_source(error))?;
        file::replace_durably(&folder.join(NAME), &bytes)
    }

    /// Whether any of it was ever spawned, or tried to be.
    pub fn is_begun(&self) -> bool {
        self.processes.iter().any(|entry| !entry.is_intent())
    }

    /// The processes that run.
    pub fn running(&self) -> impl Iterator<Item = (&Entry, ProcessId)> {
        self.processes.iter().filter_map(|entry| entry.running().map(|id| (entry, id)))
    }

    /// The tokens of all its processes.
    pub fn tokens(&self) -> Vec<&str> {
        self.processes.iter().map(|entry| entry.token.as_str()).collect()
    }
}

impl Entry {
    fn intend(process: &Process) -> Self {
        let command = CommandLine {
            program: process.program.clone(),
            arguments: process.arguments.clone(),
            environment: process.environment.clone(),
            directory: process.directory.clone(),
            memory: process.memory,
            cpu_millis: process.cpu_millis,
        };
        Self {
            role: process.role.clone(),
            rest_port: process.rest_port,
            token: fresh_token(),
            id: None,
            output_from: 0,
            cgroup: None,
            ended: None,
            command,
        }
    }

    /// Forgets the process that ended: another one is intended.
    pub fn intend_again(&mut self) {
        self.token = fresh_token();
        self.id = None;
        self.ended = None;
        if let Some(group) = self.cgroup.take() {
            cgroups::remove(&group);
        }
    }

    /// Whether nothing is known of it but that it shall be.
    pub fn is_intent(&self) -> bool {
        self.id.is_none() && self.ended.is_none()
    }

    /// The process, if it runs.
    pub fn running(&self) -> Option<ProcessId> {
        self.id.filter(|_| self.ended.is_none())
    }

    /// Notes that it has ended.
    pub fn end(&mut self, folder: &Path, end: End) {
        let is_starved = self.cgroup.as_deref().is_some_and(cgroups::ran_out_of_memory);
        let how = end.text();
        let how = if is_starved { format!("{how}, out of the memory that it may use") } else { how };
        let last_words =
            if end.is_spoken_of() { output::last_words(folder, &self.role, self.output_from) } else { String::new() };
        self.ended = Some(Ended { how, last_words });
    }
}

fn fresh_token() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Refuses a launch whose names could reach out of the folder, or that cannot tell its processes apart.
pub fn check(launch: &Launch) -> Result<()> {
    for (place, process) in launch.processes.iter().enumerate() {
        let role = &process.role;
        let is_name = role.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') && !role.is_empty();
        if !is_name || launch.processes.iter().take(place).any(|other| other.role == *role) {
            return Err(Error::bug(format!("the role `{role}` of a process is no name, or is there twice")));
        }
    }
    if launch.processes.is_empty() {
        return Err(Error::bug("a launch has no process"));
    }
    for file in &launch.files {
        let path = Path::new(&file.path);
        let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
        if !is_below || path.file_name().is_none() || path == Path::new(NAME) {
            return Err(Error::bug(format!("the file `{}` of a launch is not below its folder", path.display())));
        }
    }
    Ok(())
}
