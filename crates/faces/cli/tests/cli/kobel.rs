//! The command as a child process.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// What a run left.
#[derive(Debug)]
pub struct Ended {
    /// All of standard output, but for what was read while it ran.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
}

/// A command that is running.
pub struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

/// Runs `kobel` with these arguments to its end.
pub fn kobel(directory: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kobel"));
    command.args(arguments);
    start(directory, command).end()
}

/// As [`kobel`], in an address space so small that memory without bounds ends it.
pub fn kobel_within_limits(directory: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 1500000 && exec \"$@\"", "sh", env!("CARGO_BIN_EXE_kobel")]).args(arguments);
    start(directory, command).end()
}

/// Starts `kobel` with these arguments.
pub fn start_kobel(directory: &Path, arguments: &[&str]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kobel"));
    command.args(arguments);
    start(directory, command)
}

/// Starts a line that a person would paste into a shell.
pub fn start_shell(directory: &Path, line: &str) -> Running {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("exec {line}"));
    start(directory, command)
}

fn start(directory: &Path, mut command: Command) -> Running {
    command.current_dir(directory).env_remove("RUST_BACKTRACE").env("TZ", "UTC");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let stdout = child.stdout.take().map(BufReader::new).expect("standard output is piped");
    Running { child, stdout }
}

impl Running {
    /// The next line of standard output, without its end; waits for it.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        let length = self.stdout.read_line(&mut line).expect("standard output is text");
        assert!(length > 0, "standard output has ended");
        line.trim_end().to_owned()
    }

    /// The next row of a result table, its cells.
    pub fn row(&mut self) -> Vec<String> {
        let line = self.line();
        cells(&line)
    }

    /// The next line of standard error, without its end; waits for it.
    pub fn error_line(&mut self) -> String {
        let stderr = self.child.stderr.as_mut().expect("standard error is piped");
        let (mut line, mut byte) = (Vec::new(), [0]);
        loop {
            // What is read ahead would be missing at the end.
            stderr.read_exact(&mut byte).expect("standard error goes on");
            if byte == *b"\n" {
                return String::from_utf8(line).expect("standard error is text");
            }
            line.extend(byte);
        }
    }

    /// Ctrl-C.
    #[expect(unsafe_code, reason = "the standard library can kill a process, but not interrupt it")]
    pub fn interrupt(&self) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        // SAFETY: `kill` takes two numbers and touches no memory; the child has not been waited for, so the id is its.
        let sent = unsafe { libc::kill(id, libc::SIGINT) };
        assert_eq!(sent, 0, "the signal is sent");
    }

    /// Waits for the end and reads all that is left.
    pub fn end(mut self) -> Ended {
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).expect("standard output is text");
        let (stderr, code) = self.reap();
        Ended { stdout, stderr, code }
    }

    /// Closes standard output and waits for the end.
    pub fn close_stdout(self) -> Ended {
        let Self { child, stdout } = self;
        drop(stdout);
        let output = child.wait_with_output().expect("the command ends");
        let stderr = String::from_utf8(output.stderr).expect("standard error is text");
        Ended { stdout: String::new(), stderr, code: output.status.code() }
    }

    fn reap(self) -> (String, Option<i32>) {
        let output = self.child.wait_with_output().expect("the command ends");
        (String::from_utf8(output.stderr).expect("standard error is text"), output.status.code())
    }

    /// Ends the process where it stands.
    pub fn kill(mut self) {
        self.child.kill().expect("the process is there");
        self.child.wait().expect("it ends");
    }
}

/// The cells of a line of a result table.
pub fn cells(line: &str) -> Vec<String> {
    let inner = line.trim_start_matches('|').trim_end_matches('|');
    inner.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The rows of a result table: what stands between its second and its last border.
pub fn rows(stdout: &str) -> Vec<Vec<String>> {
    let mut borders = 0;
    let mut rows = Vec::new();
    for line in stdout.lines() {
        if line.starts_with('+') {
            borders += 1;
        } else if borders == 2 {
            rows.push(cells(line));
        }
    }
    rows
}

/// `CREATE TABLE numbers` with a column `id` that counts from 1 to `last`.
pub fn numbers(last: u64) -> String {
    format!(
        "CREATE TABLE numbers (id BIGINT) WITH (
           'connector' = 'datagen', 'rows-per-second' = '1000',
           'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '{last}'
         );\n"
    )
}
