//! Metrics of a task: what crosses its edges, where its time goes, how its part in checkpoints went.
//!
//! All tasks are in one process, so what comes from another task is always local; a batch counts as a buffer.

use std::sync::atomic::{AtomicU64, Ordering};

use kobel_rest::states::ExecutionState;

use crate::metrics::{TaskMetrics, TaskTime};
use crate::monitor::definition::{Definition, Reading, counter, gauge, meter};
use crate::monitor::samples::TaskRates;
use crate::monitor::value::MetricValue;

/// What Flink says of a watermark that has not come.
const NO_WATERMARK: i64 = i64::MIN;
/// Milliseconds of the last second above which a task counts as back-pressured.
const BACK_PRESSURED_MS: f64 = 500.0;

/// A moment of a task.
#[derive(Debug, Clone)]
pub(crate) struct TaskReading {
    /// `None` for a task without inputs; then what its head took last, if anything.
    watermark_in: Option<Option<i64>>,
    rows_in: u64,
    rows_out: u64,
    bytes_in: u64,
    bytes_out: u64,
    batches_in: u64,
    batches_out: u64,
    busy_ns: u64,
    back_pressured_ns: u64,
    idle_ns: u64,
    alignment_ns: u64,
    start_delay_ns: u64,
    initialization_ms: i64,
    rates: TaskRates,
}

impl TaskReading {
    /// Reads a task; `watermark_in` is `None` for one without inputs.
    pub(crate) fn new(task: &TaskMetrics, watermark_in: Option<Option<i64>>, rates: TaskRates) -> Self {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let began = task.since_ms(ExecutionState::Initializing);
        let ran = task.since_ms(ExecutionState::Running);
        Self {
            watermark_in,
            rows_in: read(&task.rows_in),
            rows_out: read(&task.rows_out),
            bytes_in: read(&task.bytes_in),
            bytes_out: read(&task.bytes_out),
            batches_in: read(&task.batches_in),
            batches_out: read(&task.batches_out),
            busy_ns: task.spent_ns(TaskTime::Busy),
            back_pressured_ns: task.spent_ns(TaskTime::BackPressured),
            idle_ns: task.spent_ns(TaskTime::Idle),
            alignment_ns: read(&task.alignment_ns),
            start_delay_ns: read(&task.start_delay_ns),
            initialization_ms: if began > 0 && ran > 0 { (ran - began).max(0) } else { 0 },
            rates,
        }
    }

    fn has_inputs(&self) -> bool {
        self.watermark_in.is_some()
    }
}

/// Whole milliseconds, as most of Flink's times are.
fn whole_ms(ms: f64) -> Option<MetricValue> {
    Some(MetricValue::Long(ms.round() as i64))
}

/// Milliseconds of nanoseconds.
fn ms(ns: u64) -> u64 {
    ns / 1_000_000
}

fn zero() -> Option<MetricValue> {
    Some(MetricValue::Count(0))
}

fn no_rate() -> Option<MetricValue> {
    Some(MetricValue::Double(0.0))
}

impl Reading for TaskReading {
    fn definitions() -> &'static [Definition<Self>] {
        TASK
    }
}

