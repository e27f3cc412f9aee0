//! The applications under one root, and the thread that notices ends.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use kobel_manifest::launch::Launch;
use kobel_manifest::place::{Ports, Standbys};
use kobel_model::deployment::Identity;
use kobel_model::{Error, Result};

use crate::application::{Application, Machine};
use crate::cgroups::Cgroups;
use crate::file;
use crate::kernel::{self, ProcessId};
use crate::ports::{self, PortBook};
use crate::record::{self, Record};
use crate::seen::{Label, Limits, Seen};
use crate::watch::{self, Watch};

#[cfg(test)]
mod tests;

/// The applications that run as processes of this machine. A clone is another handle on the same ones.
#[derive(Debug, Clone)]
pub struct Processes {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    root: PathBuf,
    machine: Machine,
    applications: Mutex<HashMap<Identity, Arc<Mutex<Application>>>>,
    ports: PortBook,
    listeners: Mutex<Vec<Sender<Identity>>>,
    watch: Watch,
}

impl Processes {
    /// Finds the applications under `root` again, and starts the thread that notices ends.
    ///
    /// An application whose record cannot be read keeps no other one from being found; it is refused when it is named.
    ///
    /// # Errors
    /// Denied or Unavailable if `root` cannot be read or made, Unsupported where there is no `/proc`.
    pub fn open(root: &Path) -> Result<Self> {
        file::create_directory(root)?;
        let root =
            root.canonicalize().map_err(|error| Error::io(format!("cannot open `{}`", root.display()), error))?;
        let (watch, watcher) = watch::pair()?;
        let shared = Arc::new(Shared {
            machine: Machine { boot: kernel::boot()?, cgroups: Cgroups::default() },
            applications: Mutex::default(),
            ports: PortBook::default(),
            listeners: Mutex::default(),
            watch,
            root,
        });
        let weak: Weak<Shared> = Arc::downgrade(&shared);
        watcher.start(move |of, id| weak.upgrade().is_none_or(|shared| shared.is_over(of, id)))?;
        for of in recorded(&shared.root)? {
            // It is refused with its reason when it is named.
            let _ = shared.within(&of, |_| Ok(()));
        }
        Ok(Self { shared })
    }

    /// Names the folder of an application.
    pub fn folder(&self, of: &Identity) -> PathBuf {
        self.shared.folder(of)
    }

    /// Chooses ports on which nobody listens and that no application here was given.
    ///
    /// # Errors
    /// Unavailable if none is free.
    pub fn free_ports(&self) -> Result<Ports> {
        self.shared.ports.choose(&self.shared.recorded_ports())
    }

    /// Chooses ports as [`Processes::free_ports`] does, for as many job managers that stand by.
    ///
    /// # Errors
    /// Unavailable if none is free.
    pub fn free_standbys(&self, count: u32) -> Result<Standbys> {
        self.shared.ports.choose_standbys(count, &self.shared.recorded_ports())
    }

    /// Whether so many job managers can stand by on one machine.
    ///
    /// # Errors
    /// Invalid if they cannot.
    pub fn can_stand_by(&self, count: u32) -> Result<()> {
        ports::can_stand_by(count)
    }

    /// Starts a launch. To start one of the same label again does what is left to do of it, and most often nothing.
    ///
    /// # Errors
    /// Conflict while anything of another launch of the application is alive or the last one is being ended; Missing
    /// or Denied if a program cannot be executed. What was started stays, and is seen together with what was not.
    pub fn start(&self, of: &Identity, label: &Label, launch: &Launch) -> Result<()> {
        self.shared.within(of, |application| application.start(label, launch, &self.shared.machine))
    }

    /// Looks at an application; absent if it has no launch, or one of which nothing was spawned.
    ///
    /// # Errors
    /// Corrupt if its record cannot be read.
    pub fn observe(&self, of: &Identity) -> Result<Option<Seen>> {
        self.shared.within(of, |application| Ok(application.seen()))
    }

    /// Asks everything of an application to end, without waiting for it, and kills what is still there after `grace`
    /// when it is called again. Returns true once nothing is left; the launch is gone then, and its files stay.
    ///
    /// # Errors
    /// Unavailable if the processes cannot be looked through, Corrupt if the record cannot be read.
    pub fn end(&self, of: &Identity, grace: Duration) -> Result<bool> {
        self.shared.within(of, |application| application.end(grace))
    }

    /// Starts a process of a launch again if it has ended.
    ///
    /// # Errors
    /// Missing if the launch has no such process, Conflict if the launch is over, and what [`Processes::start`] says.
    pub fn revive(&self, of: &Identity, role: &str) -> Result<()> {
        self.shared.within(of, |application| application.revive(role, &self.shared.machine))
    }

    /// Removes the files of an application, except its checkpoints and savepoints, and its folder if that is empty.
    ///
    /// # Errors
    /// Conflict while it has a launch, Denied or Unavailable if a file cannot be removed.
    pub fn forget(&self, of: &Identity) -> Result<()> {
        self.shared.within(of, Application::forget)?;
        self.shared.drop_idle(of);
        Ok(())
    }

