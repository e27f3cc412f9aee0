//! Limits of memory and CPU, by control groups of version 2 where this program may make some. A limit that cannot be
//! set never keeps a process from starting; that limits do not hold is said instead.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::seen::Limits;

/// Where control groups are mounted.
const MOUNT: &str = "/sys/fs/cgroup";
/// What the limits need of the kernel.
const CONTROLLERS: [&str; 2] = ["memory", "cpu"];
/// The group that this program moves into when its own one has to make room: a group that hands controllers on may
/// have no processes itself.
const OWN: &str = "kobel-up";
/// The microseconds of which a share of CPU is counted.
const PERIOD: u64 = 100_000;

/// What a process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Thousandths of a CPU.
    pub cpu_millis: Option<u32>,
}

/// The control groups of this machine, looked for when they are first asked for.
#[derive(Debug, Default)]
pub struct Cgroups {
    parent: OnceLock<Result<PathBuf, String>>,
}

impl Cgroups {
    /// Whether limits hold.
    pub fn limits(&self) -> Limits {
        match self.parent() {
            Ok(_) => Limits::Enforced,
            Err(reason) => Limits::NotHere(reason.clone()),
        }
    }

    /// Puts a process into a group of its own named after `token`; absent if it is allowed everything, or limits do
    /// not hold.
    pub fn confine(&self, token: &str, pid: u32, allowance: Allowance) -> Option<PathBuf> {
        if allowance.memory.is_none() && allowance.cpu_millis.is_none() {
            return None;
        }
        let group = self.parent().as_ref().ok()?.join(format!("kobel-{token}"));
        if confine(&group, pid, allowance).is_err() {
            remove(&group);
            return None;
        }
        Some(group)
    }

    fn parent(&self) -> &Result<PathBuf, String> {
        self.parent.get_or_init(|| {
            let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
            find(Path::new(MOUNT), &own, std::process::id())
        })
    }
}

/// Removes a group, if nobody is in it.
pub fn remove(group: &Path) {
    let _ = fs::remove_dir(group);
}

/// Whether a process of the group was killed because the group had no memory left.
pub fn ran_out_of_memory(group: &Path) -> bool {
    let events = fs::read_to_string(group.join("memory.events")).unwrap_or_default();
    events.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|count| count.trim() != "0"))
}

fn confine(group: &Path, pid: u32, allowance: Allowance) -> io::Result<()> {
    fs::create_dir(group)?;
    if let Some(memory) = allowance.memory {
        fs::write(group.join("memory.max"), memory.to_string())?;
    }
    if let Some(millis) = allowance.cpu_millis {
        // The kernel takes no less than a millisecond.
        let quota = (u64::from(millis) * PERIOD / 1000).max(1000);
        fs::write(group.join("cpu.max"), format!("{quota} {PERIOD}"))?;
    }
    fs::write(group.join("cgroup.procs"), pid.to_string())
}

/// Finds the group below which groups with limits can be made, given what `/proc/self/cgroup` says.
fn find(mount: &Path, own: &str, pid: u32) -> Result<PathBuf, String> {
    if !mount.join("cgroup.controllers").exists() {
        return Err(format!("control groups of version 2 are not mounted at `{}`", mount.display()));
    }
    let Some(own) = own.lines().find_map(|line| line.strip_prefix("0::")) else {
        return Err("this process is in no control group of version 2".to_owned());
    };
    let mut parent = mount.join(own.trim().trim_start_matches('/'));
    if parent.ends_with(OWN) {
        parent.pop();
    }
    if !has_controllers(&parent.join("cgroup.controllers")) {
        let message = "has no `memory` and `cpu` controllers; start `kobel up` in a delegated one, for instance with \
                       `systemd-run --user --scope -p Delegate=yes kobel up`";
        return Err(format!("the control group `{}` {message}", parent.display()));
    }
    hand_on(&parent, pid).and_then(|()| try_group(&parent, pid)).map_err(|error| {
        format!("the control group `{}` cannot be divided: {error}; it has to be delegated", parent.display())
    })?;
    Ok(parent)
}

fn has_controllers(list: &Path) -> bool {
    let list = fs::read_to_string(list).unwrap_or_default();
    CONTROLLERS.iter().all(|needed| list.split_ascii_whitespace().any(|found| found == *needed))
}

