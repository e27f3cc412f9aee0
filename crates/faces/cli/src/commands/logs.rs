//! `kobel logs`: what the processes of an application wrote, file by file; with `-f` what they go on writing.
//!
//! The status names the directory. It is read here, so it must be on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kobel_model::{Error, ErrorKind, Result};

use super::client::{Session, complete, print};
use super::reported::Reported;
use super::tail::Tail;
use super::target::Target;
use crate::args::inspection::LogsArguments;
use crate::exit::Exit;
use crate::terminal::escape::push_escaped;
use crate::terminal::{Terminal, Verbosity};

/// The fact that names the directory.
const LOG_DIRECTORY: &str = "log-directory";
/// How often files are looked at.
const INTERVAL: Duration = Duration::from_millis(250);
/// How often it is asked where the files are.
const ASK_INTERVAL: Duration = Duration::from_secs(1);

/// Prints logs and reports what goes wrong.
pub(crate) fn run(arguments: &LogsArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    complete(&terminal, logs(arguments, &terminal))
}

async fn logs(arguments: &LogsArguments, terminal: &Terminal) -> Result<Exit> {
    let session = Session::open(&arguments.api).await?;
    let mut told = false;
    let directory = loop {
        let target = Target::find(&session, &arguments.target).await?;
        let cluster = target.cluster(&session).await?;
        let directory = Reported::of(&cluster.object).fact(LOG_DIRECTORY).map(PathBuf::from);
        match directory.filter(|directory| directory.is_dir() || !arguments.follow) {
            Some(directory) => break directory,
            None if arguments.follow => {
                if !std::mem::replace(&mut told, true) {
                    terminal.note(&format!("`{}` has no logs yet; waiting for them", cluster.name()));
                }
                tokio::time::sleep(ASK_INTERVAL).await;
            }
            None => {
                let message = format!("`{}` has no logs yet: it was never started", cluster.name());
                let hint = format!("`kobel explain {}` tells what it waits for", target.typed(&session));
                return Err(Error::new(ErrorKind::Missing, message).with_hint(hint));
            }
        }
    };
    let mut reader = Reader { directory, role: arguments.role.as_deref(), tails: BTreeMap::new(), terminal };
    reader.look(arguments.tail)?;
    if reader.tails.is_empty() && !arguments.follow {
        return Err(reader.nothing());
    }
    reader.print()?;
    if !arguments.follow {
        reader.print_rest()?;
        return Ok(Exit::Done);
    }
    loop {
        tokio::time::sleep(INTERVAL).await;
        // A file that appears is new from its first line on.
        reader.look(None)?;
        reader.print()?;
    }
}

/// The files of an application as they are read.
struct Reader<'a> {
    directory: PathBuf,
    role: Option<&'a str>,
    tails: BTreeMap<String, Tail>,
    terminal: &'a Terminal,
}

impl Reader<'_> {
    /// Opens the files that are not open yet, each before its last `lines` lines.
    fn look(&mut self, lines: Option<usize>) -> Result<()> {
        let names = names(&self.directory)?;
        for name in chosen(&names, self.role) {
            if !self.tails.contains_key(name) {
                let path = self.directory.join(name);
                let tail = Tail::open(&path, lines).map_err(|error| unreadable(&path, error))?;
                self.tails.insert(name.to_owned(), tail);
            }
        }
        Ok(())
    }

    /// Prints the lines that are there.
    fn print(&mut self) -> Result<()> {
        let is_labelled = self.tails.len() > 1;
        for (name, tail) in &mut self.tails {
            loop {
                let lines = tail.read().map_err(|error| unreadable(&self.directory.join(name), error))?;
                if lines.is_empty() {
                    break;
                }
                let label = is_labelled.then_some(stem(name));
                print(self.terminal, &shown(&lines, label, Reading::of(self.terminal)))?;
            }
        }
        Ok(())
    }

    /// Prints the lines that have not ended and that nobody waits for.
    fn print_rest(&mut self) -> Result<()> {
        let is_labelled = self.tails.len() > 1;
        for (name, tail) in &mut self.tails {
            let label = is_labelled.then_some(stem(name));
            print(self.terminal, &shown(&tail.rest(), label, Reading::of(self.terminal)))?;
        }
        Ok(())
    }

    fn nothing(&self) -> Error {
        let place = self.directory.display();
        let all = names(&self.directory).unwrap_or_default();
        let roles: Vec<&str> = chosen(&all, None).into_iter().map(stem).collect();
        match self.role {
            Some(role) if !roles.is_empty() => {
                Error::new(ErrorKind::Missing, format!("there is no log of `{role}` in `{place}`"))
                    .with_hint(format!("there are logs of {}", roles.join(", ")))
            }
            _ => Error::new(ErrorKind::Missing, format!("there are no logs in `{place}`"))
                .with_hint("the processes may not have started yet; `-f` waits for them"),
        }
    }
}