static TASK: &[Definition<TaskReading>] = &[
    counter("Shuffle.Netty.Input.numBuffersInLocal", "The same as `numBuffersInLocal`.", |task: &TaskReading| {
        Some(task.batches_in.into())
    }),
    meter(
        "Shuffle.Netty.Input.numBuffersInLocalPerSecond",
        "The same as `numBuffersInLocalPerSecond`.",
        |task: &TaskReading| Some(task.rates.batches_in.into()),
    ),
    counter("Shuffle.Netty.Input.numBytesInLocal", "The same as `numBytesInLocal`.", |task: &TaskReading| {
        Some(task.bytes_in.into())
    }),
    meter(
        "Shuffle.Netty.Input.numBytesInLocalPerSecond",
        "The same as `numBytesInLocalPerSecond`.",
        |task: &TaskReading| Some(task.rates.bytes_in.into()),
    ),
    counter(
        "accumulateBackPressuredTimeMs",
        "Milliseconds during which the task waited for those behind it.",
        |task: &TaskReading| Some(ms(task.back_pressured_ns).into()),
    ),
    counter("accumulateBusyTimeMs", "Milliseconds during which the task worked.", |task: &TaskReading| {
        Some((ms(task.busy_ns) as f64).into())
    }),
    counter("accumulateIdleTimeMs", "Milliseconds during which the task had no input.", |task: &TaskReading| {
        Some(ms(task.idle_ns).into())
    }),
    gauge(
        "backPressuredTimeMsPerSecond",
        "Milliseconds of each second that the task waits for those behind it.",
        |task: &TaskReading| whole_ms(task.rates.times.back_pressured_ms),
    ),
    gauge("busyTimeMsPerSecond", "Milliseconds of each second that the task works.", |task: &TaskReading| {
        Some(task.rates.times.busy_ms.round().into())
    }),
    gauge(
        "checkpointAlignmentTime",
        "Nanoseconds from the first barrier of the last snapshot to its last; only tasks with inputs have it.",
        |task: &TaskReading| task.has_inputs().then(|| task.alignment_ns.into()),
    ),
    gauge(
        "checkpointStartDelayNanos",
        "Nanoseconds from the trigger of the last snapshot to its first barrier at the task.",
        |task: &TaskReading| Some(task.start_delay_ns.into()),
    ),
    gauge(
        "currentInputWatermark",
        "The last watermark that the task took, in milliseconds since 1970; the least `BIGINT` before the first.",
        |task: &TaskReading| task.watermark_in.map(|watermark| watermark.unwrap_or(NO_WATERMARK).into()),
    ),
    gauge(
        "hardBackPressuredTimeMsPerSecond",
        "The same as `backPressuredTimeMsPerSecond`: a task that waits for room does nothing else.",
        |task: &TaskReading| whole_ms(task.rates.times.back_pressured_ms),
    ),
    gauge("idleTimeMsPerSecond", "Milliseconds of each second that the task has no input.", |task: &TaskReading| {
        whole_ms(task.rates.times.idle_ms)
    }),
    gauge("initializationTime", "Milliseconds that the task took to restore its state.", |task: &TaskReading| {
        Some(task.initialization_ms.into())
    }),
    gauge(
        "isBackPressured",
        "Whether the task waited for those behind it for more than half of the last second.",
        |task: &TaskReading| Some((task.rates.times_now.back_pressured_ms > BACK_PRESSURED_MS).into()),
    ),
    counter("numBuffersInLocal", "Batches from other tasks.", |task: &TaskReading| Some(task.batches_in.into())),
    meter("numBuffersInLocalPerSecond", "Batches from other tasks per second.", |task: &TaskReading| {
        Some(task.rates.batches_in.into())
    }),
    counter("numBuffersInRemote", "Batches from other processes: always 0.", |_: &TaskReading| zero()),
    meter("numBuffersInRemotePerSecond", "Batches from other processes per second: always 0.", |_: &TaskReading| {
        no_rate()
    }),
    counter("numBuffersOut", "Batches to other tasks.", |task: &TaskReading| Some(task.batches_out.into())),
    meter("numBuffersOutPerSecond", "Batches to other tasks per second.", |task: &TaskReading| {
        Some(task.rates.batches_out.into())
    }),
    counter("numBytesIn", "Bytes from other tasks.", |task: &TaskReading| Some(task.bytes_in.into())),
    counter(
        "numBytesInLocal",
        "Bytes from other tasks: all of them, since all are in this process.",
        |task: &TaskReading| Some(task.bytes_in.into()),
    ),
    meter("numBytesInLocalPerSecond", "Bytes from other tasks per second.", |task: &TaskReading| {
        Some(task.rates.bytes_in.into())
    }),
    meter("numBytesInPerSecond", "Bytes from other tasks per second.", |task: &TaskReading| {
        Some(task.rates.bytes_in.into())
    }),
    counter("numBytesInRemote", "Bytes from other processes: always 0.", |_: &TaskReading| zero()),
    meter("numBytesInRemotePerSecond", "Bytes from other processes per second: always 0.", |_: &TaskReading| no_rate()),
    counter("numBytesOut", "Bytes to other tasks.", |task: &TaskReading| Some(task.bytes_out.into())),
    meter("numBytesOutPerSecond", "Bytes to other tasks per second.", |task: &TaskReading| {
        Some(task.rates.bytes_out.into())
    }),
    counter("numRecordsIn", "Rows from other tasks.", |task: &TaskReading| Some(task.rows_in.into())),
    meter("numRecordsInPerSecond", "Rows from other tasks per second.", |task: &TaskReading| {
        Some(task.rates.rows_in.into())
    }),
    counter("numRecordsOut", "Rows to other tasks.", |task: &TaskReading| Some(task.rows_out.into())),
    meter("numRecordsOutPerSecond", "Rows to other tasks per second.", |task: &TaskReading| {
        Some(task.rates.rows_out.into())
    }),
    gauge(
        "softBackPressuredTimeMsPerSecond",
        "Milliseconds of each second that the task works although it waits for room: always 0.",
        |_: &TaskReading| zero(),
    ),
];
