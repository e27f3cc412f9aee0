//! One thread that sleeps until a process ends.
//!
//! The kernel wakes it through a descriptor for each process, be it a child or one that an earlier program left. Few
//! descriptors are left to a program that serves requests too, so only some processes have one; the others are looked
//! at every half second. The thread ends when its [`Watch`] is dropped.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use kobel_model::deployment::Identity;
use kobel_model::{Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::handle;
use crate::kernel::ProcessId;

/// The most descriptors: half of what a program may open where nobody has raised it.
const DESCRIPTORS_MAX: usize = 512;
/// How often processes without a descriptor are looked at.
const PAUSE: Duration = Duration::from_millis(500);

/// The end by which processes are given to the thread.
#[derive(Debug)]
pub struct Watch {
    wake: UnixStream,
    newcomers: Sender<Newcomer>,
}

/// The end that the thread holds.
#[derive(Debug)]
pub struct Watcher {
    woken: UnixStream,
    newcomers: Receiver<Newcomer>,
}

#[derive(Debug)]
struct Newcomer {
    of: Identity,
    id: ProcessId,
}

#[derive(Debug)]
struct Watched {
    of: Identity,
    id: ProcessId,
    descriptor: Option<OwnedFd>,
}

/// Makes both ends.
pub fn pair() -> Result<(Watch, Watcher)> {
    let failed = |error| Error::io("cannot make a pair of sockets", error);
    let (wake, woken) = UnixStream::pair().map_err(failed)?;
    wake.set_nonblocking(true).map_err(failed)?;
    woken.set_nonblocking(true).map_err(failed)?;
    let (sender, receiver) = channel();
    Ok((Watch { wake, newcomers: sender }, Watcher { woken, newcomers: receiver }))
}

impl Watch {
    /// Has a process of an application watched.
    pub fn add(&self, of: &Identity, id: ProcessId) {
        // Neither can fail while the thread lives, except that the socket is full: then it will wake anyway.
        let _ = self.newcomers.send(Newcomer { of: of.clone(), id });
        let _ = (&self.wake).write(&[0]);
    }
}

impl Watcher {
    /// Starts the thread. It calls `is_over` when a process seems to have ended, until that agrees.
    pub fn start(self, is_over: impl Fn(&Identity, ProcessId) -> bool + Send + 'static) -> Result<()> {
        thread::Builder::new()
            .name("processes".to_owned())
            .spawn(move || self.run(&is_over))
            .map(drop)
            .map_err(|error| Error::io("cannot start the thread that watches processes", error))
    }

    fn run(&self, is_over: &impl Fn(&Identity, ProcessId) -> bool) {
        let mut watched: Vec<Watched> = Vec::new();
        loop {
            let mut ready = self.wait(&watched).into_iter();
            let is_woken = ready.next().unwrap_or(false);
            watched.retain_mut(|one| {
                let seems_over = one.descriptor.is_none() || ready.next().unwrap_or(false);
                if seems_over && is_over(&one.of, one.id) {
                    return false;
                }
                if seems_over {
                    // Were it kept, it would be ready again at once.
                    one.descriptor = None;
                }
                true
            });
            if is_woken && self.take(&mut watched).is_err() {
                return;
            }
        }
    }

    /// Sleeps, and says whether there are newcomers, then for each descriptor whether it is ready.
    fn wait(&self, watched: &[Watched]) -> Vec<bool> {
        let mut descriptors = vec![PollFd::new(&self.woken, PollFlags::IN)];
        let of_processes = watched.iter().filter_map(|one| one.descriptor.as_ref());
        descriptors.extend(of_processes.map(|descriptor| PollFd::new(descriptor, PollFlags::IN)));
        let is_each_told = watched.iter().all(|one| one.descriptor.is_some());
        let pause = Timespec { tv_sec: 0, tv_nsec: PAUSE.subsec_nanos().into() };
        match poll(&mut descriptors, if is_each_told { None } else { Some(&pause) }) {
            Ok(_) => descriptors.iter().map(|descriptor| !descriptor.revents().is_empty()).collect(),
            Err(Errno::INTR) => Vec::new(),
            Err(_) => {
                // The machine is short of something; to try at once would not help it.
                thread::sleep(PAUSE);
                Vec::new()
            }
        }
    }

    /// Takes the newcomers in; an error says that there will never be one again.
    fn take(&self, watched: &mut Vec<Watched>) -> Result<(), Closed> {
        let mut buffer = [0; 64];
        loop {
            match (&self.woken).read(&mut buffer) {
                Ok(0) => return Err(Closed),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return Err(Closed),
            }
        }
        // Bytes first, newcomers second: one that comes in between leaves its byte for the next round.
        let mut open = watched.iter().filter(|one| one.descriptor.is_some()).count();
        for Newcomer { of, id } in self.newcomers.try_iter() {
            let descriptor = if open < DESCRIPTORS_MAX { handle::open(id) } else { None };
            open += usize::from(descriptor.is_some());
            watched.push(Watched { of, id, descriptor });
        }
        Ok(())
    }
}

/// The other end is gone.
#[derive(Debug)]
struct Closed;