/// Lets groups below `parent` have limits.
fn hand_on(parent: &Path, pid: u32) -> io::Result<()> {
    let control = parent.join("cgroup.subtree_control");
    if has_controllers(&control) {
        return Ok(());
    }
    let wanted = "+memory +cpu";
    let Err(error) = fs::write(&control, wanted) else { return Ok(()) };
    // Other programs are not moved around.
    let members = fs::read_to_string(parent.join("cgroup.procs"))?;
    if members.split_ascii_whitespace().any(|member| member != pid.to_string()) {
        return Err(error);
    }
    let own = parent.join(OWN);
    fs::create_dir_all(&own)?;
    fs::write(own.join("cgroup.procs"), pid.to_string())?;
    fs::write(&control, wanted)
}

/// Makes a group and removes it.
fn try_group(parent: &Path, pid: u32) -> io::Result<()> {
    let probe = parent.join(format!("kobel-probe-{pid}"));
    fs::create_dir(&probe)?;
    fs::remove_dir(&probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that looks like control groups; only a group that is removed shows the difference.
    fn machine(controllers: &str) -> tempfile::TempDir {
        let mount = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(mount.path().join("a/b")).expect("made");
        for group in ["", "a/b"] {
            for (file, text) in
                [("cgroup.controllers", controllers), ("cgroup.subtree_control", ""), ("cgroup.procs", "")]
            {
                fs::write(mount.path().join(group).join(file), text).expect("written");
            }
        }
        mount
    }

    #[test]
    fn groups_are_made_below_the_own_one_if_it_is_delegated() {
        for (controllers, own, expected) in [
            ("cpuset cpu io memory pids", "0::/a/b\n", Ok("a/b")),
            ("cpu memory", "5:cpu:/x\n0::/a/b\n", Ok("a/b")),
            ("cpu memory", "0::/a/b/kobel-up\n", Ok("a/b")),
            ("cpu memory", "5:cpu:/x\n", Err("in no control group")),
            ("memory pids", "0::/a/b\n", Err("has no `memory` and `cpu` controllers")),
            ("cpuacct memory", "0::/a/b\n", Err("has no `memory` and `cpu` controllers")),
            ("cpu memory", "0::/a/gone\n", Err("has no `memory` and `cpu` controllers")),
        ] {
            let mount = machine(controllers);
            let found = find(mount.path(), own, 1);
            match (found, expected) {
                (Ok(found), Ok(expected)) => {
                    assert_eq!(found, mount.path().join(expected), "{own}");
                    let control = fs::read_to_string(found.join("cgroup.subtree_control")).expect("read");
                    assert_eq!(control, "+memory +cpu");
                }
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, expected) => panic!("{controllers} {own}: {found:?} instead of {expected:?}"),
            }
        }
        let nothing = tempfile::tempdir().expect("a directory");
        assert!(find(nothing.path(), "0::/\n", 1).is_err_and(|reason| reason.contains("not mounted")));
    }

    #[test]
    fn a_process_is_confined_to_what_the_spec_says() {
        let mount = machine("cpu memory");
        let cgroups = Cgroups { parent: OnceLock::from(Ok(mount.path().join("a/b"))) };
        assert_eq!(cgroups.limits(), Limits::Enforced);
        let allowance = Allowance { memory: Some(1 << 30), cpu_millis: Some(1500) };
        let group = cgroups.confine("0a1b", 77, allowance).expect("confined");
        assert_eq!(group, mount.path().join("a/b/kobel-0a1b"));
        for (file, expected) in [("memory.max", "1073741824"), ("cpu.max", "150000 100000"), ("cgroup.procs", "77")] {
            assert_eq!(fs::read_to_string(group.join(file)).expect("read"), expected, "{file}");
        }
        assert!(cgroups.confine("0a1c", 77, Allowance { memory: None, cpu_millis: None }).is_none());
        assert!(cgroups.confine("0a1b", 77, allowance).is_none(), "the group is somebody else's");
    }

    #[test]
    fn where_limits_do_not_hold_a_process_runs_without() {
        let cgroups = Cgroups { parent: OnceLock::from(Err("because".to_owned())) };
        assert_eq!(cgroups.limits(), Limits::NotHere("because".to_owned()));
        assert!(cgroups.confine("0a1b", 77, Allowance { memory: Some(1), cpu_millis: None }).is_none());
    }

    #[test]
    fn a_kill_for_want_of_memory_is_counted() {
        let group = tempfile::tempdir().expect("a directory");
        assert!(!ran_out_of_memory(group.path()));
        for (events, expected) in [("low 0\noom 1\noom_kill 0\n", false), ("oom 1\noom_kill 2\n", true)] {
            fs::write(group.path().join("memory.events"), events).expect("written");
            assert_eq!(ran_out_of_memory(group.path()), expected, "{events}");
        }
    }
}