/// Who reads what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// A person, whose terminal must not be told what to do by a log.
    Person,
    /// A program, which wants the log as it is.
    Program,
}

impl Reading {
    fn of(terminal: &Terminal) -> Self {
        if terminal.shows_rows() { Self::Person } else { Self::Program }
    }
}

/// The names of the files in a directory, in their order.
fn names(directory: &Path) -> Result<Vec<String>> {
    let failed = |error: std::io::Error| {
        let is_missing = error.kind() == std::io::ErrorKind::NotFound;
        let error = Error::io(format!("cannot read the logs in `{}`", directory.display()), error);
        if is_missing { error.with_hint("logs are read on the machine on which `kobel up` runs") } else { error }
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// The logs among the files: what processes print, and what they write by themselves unless they print the same.
fn chosen<'a>(names: &'a [String], role: Option<&str>) -> Vec<&'a str> {
    let has_output = names.iter().any(|name| name.ends_with(".out"));
    let is_log = |name: &str| match name.rsplit_once('.') {
        Some((_, "out")) => true,
        // Flink's scripts write what they print to a file of this name, too.
        Some((stem, "log")) => !(has_output && stem.starts_with("flink-")),
        _ => false,
    };
    let fits = |name: &str| role.is_none_or(|role| plays(stem(name), role));
    names.iter().map(String::as_str).filter(|name| is_log(name) && fits(name)).collect()
}

/// Whether a file is of a process with this role; `taskmanager` stands for all of them.
fn plays(stem: &str, role: &str) -> bool {
    stem.strip_prefix(role).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Lines as they are printed, each with its label.
fn shown(lines: &[u8], label: Option<&str>, reading: Reading) -> String {
    let mut text = String::with_capacity(lines.len());
    for line in String::from_utf8_lossy(lines).lines() {
        if let Some(label) = label {
            text.push('[');
            text.push_str(label);
            text.push_str("] ");
        }
        match reading {
            Reading::Program => text.push_str(line),
            Reading::Person => {
                for (index, part) in line.split('\t').enumerate() {
                    if index > 0 {
                        // Stack traces are indented with tabs.
                        text.push('\t');
                    }
                    push_escaped(&mut text, part);
                }
            }
        }
        text.push('\n');
    }
    text
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::io(format!("cannot read the log `{}`", path.display()), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_chosen_by_name_and_role() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let flink = names(&[
            "flink-ann-standalonejob-0-here.log",
            "gc.txt",
            "jobmanager.out",
            "jobmanager.out.1",
            "taskmanager-1.out",
            "taskmanager-10.out",
        ]);
        let native = names(&["application.log", "application.out"]);
        for (all, role, expected) in [
            (&flink, None, &["jobmanager.out", "taskmanager-1.out", "taskmanager-10.out"] as &[&str]),
            (&flink, Some("taskmanager"), &["taskmanager-1.out", "taskmanager-10.out"]),
            (&flink, Some("taskmanager-1"), &["taskmanager-1.out"]),
            (&flink, Some("task"), &[]),
            (&native, None, &["application.log", "application.out"]),
            (&names(&["flink-a.log"]), None, &["flink-a.log"]),
        ] {
            assert_eq!(chosen(all, role), expected, "{role:?}");
        }
    }

    #[test]
    fn a_log_cannot_move_the_cursor_of_a_person() {
        let lines = b"\tat a.B\n\x1b[2Jgone\n";
        assert_eq!(shown(lines, None, Reading::Program), "\tat a.B\n\u{1b}[2Jgone\n");
        assert_eq!(shown(lines, Some("jm"), Reading::Person), "[jm] \tat a.B\n[jm] \\u001b[2Jgone\n");
        assert_eq!(shown(b"", Some("jm"), Reading::Person), "");
    }

    #[test]
    fn a_wrong_role_is_told_the_right_ones() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("application.out"), "x\n").unwrap();
        let terminal = Terminal::new(Verbosity::Quiet);
        let mut reader = Reader {
            directory: directory.path().to_owned(),
            role: Some("jobmanager"),
            tails: BTreeMap::new(),
            terminal: &terminal,
        };
        reader.look(None).unwrap();
        assert!(reader.tails.is_empty());
        assert_eq!(reader.nothing().hint(), Some("there are logs of application"));
    }
}
