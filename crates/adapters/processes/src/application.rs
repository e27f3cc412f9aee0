//! One application: its record, its processes, and what may be done to them.
//!
//! Every method but [`Application::settle`] trusts that `settle` was called just before.

use std::collections::HashMap;
use std::fs;
use std::mem;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use kobel_manifest::launch::Launch;
use kobel_model::error::chain;
use kobel_model::{Error, ErrorKind, Result};
use rustix::process::Signal;

use crate::cgroups::{self, Cgroups};
use crate::file;
use crate::handle;
use crate::kernel::{self, Carrier, ProcessId};
use crate::output::End;
use crate::record::{self, Ended, Entry, Record};
use crate::seen::{Label, ProcessState, Seen, SeenProcess};
use crate::spawn;

/// What is kept of a folder whose application is forgotten; `jobs` holds the same of session jobs.
const KEPT: [&str; 3] = ["checkpoints", "savepoints", "jobs"];

/// What every application of this machine needs.
#[derive(Debug)]
pub struct Machine {
    /// The life of its process table.
    pub boot: String,
    /// Its limits.
    pub cgroups: Cgroups,
}

/// One application.
#[derive(Debug)]
pub struct Application {
    /// Its name, for messages.
    name: String,
    /// Where its files lie.
    folder: PathBuf,
    /// Its launch, if there is one.
    record: Option<Record>,
    /// The processes that this program has spawned and not yet reaped, by role.
    children: HashMap<String, Child>,
    /// Whether this program has asked the launch to end.
    is_asked: bool,
    /// Processes that nobody watches yet.
    unwatched: Vec<ProcessId>,
}

impl Application {
    /// Reads what is recorded of it, and finds the processes that were spawned and not written down.
    pub fn load(name: String, folder: PathBuf, machine: &Machine) -> Result<Self> {
        let record = Record::load(&folder)?;
        let mut application =
            Self { name, folder, record, children: HashMap::new(), is_asked: false, unwatched: Vec::new() };
        if let Some(record) = &mut application.record
            && record.boot != machine.boot
        {
            for entry in record.processes.iter_mut().filter(|entry| entry.running().is_some()) {
                entry.end(&application.folder, End::OtherBoot);
            }
        }
        application.adopt()?;
        if let Some(record) = &application.record {
            application.unwatched = record.running().map(|(_, id)| id).collect();
        }
        Ok(application)
    }

    /// Looks which processes have ended since the last look; says whether any has.
    pub fn settle(&mut self) -> bool {
        let Some(record) = &mut self.record else { return false };
        let mut is_changed = false;
        for entry in &mut record.processes {
            let Some(id) = entry.running() else { continue };
            let Some(end) = how_ended(id, self.children.get_mut(&entry.role)) else { continue };
            self.children.remove(&entry.role);
            entry.end(&self.folder, end);
            is_changed = true;
        }
        if is_changed {
            // Were it not written down, a successor would find the process dead all the same.
            let _ = record.save(&self.folder);
        }
        is_changed
    }

    /// What is seen of its launch. One of which nothing was ever spawned is none.
    pub fn seen(&self) -> Option<Seen> {
        let record = self.record.as_ref().filter(|record| record.is_begun())?;
        let processes = record.processes.iter().map(|entry| SeenProcess {
            role: entry.role.clone(),
            pid: entry.id.map_or(0, |id| id.pid),
            state: state_of(entry),
            rest_port: entry.rest_port,
        });
        Some(Seen {
            label: record.label.clone(),
            rest_port: record.rest_port,
            is_ending: record.ending_ms.is_some(),
            processes: processes.collect(),
        })
    }

    /// Whether it has a launch, however little is left of it.
    pub fn has_launch(&self) -> bool {
        self.record.is_some()
    }

    /// The ports that are recorded: a process that is started again still needs its own.
    pub fn ports(&self) -> Vec<u16> {
        let Some(record) = &self.record else { return Vec::new() };
        record.ports.iter().copied().chain([record.rest_port]).collect()
    }

    /// Whether the process is one of its own and runs.
    pub fn is_running(&self, id: ProcessId) -> bool {
        self.record.as_ref().is_some_and(|record| record.running().any(|(_, running)| running == id))
    }

    /// The processes that nobody watches yet; they are given once.
    pub fn take_unwatched(&mut self) -> Vec<ProcessId> {
        mem::take(&mut self.unwatched)
    }

