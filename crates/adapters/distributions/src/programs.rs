//! Other programs of this machine: found on the path, run to their end, quoted when they fail.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use kobel_model::{Error, ErrorKind, Result};

/// How many of the last lines of a program's words are shown when it fails.
const LAST_WORDS_MAX: usize = 12;

/// The places of a program on the path, the first first.
pub(crate) fn on_path(name: &str, path: Option<&OsStr>) -> Vec<PathBuf> {
    let folders = std::env::split_paths(path.unwrap_or_default());
    folders.map(|folder| folder.join(name)).filter(|file| is_program(file)).collect()
}

/// Whether a file can be run.
pub(crate) fn is_program(file: &Path) -> bool {
    let Ok(found) = file.metadata() else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        found.is_file() && found.permissions().mode() & 0o111 != 0
    }
    #[cfg(not(unix))]
    {
        found.is_file()
    }
}

/// Runs a program that must succeed; `what` is what it does, as in `cannot …`.
///
/// # Errors
/// Missing if there is no such program, Unavailable if it fails.
pub(crate) fn run(command: &mut Command, what: &str) -> Result<Output> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| {
        let program = command.get_program().to_string_lossy().into_owned();
        Error::io(format!("cannot {what}: `{program}` cannot be started"), error)
    })?;
    if output.status.success() {
        return Ok(output);
    }
    let said = if output.stderr.trim_ascii().is_empty() { &output.stdout } else { &output.stderr };
    let said = String::from_utf8_lossy(said);
    let lines: Vec<&str> = said.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(LAST_WORDS_MAX)..).unwrap_or_default().join("\n");
    let program = command.get_program().to_string_lossy().into_owned();
    let cause = if last.is_empty() { output.status.to_string() } else { last };
    Err(Error::new(ErrorKind::Unavailable, format!("cannot {what}: `{program}` failed")).with_source(cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_in_the_order_of_the_path() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("sh"), "no program").unwrap();
        let path = std::env::join_paths([folder.path(), Path::new("/bin")]).unwrap();
        assert_eq!(on_path("sh", Some(&path)), [Path::new("/bin/sh")]);
        assert!(on_path("no-such-program", Some(&path)).is_empty());
        assert!(on_path("sh", None).is_empty());
    }

    #[test]
    fn a_program_that_fails_is_quoted() {
        let mut command = Command::new("sh");
        let error = run(command.args(["-c", "echo done; echo wrong >&2; exit 3"]), "do it").unwrap_err();
        assert_eq!(kobel_model::chain(&error), "cannot do it: `sh` failed: wrong");
        let error = run(&mut Command::new("/no/such/program"), "do it").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Missing);
        let output = run(Command::new("sh").args(["-c", "echo done"]), "do it").unwrap();
        assert_eq!(output.stdout, b"done\n");
    }
}
