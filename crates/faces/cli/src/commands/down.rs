//! `kobel down`: ends the `kobel up` in the background; applications go on running.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use kobel_apiserver::embedded::STORE_FILE;
use kobel_model::deployment::Identity;
use kobel_model::{Error, ErrorKind, Result};

use super::background::Background;
use super::data;
use crate::args::machine::DownArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// How many applications are named.
const NAMED_MAX: usize = 5;
const INTERVAL: Duration = Duration::from_millis(20);

/// Ends the process and reports what goes wrong.
pub(crate) fn run(arguments: &DownArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    match down(arguments, &terminal) {
        Ok(exit) => exit,
        Err(error) => {
            terminal.error(&error);
            Exit::Failed(error.kind())
        }
    }
}

fn down(arguments: &DownArguments, terminal: &Terminal) -> Result<Exit> {
    let Some(directory) = data::directory(arguments.data_dir.as_deref()) else {
        return Err(Error::new(ErrorKind::Missing, "there is no place for the data: `HOME` is not set")
            .with_hint("name one with `--data-dir`"));
    };
    let Some(running) = Background::find(&directory)? else {
        if is_in_use(&directory) {
            let message = format!("`kobel up` on `{}` is not in the background", directory.display());
            return Err(Error::invalid(message).with_hint("end it with Ctrl-C where it was started"));
        }
        terminal.say(&format!("nothing runs in the background on {}", directory.display()));
        return Ok(Exit::Done);
    };
    running.ask_to_end()?;
    let begun = Instant::now();
    while running.is_alive() {
        if begun.elapsed() >= arguments.timeout {
            let seconds = arguments.timeout.as_secs();
            let message = format!("process {} has not ended after {seconds} s", running.pid());
            return Err(Error::new(ErrorKind::Unavailable, message)
                .with_hint(format!("it was asked to; `{}` has what it says", directory.join("log/up.log").display())));
        }
        std::thread::sleep(INTERVAL);
    }
    // What runs on is only worth a word, so not to know it is no failure.
    let applications = kobel_processes::running(&directory.join("applications")).unwrap_or_default();
    terminal.say(&stopped(&applications));
    Ok(Exit::Done)
}

/// What is said of the end, and of the applications that go on running.
fn stopped(applications: &[Identity]) -> String {
    if applications.is_empty() {
        return "stopped".to_owned();
    }
    let named = applications.iter().take(NAMED_MAX).map(|of| format!("`{}/{}`", of.namespace, of.name));
    let names = named.collect::<Vec<_>>().join(", ");
    let more = match applications.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("stopped; applications go on running, and the next `kobel up` finds them: {names}{more}")
}

/// Whether a process has the data directory.
pub(crate) fn is_in_use(directory: &Path) -> bool {
    let lock = File::open(directory.join(format!("{STORE_FILE}.lock")));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_names_what_goes_on_running() {
        let applications = |count: usize| -> Vec<Identity> {
            let named = |number| Identity { namespace: "team".to_owned(), name: format!("a{number}") };
            (0..count).map(named).collect()
        };
        assert_eq!(stopped(&[]), "stopped");
        assert!(stopped(&applications(2)).ends_with(" finds them: `team/a0`, `team/a1`"));
        assert!(stopped(&applications(7)).ends_with("`team/a4` and 2 more"));
    }

    #[test]
    fn a_directory_is_in_use_while_its_lock_is_held() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!is_in_use(directory.path()));
        let lock = File::create(directory.path().join(format!("{STORE_FILE}.lock"))).unwrap();
        assert!(!is_in_use(directory.path()));
        lock.lock().unwrap();
        assert!(is_in_use(directory.path()));
    }
}
