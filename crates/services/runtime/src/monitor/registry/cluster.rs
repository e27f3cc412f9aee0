//! Metrics of the JobManager, of the TaskManager, and of the process that is both.
//!
//! The names below `Status.JVM` are those that Flink's tools look for. What only a Java machine has is 0 here, as it
//! would be in one that has none of it, and only where Flink's Web UI or autoscaler cannot do without the name.

use crate::monitor::definition::{Definition, Reading, counter, gauge, meter};
use crate::monitor::process::ProcessFigures;
use crate::monitor::value::MetricValue;

/// What the JobManager knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobManagerReading {
    /// All slots.
    pub(crate) slots: usize,
    /// Slots that no job uses.
    pub(crate) slots_free: usize,
    /// Jobs that have not ended.
    pub(crate) jobs: usize,
}

impl Reading for JobManagerReading {
    fn definitions() -> &'static [Definition<Self>] {
        JOB_MANAGER
    }
}

static JOB_MANAGER: &[Definition<JobManagerReading>] = &[
    gauge("numRegisteredTaskManagers", "TaskManagers: always 1, the process itself.", |_: &JobManagerReading| {
        Some(1_u64.into())
    }),
    gauge("numRunningJobs", "Jobs that have not ended.", |cluster: &JobManagerReading| count(cluster.jobs)),
    gauge("taskSlotsAvailable", "Slots that no job uses.", |cluster: &JobManagerReading| count(cluster.slots_free)),
    gauge("taskSlotsTotal", "All slots, used or free.", |cluster: &JobManagerReading| count(cluster.slots)),
];

/// What the TaskManager knows beside the figures of the process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskManagerReading;

impl Reading for TaskManagerReading {
    fn definitions() -> &'static [Definition<Self>] {
        TASK_MANAGER
    }
}

static TASK_MANAGER: &[Definition<TaskManagerReading>] = &[
    gauge(
        "Status.Flink.Memory.Managed.Total",
        "Managed memory: always 0, state is in the memory of the process.",
        |_: &TaskManagerReading| nothing(),
    ),
    gauge("Status.Flink.Memory.Managed.Used", "Managed memory in use: always 0.", |_: &TaskManagerReading| nothing()),
];

impl Reading for ProcessFigures {
    fn definitions() -> &'static [Definition<Self>] {
        PROCESS
    }
}

static PROCESS: &[Definition<ProcessFigures>] = &[
    gauge(
        "Status.JVM.CPU.Load",
        "Part of all processors that the process used in the last second, between 0 and 1.",
        |process: &ProcessFigures| process.cpu_load.map(MetricValue::from),
    ),
    gauge("Status.JVM.CPU.Time", "Processor time of the process in nanoseconds.", |process: &ProcessFigures| {
        process.cpu_ns.map(MetricValue::from)
    }),
    gauge("Status.JVM.FileDescriptor.Max", "Files that the process may have open.", |process: &ProcessFigures| {
        process.files_max.map(MetricValue::from)
    }),
    gauge("Status.JVM.FileDescriptor.Open", "Files that the process has open.", |process: &ProcessFigures| {
        process.files.map(MetricValue::from)
    }),
    counter(
        "Status.JVM.GarbageCollector.All.Count",
        "Garbage collections: always 0, there is no garbage.",
        |_: &ProcessFigures| nothing(),
    ),
    counter(
        "Status.JVM.GarbageCollector.All.Time",
        "Milliseconds of garbage collection: always 0.",
        |_: &ProcessFigures| nothing(),
    ),
    meter(
        "Status.JVM.GarbageCollector.All.TimeMsPerSecond",
        "Milliseconds of garbage collection per second: always 0.",
        |_: &ProcessFigures| Some(0.0_f64.into()),
    ),
    gauge("Status.JVM.Memory.Direct.Count", "Buffers off the heap: always 0.", |_: &ProcessFigures| nothing()),
    gauge("Status.JVM.Memory.Direct.MemoryUsed", "Bytes off the heap: always 0.", |_: &ProcessFigures| nothing()),
    gauge("Status.JVM.Memory.Direct.TotalCapacity", "Bytes off the heap: always 0.", |_: &ProcessFigures| nothing()),
    gauge(
        "Status.JVM.Memory.Heap.Committed",
        "Bytes of memory that the process has: its resident set.",
        |process: &ProcessFigures| process.memory_bytes.map(MetricValue::from),
    ),
    gauge(
        "Status.JVM.Memory.Heap.Max",
        "Bytes of memory that the process may have: those of the machine, or of its control group if that is less.",
        |process: &ProcessFigures| process.memory_bytes_max.map(MetricValue::from),
    ),
    gauge(
        "Status.JVM.Memory.Heap.Used",
        "Bytes of memory that the process uses: its resident set.",
        |process: &ProcessFigures| process.memory_bytes.map(MetricValue::from),
    ),
    gauge("Status.JVM.Memory.Mapped.Count", "Mapped buffers: always 0.", |_: &ProcessFigures| nothing()),
    gauge("Status.JVM.Memory.Mapped.MemoryUsed", "Bytes of mapped buffers: always 0.", |_: &ProcessFigures| nothing()),
    gauge("Status.JVM.Memory.Mapped.TotalCapacity", "Bytes of mapped buffers: always 0.", |_: &ProcessFigures| {
        nothing()
    }),
    gauge(
        "Status.JVM.Memory.Metaspace.Committed",
        "Bytes of class metadata: always 0, there are no classes.",
        |_: &ProcessFigures| nothing(),
    ),
    gauge("Status.JVM.Memory.Metaspace.Max", "Bytes of class metadata: always 0.", |_: &ProcessFigures| nothing()),
    gauge("Status.JVM.Memory.Metaspace.Used", "Bytes of class metadata: always 0.", |_: &ProcessFigures| nothing()),
    gauge("Status.JVM.Memory.NonHeap.Committed", "Bytes beside the heap: always 0.", |_: &ProcessFigures| nothing()),
    gauge("Status.JVM.Memory.NonHeap.Max", "Bytes beside the heap: always 0.", |_: &ProcessFigures| nothing()),
    gauge("Status.JVM.Memory.NonHeap.Used", "Bytes beside the heap: always 0.", |_: &ProcessFigures| nothing()),
    gauge("Status.JVM.Threads.Count", "Threads of the process.", |process: &ProcessFigures| {
        process.threads.map(MetricValue::from)
    }),
];

fn count(value: usize) -> Option<MetricValue> {
    Some(MetricValue::Count(value as u64))
}

fn nothing() -> Option<MetricValue> {
    Some(MetricValue::Count(0))
}
