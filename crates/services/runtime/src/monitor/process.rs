//! What the process uses of the machine, read from `/proc`.
//!
//! Reading happens in [`Probe::figures`] only, once a second; requests see what it found. Where there is no `/proc`, or
//! a file of it says something unexpected, the figure is absent: nothing is made up.

use std::fs;
use std::time::Duration;

/// The time between two looks at processor time from which a load can be told: the kernel counts it in hundredths of a
/// second.
const LOAD_TIME_MIN: Duration = Duration::from_millis(500);

/// What the process uses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ProcessFigures {
    /// Processors that it may use.
    pub(crate) processors: Option<u64>,
    /// Bytes of memory of the machine.
    pub(crate) machine_bytes: Option<u64>,
    /// Bytes of memory that programs on the machine can still get.
    pub(crate) machine_bytes_available: Option<u64>,
    /// Processor time in nanoseconds.
    pub(crate) cpu_ns: Option<u64>,
    /// Part of all processors that it used lately, between 0 and 1.
    pub(crate) cpu_load: Option<f64>,
    /// Bytes of memory that are resident.
    pub(crate) memory_bytes: Option<u64>,
    /// Bytes of memory that it may have: those of the machine, or of its control group if that is less.
    pub(crate) memory_bytes_max: Option<u64>,
    /// Threads.
    pub(crate) threads: Option<u64>,
    /// Open files.
    pub(crate) files: Option<u64>,
    /// Files that it may have open.
    pub(crate) files_max: Option<u64>,
}

/// Reads figures.
#[derive(Debug)]
pub(crate) struct Probe {
    processors: u64,
    /// Bytes that the control group may have.
    group_bytes_max: Option<u64>,
    files_max: Option<u64>,
    /// When processor time was read for the load, and how much it was.
    last_cpu: Option<(Duration, u64)>,
    /// The load that followed from it.
    last_load: Option<f64>,
}

impl Probe {
    /// Reads what does not change.
    pub(crate) fn new() -> Self {
        Self {
            processors: std::thread::available_parallelism().map_or(1, |count| count.get() as u64),
            group_bytes_max: read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse().ok()),
            files_max: read("/proc/self/limits").and_then(|text| open_files_limit(&text)),
            last_cpu: None,
            last_load: None,
        }
    }

    /// Reads what changes; `at` is the time of a monotonic clock.
    pub(crate) fn figures(&mut self, at: Duration) -> ProcessFigures {
        let cpu_ns = read("/proc/self/stat").and_then(|text| cpu_ns(&text));
        let status = read("/proc/self/status").unwrap_or_default();
        let machine = read("/proc/meminfo").unwrap_or_default();
        let machine_bytes = kilobytes(&machine, "MemTotal:");
        ProcessFigures {
            processors: Some(self.processors),
            machine_bytes,
            machine_bytes_available: kilobytes(&machine, "MemAvailable:"),
            cpu_ns,
            cpu_load: cpu_ns.and_then(|cpu_ns| self.load(at, cpu_ns)),
            memory_bytes: kilobytes(&status, "VmRSS:"),
            memory_bytes_max: [machine_bytes, self.group_bytes_max].into_iter().flatten().min(),
            threads: field(&status, "Threads:").and_then(|text| text.parse().ok()),
            files: fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as u64),
            files_max: self.files_max,
        }
    }

    /// The load since the last look; too soon after it, the load of then.
    fn load(&mut self, at: Duration, cpu_ns: u64) -> Option<f64> {
        let Some((before, cpu_before)) = self.last_cpu else {
            self.last_cpu = Some((at, cpu_ns));
            return None;
        };
        let elapsed = at.saturating_sub(before);
        if elapsed >= LOAD_TIME_MIN {
            let used_ns = cpu_ns.saturating_sub(cpu_before) as f64;
            self.last_load = Some((used_ns / elapsed.as_nanos() as f64 / self.processors as f64).min(1.0));
            self.last_cpu = Some((at, cpu_ns));
        }
        self.last_load
    }
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// Processor time in user and kernel mode from `/proc/<pid>/stat`.
fn cpu_ns(stat: &str) -> Option<u64> {
    /// The kernel counts these in hundredths of a second, whatever its own clock is.
    const TICK_NS: u64 = 10_000_000;
    // The name of the program, in parentheses, may hold anything, even parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)?.checked_mul(TICK_NS)
}

