//! What a process printed, and how it ended.

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
/// A file of output that is longer is put aside at the next start.
const ROTATE_AT: u64 = 10 * 1024 * 1024;

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

/// The last lines that `role` has printed since its output was `from` bytes long; empty if they cannot be read.
pub fn last_words(folder: &Path, role: &str, from: u64) -> String {
    let (bytes, is_cut) = tail(&path(folder, role), from).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let whole = match text.split_once('\n') {
        Some((_, rest)) if is_cut && !rest.is_empty() => rest,
        _ => text.as_ref(),
    };
    // What is no UTF-8 became longer by being shown.
    let start = whole.len().saturating_sub(LAST_WORDS_MAX);
    let start = (start..=whole.len()).find(|at| whole.is_char_boundary(*at)).unwrap_or(whole.len());
    whole.get(start..).unwrap_or_default().trim_end().to_owned()
}

/// The last bytes after `from`, and whether there are more before them.
fn tail(path: &Path, from: u64) -> io::Result<(Vec<u8>, bool)> {
    let mut output = File::open(path)?;
    let length = output.metadata()?.len();
    let start = length.saturating_sub(LAST_WORDS_MAX as u64).max(from);
    output.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    output.take(LAST_WORDS_MAX as u64).read_to_end(&mut bytes)?;
    Ok((bytes, start > from))
}

/// Says how a process ended.
pub fn how(status: ExitStatus) -> String {
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
