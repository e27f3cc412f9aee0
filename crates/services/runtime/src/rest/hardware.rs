//! What the machine has: cores and memory.

use std::fs;
use std::thread;

/// Where the kernel tells of memory.
const MEMORY_FILE: &str = "/proc/meminfo";

/// The memory of the machine in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// All of it.
    pub(crate) total: i64,
    /// What programs can still get.
    pub(crate) available: i64,
}

/// The memory of this machine; nothing where the kernel does not tell.
pub(crate) fn memory() -> Memory {
    fs::read_to_string(MEMORY_FILE).map(|text| parse(&text)).unwrap_or_default()
}

/// The cores that this process may use.
pub(crate) fn cores() -> i64 {
    thread::available_parallelism().map_or(1, |cores| i64::try_from(cores.get()).unwrap_or(i64::MAX))
}

/// Reads lines such as `MemTotal:  24684092 kB`.
fn parse(text: &str) -> Memory {
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let number = line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|line| line.trim().parse().ok());
        number.unwrap_or(0_i64).saturating_mul(1_024)
    };
    Memory { total: value("MemTotal"), available: value("MemAvailable") }
}

#[cfg(test)]
mod tests {
    use super::{Memory, cores, parse};

    #[test]
    fn the_file_of_the_kernel_is_read_by_its_labels() {
        let text = "MemTotal:       24684092 kB\nMemFree:         100 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(parse(text), Memory { total: 24_684_092 * 1_024, available: 20_000_000 * 1_024 });
    }

    #[test]
    fn what_is_not_told_is_zero() {
        for text in ["", "MemTotal 5 kB", "MemTotal: x kB\nMemAvailable: 5\n", "XMemTotal: 5 kB"] {
            assert_eq!(parse(text), Memory::default(), "for {text:?}");
        }
    }

    #[test]
    fn there_is_at_least_one_core() {
        assert!(cores() >= 1);
    }
}
