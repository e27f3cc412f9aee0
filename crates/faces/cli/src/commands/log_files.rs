//! Which files of a log directory are whose: each process has what it prints, and most have a log beside it.
//!
//! A process is told by its role. Of what it prints, the lines that stand in its log as well are left out.

/// What a process of the native engine is called.
const APPLICATION: &str = "application";
/// How the name of a log begins that Flink's own scripts name, before the role.
const FLINK: &str = "flink-";
/// How the name of a log of the native engine begins, before the name of the script.
const NATIVE: &str = "kobel-";
/// The levels that a line of a log tells after its time.
const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
/// The form of the time at the beginning of a line of a log; `0` stands for any digit.
const TIME: &[u8] = b"0000-00-00 00:00:00,000 ";

/// What stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// What a process prints.
    Output,
    /// What a process prints, some of which stands in its log as well.
    OutputBesideLog,
    /// What a process writes of itself.
    Log,
}

/// A file of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogFile<'a> {
    pub(crate) name: &'a str,
    pub(crate) role: &'a str,
    pub(crate) content: Content,
}

/// The files among these that are of processes with this role; `taskmanager` stands for every `taskmanager-…`.
pub(crate) fn chosen<'a>(names: &'a [String], role: Option<&str>) -> Vec<LogFile<'a>> {
    let outputs: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(".out")).collect();
    let mut found: Vec<LogFile<'a>> = names
        .iter()
        .filter_map(|name| match name.rsplit_once('.')? {
            (stem, "out") => Some(LogFile { name, role: stem, content: Content::Output }),
            (stem, "log") => Some(LogFile { name, role: role_of(stem, &outputs), content: Content::Log }),
            _ => None,
        })
        .filter(|file| role.is_none_or(|role| plays(file.role, role)))
        .collect();
    // What the native engine prints does not stand in its log.
    let logged: Vec<&str> = found
        .iter()
        .filter(|file| file.content == Content::Log && file.role != APPLICATION)
        .map(|file| file.role)
        .collect();
    for file in &mut found {
        if file.content == Content::Output && logged.contains(&file.role) {
            file.content = Content::OutputBesideLog;
        }
    }
    found
}

/// The process whose log has a name.
fn role_of<'a>(stem: &'a str, outputs: &[&'a str]) -> &'a str {
    if stem.starts_with(NATIVE) && outputs.contains(&APPLICATION) {
        return APPLICATION;
    }
    let Some(rest) = stem.strip_prefix(FLINK) else { return stem };
    let is_its = |output: &&&str| rest.strip_prefix(**output).is_some_and(|rest| rest.starts_with('-'));
    // `taskmanager-1` and not `taskmanager`, should there be both.
    outputs.iter().filter(is_its).max_by_key(|output| output.len()).copied().unwrap_or(stem)
}

fn plays(name: &str, role: &str) -> bool {
    name.strip_prefix(role).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Leaves out of what a process prints the lines of its log, each with its stack trace.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    is_within: bool,
}

impl Repeats {
    /// Whether the next line is one that stands in the log as well.
    pub(crate) fn has(&mut self, line: &str) -> bool {
        self.is_within = is_entry(line) || (self.is_within && is_of_trace(line));
        self.is_within
    }
}

/// Whether a line begins as an entry of a log: `2026-01-01 00:00:00,000 WARN  …`.
fn is_entry(line: &str) -> bool {
    let Some((time, rest)) = line.split_at_checked(TIME.len()) else { return false };
    let fits = |(byte, form): (u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == *form };
    time.bytes().zip(TIME).all(fits) && LEVELS.iter().any(|level| rest.starts_with(level))
}

/// Whether a line after an entry belongs to its stack trace.
fn is_of_trace(line: &str) -> bool {
    let first = line.split([' ', ':']).next().unwrap_or_default();
    // An exception is named with its package; a result row has no such word.
    let is_exception = first.contains('.') && (first.ends_with("Exception") || first.ends_with("Error"));
    is_exception || ["\t", "Caused by: ", "Wrapped by: ", "Suppressed: "].iter().any(|begin| line.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn files_are_told_by_their_process() {
        let flink = names(&[
            "flink-jobmanager-standalonejob-0-local.log",
            "gc.txt",
            "jobmanager.out",
            "jobmanager.out.1",
            "taskmanager-1.log",
            "taskmanager-1.out",
            "taskmanager-10.out",
        ]);
        let native = names(&["application.out", "kobel-count.lock", "kobel-count.log"]);
        for (all, role, expected) in [
            (
                &flink,
                None,
                &["jobmanager", "jobmanager", "taskmanager-1", "taskmanager-1", "taskmanager-10"] as &[&str],
            ),
            (&flink, Some("taskmanager"), &["taskmanager-1", "taskmanager-1", "taskmanager-10"]),
            (&flink, Some("taskmanager-1"), &["taskmanager-1", "taskmanager-1"]),
            (&flink, Some("task"), &[]),
            (&native, None, &["application", "application"]),
            (&names(&["flink-a.log", "kobel-a.log"]), None, &["flink-a", "kobel-a"]),
        ] {
            let roles: Vec<&str> = chosen(all, role).iter().map(|file| file.role).collect();
            assert_eq!(roles, expected, "{role:?}");
        }
    }

    #[test]
    fn only_flink_prints_what_stands_in_its_log() {
        let contents = |all: &[String]| chosen(all, None).iter().map(|file| file.content).collect::<Vec<_>>();
        let beside = [Content::Log, Content::OutputBesideLog];
        assert_eq!(contents(&names(&["taskmanager-1.log", "taskmanager-1.out"])), beside);
        assert_eq!(contents(&names(&["flink-jobmanager-x-0-local.log", "jobmanager.out"])), beside);
        assert_eq!(contents(&names(&["application.out", "kobel-a.log"])), [Content::Output, Content::Log]);
        assert_eq!(contents(&names(&["jobmanager.out"])), [Content::Output]);
    }

    #[test]
    fn entries_of_the_log_are_left_out_with_their_traces() {
        let mut repeats = Repeats::default();
        for (line, expected) in [
            ("+I[1, 2]", false),
            ("\tat a.B", false),
            ("2026-01-01 00:00:00,000 WARN  org.apache.flink.A - it failed", true),
            ("java.lang.IllegalStateException: no", true),
            ("\tat a.B(C.java:1)", true),
            ("Caused by: java.io.IOException", true),
            ("\t... 2 more", true),
            ("+U[1, 3]", false),
            ("\tat a.B", false),
            ("2026-01-01 is no time", false),
            ("2026-01-01 00:00:00,000 rows", false),
            ("ää", false),
        ] {
            assert_eq!(repeats.has(line), expected, "{line}");
        }
    }
}
