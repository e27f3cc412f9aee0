//! What the kernel says of this process; Prometheus' own names are used where it has one.

use std::fmt::{self, Write};
use std::fs;

/// Writes what can be found out; what cannot is left out.
pub(crate) fn write(out: &mut String) -> fmt::Result {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for (field, name, help) in [
        ("VmRSS", "process_resident_memory_bytes", "Memory of this process that is in RAM."),
        ("VmHWM", "process_resident_memory_max_bytes", "The most memory of this process that was in RAM."),
    ] {
        if let Some(bytes) = bytes(&status, field) {
            writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {bytes}")?;
        }
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        let name = "process_open_fds";
        writeln!(out, "# HELP {name} Open files of this process.\n# TYPE {name} gauge\n{name} {}", files.count())?;
    }
    Ok(())
}

/// A field of `/proc/self/status`, which is in KiB whatever its unit is called.
fn bytes(status: &str, field: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_told_in_bytes() {
        let status = "Name:\tkobel\nVmHWM:\t   60000 kB\nVmRSS:\t   51200 kB\nVmX:\t1\n";
        let table = [("VmRSS", Some(52_428_800)), ("VmHWM", Some(61_440_000)), ("VmX", None), ("Vm", None)];
        for (field, expected) in table {
            assert_eq!(bytes(status, field), expected, "{field}");
        }
    }
}
