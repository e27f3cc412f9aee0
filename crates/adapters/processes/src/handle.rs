//! Taking hold of a process so that a signal cannot reach another one that was given its pid.

use std::os::fd::OwnedFd;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::kernel::ProcessId;

/// Opens a descriptor that becomes readable when the process ends; absent if it has ended, or if the kernel gives none.
pub fn open(id: ProcessId) -> Option<OwnedFd> {
    let descriptor = descriptor_of(pid_of(id)?)?;
    // Only now it is certain whose descriptor it is.
    id.is_alive().then_some(descriptor)
}

/// Signals a process and everything in the group that it leads, if it is alive.
///
/// The number of a group is not given away while anybody is in it, and pids are given in turn, so the moment between
/// the look and the signal is safe.
pub fn signal_group(id: ProcessId, signal: Signal) {
    if let Some(pid) = pid_of(id).filter(|_| id.is_alive()) {
        // It may lead no group any more. That it has ended meanwhile is what was wanted.
        let _ = kill_process_group(pid, signal).or_else(|_| kill_process(pid, signal));
    }
}

/// Signals one process, if it is alive.
pub fn signal_one(id: ProcessId, signal: Signal) {
    let Some(pid) = pid_of(id) else { return };
    match descriptor_of(pid) {
        Some(descriptor) if id.is_alive() => send(&descriptor, signal),
        None if id.is_alive() => {
            let _ = kill_process(pid, signal);
        }
        _ => {}
    }
}

/// The pid as the kernel takes it. To signal the group of pid 1 would mean every process there is.
fn pid_of(id: ProcessId) -> Option<Pid> {
    i32::try_from(id.pid).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw)
}

#[cfg(target_os = "linux")]
fn descriptor_of(pid: Pid) -> Option<OwnedFd> {
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(target_os = "linux")]
fn send(descriptor: &OwnedFd, signal: Signal) {
    // A process that has ended needs no signal.
    let _ = rustix::process::pidfd_send_signal(descriptor, signal);
}

#[cfg(not(target_os = "linux"))]
fn descriptor_of(_: Pid) -> Option<OwnedFd> {
    None
}

#[cfg(not(target_os = "linux"))]
fn send(_: &OwnedFd, _: Signal) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_process_and_no_process_are_never_signalled() {
        for pid in [0, 1, u32::MAX] {
            assert!(pid_of(ProcessId { pid, start: 0 }).is_none(), "{pid}");
        }
    }
}