/// The value behind a name, in a file with a name and a value on each line.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// Bytes of a value in kilobytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let value: u64 = field(text, name)?.strip_suffix("kB")?.trim().parse().ok()?;
    value.checked_mul(1_024)
}

/// The soft limit of open files from `/proc/<pid>/limits`; `None` if there is none.
fn open_files_limit(limits: &str) -> Option<u64> {
    field(limits, "Max open files")?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Probe, cpu_ns, kilobytes, open_files_limit};
    use std::time::Duration;

    #[test]
    fn processor_time_is_found_behind_any_name() {
        let numbers = "S 1 2 3 0 -1 4194560 1000 0 0 0 250 50 0 0 20 0 12 0 100 1000000 500 18446744073709551615";
        for name in ["kobel", "a b", ") S 1 (", ""] {
            assert_eq!(cpu_ns(&format!("42 ({name}) {numbers}")), Some(3_000_000_000), "{name}");
        }
        for text in ["", "42 (kobel) S 1 2", "42 (kobel) S 1 2 3 0 -1 4194560 1000 0 0 0 x 50"] {
            assert_eq!(cpu_ns(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_kilobytes_and_nothing_else_is_one() {
        let status =
            "Name:\tkobel\nVmHWM:\t  20000 kB\nVmRSS:\t   12345 kB\nThreads:\t7\nVmOdd:\t12 MB\nVmBad:\tx kB\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(12_345 * 1_024));
        for name in ["VmOdd:", "VmBad:", "VmNone:", "Threads:"] {
            assert_eq!(kilobytes(status, name), None, "{name}");
        }
    }

    #[test]
    fn the_soft_limit_of_open_files_is_the_one_that_holds() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             63430                63430                processes \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(open_files_limit(limits), Some(1_024));
        assert_eq!(open_files_limit("Max open files            unlimited            unlimited            files"), None);
        assert_eq!(open_files_limit(""), None);
    }

    #[test]
    fn load_is_a_part_of_all_processors() {
        let mut probe =
            Probe { processors: 4, group_bytes_max: None, files_max: None, last_cpu: None, last_load: None };
        let ms = Duration::from_millis;
        assert_eq!(probe.load(ms(1_000), 1_000), None, "there was no look before");
        assert_eq!(probe.load(ms(1_010), 10_001_000), None, "it is too soon to tell");
        assert_eq!(probe.load(ms(2_000), 2_000_001_000), Some(0.5));
        assert_eq!(probe.load(ms(2_499), 4_000_001_000), Some(0.5), "it is too soon to tell anything new");
        assert_eq!(probe.load(ms(1_000), 4_000_001_000), Some(0.5), "no time has passed");
        assert_eq!(probe.load(ms(3_000), 3_000_001_000), Some(0.25), "since the last one that was told");
        assert_eq!(probe.load(ms(4_000), 90_000_001_000), Some(1.0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_figures() {
        let mut probe = Probe::new();
        let first = probe.figures(Duration::from_secs(1));
        assert!(first.cpu_ns.is_some() && first.cpu_load.is_none(), "{first:?}");
        assert!(first.memory_bytes.is_some_and(|bytes| bytes > 100_000), "{first:?}");
        assert!(first.memory_bytes <= first.memory_bytes_max, "{first:?}");
        assert!(first.memory_bytes_max <= first.machine_bytes, "{first:?}");
        assert!(first.machine_bytes_available.is_some_and(|bytes| bytes > 0), "{first:?}");
        assert!(first.machine_bytes_available < first.machine_bytes, "{first:?}");
        assert!(first.processors.is_some_and(|processors| processors > 0), "{first:?}");
        assert!(first.threads.is_some_and(|threads| threads > 0) && first.files.is_some_and(|files| files > 2));
        assert!(probe.figures(Duration::from_secs(2)).cpu_load.is_some_and(|load| (0.0..=1.0).contains(&load)));
    }
}
