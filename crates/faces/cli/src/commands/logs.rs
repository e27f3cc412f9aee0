//! `kobel logs`: what the processes of an application wrote, file by file; with `-f` what they go on writing.
//!
//! With several processes, each line begins with the one that wrote it; no line is printed from two files.
//! The status names the directory. It is read here, so it must be on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kobel_logs::Tail;
use kobel_model::{Error, ErrorKind, Result, nearest};

use super::client::{Session, complete, print};
use super::finding;
use super::log_files::{Content, LogFile, Repeats, chosen};
use super::reported::Reported;
use super::wanted::Wanted;
use crate::args::inspection::LogsArguments;
use crate::exit::Exit;
use crate::terminal::escape::push_escaped;
use crate::terminal::{Terminal, Verbosity};

/// The fact that names the directory.
const LOG_DIRECTORY: &str = "log-directory";
/// How often files are looked at.
const INTERVAL: Duration = Duration::from_millis(250);
/// How far above the directory the one of all applications is, which is there where `kobel up` runs.
const APPLICATIONS_ABOVE: usize = 3;
/// How often it is asked where the files are.
const ASK_INTERVAL: Duration = Duration::from_secs(1);

/// Prints logs and reports what goes wrong.
pub(crate) fn run(arguments: &LogsArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    complete(&terminal, logs(arguments, &terminal))
}

