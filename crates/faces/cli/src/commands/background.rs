//! The process of `kobel up` in the background: which one it is, whether it lives, and the word that it should end.
//!
//! A process is its number, when it started, and since which start of the machine; a number alone may by now be that of
//! somebody else, who must not be ended.

use std::fs;
use std::path::{Path, PathBuf};

use kobel_apiserver::auth::secret_file;
use kobel_model::{Error, ErrorKind, Result};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The file below the data directory.
const FILE: &str = "up.pid";
/// The field of `/proc/PID/stat` with the state, counted after the name, which may hold anything.
const STATE: usize = 0;
/// The field with the time of the start, in ticks since the machine started.
const START: usize = 19;

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Background {
    pid: u32,
    start: u64,
    boot: String,
}

/// The file that names this process, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Announcement {
    path: PathBuf,
    text: String,
}

impl Background {
    /// The process that the data directory names, if it lives.
    ///
    /// # Errors
    /// Those of reading the file.
    pub(crate) fn find(directory: &Path) -> Result<Option<Self>> {
        let text = secret_file::read(&directory.join(FILE))?;
        Ok(text.and_then(|text| Self::parse(&text)).filter(Self::is_alive))
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether it lives.
    pub(crate) fn is_alive(&self) -> bool {
        start_of(self.pid) == Some(self.start) && boot().is_ok_and(|boot| boot == self.boot)
    }

    /// Asks it to end; one that has ended is not asked.
    ///
    /// # Errors
    /// Denied if it belongs to somebody else.
    pub(crate) fn ask_to_end(&self) -> Result<()> {
        let failed =
            |error: Errno| Error::io(format!("cannot end the process {}", self.pid), std::io::Error::from(error));
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return Ok(()) };
        let handle = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => handle,
            Err(Errno::SRCH) => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        // The handle keeps to one process from here on, so that what is asked now holds when the signal is sent.
        if !self.is_alive() {
            return Ok(());
        }
        match pidfd_send_signal(&handle, Signal::TERM) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// This process.
    fn current() -> Result<Self> {
        let pid = std::process::id();
        let start = start_of(pid).ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "cannot go to the background: `/proc` does not tell of this process")
        })?;
        Ok(Self { pid, start, boot: boot()? })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (pid, start, boot) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?);
        Some(Self { pid, start, boot: boot.to_owned() })
    }

    fn text(&self) -> String {
        format!("{} {} {}\n", self.pid, self.start, self.boot)
    }
}

impl Announcement {
    /// Names this process in the data directory, which must belong to it.
    ///
    /// # Errors
    /// Those of writing the file.
    pub(crate) fn make(directory: &Path) -> Result<Self> {
        let (path, text) = (directory.join(FILE), Background::current()?.text());
        secret_file::write(&path, &text)?;
        Ok(Self { path, text })
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // The next process may have written its own name already.
        if fs::read_to_string(&self.path).is_ok_and(|text| text == self.text) {
            // A name that stays behind is that of no living process.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// When a living process started.
fn start_of(pid: u32) -> Option<u64> {
    start_in(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn start_in(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // A process that nobody has taken leave of is still listed.
    let is_dead = matches!(*fields.get(STATE)?, "Z" | "X");
    if is_dead { None } else { fields.get(START)?.parse().ok() }
}

/// The start of the machine, as its unique id.
fn boot() -> Result<String> {
    let path = "/proc/sys/kernel/random/boot_id";
    let text = fs::read_to_string(path).map_err(|error| Error::io(format!("cannot read `{path}`"), error))?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_survives_being_written_down() {
        let current = Background::current().unwrap();
        assert_eq!(Background::parse(&current.text()), Some(current));
        for text in ["", "1", "1 2", "x 2 boot", "-1 2 boot"] {
            assert_eq!(Background::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_start_stands_after_a_name_that_holds_anything() {
        let fields = "S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1000 100";
        assert_eq!(start_in(&format!("7 (a) b) (c) {fields}")), Some(4242));
        assert_eq!(start_in(&format!("7 (a) {}", fields.replacen('S', "Z", 1))), None);
        assert_eq!(start_in("7 (a) S 1"), None);
    }

    #[test]
    fn a_process_of_the_same_number_is_another() {
        let current = Background::current().unwrap();
        assert!(current.is_alive());
        for other in [
            Background { start: current.start + 1, ..current.clone() },
            Background { boot: "another".to_owned(), ..current.clone() },
        ] {
            assert!(!other.is_alive(), "{other:?}");
            // This test would end if the wrong process were asked.
            other.ask_to_end().unwrap();
        }
    }

    #[test]
    fn a_process_ends_when_it_is_asked_to() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        let background = Background { pid, start: start_of(pid).unwrap(), boot: boot().unwrap() };
        background.ask_to_end().unwrap();
        assert_eq!(child.wait().unwrap().code(), None);
        assert!(!background.is_alive());
        background.ask_to_end().unwrap();
    }

    #[test]
    fn a_name_goes_with_its_process_and_not_with_another() {
        let directory = tempfile::tempdir().unwrap();
        let announcement = Announcement::make(directory.path()).unwrap();
        assert_eq!(Background::find(directory.path()).unwrap(), Some(Background::current().unwrap()));
        drop(announcement);
        assert_eq!(Background::find(directory.path()).unwrap(), None);
        let announcement = Announcement::make(directory.path()).unwrap();
        fs::write(directory.path().join(FILE), "1 1 other\n").unwrap();
        drop(announcement);
        assert!(directory.path().join(FILE).exists());
    }
}
