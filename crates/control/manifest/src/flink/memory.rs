//! How large the processes of Flink are made.

use kobel_model::deployment::Amounts;
use kobel_model::quantity::show_memory;
use kobel_model::resource_quantity::parse_memory_amount;

use crate::configuration::Configuration;
use crate::sizes;

/// The keys that size one kind of process.
#[derive(Debug)]
pub(crate) struct Keys {
    /// The whole process.
    process: &'static str,
    /// Groups that size a part of it in place of the whole.
    parts: &'static [&'static [&'static str]],
}

/// The job manager.
pub(crate) const JOB_MANAGER: Keys = Keys {
    process: "jobmanager.memory.process.size",
    parts: &[&["jobmanager.memory.flink.size"], &["jobmanager.memory.heap.size"]],
};
/// A task manager.
pub(crate) const TASK_MANAGER: Keys = Keys {
    process: "taskmanager.memory.process.size",
    parts: &[
        &["taskmanager.memory.flink.size"],
        &["taskmanager.memory.task.heap.size", "taskmanager.memory.managed.size"],
    ],
};

/// Sizes a process as the spec says; returns the bytes that it may use, if they are known.
///
/// Where the configuration sizes a part and the spec says nothing, the amounts are those of the part. Flink then works
/// out the whole itself, and no one else knows it.
pub(crate) fn size(configuration: &mut Configuration, keys: &Keys, amounts: &Amounts) -> Option<u64> {
    let sum = |group: &[&str]| {
        group.iter().try_fold(0_u64, |sum, key| {
            let bytes = parse_memory_amount(configuration.get(key)?).ok()?;
            Some(sum.saturating_add(bytes))
        })
    };
    let has_part = keys.parts.iter().any(|group| sum(group) == Some(amounts.memory));
    if configuration.get(keys.process).is_none() && has_part {
        return None;
    }
    configuration.force(keys.process, show_memory(amounts.memory));
    Some(sizes::memory(amounts))
}

#[cfg(test)]
mod tests {
    use kobel_model::deployment::FlinkConfiguration;

    use super::*;

    #[test]
    fn the_spec_sizes_the_process_unless_its_size_came_from_a_part() {
        let gib = 1_u64 << 30;
        for (key, memory, limit, expected, process) in [
            ("a", gib, None, Some(gib), Some("1 gb")),
            ("a", gib, Some(2 * gib), Some(2 * gib), Some("1 gb")),
            ("jobmanager.memory.process.size", 2 * gib, None, Some(2 * gib), Some("2 gb")),
            ("jobmanager.memory.flink.size", gib, None, None, None),
            ("jobmanager.memory.flink.size", 2 * gib, None, Some(2 * gib), Some("2 gb")),
        ] {
            let values = [(key.to_owned(), "1g".to_owned())];
            let mut configuration = Configuration::of(&FlinkConfiguration::new(values.into()));
            let amounts =
                Amounts { memory, memory_limit: limit, cpu_millis: 1000, cpu_limit_millis: None, others: Vec::new() };
            assert_eq!(size(&mut configuration, &JOB_MANAGER, &amounts), expected, "for `{key}`");
            assert_eq!(configuration.get(JOB_MANAGER.process), process, "for `{key}`");
        }
    }
}
