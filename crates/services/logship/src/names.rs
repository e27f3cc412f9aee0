//! What streams, objects and log streams are called.
//!
//! A stream is what one process writes in one way: `stdout`, `stderr`, or `log`, which is what Flink writes of itself.
//! Any other file is a stream under its own name.

use std::path::Path;

/// How the names begin that Flink's scripts give to files.
const FLINK: &str = "flink-";
/// Endings of files that hold no lines, or lines that were read before they were packed.
const PASSED_OVER: [&str; 6] = [".gz", ".zip", ".bz2", ".lck", ".lock", ".tmp"];
/// The longest name of a stream.
const STREAM_MAX: usize = 100;

/// The stream that a file belongs to, by its path below the directory of the logs; nothing if it is no log.
///
/// The images of EMR write with `multilog`, which makes a directory for each stream: `stdout/current`, and `stdout/@…`
/// for what was rotated. Flink writes files, `flink-….log`, and `flink-….log.1` for what was rotated.
pub(crate) fn stream_of(path: &Path) -> Option<String> {
    let parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.iter().any(|part| part.starts_with('.')) {
        return None;
    }
    match parts.as_slice() {
        [folder, file] if file == "current" || file.starts_with('@') => plain(folder),
        [file] if PASSED_OVER.iter().any(|ending| file.ends_with(ending)) => None,
        [file] => {
            let name = unnumbered(file);
            match name.rsplit_once('.') {
                Some((stem, "log")) if stem.starts_with(FLINK) => Some("log".to_owned()),
                Some((stem, "out")) if stem.starts_with(FLINK) => Some("stdout".to_owned()),
                Some((stem, "err")) if stem.starts_with(FLINK) => Some("stderr".to_owned()),
                _ => plain(name),
            }
        }
        _ => None,
    }
}

/// The name of a file without the number that rotation gave to it.
fn unnumbered(file: &str) -> &str {
    match file.rsplit_once('.') {
        Some((name, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => file,
    }
}

/// A name that may stand in a path and in the name of a log stream.
fn plain(name: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).take(STREAM_MAX).collect();
    (!name.is_empty()).then_some(name)
}

/// The object of what a stream holds now, below the folder of the pod.
pub(crate) fn current(stream: &str) -> String {
    format!("{stream}.gz")
}

/// The object of a part of a stream that is closed: `day` is written as `20260901`.
pub(crate) fn closed(stream: &str, day: &str, index: u64) -> String {
    format!("{stream}_{day}_{index}.gz")
}

/// The index of a closed part of this stream.
pub(crate) fn index_of(stream: &str, name: &str) -> Option<u64> {
    let rest = name.strip_prefix(stream)?.strip_prefix('_')?.strip_suffix(".gz")?;
    let (day, index) = rest.split_once('_')?;
    (day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit())).then(|| index.parse().ok())?
}

/// The log stream of a stream.
pub(crate) fn log_stream(prefix: &str, pod: &str, stream: &str) -> String {
    if prefix.is_empty() { format!("{pod}/{stream}") } else { format!("{prefix}/{pod}/{stream}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_what_wrote_them() {
        for (path, expected) in [
            ("flink--kubernetes-application-0-orders-7d.log", Some("log")),
            ("flink--kubernetes-application-0-orders-7d.log.12", Some("log")),
            ("flink-flink-taskmanager-1-orders.out", Some("stdout")),
            ("flink-flink-taskmanager-1-orders.err.1", Some("stderr")),
            ("stdout/current", Some("stdout")),
            ("stderr/@400000005f0a.s", Some("stderr")),
            ("stdout/lock", None),
            ("stdout/state", None),
            ("stdout", Some("stdout")),
            ("gc.log.3", Some("gc.log")),
            ("audit:log*.txt", Some("audit_log_.txt")),
            ("flink-a.log.1.gz", None),
            (".kobel-logship/s3.json", None),
            (".hidden", None),
            ("a/b/current", None),
            ("", None),
        ] {
            assert_eq!(stream_of(Path::new(path)).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_closed_part_is_known_by_its_name() {
        assert_eq!(closed("stdout", "20260901", 4), "stdout_20260901_4.gz");
        for (name, expected) in [
            ("stdout_20260901_4.gz", Some(4)),
            ("stdout_2026_4.gz", None),
            ("stdout.gz", None),
            ("stderr_20260901_4.gz", None),
            ("stdout_20260901_x.gz", None),
        ] {
            assert_eq!(index_of("stdout", name), expected, "{name}");
        }
        assert_eq!(log_stream("team", "pod", "stdout"), "team/pod/stdout");
        assert_eq!(log_stream("", "pod", "stdout"), "pod/stdout");
    }
}
