//! How much memory a process of Flink is given, where the configuration sizes a part of it in place of the whole.
//!
//! # Source
//! Apache Flink 1.20, `ProcessMemoryUtils`, `JobManagerFlinkMemoryUtils`, `TaskExecutorFlinkMemoryUtils` and the
//! defaults of `JobManagerOptions` and `TaskManagerOptions`.

use kobel_model::deployment::Amounts;
use kobel_model::quantity::parse_memory;
use kobel_model::resource_quantity::parse_memory_amount;

use super::Component;
use crate::configuration::Configuration;

/// Bytes in a mebibyte.
const MIB: u64 = 1 << 20;

/// A part that is a share of the whole, within bounds.
struct Share {
    /// Its name in keys.
    name: &'static str,
    /// Its bounds in bytes, unless they are configured.
    bounds: (u64, u64),
}

/// What the JVM takes besides.
const OVERHEAD: Share = Share { name: "jvm-overhead", bounds: (192 * MIB, 1024 * MIB) };
/// The buffers of the network.
const NETWORK: Share = Share { name: "network", bounds: (64 * MIB, u64::MAX) };
/// The share of either, unless it is configured.
const FRACTION: f64 = 0.1;

/// The whole memory of a process, in mebibytes.
pub(super) fn mebibytes(configuration: &Configuration, component: Component, amounts: &Amounts) -> u64 {
    let sizes = Sizes { configuration, component };
    let bytes = sizes.get("process.size").or_else(|| sizes.of_parts()).unwrap_or(amounts.memory);
    bytes / MIB
}

/// A size times a factor, rounded down; sizes are far below the integers that a double holds.
pub(super) fn scaled(size: u64, factor: f64) -> u64 {
    (size as f64 * factor) as u64
}

/// The sizes that are configured for a component.
struct Sizes<'a> {
    configuration: &'a Configuration,
    component: Component,
}

impl Sizes<'_> {
    fn text(&self, option: &str) -> Option<&str> {
        self.configuration.get(&format!("{}.memory.{option}", self.component.as_str()))
    }

    fn get(&self, option: &str) -> Option<u64> {
        let text = self.text(option)?;
        // A part may be nothing, which no amount of a process is.
        parse_memory(text).or_else(|_| parse_memory_amount(text)).ok()
    }

    fn or(&self, option: &str, mebibytes: u64) -> u64 {
        self.get(option).unwrap_or(mebibytes * MIB)
    }

    /// The whole, if a part is sized.
    fn of_parts(&self) -> Option<u64> {
        let flink = self.get("flink.size").or_else(|| match self.component {
            Component::JobManager => Some(self.get("heap.size")?.saturating_add(self.or("off-heap.size", 128))),
            Component::TaskManager => self.of_tasks(),
        })?;
        let inner = flink.saturating_add(self.or("jvm-metaspace.size", 256));
        Some(inner.saturating_add(self.share(&OVERHEAD, inner)))
    }

    /// What a task manager takes besides the JVM's own, if the parts are sized that must be.
    fn of_tasks(&self) -> Option<u64> {
        let parts = [
            self.get("task.heap.size")?,
            self.get("managed.size")?,
            self.or("framework.heap.size", 128),
            self.or("framework.off-heap.size", 128),
            self.or("task.off-heap.size", 0),
        ];
        let inner = parts.iter().fold(0_u64, |sum, part| sum.saturating_add(*part));
        Some(inner.saturating_add(self.share(&NETWORK, inner)))
    }

    /// The part that is a share of the sum of itself and `others`.
    fn share(&self, share: &Share, others: u64) -> u64 {
        let bound = |end: &str, default: u64| self.get(&format!("{}.{end}", share.name)).unwrap_or(default);
        let (least, most) = (bound("min", share.bounds.0), bound("max", share.bounds.1));
        let fraction = self.text(&format!("{}.fraction", share.name)).and_then(|text| text.trim().parse().ok());
        let fraction = fraction.filter(|fraction: &f64| (0.0..1.0).contains(fraction)).unwrap_or(FRACTION);
        scaled(others, fraction / (1.0 - fraction)).min(most).max(least)
    }
}

#[cfg(test)]
mod tests {
    use kobel_model::deployment::FlinkConfiguration;

    use super::*;

    #[test]
    fn a_part_sizes_the_whole_as_in_flink() {
        for (component, values, expected) in [
            (Component::JobManager, &[][..], 1000),
            (Component::JobManager, &[("process.size", "1600m"), ("flink.size", "1g")][..], 1600),
            // 1024 + 256, and a tenth of the whole is less than 192.
            (Component::JobManager, &[("flink.size", "1g")][..], 1024 + 256 + 192),
            (Component::JobManager, &[("heap.size", "1g")][..], 1024 + 128 + 256 + 192),
            // 18 of 20 parts, so the tenth is 2.
            (Component::JobManager, &[("flink.size", "4352m")][..], 4352 + 256 + 512),
            (Component::JobManager, &[("flink.size", "100g")][..], 102_400 + 256 + 1024),
            (Component::TaskManager, &[("heap.size", "1g")][..], 1000),
            (Component::TaskManager, &[("task.heap.size", "1g")][..], 1000),
            (Component::TaskManager, &[("flink.size", "1 gb"), ("jvm-metaspace.size", "0 b")][..], 1024 + 192),
            // 384 + 512 + 256 = 1152 and 128 of network; 256 and 192 of the JVM.
            (
                Component::TaskManager,
                &[("task.heap.size", "384m"), ("managed.size", "512m")][..],
                1152 + 128 + 256 + 192,
            ),
        ] {
            let mut configuration = Configuration::of(&FlinkConfiguration::default());
            for (option, value) in values {
                configuration.force(&format!("{}.memory.{option}", component.as_str()), *value);
            }
            let amounts = Amounts {
                memory: 1000 * MIB,
                memory_limit: None,
                cpu_millis: 1000,
                cpu_limit_millis: None,
                others: Vec::new(),
            };
            assert_eq!(mebibytes(&configuration, component, &amounts), expected, "for {values:?}");
        }
    }
}
