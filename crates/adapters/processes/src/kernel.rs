//! What the kernel says of processes. Not knowing is never read as death: a failed look leaves a process alive.

use std::fs;
use std::io;
use std::path::Path;

use kobel_model::{Error, ErrorKind, Result};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// The environment variable that carries the token of a process.
pub const TOKEN: &str = "KOBEL_PROCESS";

/// A process of this boot that no other can be taken for: pids are used again, but not within one tick of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// Its pid.
    pub pid: u32,
    /// When it was started, in ticks since the boot.
    pub start: u64,
}

impl ProcessId {
    /// Looks who has `pid` now, alive or not yet reaped.
    pub fn of(pid: u32) -> io::Result<Option<Self>> {
        Ok(look(pid)?.map(|stat| Self { pid, start: stat.start }))
    }

    /// Whether it runs.
    pub fn is_alive(self) -> bool {
        match look(self.pid) {
            Ok(Some(stat)) => stat.start == self.start && !stat.is_over(),
            Ok(None) => false,
            Err(_) => true,
        }
    }
}

/// A process whose environment carries one of the tokens that were looked for.
#[derive(Debug, Clone, Copy)]
pub struct Carrier {
    /// The process.
    pub id: ProcessId,
    /// Which of the tokens it carries.
    pub token: usize,
    /// Whether it leads a process group, as a process that was spawned here does.
    pub is_leader: bool,
}

/// Finds the processes that carry one of `tokens`: those spawned with it, and their children.
pub fn carriers(tokens: &[&str]) -> Result<Vec<Carrier>> {
    let failed = |error| Error::io("cannot look through the processes of this machine", error);
    let mut found = Vec::new();
    if tokens.is_empty() {
        return Ok(found);
    }
    for entry in fs::read_dir("/proc").map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        if pid != std::process::id()
            && let Some(carrier) = carrier(pid, tokens).map_err(failed)?
        {
            found.push(carrier);
        }
    }
    Ok(found)
}

/// What `pid` carries. The environment is read again after the look, so that what is returned is one process and not
/// the token of one and the start of the next that was given its pid.
fn carrier(pid: u32, tokens: &[&str]) -> io::Result<Option<Carrier>> {
    let Some(token) = token_of(pid, tokens)? else { return Ok(None) };
    let Some(stat) = look(pid)?.filter(|stat| !stat.is_over()) else { return Ok(None) };
    let is_same = token_of(pid, tokens)? == Some(token);
    let carrier = Carrier { id: ProcessId { pid, start: stat.start }, token, is_leader: stat.group == pid };
    Ok(is_same.then_some(carrier))
}

fn token_of(pid: u32, tokens: &[&str]) -> io::Result<Option<usize>> {
    let environment = match fs::read(format!("/proc/{pid}/environ")) {
        Ok(environment) => environment,
        // A process of somebody else was not spawned here.
        Err(error) if is_gone(&error) || error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut values = environment
        .split(|byte| *byte == 0)
        .filter_map(|entry| entry.strip_prefix(TOKEN.as_bytes()).and_then(|rest| rest.strip_prefix(b"=")));
    Ok(values.find_map(|value| tokens.iter().position(|token| token.as_bytes() == value)))
}

/// What `/proc/PID/stat` says.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    group: u32,
    threads: u64,
    start: u64,
}

impl Stat {
    /// Whether it only waits to be reaped. A main thread that ended before the others is a zombie too.
    fn is_over(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x') && self.threads <= 1
    }
}

fn look(pid: u32) -> io::Result<Option<Stat>> {
    match fs::read(format!("/proc/{pid}/stat")) {
        Ok(text) => parse(&String::from_utf8_lossy(&text)).map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into()),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A process that ends between opening and reading is gone as well.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

/// Reads the fields that count. The second one, the name, may hold anything, parentheses and spaces included.
fn parse(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let group = fields.nth(1)?.parse().ok()?;
    let threads = fields.nth(14)?.parse().ok()?;
    let start = fields.nth(1)?.parse().ok()?;
    Some(Stat { state, group, threads, start })
}

/// Names the life of the process table: pids of another boot, or of another container, mean nothing here.
pub fn boot() -> Result<String> {
    let path = "/proc/sys/kernel/random/boot_id";
    let boot = fs::read_to_string(path).map_err(|error| {
        let message = format!("cannot tell one boot of this machine from another: cannot read `{path}`");
        Error::new(ErrorKind::Unsupported, message)
            .with_source(error)
            .with_hint("applications run as processes on Linux only, with `/proc` mounted")
    })?;
    let namespace = fs::read_link(Path::new("/proc/self/ns/pid")).unwrap_or_default();
    Ok(format!("{} {}", boot.trim(), namespace.display()))
}

/// Milliseconds since the boot. This clock is never set, and it goes on when the program is started again.
pub fn uptime_ms() -> Result<u64> {
    let path = "/proc/uptime";
    let text = fs::read_to_string(path).map_err(|error| Error::io(format!("cannot read `{path}`"), error))?;
    milliseconds(&text).ok_or_else(|| Error::corrupt(format!("`{path}` does not begin with seconds")))
}

fn milliseconds(text: &str) -> Option<u64> {
    let (whole, part) = text.split_ascii_whitespace().next()?.split_once('.')?;
    let hundredths: u64 = part.get(..2)?.parse().ok()?;
    Some(whole.parse::<u64>().ok()? * 1000 + hundredths * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_process_are_found_whatever_its_name() {
        let rest = "S 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 3 0 98765 1 2";
        for name in ["sleep", "a b", "x) Z 1 1 (y", ""] {
            let stat = parse(&format!("43 ({name}) {rest}"));
            assert_eq!(stat, Some(Stat { state: 'S', group: 42, threads: 3, start: 98765 }), "{name}");
        }
        for text in ["", "43 (sleep", "43 (sleep) S 7", "43 (sleep) S 7 x 42"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_zombie_with_living_threads_is_alive() {
        for (state, threads, is_over) in
            [('S', 1, false), ('Z', 1, true), ('Z', 0, true), ('Z', 2, false), ('X', 1, true)]
        {
            assert_eq!(Stat { state, group: 1, threads, start: 1 }.is_over(), is_over, "{state} {threads}");
        }
    }

    #[test]
    fn the_clock_is_read_in_milliseconds() {
        for (text, expected) in [("12.34 5.67\n", Some(12_340)), ("0.05 0.00", Some(50)), ("x", None), ("", None)] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }

    #[test]
    fn a_process_is_not_taken_for_another_with_its_pid() {
        let own = ProcessId::of(std::process::id()).expect("a look").expect("alive");
        assert!(own.is_alive());
        assert!(!ProcessId { start: own.start + 1, ..own }.is_alive());
    }

    #[test]
    fn nobody_carries_a_token_that_was_never_given() {
        assert!(carriers(&["ffffffffffffffffffffffffffffffff"]).expect("a look").is_empty());
        assert!(carriers(&[]).expect("no look").is_empty());
    }
}
