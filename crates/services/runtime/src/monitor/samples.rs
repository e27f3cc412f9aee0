//! The counters of one attempt of a job, sampled once a second, and the rates that follow from the samples.
//!
//! # Invariant
//! All samples are of one attempt; those of another are never mixed in.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::metrics::{JobMetrics, SubtaskMetrics, TaskMetrics, TaskTime};
use crate::monitor::rates::{TimesPerSecond, Window};

/// Sampled counters of a task: rows, bytes and batches in and out, and nanoseconds busy, back-pressured, idle.
const TASK_COUNTERS: usize = 9;
/// Sampled counters of an operator's subtask: rows in and out, bytes, late rows.
const OPERATOR_COUNTERS: usize = 4;

/// How fast the counters of a task grow, per second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct TaskRates {
    /// Rows from other tasks.
    pub(crate) rows_in: f64,
    /// Rows to other tasks.
    pub(crate) rows_out: f64,
    /// Bytes from other tasks.
    pub(crate) bytes_in: f64,
    /// Bytes to other tasks.
    pub(crate) bytes_out: f64,
    /// Batches from other tasks.
    pub(crate) batches_in: f64,
    /// Batches to other tasks.
    pub(crate) batches_out: f64,
    /// Where its time goes.
    pub(crate) times: TimesPerSecond,
    /// Where its time went in the last second.
    pub(crate) times_now: TimesPerSecond,
}

/// How fast the counters of an operator's subtask grow, per second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct OperatorRates {
    /// Rows taken.
    pub(crate) rows_in: f64,
    /// Rows yielded.
    pub(crate) rows_out: f64,
    /// Bytes read or written.
    pub(crate) bytes: f64,
    /// Rows dropped because they were late.
    pub(crate) late_rows: f64,
}

/// Where the counters of a vertex or an operator stand in a sample.
#[derive(Debug, Clone, Copy)]
struct Place {
    first: usize,
    subtasks: usize,
}

impl Place {
    /// The index of a subtask's first counter.
    fn of(places: &[Self], index: usize, subtask: usize, counters: usize) -> Option<usize> {
        let place = places.get(index).filter(|place| subtask < place.subtasks)?;
        Some(place.first + subtask * counters)
    }
}

/// The samples of an attempt.
#[derive(Debug)]
pub(crate) struct JobSamples {
    attempt: u32,
    vertices: Vec<Place>,
    operators: Vec<Place>,
    window: Window,
}

impl JobSamples {
    /// Takes the first sample of an attempt.
    pub(crate) fn begin(attempt: u32, metrics: &JobMetrics, at: Duration) -> Self {
        let mut next = 0;
        let mut place = |subtasks: usize, counters: usize| {
            let first = next;
            next += subtasks * counters;
            Place { first, subtasks }
        };
        let vertices = metrics.tasks.iter().map(|tasks| place(tasks.len(), TASK_COUNTERS)).collect();
        let operators = metrics.operators.iter();
        let operators = operators.map(|operator| place(operator.subtasks.len(), OPERATOR_COUNTERS)).collect();
        let mut samples = Self { attempt, vertices, operators, window: Window::default() };
        samples.push(metrics, at);
        samples
    }

    /// The attempt that the samples are of.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Takes a sample.
    pub(crate) fn push(&mut self, metrics: &JobMetrics, at: Duration) {
        let tasks = metrics.tasks.iter().flatten().flat_map(task_counters);
        let operators = metrics.operators.iter().flat_map(|operator| &operator.subtasks).flat_map(operator_counters);
        self.window.push(at, tasks.chain(operators).collect());
    }

    /// The rates of a task.
    pub(crate) fn task(&self, vertex: usize, subtask: usize) -> TaskRates {
        let Some(first) = Place::of(&self.vertices, vertex, subtask, TASK_COUNTERS) else {
            return TaskRates::default();
        };
        let rate = |counter: usize| self.window.rate(first + counter);
        let rate_now = |counter: usize| self.window.recent_rate(first + counter);
        TaskRates {
            rows_in: rate(0),
            rows_out: rate(1),
            bytes_in: rate(2),
            bytes_out: rate(3),
            batches_in: rate(4),
            batches_out: rate(5),
            times: TimesPerSecond::from_ns(rate(6), rate(7), rate(8)),
            times_now: TimesPerSecond::from_ns(rate_now(6), rate_now(7), rate_now(8)),
        }
    }

    /// The rates of an operator's subtask.
    pub(crate) fn operator(&self, operator: usize, subtask: usize) -> OperatorRates {
        let Some(first) = Place::of(&self.operators, operator, subtask, OPERATOR_COUNTERS) else {
            return OperatorRates::default();
        };
        let rate = |counter: usize| self.window.rate(first + counter);
        OperatorRates { rows_in: rate(0), rows_out: rate(1), bytes: rate(2), late_rows: rate(3) }
    }
}

/// In the order in which [`JobSamples::task`] takes them.
fn task_counters(task: &TaskMetrics) -> [u64; TASK_COUNTERS] {
    [
        read(&task.rows_in),
        read(&task.rows_out),
        read(&task.bytes_in),
        read(&task.bytes_out),
        read(&task.batches_in),
        read(&task.batches_out),
        task.spent_ns(TaskTime::Busy),
        task.spent_ns(TaskTime::BackPressured),
        task.spent_ns(TaskTime::Idle),
    ]
}

/// In the order in which [`JobSamples::operator`] takes them.
fn operator_counters(subtask: &SubtaskMetrics) -> [u64; OPERATOR_COUNTERS] {
    [read(&subtask.rows_in), read(&subtask.rows_out), read(&subtask.bytes), read(&subtask.late_rows)]
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::JobSamples;
    use crate::metrics::TaskTime;
    use crate::monitor::fixtures;
    use crate::monitor::rates::TimesPerSecond;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    #[test]
    fn each_counter_is_found_at_its_place() {
        let metrics = fixtures::metrics(2);
        let mut samples = JobSamples::begin(3, &metrics, Duration::ZERO);
        assert_eq!(samples.attempt(), 3);
        assert_eq!(samples.task(1, 1).rows_in, 0.0);

        metrics.tasks[1][1].rows_in.store(40, Ordering::Relaxed);
        metrics.tasks[1][1].batches_out.store(8, Ordering::Relaxed);
        metrics.tasks[1][1].spend(TaskTime::Busy, 1_000_000_000);
        metrics.tasks[1][1].spend(TaskTime::BackPressured, 600_000_000);
        metrics.tasks[1][1].spend(TaskTime::Idle, 400_000_000);
        metrics.tasks[0][1].bytes_out.store(100, Ordering::Relaxed);
        metrics.operators[2].subtasks[0].late_rows.store(6, Ordering::Relaxed);
        metrics.operators[2].subtasks[1].rows_out.store(2, Ordering::Relaxed);
        samples.push(&metrics, Duration::from_secs(2));

        let task = samples.task(1, 1);
        let times = TimesPerSecond { busy_ms: 500.0, back_pressured_ms: 300.0, idle_ms: 200.0 };
        assert_eq!((task.rows_in, task.batches_out, task.times, task.times_now), (20.0, 4.0, times, times));
        assert_eq!((samples.task(0, 1).bytes_out, samples.task(0, 0).bytes_out), (50.0, 0.0));
        assert_eq!((samples.operator(2, 0).late_rows, samples.operator(2, 1).rows_out), (3.0, 1.0));
        assert_eq!((samples.task(9, 0), samples.operator(9, 0)), Default::default());
        assert_eq!((samples.task(0, 3), samples.operator(1, 3)), Default::default(), "others' counters");
    }
}