    /// Starts a launch, or what a crash has left out of it.
    pub fn start(&mut self, label: &Label, launch: &Launch, machine: &Machine) -> Result<()> {
        record::check(launch)?;
        self.adopt()?;
        if let Some(record) = &self.record {
            if record.ending_ms.is_some() {
                return Err(self.conflict("cannot start", "it is still being ended"));
            }
            // Its files are those that its processes were started with, so they are not written again.
            if record.label == *label && record.boot == machine.boot && record.is_begun() {
                return self.spawn_intended(machine);
            }
            if let Some((entry, id)) = record.running().next() {
                let generation = record.label.generation;
                let why = format!("process {} (`{}`) of generation {generation} still runs", id.pid, entry.role);
                return Err(self.conflict("cannot start", &why));
            }
            if let Some(stray) = kernel::carriers(&record.tokens())?.first() {
                let why = format!("process {}, a child of the last launch, still runs", stray.id.pid);
                return Err(self.conflict("cannot start", &why));
            }
            remove_groups(record);
        }
        spawn::write_files(&self.folder, launch)?;
        let record = Record::intend(&machine.boot, label, launch);
        record.save(&self.folder)?;
        self.record = Some(record);
        self.is_asked = false;
        self.spawn_intended(machine)
    }

    /// Spawns what is intended, in order, up to the first one that cannot be.
    fn spawn_intended(&mut self, machine: &Machine) -> Result<()> {
        let Some(record) = &self.record else { return Ok(()) };
        let entries = record.processes.iter().enumerate().take_while(|(_, entry)| entry.ended.is_none());
        let places: Vec<usize> = entries.filter(|(_, entry)| entry.is_intent()).map(|(place, _)| place).collect();
        let spawned = places.iter().try_for_each(|place| self.spawn_one(*place, machine));
        // A process that was not written down is found by its token.
        let saved = if places.is_empty() { Ok(()) } else { self.save() };
        spawned.and(saved)
    }

    /// Spawns one process; if it cannot be, that is how it ended.
    fn spawn_one(&mut self, place: usize, machine: &Machine) -> Result<()> {
        let entry = self.record.as_mut().and_then(|record| record.processes.get_mut(place));
        let Some(entry) = entry else { return Ok(()) };
        match spawn::spawn(&self.folder, entry, &machine.cgroups) {
            Ok(child) => {
                self.children.insert(entry.role.clone(), child);
                self.unwatched.extend(entry.id);
                Ok(())
            }
            Err(error) => {
                entry.ended = Some(Ended { how: chain(&error), last_words: String::new() });
                Err(error.context(format!("cannot start `{}` of `{}`", entry.role, self.name)))
            }
        }
    }

    fn save(&self) -> Result<()> {
        self.record.as_ref().map_or(Ok(()), |record| record.save(&self.folder))
    }

    /// Asks its processes to end, and kills those that are left after `grace`; says whether nothing is left.
    pub fn end(&mut self, grace: Duration) -> Result<bool> {
        self.adopt()?;
        let Some(record) = &mut self.record else { return Ok(true) };
        let now = kernel::uptime_ms()?;
        let asked = *record.ending_ms.get_or_insert(now);
        if asked == now {
            // A full disk must not keep processes alive; a successor would only grant the grace once more.
            let _ = record.save(&self.folder);
        }
        let is_late = u128::from(now.saturating_sub(asked)) >= grace.as_millis();
        let running: Vec<ProcessId> = record.running().map(|(_, id)| id).collect();
        let strays = if running.is_empty() || is_late { kernel::carriers(&record.tokens())? } else { Vec::new() };
        if running.is_empty() && strays.is_empty() {
            file::remove(&self.folder.join(record::NAME))?;
            remove_groups(record);
            self.record = None;
            self.is_asked = false;
            return Ok(true);
        }
        let signal = if is_late { Signal::KILL } else { Signal::TERM };
        if is_late || !self.is_asked {
            running.iter().for_each(|id| handle::signal_group(*id, signal));
        }
        strays.iter().for_each(|stray| handle::signal_one(stray.id, signal));
        self.is_asked = true;
        Ok(false)
    }

