//! What a process printed, and how it ended.
//!
//! Its last words are what it says of its end, so rows of results are none, and whoever was killed had no time for any.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use kobel_model::{Error, Result};

use crate::file;

/// The most bytes of last words.
const LAST_WORDS_MAX: usize = 2048;
/// How many bytes at the end are searched for them.
const SEARCHED_MAX: u64 = 256 * 1024;
/// How a row of a sink of the kind `print` begins, after the name of the sink.
const ROWS: [&str; 4] = ["+I[", "-U[", "+U[", "-D["];
/// The role of the processes that are ours.
const APPLICATION: &str = "application";
/// How their report of an error begins.
const ERROR: &str = "error: ";
/// The signal that leaves no time.
const SIGKILL: i32 = 9;
/// A file of output that is longer is put aside at the next start.
const ROTATE_AT: u64 = 10 * 1024 * 1024;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its parent, this program, was told so.
    Told(ExitStatus),
    /// Its parent was another program.
    Unseen,
    /// It was there in another life of the process table.
    OtherBoot,
}

impl End {
    /// Says how it was.
    pub fn text(self) -> String {
        match self {
            Self::Told(status) => how(status),
            Self::Unseen => {
                "it ended; its exit code is not known, because an earlier `kobel` had started it".to_owned()
            }
            Self::OtherBoot => "the machine or its container was restarted".to_owned(),
        }
    }

    /// Whether the process could say why.
    pub fn is_spoken_of(self) -> bool {
        match self {
            Self::Told(status) => status.signal() != Some(SIGKILL),
            Self::Unseen => true,
            Self::OtherBoot => false,
        }
    }
}

/// The file of output of `role`.
pub fn path(folder: &Path, role: &str) -> PathBuf {
    folder.join("log").join(format!("{role}.out"))
}

/// Opens the output of `role` for appending, and says where the next word will stand.
pub fn open(folder: &Path, role: &str) -> Result<(File, u64)> {
    let path = path(folder, role);
    let failed = |error| Error::io(format!("cannot open `{}`", path.display()), error);
    file::create_directory(&folder.join("log"))?;
    if fs::metadata(&path).is_ok_and(|found| found.len() > ROTATE_AT) {
        fs::rename(&path, path.with_extension("out.1")).map_err(failed)?;
    }
    let output = OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(failed)?;
    let length = output.metadata().map_err(failed)?.len();
    Ok((output, length))
}

/// The last lines but rows that `role` has printed since its output was `from` bytes long; empty if they cannot be
/// read.
pub fn last_words(folder: &Path, role: &str, from: u64) -> String {
    let (bytes, is_cut) = tail(&path(folder, role), from).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let whole = match text.split_once('\n') {
        Some((_, rest)) if is_cut && !rest.is_empty() => rest,
        _ => text.as_ref(),
    };
    let words: Vec<&str> = whole.lines().filter(|line| !is_row(line)).collect();
    // What comes before the last error of ours is not about the end; what others print may begin alike.
    let error = words.iter().rposition(|line| role == APPLICATION && line.starts_with(ERROR)).unwrap_or(0);
    let words = words.get(error..).unwrap_or_default().join("\n");
    last_lines(words.trim_end()).to_owned()
}

/// The last whole lines of a text that are few enough; the end of the last line if that alone is too long.
fn last_lines(text: &str) -> &str {
    let Some(start) = text.len().checked_sub(LAST_WORDS_MAX).filter(|start| *start > 0) else { return text };
    let start = (start..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let end = text.get(start..).unwrap_or_default();
    match end.split_once('\n') {
        Some((_, rest)) if !rest.is_empty() => rest,
        _ => end,
    }
}

/// Whether a line is a row of a sink of the kind `print`: `+I[1, a]`, `2> -D[1, a]`, `sink:2> +U[1, a]`.
fn is_row(line: &str) -> bool {
    let row = line.split_once("> ").map_or(line, |(_, row)| row);
    line.ends_with(']') && ROWS.iter().any(|begin| line.starts_with(begin) || row.starts_with(begin))
}

/// The last bytes after `from`, and whether there are more before them.
fn tail(path: &Path, from: u64) -> io::Result<(Vec<u8>, bool)> {
    let mut output = File::open(path)?;
    let length = output.metadata()?.len();
    let start = length.saturating_sub(SEARCHED_MAX).max(from);
    output.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    output.take(SEARCHED_MAX).read_to_end(&mut bytes)?;
    Ok((bytes, start > from))
}

/// Says how a process ended whose status is known.
fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by {}", signal_name(signal)),
        (None, None) => "it is not known how".to_owned(),
    }
}

