//! `kobel up --detach`: the same command once more, in a session of its own, and the wait until it is ready.
//!
//! ```text
//! this process:  start the other ── wait for its name in the data directory ── repeat what it said, end
//! the other:     leave the session ── be `kobel up` ── ready ── name itself ── … ── end, take the name away
//! ```

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kobel_model::{Error, ErrorKind, Result};

use super::background::Background;
use super::data;
use super::shell_word::on_data;
use crate::args::resources::UpArguments;
use crate::exit::Exit;
use crate::terminal::Terminal;

/// How long the other process may take until it is ready.
const READY_MAX: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_millis(20);
/// A log that is longer is put aside.
const LOG_BYTES_MAX: u64 = 10 * 1024 * 1024;
/// The most of the log that is repeated.
const REPEATED_BYTES_MAX: u64 = 64 * 1024;

/// Starts `kobel up` in the background and waits until it is ready.
pub(crate) fn start(arguments: &UpArguments, terminal: &Terminal) -> Result<Exit> {
    let directory = data::prepare(arguments.data_dir.as_deref())?;
    let down = on_data("down", arguments.data_dir.as_deref());
    if let Some(running) = Background::find(&directory)? {
        let message = format!("`kobel up` is in the background already, as process {}", running.pid());
        return Err(Error::new(ErrorKind::Conflict, message).with_hint(format!("`{down}` ends it")));
    }
    let (log, path) = log(&directory)?;
    let begin = log.metadata().map_err(|error| cannot_log(&path, error))?.len();
    let mut child = spawn(&log, &path)?;
    let begun = Instant::now();
    while begun.elapsed() < READY_MAX {
        let is_named = Background::find(&directory)?.is_some_and(|process| process.pid() == child.id());
        if is_named {
            repeat(&path, begin, terminal);
            terminal.say(&format!("in the background as process {}; `{down}` ends it", child.id()));
            return Ok(Exit::Done);
        }
        if let Some(exit) = ended(&mut child)? {
            // What it said is the report.
            repeat(&path, begin, terminal);
            return Ok(exit);
        }
        std::thread::sleep(INTERVAL);
    }
    repeat(&path, begin, terminal);
    let message =
        format!("`kobel up` is not ready after {} s; it goes on, as process {}", READY_MAX.as_secs(), child.id());
    Err(Error::new(ErrorKind::Unavailable, message).with_hint(format!("`{}` has what it says", path.display())))
}

/// Leaves the session of the terminal, whose end and whose Ctrl-C are for others.
///
/// # Errors
/// A bug if this process already leads others, which it has not had the time for.
pub(crate) fn leave_session() -> Result<()> {
    rustix::process::setsid().map(|_| ()).map_err(|error| {
        Error::bug("cannot leave the session of the terminal").with_source(std::io::Error::from(error))
    })
}

fn spawn(log: &File, path: &Path) -> Result<Child> {
    let cannot_start = |error| Error::io("cannot start `kobel up` in the background", error);
    let copy = || log.try_clone().map_err(|error| cannot_log(path, error));
    Command::new(std::env::current_exe().map_err(cannot_start)?)
        .args(in_background(std::env::args_os().skip(1)))
        .stdin(Stdio::null())
        .stdout(copy()?)
        .stderr(copy()?)
        .spawn()
        .map_err(cannot_start)
}

/// The same arguments for the other process.
fn in_background(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    arguments.map(|argument| if argument == "--detach" { "--detached".into() } else { argument }).collect()
}

/// How the other process ended, if it has.
fn ended(child: &mut Child) -> Result<Option<Exit>> {
    let status = child.try_wait().map_err(|error| Error::io("cannot wait for `kobel up`", error))?;
    let Some(status) = status else { return Ok(None) };
    match status.code() {
        Some(code) => Ok(Some(exit_of(code))),
        None => Err(Error::new(ErrorKind::Unavailable, format!("`kobel up` ended before it was ready: {status}"))),
    }
}

/// The end that has this exit code, as far as it matters to whoever asked.
fn exit_of(code: i32) -> Exit {
    match code {
        0 => Exit::Done,
        2 => Exit::Usage,
        3 => Exit::Failed(ErrorKind::Unavailable),
        70 => Exit::Failed(ErrorKind::Bug),
        _ => Exit::Failed(ErrorKind::Invalid),
    }
}

/// The file that has what the other process says, open at its end.
fn log(directory: &Path) -> Result<(File, PathBuf)> {
    let folder = directory.join("log");
    let path = folder.join("up.log");
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| cannot_log(&path, error))?;
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LOG_BYTES_MAX) {
        fs::rename(&path, folder.join("up.log.1")).map_err(|error| cannot_log(&path, error))?;
    }
    let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
    Ok((opened.map_err(|error| cannot_log(&path, error))?, path))
}

fn cannot_log(path: &Path, error: std::io::Error) -> Error {
    Error::io(format!("cannot write the log `{}`", path.display()), error)
}

/// Says what was written to the log after `begin`.
fn repeat(path: &Path, begin: u64, terminal: &Terminal) {
    let mut said = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(begin))?;
        file.take(REPEATED_BYTES_MAX).read_to_end(&mut said)
    });
    if let Err(error) = read {
        terminal.warn(&format!("cannot read `{}`: {error}", path.display()));
    }
    let said = String::from_utf8_lossy(&said);
    if !said.trim().is_empty() {
        terminal.say(said.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_process_takes_the_same_arguments() {
        let given = ["up", "--data-dir", "d", "--detach", "--api-only"].map(OsString::from);
        let expected = ["up", "--data-dir", "d", "--detached", "--api-only"].map(OsString::from);
        assert_eq!(in_background(given.into_iter()), expected);
    }

    #[test]
    fn an_exit_code_is_handed_on() {
        for code in [0, 1, 2, 3, 70] {
            assert_eq!(i32::from(exit_of(code).code()), code);
        }
        assert_eq!(exit_of(101).code(), 1);
    }

    #[test]
    fn a_long_log_is_put_aside() {
        let directory = tempfile::tempdir().unwrap();
        let (file, path) = log(directory.path()).unwrap();
        file.set_len(LOG_BYTES_MAX).unwrap();
        drop(log(directory.path()).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().len(), LOG_BYTES_MAX);
        file.set_len(LOG_BYTES_MAX + 1).unwrap();
        drop(log(directory.path()).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        assert_eq!(fs::metadata(directory.path().join("log/up.log.1")).unwrap().len(), LOG_BYTES_MAX + 1);
    }
}