    /// Starts a process of the launch again if it has ended.
    pub fn revive(&mut self, role: &str, machine: &Machine) -> Result<()> {
        self.adopt()?;
        let missing = || Error::new(ErrorKind::Missing, format!("`{}` has no process `{role}`", self.name));
        let record = self.record.as_ref().ok_or_else(missing)?;
        if record.ending_ms.is_some() || record.boot != machine.boot {
            return Err(self.conflict(&format!("cannot start `{role}` again"), "its launch is over"));
        }
        let mut entries = record.processes.iter().enumerate();
        let (place, entry) = entries.find(|(_, entry)| entry.role == role).ok_or_else(missing)?;
        if entry.running().is_some() {
            return Ok(());
        }
        // Its children are nobody's any more, and may hold its ports.
        for stray in kernel::carriers(&[entry.token.as_str()])? {
            handle::signal_one(stray.id, Signal::KILL);
        }
        if let Some(entry) = self.record.as_mut().and_then(|record| record.processes.get_mut(place)) {
            entry.intend_again();
        }
        self.save()?;
        let spawned = self.spawn_one(place, machine);
        spawned.and(self.save())
    }

    /// Removes its files, except checkpoints and savepoints.
    pub fn forget(&mut self) -> Result<()> {
        self.adopt()?;
        if self.record.as_ref().is_some_and(Record::is_begun) {
            return Err(self.conflict("cannot remove the files", "its launch was not ended"));
        }
        // Nothing of it was ever spawned; its file goes with the others.
        self.record = None;
        let failed = |path: &Path, error| Error::io(format!("cannot remove `{}`", path.display()), error);
        let listing = match fs::read_dir(&self.folder) {
            Ok(listing) => listing,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(&self.folder, error)),
        };
        for entry in listing {
            let entry = entry.map_err(|error| failed(&self.folder, error))?;
            let path = entry.path();
            if KEPT.iter().any(|kept| entry.file_name() == *kept) {
                // Only an empty one goes.
                let _ = fs::remove_dir(&path);
                continue;
            }
            // A link is removed, and not what it leads to.
            let is_directory = entry.file_type().map_err(|error| failed(&path, error))?.is_dir();
            let removed = if is_directory { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(|error| failed(&path, error))?;
        }
        // It stays if something is kept in it.
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }

    /// Finds processes that were spawned by a program that died before it could write down which they are.
    fn adopt(&mut self) -> Result<()> {
        let Some(record) = &mut self.record else { return Ok(()) };
        if !record.processes.iter().any(Entry::is_intent) {
            return Ok(());
        }
        let carriers = kernel::carriers(&record.tokens())?;
        for (place, entry) in record.processes.iter_mut().enumerate().filter(|(_, entry)| entry.is_intent()) {
            let own = || carriers.iter().filter(move |carrier| carrier.token == place);
            // Children that lead groups of their own were started after it.
            let leader: Option<&Carrier> =
                own().filter(|carrier| carrier.is_leader).min_by_key(|carrier| (carrier.id.start, carrier.id.pid));
            match leader {
                Some(leader) => {
                    entry.id = Some(leader.id);
                    self.unwatched.push(leader.id);
                }
                None if own().next().is_some() => entry.end(&self.folder, End::Unseen),
                None => {}
            }
        }
        Ok(())
    }

    fn conflict(&self, what: &str, why: &str) -> Error {
        let hint = "end what is left of the last launch first";
        Error::new(ErrorKind::Conflict, format!("{what} of `{}`: {why}", self.name)).with_hint(hint)
    }
}

/// How a process ended; absent while it runs. A child is reaped by that.
fn how_ended(id: ProcessId, child: Option<&mut Child>) -> Option<End> {
    match child.map(Child::try_wait) {
        Some(Ok(None)) => None,
        Some(Ok(Some(status))) => Some(End::Told(status)),
        Some(Err(_)) | None => (!id.is_alive()).then_some(End::Unseen),
    }
}

fn state_of(entry: &Entry) -> ProcessState {
    match (&entry.ended, entry.id) {
        (Some(ended), _) => ProcessState::Ended { how: ended.how.clone(), last_words: ended.last_words.clone() },
        (None, Some(_)) => ProcessState::Running,
        (None, None) => ProcessState::Ended { how: "it was never started".to_owned(), last_words: String::new() },
    }
}

fn remove_groups(record: &Record) {
    record.processes.iter().filter_map(|entry| entry.cgroup.as_deref()).for_each(cgroups::remove);
}
