//! A process that answers a question and ends: nothing of it is kept.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use kobel_manifest::launch::{Launch, Process};
use kobel_model::{Error, ErrorKind, Result};

use crate::spawn::write_files;

/// The longest answer that is passed on, in bytes.
const WORDS_MAX: usize = 4_096;
/// How often it is looked whether the process has ended.
const LOOK: Duration = Duration::from_millis(10);

/// Runs the first process of a launch with more arguments, in a folder of its own, which is removed afterwards. What it
/// says is the error of the answer if it does not end well.
///
/// # Errors
/// Unavailable if it cannot be run, or does not end in time.
pub fn ask(folder: &Path, launch: &Launch, more: &[&str], within: Duration) -> Result<Result<(), String>> {
    let Some(process) = launch.processes.first() else { return Err(Error::bug("nobody is asked")) };
    write_files(folder, launch)?;
    let answer = answer(folder, process, more, within);
    fs::remove_dir_all(folder).map_err(|error| Error::io(format!("cannot remove `{}`", folder.display()), error))?;
    answer
}

fn answer(folder: &Path, process: &Process, more: &[&str], within: Duration) -> Result<Result<(), String>> {
    let output = folder.join("answer");
    let failed = |error| Error::io(format!("cannot run `{}`", process.program.display()), error);
    let written = fs::File::create(&output).map_err(failed)?;
    let mut command = Command::new(&process.program);
    command.args(&process.arguments).args(more).envs(process.environment.iter().cloned()).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(written);
    let mut child = command.spawn().map_err(failed)?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if begun.elapsed() > within {
            // It is waited for, so that nothing of it stays.
            child.kill().and_then(|()| child.wait()).map_err(failed)?;
            let message = format!("`{}` gave no answer within {} s", process.program.display(), within.as_secs());
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        thread::sleep(LOOK);
    };
    let words = fs::read(&output).map_err(failed)?;
    Ok(match words_of(&words) {
        _ if status.success() => Ok(()),
        words if words.is_empty() => Err(format!("the check ended with {status}")),
        words => Err(words),
    })
}

fn words_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(WORDS_MAX)]);
    let mut words = String::new();
    for line in text.trim().trim_start_matches("error: ").lines() {
        match line.trim().strip_prefix("caused by: ") {
            Some(cause) => words.extend([": ", cause]),
            None if words.is_empty() => words.push_str(line.trim()),
            // The excerpt of a script keeps its lines, so that what is marked is seen.
            None => words.extend(["\n", line.trim_end()]),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn launch(script: &str) -> Launch {
        let process = Process {
            role: "application".to_owned(),
            program: PathBuf::from("/bin/sh"),
            arguments: vec!["-c".to_owned(), script.to_owned(), "sh".to_owned()],
            environment: Vec::new(),
            directory: PathBuf::from("/"),
            memory: None,
            cpu_millis: None,
            rest_port: None,
        };
        Launch { files: Vec::new(), processes: vec![process], rest_port: 0, ports: Vec::new() }
    }

    #[test]
    fn an_answer_is_good_or_says_why_not_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap().path().join("check");
        let patience = Duration::from_secs(30);
        assert_eq!(ask(&folder, &launch("exit 0"), &[], patience).unwrap(), Ok(()));
        let refused = ask(
            &folder,
            &launch("echo \"error: no: $1\" >&2; echo \"  caused by: it\" >&2; exit 1"),
            &["more"],
            patience,
        )
        .unwrap();
        assert_eq!(refused, Err("no: more: it".to_owned()));
        let excerpt = "  --> a.sql:1:6\n   |\n1 | FORM a\n   | ^^^^\n  hint: `FROM`?";
        let refused = ask(&folder, &launch(&format!("printf 'error: no\n{excerpt}\n' >&2; exit 1")), &[], patience);
        assert_eq!(refused.unwrap(), Err(format!("no\n{excerpt}")));
        let late = ask(&folder, &launch("sleep 60"), &[], Duration::from_millis(50)).unwrap_err();
        assert_eq!(late.kind(), ErrorKind::Unavailable);
        let silent = ask(&folder, &launch("exit 3"), &[], patience).unwrap();
        assert_eq!(silent, Err("the check ended with exit status: 3".to_owned()));
        assert!(!folder.exists());
    }
}