    /// Lists the applications that have a launch.
    ///
    /// # Errors
    /// None so far; what cannot be read is not listed.
    pub fn all(&self) -> Result<Vec<Identity>> {
        let mut found: Vec<Identity> =
            self.shared.known().into_iter().filter_map(|(of, one)| lock(&one).has_launch().then_some(of)).collect();
        found.sort();
        Ok(found)
    }

    /// Tells, from now on, whose process has ended, well within a second of it.
    pub fn changes(&self) -> Receiver<Identity> {
        let (sender, receiver) = channel();
        lock(&self.shared.listeners).push(sender);
        receiver
    }

    /// Says whether limits of memory and CPU hold on this machine.
    pub fn limits(&self) -> Limits {
        self.shared.machine.cgroups.limits()
    }
}

impl Shared {
    fn folder(&self, of: &Identity) -> PathBuf {
        self.root.join(&of.namespace).join(&of.name)
    }

    /// Looks at an application, then acts on it. Others wait; other applications do not.
    fn within<T>(&self, of: &Identity, act: impl FnOnce(&mut Application) -> Result<T>) -> Result<T> {
        let application = self.application(of)?;
        let mut application = lock(&application);
        let has_ended = application.settle();
        let outcome = act(&mut application);
        for id in application.take_unwatched() {
            self.watch.add(of, id);
        }
        drop(application);
        if has_ended {
            lock(&self.listeners).retain(|listener| listener.send(of.clone()).is_ok());
        }
        outcome
    }

    fn application(&self, of: &Identity) -> Result<Arc<Mutex<Application>>> {
        let mut applications = lock(&self.applications);
        if let Some(known) = applications.get(of) {
            return Ok(Arc::clone(known));
        }
        if ![&of.namespace, &of.name].into_iter().all(|part| is_folder_name(part)) {
            return Err(Error::invalid(format!("`{}/{}` names no application", of.namespace, of.name)));
        }
        let name = format!("{}/{}", of.namespace, of.name);
        let loaded = Arc::new(Mutex::new(Application::load(name, self.folder(of), &self.machine)?));
        applications.insert(of.clone(), Arc::clone(&loaded));
        Ok(loaded)
    }

    /// The applications that were named so far.
    fn known(&self) -> Vec<(Identity, Arc<Mutex<Application>>)> {
        lock(&self.applications).iter().map(|(of, one)| (of.clone(), Arc::clone(one))).collect()
    }

    /// The ports that applications were given.
    fn recorded_ports(&self) -> BTreeSet<u16> {
        self.known().iter().flat_map(|(_, one)| lock(one).ports()).collect()
    }

    /// Drops an application from memory if nobody is about to act on it.
    fn drop_idle(&self, of: &Identity) {
        let mut applications = lock(&self.applications);
        if applications.get(of).is_some_and(|one| Arc::strong_count(one) == 1 && !lock(one).has_launch()) {
            applications.remove(of);
        }
    }

    /// Whether a process has ended. To ask tells the listeners if it has.
    fn is_over(&self, of: &Identity, id: ProcessId) -> bool {
        self.within(of, |application| Ok(!application.is_running(id))).unwrap_or(true)
    }
}

/// Looks which applications under `root` have a process that runs; another program may use the root meanwhile.
///
/// # Errors
/// Denied or Unavailable if `root` cannot be read, Unsupported where there is no `/proc`.
pub fn running(root: &Path) -> Result<Vec<Identity>> {
    if !root.is_dir() {
        return Ok(Vec::new());
    }
    let boot = kernel::boot()?;
    let mut found = recorded(root)?;
    found.retain(|of| {
        let record = Record::load(&root.join(&of.namespace).join(&of.name)).ok().flatten();
        record.is_some_and(|record| record.boot == boot && record.running().any(|(_, id)| id.is_alive()))
    });
    found.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    Ok(found)
}

/// The applications under `root` that have a record.
fn recorded(root: &Path) -> Result<Vec<Identity>> {
    let mut found = Vec::new();
    for namespace in names(root)? {
        for name in names(&root.join(&namespace))? {
            if root.join(&namespace).join(&name).join(record::NAME).exists() {
                found.push(Identity { namespace: namespace.clone(), name });
            }
        }
    }
    Ok(found)
}

/// The names of the directories in `directory`.
fn names(directory: &Path) -> Result<Vec<String>> {
    let failed = |error| Error::io(format!("cannot list `{}`", directory.display()), error);
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if let Ok(name) = entry.file_name().into_string()
            && entry.path().is_dir()
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// Whether a part of an identity is the name of one folder, and not a way out of the root.
fn is_folder_name(part: &str) -> bool {
    !part.is_empty() && !part.starts_with('.') && !part.contains(['/', '\0'])
}

/// No state is left half changed by a panic that a reader could not bear.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
