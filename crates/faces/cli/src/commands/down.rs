//! `kobel down`: ends the `kobel up` in the background; applications go on running.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kobel_apiserver::embedded::STORE_FILE;
use kobel_model::{Error, ErrorKind, Result};

use super::background::Background;
use super::shell_word::on_data;
use super::{data, left_running};
use crate::args::machine::DownArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

const INTERVAL: Duration = Duration::from_millis(20);

/// Ends the process and reports what goes wrong.
pub(crate) fn run(arguments: &DownArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    terminal.conclude(down(arguments, &terminal))
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
        terminal.say(&nothing(&directory, std::env::var_os("KUBECONFIG").as_deref()));
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
    terminal.say(&left_running::told(&directory, arguments.data_dir.as_deref()));
    Ok(Exit::Done)
}

/// That nothing runs in the background on a directory; what `KUBECONFIG` names may run on another.
fn nothing(directory: &Path, kubeconfig: Option<&OsStr>) -> String {
    let mut told = format!("nothing runs in the background on {}", directory.display());
    let files: Vec<PathBuf> = kubeconfig.map(|files| std::env::split_paths(files).collect()).unwrap_or_default();
    if let Some(other) = data::of_kubeconfig(&files, Some(directory)).filter(|other| is_in_use(other)) {
        let command = on_data("down", Some(&other));
        told.push_str(&format!("; what `KUBECONFIG` names runs on another directory: `{command}` ends it"));
    }
    told
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
    fn what_runs_on_another_directory_is_told() {
        let (here, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let kubeconfig = other.path().join("kubeconfig");
        for file in [&kubeconfig, &other.path().join(STORE_FILE)] {
            std::fs::write(file, "").unwrap();
        }
        let told = || nothing(here.path(), Some(kubeconfig.as_os_str()));
        let plain = nothing(here.path(), None);
        assert_eq!(told(), plain, "nobody has it");
        let lock = File::create(other.path().join(format!("{STORE_FILE}.lock"))).unwrap();
        lock.lock().unwrap();
        assert!(told().starts_with(&plain) && told().contains("`kobel down --data-dir /"), "{}", told());
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