/// The name of a signal, as far as its number is the same on every machine.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return format!("signal {signal}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn an_end_is_told_by_code_or_signal() {
        for (raw, expected) in [
            (0, "exit code 0"),
            (3 << 8, "exit code 3"),
            (9, "killed by SIGKILL"),
            (11 | 0x80, "killed by SIGSEGV"),
            (40, "killed by signal 40"),
        ] {
            assert_eq!(how(ExitStatus::from_raw(raw)), expected);
        }
    }

    #[test]
    fn whoever_is_killed_could_not_say_why() {
        for (end, expected) in [
            (End::Told(ExitStatus::from_raw(0)), true),
            (End::Told(ExitStatus::from_raw(6)), true),
            (End::Told(ExitStatus::from_raw(9)), false),
            (End::Unseen, true),
            (End::OtherBoot, false),
        ] {
            assert_eq!(end.is_spoken_of(), expected, "{}", end.text());
        }
    }

    #[test]
    fn last_words_are_neither_rows_nor_what_was_said_before_the_error() {
        let folder = tempfile::tempdir().expect("a directory");
        let (mut output, from) = open(folder.path(), APPLICATION).expect("opened");
        output.write_all(b"ready\nerror: no such table\n  caused by: [a]\n").expect("written");
        for row in 0..2000 {
            writeln!(output, "+I[{row}, a > b]\n2> -U[{row}]\nout:1> +U[{row}]\n-D[{row}]").expect("written");
        }
        assert_eq!(last_words(folder.path(), APPLICATION, from), "error: no such table\n  caused by: [a]");
    }

    #[test]
    fn last_words_are_whole_lines_of_this_process_only() {
        let folder = tempfile::tempdir().expect("a directory");
        let (mut output, from) = open(folder.path(), "a").expect("opened");
        assert_eq!(from, 0);
        output.write_all(b"of the one before\n").expect("written");
        let (mut output, from) = open(folder.path(), "a").expect("opened");
        assert_eq!(last_words(folder.path(), "a", from), "");
        output.write_all(b"one\ntwo \xff\n\n").expect("written");
        assert_eq!(last_words(folder.path(), "a", from), "one\ntwo \u{fffd}");
        for line in 0..1000 {
            writeln!(output, "line {line}").expect("written");
        }
        let words = last_words(folder.path(), "a", from);
        assert!(words.len() <= LAST_WORDS_MAX && words.starts_with("line ") && words.ends_with("line 999"), "{words}");
        output.write_all(&[0xff; 4096]).expect("written");
        assert!(last_words(folder.path(), "a", from).len() <= LAST_WORDS_MAX);
        assert_eq!(last_words(folder.path(), "nobody", 0), "");
    }

    #[test]
    fn output_that_grew_long_is_put_aside_at_the_next_start() {
        let folder = tempfile::tempdir().expect("a directory");
        let (output, _) = open(folder.path(), "a").expect("opened");
        output.set_len(ROTATE_AT + 1).expect("longer");
        let (_, from) = open(folder.path(), "a").expect("opened");
        assert_eq!(from, 0);
        let aside = fs::metadata(folder.path().join("log/a.out.1")).expect("put aside");
        assert_eq!(aside.len(), ROTATE_AT + 1);
    }
}
