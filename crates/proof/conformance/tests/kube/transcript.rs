//! Transcripts: commands with what they print, run again and compared.
//!
//! A transcript is text. `== NAME` begins a file that the commands find in their folder, up to `== end`. `$ COMMAND`
//! is run by a shell; what it prints on both outputs follows, then `[exit N]` if it failed. `$embedded COMMAND` is run
//! against the embedded API only, `$cluster COMMAND` against a cluster only: each such line stands beside a reason, in a
//! comment that begins with `#:`. With `UPDATE_EXPECT=1` the file is written anew instead of being compared.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;

/// Which kind of API a transcript is run against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The API inside `kobel up`.
    Embedded,
    /// A real Kubernetes API server.
    Cluster,
}

/// Where commands run.
pub(crate) struct Stage<'a> {
    /// The folder of the files, which is the working directory.
    pub(crate) folder: &'a Path,
    /// Names and values that the commands see besides `PATH`.
    pub(crate) environment: &'a [(&'a str, String)],
    /// What the commands talk to.
    pub(crate) side: Side,
}

/// One piece of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    File { name: String, lines: Vec<String> },
    Call { prefix: String, command: String, output: Vec<String> },
}

/// Runs a transcript and returns it with the outputs that were found, and the number of commands that ran.
pub(crate) fn play(text: &str, stage: &Stage<'_>) -> (String, usize) {
    let (mut played, mut calls) = (String::new(), 0);
    for piece in parse(text) {
        match piece {
            Piece::Text(line) => push(&mut played, &line),
            Piece::File { name, lines } => {
                fs::write(stage.folder.join(&name), lines.join("\n") + "\n")
                    .expect("a file of a transcript is written");
                push(&mut played, &format!("== {name}"));
                lines.iter().for_each(|line| push(&mut played, line));
                push(&mut played, "== end");
            }
            Piece::Call { prefix, command, output } => {
                push(&mut played, &format!("{prefix} {command}"));
                let runs = match prefix.as_str() {
                    "$embedded" => stage.side == Side::Embedded,
                    "$cluster" => stage.side == Side::Cluster,
                    _ => true,
                };
                calls += usize::from(runs);
                let output = if runs { run(&command, stage) } else { output };
                output.iter().for_each(|line| push(&mut played, line));
            }
        }
    }
    (played, calls)
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn parse(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("== ") {
            let content = lines.by_ref().take_while(|line| *line != "== end").map(str::to_owned).collect();
            pieces.push(Piece::File { name: name.to_owned(), lines: content });
        } else if let Some((prefix, command)) = call(line) {
            let mut output = Vec::new();
            while let Some(next) = lines.next_if(|next| !begins_piece(next)) {
                output.push(next.to_owned());
            }
            pieces.push(Piece::Call { prefix: prefix.to_owned(), command: command.to_owned(), output });
        } else {
            pieces.push(Piece::Text(line.to_owned()));
        }
    }
    pieces
}

fn call(line: &str) -> Option<(&str, &str)> {
    let (prefix, command) = line.split_once(' ')?;
    ["$", "$embedded", "$cluster"].contains(&prefix).then_some((prefix, command))
}

fn begins_piece(line: &str) -> bool {
    line.starts_with("== ") || line.starts_with("#:") || call(line).is_some()
}

fn run(command: &str, stage: &Stage<'_>) -> Vec<String> {
    let mut shell = Command::new("bash");
    shell.arg("-c").arg(format!("exec 2>&1\n{command}")).current_dir(stage.folder).stdin(std::process::Stdio::null());
    shell.envs(stage.environment.iter().map(|(name, value)| (*name, value.as_str())));
    let output = shell.output().expect("a shell runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let mut lines: Vec<String> = said.lines().map(|line| settle(line, stage)).collect();
    if !output.status.success() {
        lines.push(format!("[exit {}]", output.status.code().unwrap_or(-1)));
    }
    lines
}

/// What differs from run to run, and what stands for it.
static VOLATILE: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
        (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z", "<time>"),
        (r#"(resourceVersion"?: ")\d+""#, "$1<version>\""),
        (r"(Resource Version: +)\d+", "$1<version>"),
        // An age may be wider than another, and so may its column.
        (r"(^|\s)(\d+d)?(\d+h)?(\d+m)?\d+s(  +|\t|$)", "$1<age>   "),
        (r"(^|\s)(\d+d)?(\d+h)?(\d+m)?\d+s ", "$1<age> "),
        (r"(^|\s)AGE  +", "${1}AGE   "),
        (r"https?://(127\.0\.0\.1|localhost):\d+", "<server>"),
    ]
    .into_iter()
    .map(|(pattern, stand_in)| (Regex::new(pattern).expect("the pattern is a regular expression"), stand_in))
    .collect()
});

fn settle(line: &str, stage: &Stage<'_>) -> String {
    let line = line.replace(&stage.folder.display().to_string(), "<folder>");
    let settled = VOLATILE.iter().fold(line, |line, (pattern, with)| pattern.replace_all(&line, *with).into_owned());
    settled.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_that_changed_is_seen() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let stage = Stage { folder: folder.path(), environment: &[], side: Side::Embedded };
        let text = "#: a file\n== a.txt\nhello\n== end\n$ cat a.txt\nhello\n$ false\n[exit 1]\n$cluster echo x\nkept\n";
        assert_eq!(play(text, &stage), (text.to_owned(), 2));
        let wrong = "$ echo right\nwrong\n";
        assert_eq!(play(wrong, &stage).0, "$ echo right\nright\n");
    }

    #[test]
    fn what_changes_from_run_to_run_is_replaced() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let stage = Stage { folder: folder.path(), environment: &[], side: Side::Embedded };
        for (line, expected) in [
            ("uid: 01234567-89ab-cdef-0123-456789abcdef", "uid: <uid>"),
            ("  resourceVersion: \"12\"", "  resourceVersion: \"<version>\""),
            ("basic   RUNNING   2m3s", "basic   RUNNING   <age>"),
            ("basic   2m3s   <none>", "basic   <age>   <none>"),
            ("basic   5s     <none>", "basic   <age>   <none>"),
            ("NAME    AGE    LABELS", "NAME    AGE   LABELS"),
            ("Normal  Scheduled  5s from kobel", "Normal  Scheduled  <age> from kobel"),
            ("at 2026-01-02T03:04:05Z", "at <time>"),
            ("parallelism: 2", "parallelism: 2"),
        ] {
            assert_eq!(settle(line, &stage), expected);
        }
    }
}
