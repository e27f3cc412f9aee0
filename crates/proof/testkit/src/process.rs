//! Child processes of a test: what they say goes to files, and they end when the test does, with all they started.
//!
//! Every child leads a process group of its own, so that what a shell script started ends with it.

use std::fs::{self, File};
use std::io::{Error, ErrorKind};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long to sleep between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// How many bytes of what a process said stand in an error.
const TAIL_BYTES: usize = 2_000;

/// A child process; it is killed with its whole group when this is dropped.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Running {
    /// Starts a command; its output goes to `NAME.out` and `NAME.err` in `folder`.
    pub fn start(command: &mut Command, folder: &Path, name: &str) -> Result<Self, String> {
        let stdout = folder.join(format!("{name}.out"));
        let stderr = folder.join(format!("{name}.err"));
        let create =
            |path: &Path| File::create(path).map_err(|error| format!("cannot create `{}`: {error}", path.display()));
        command.stdin(Stdio::null()).stdout(create(&stdout)?).stderr(create(&stderr)?).process_group(0);
        let child = command.spawn().map_err(|error| cannot_start(command, &error))?;
        Ok(Self { name: name.to_owned(), child, stdout, stderr })
    }

    /// Returns the id of the process, which is that of its group too.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns all that was said on standard output until now.
    pub fn stdout(&self) -> String {
        read(&self.stdout)
    }

    /// Returns all that was said on standard error until now.
    pub fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// Returns how the process ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, String> {
        self.child.try_wait().map_err(|error| format!("cannot look after `{}`: {error}", self.name))
    }

    /// Waits until a line of either output contains `text`, and returns the line.
    pub fn wait_for_line(&mut self, text: &str, within: Duration) -> Result<String, String> {
        let (stdout, stderr) = (self.stdout.clone(), self.stderr.clone());
        self.wait_until(&format!("a line with `{text}`"), within, || {
            // The last line may be half written; it counts once its end is there.
            let whole = |said: String| said.rfind('\n').map(|end| said[..end].to_owned()).unwrap_or_default();
            let said = [whole(read(&stdout)), whole(read(&stderr))];
            said.iter().flat_map(|one| one.lines()).find(|line| line.contains(text)).map(str::to_owned)
        })
    }

    /// Waits until something accepts connections on a port of this machine.
    pub fn wait_for_port(&mut self, port: u16, within: Duration) -> Result<(), String> {
        self.wait_until(&format!("an answer on port {port}"), within, || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(drop)
        })
    }

    /// Waits until `look` finds what it looks for; fails when the process ends first or the time is over.
    pub fn wait_until<T>(
        &mut self,
        what: &str,
        within: Duration,
        mut look: impl FnMut() -> Option<T>,
    ) -> Result<T, String> {
        let begin = Instant::now();
        loop {
            // Whether it has ended is asked first: what it said before its end must still be found.
            let ended = self.ended()?;
            if let Some(found) = look() {
                return Ok(found);
            }
            if let Some(status) = ended {
                return Err(format!("`{}` ended with {status} before {what}: {}", self.name, self.last_words()));
            }
            if begin.elapsed() > within {
                return Err(format!("no {what} from `{}` within {within:?}: {}", self.name, self.last_words()));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Waits for the end of the process.
    pub fn wait(&mut self, within: Duration) -> Result<ExitStatus, String> {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if begin.elapsed() > within {
                return Err(format!("`{}` has not ended within {within:?}: {}", self.name, self.last_words()));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Sends a signal by its name, such as `TERM`, to the process and all that it started.
    pub fn signal(&self, signal: &str) -> Result<(), String> {
        // The standard library can only kill, and only one process; the shell's `kill` needs no unsafe code. The id
        // stays that of the group for as long as one of its processes is there, so nobody else gets the signal.
        let script = r#"kill -s "$1" -- "-$2""#;
        let id = self.child.id().to_string();
        run(Command::new("sh").args(["-c", script, "sh", signal, &id])).map(drop)
    }

    fn last_words(&self) -> String {
        format!("standard error ends with `{}`, standard output with `{}`", tail(&self.stderr()), tail(&self.stdout()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What the leader started may outlive it, so the group is killed even if the leader has ended.
        let killed = self.signal("KILL");
        if killed.is_err() {
            // The leader may be the last of its group and gone already; then this fails too, and nothing is left to do.
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}

/// Runs a command to its end and returns its standard output; anything but success is an error.
pub fn run(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| cannot_start(command, &error))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let program = command.get_program().to_string_lossy();
    Err(format!("`{program}` ended with {}: {} {}", output.status, tail(&stderr), tail(&stdout)))
}

/// Returns a port on which nothing listens now.
pub fn free_port() -> Result<u16, String> {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    taken.map(|address| address.port()).map_err(|error| format!("no free port: {error}"))
}

fn cannot_start(command: &Command, error: &Error) -> String {
    let program = command.get_program().to_string_lossy();
    match error.kind() {
        ErrorKind::NotFound => format!("no `{program}` on the path"),
        _ => format!("cannot start `{program}`: {error}"),
    }
}

/// What a file holds; nothing if it cannot be read, as it is only shown and searched.
fn read(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// The end of a text, for an error.
fn tail(text: &str) -> &str {
    let text = text.trim();
    let mut start = text.len().saturating_sub(TAIL_BYTES);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(300);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_line_is_waited_for_on_either_output() {
        for script in ["sleep 0.2; echo one; echo port 17; sleep 60", "echo port 17 >&2; sleep 60"] {
            let folder = tempfile::tempdir().unwrap();
            let mut child = Running::start(&mut shell(script), folder.path(), "child").unwrap();
            assert_eq!(child.wait_for_line("port ", SOON).unwrap(), "port 17", "{script}");
        }
    }

    #[test]
    fn what_a_process_said_last_stands_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Running::start(&mut shell("echo no luck >&2; exit 3"), folder.path(), "child").unwrap();
        let error = child.wait_for_line("port ", SOON).unwrap_err();
        assert!(error.contains("exit status: 3") && error.contains("no luck"), "{error}");
    }

    #[test]
    fn what_a_child_started_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Running::start(&mut shell("sleep 60 & echo $!; wait"), folder.path(), "child").unwrap();
        let grandchild = child.wait_for_line("", SOON).unwrap();
        let alive = || Path::new("/proc").join(&grandchild).join("cwd").read_link().is_ok();
        assert!(alive());
        drop(child);
        let begin = Instant::now();
        while alive() && begin.elapsed() < SOON {
            std::thread::sleep(PAUSE);
        }
        assert!(!alive(), "process {grandchild} is still there");
    }

    #[test]
    fn a_signal_reaches_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done";
        let mut child = Running::start(&mut shell(script), folder.path(), "child").unwrap();
        child.wait_for_line("ready", SOON).unwrap();
        child.signal("TERM").unwrap();
        assert_eq!(child.wait(SOON).unwrap().code(), Some(7));
    }

    #[test]
    fn a_port_is_waited_for_and_a_missing_program_is_named() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let mut child = Running::start(&mut shell("sleep 60"), folder.path(), "child").unwrap();
        child.wait_for_port(port, SOON).unwrap();
        let error = run(&mut Command::new("no-such-program-here")).unwrap_err();
        assert_eq!(error, "no `no-such-program-here` on the path");
        assert!(free_port().unwrap() > 0);
    }
}