async fn logs(arguments: &LogsArguments, terminal: &Terminal) -> Result<Exit> {
    let session = Session::open(&arguments.api).await?;
    let typed = arguments.target.typed();
    let mut told = false;
    let directory = loop {
        let target = finding::job(&session, &Wanted::new("logs", &typed)).await?;
        let cluster = target.cluster(&session).await?;
        let directory = Reported::of(&cluster.object).fact(LOG_DIRECTORY).map(PathBuf::from);
        match directory.filter(|directory| directory.is_dir() || (!arguments.follow && is_elsewhere(directory))) {
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
    let typed = format!("{typed}{}", session.namespace_flag());
    let mut reader =
        Reader { directory, typed: &typed, role: arguments.role.as_deref(), tails: BTreeMap::new(), terminal };
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

/// Whether a directory that is not here is one of another machine.
fn is_elsewhere(directory: &Path) -> bool {
    !directory.ancestors().nth(APPLICATIONS_ABOVE).is_some_and(Path::is_dir)
}

/// The files of an application as they are read.
struct Reader<'a> {
    directory: PathBuf,
    /// What names the application on a command line.
    typed: &'a str,
    role: Option<&'a str>,
    tails: BTreeMap<String, Open>,
    terminal: &'a Terminal,
}

/// One file as it is read.
struct Open {
    tail: Tail,
    role: String,
    /// What is left out of it.
    repeats: Option<Repeats>,
}

impl Open {
    fn new(file: LogFile<'_>, tail: Tail) -> Self {
        let repeats = (file.content == Content::OutputBesideLog).then(Repeats::default);
        Self { tail, role: file.role.to_owned(), repeats }
    }
}

impl Reader<'_> {
    /// Opens the files that are not open yet, each before its last `lines` lines.
    fn look(&mut self, lines: Option<usize>) -> Result<()> {
        let names = names(&self.directory)?;
        for file in chosen(&names, self.role) {
            if let Some(open) = self.tails.get_mut(file.name) {
                // The log of a process appears later than what it prints.
                if file.content == Content::OutputBesideLog && open.repeats.is_none() {
                    open.repeats = Some(Repeats::default());
                }
                continue;
            }
            let path = self.directory.join(file.name);
            let tail = Tail::open(&path, lines).map_err(|error| unreadable(&path, error))?;
            self.tails.insert(file.name.to_owned(), Open::new(file, tail));
        }
        Ok(())
    }

    /// Prints the lines that are there.
    fn print(&mut self) -> Result<()> {
        let (is_labelled, reading) = (self.has_many_roles(), Reading::of(self.terminal));
        for (name, Open { tail, role, repeats }) in &mut self.tails {
            let label = is_labelled.then_some(role.as_str());
            loop {
                let lines = tail.read().map_err(|error| unreadable(&self.directory.join(name), error))?;
                if lines.is_empty() {
                    break;
                }
                print(self.terminal, &shown(&lines, label, repeats.as_mut(), reading))?;
            }
        }
        Ok(())
    }

    /// Prints the lines that have not ended and that nobody waits for.
    fn print_rest(&mut self) -> Result<()> {
        let (is_labelled, reading) = (self.has_many_roles(), Reading::of(self.terminal));
        for Open { tail, role, repeats } in self.tails.values_mut() {
            let label = is_labelled.then_some(role.as_str());
            print(self.terminal, &shown(&tail.rest(), label, repeats.as_mut(), reading))?;
        }
        Ok(())
    }

    fn has_many_roles(&self) -> bool {
        let mut roles = self.tails.values().map(|open| open.role.as_str());
        roles.next().is_some_and(|first| roles.any(|role| role != first))
    }

    /// The command that prints the log that was meant, or all of them.
    fn command(&self, role: &str, roles: &[&str]) -> String {
        match nearest(role, roles.iter().copied()) {
            Some(meant) => format!("did you mean `kobel logs {} --role {meant}`?", self.typed),
            None => format!("`kobel logs {}` prints all", self.typed),
        }
    }

    fn nothing(&self) -> Error {
        let place = self.directory.display();
        let all = names(&self.directory).unwrap_or_default();
        let mut roles: Vec<&str> = chosen(&all, None).iter().map(|file| file.role).collect();
        roles.sort_unstable();
        roles.dedup();
        match self.role {
            Some(role) if !roles.is_empty() => Error::new(
                ErrorKind::Missing,
                format!("there is no log of `{role}` in `{place}`"),
            )
            .with_hint(format!("there are logs of {}: {}", roles.join(", "), self.command(role, &roles))),
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

/// Lines as they are printed, each with its label, without those that stand in another file.
fn shown(lines: &[u8], label: Option<&str>, mut repeats: Option<&mut Repeats>, reading: Reading) -> String {
    let mut text = String::with_capacity(lines.len());
    for line in String::from_utf8_lossy(lines).lines() {
        if repeats.as_mut().is_some_and(|repeats| repeats.has(line)) {
            continue;
        }
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

    fn reader<'a>(directory: &Path, role: Option<&'a str>, terminal: &'a Terminal) -> Reader<'a> {
        Reader { directory: directory.to_owned(), typed: "orders", role, tails: BTreeMap::new(), terminal }
    }

    #[test]
    fn lines_are_labelled_where_there_are_several_processes() {
        let terminal = Terminal::new(Verbosity::Quiet);
        for (names, expected) in [
            (&["application.out", "kobel-count.log"] as &[&str], false),
            (&["jobmanager.out", "taskmanager-1.out"], true),
        ] {
            let directory = tempfile::tempdir().unwrap();
            names.iter().for_each(|name| fs::write(directory.path().join(name), "x\n").unwrap());
            let mut reader = reader(directory.path(), None, &terminal);
            reader.look(None).unwrap();
            assert_eq!(reader.has_many_roles(), expected, "{names:?}");
        }
    }

    #[test]
    fn what_stands_in_the_log_is_not_printed_twice() {
        let output = b"+I[1]\n2026-01-01 00:00:00,000 WARN  a.B - slow\n\tat a.B\n+I[2]\n";
        let printed = shown(output, None, Some(&mut Repeats::default()), Reading::Program);
        assert_eq!(printed, "+I[1]\n+I[2]\n");
    }

    #[test]
    fn logs_that_are_not_written_yet_are_told_from_those_of_another_machine() {
        let data = tempfile::tempdir().unwrap();
        let log = data.path().join("applications/team/flights/log");
        assert!(is_elsewhere(&log));
        fs::create_dir(data.path().join("applications")).unwrap();
        assert!(!is_elsewhere(&log));
    }

    #[test]
    fn a_log_cannot_move_the_cursor_of_a_person() {
        let lines = b"\tat a.B\n\x1b[2Jgone\n";
        assert_eq!(shown(lines, None, None, Reading::Program), "\tat a.B\n\u{1b}[2Jgone\n");
        assert_eq!(shown(lines, Some("jm"), None, Reading::Person), "[jm] \tat a.B\n[jm] \\u001b[2Jgone\n");
        assert_eq!(shown(b"", Some("jm"), None, Reading::Person), "");
    }

    #[test]
    fn a_wrong_role_is_told_the_right_ones() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["application.out", "kobel-count.log"] {
            fs::write(directory.path().join(name), "x\n").unwrap();
        }
        let terminal = Terminal::new(Verbosity::Quiet);
        let mut reader = reader(directory.path(), Some("jobmanager"), &terminal);
        reader.look(None).unwrap();
        assert!(reader.tails.is_empty());
        assert_eq!(reader.nothing().hint(), Some("there are logs of application: `kobel logs orders` prints all"));
        reader.role = Some("aplication");
        let meant = "there are logs of application: did you mean `kobel logs orders --role application`?";
        assert_eq!(reader.nothing().hint(), Some(meant));
    }
}
