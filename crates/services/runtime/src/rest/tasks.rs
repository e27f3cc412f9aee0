//! What the counters and states of tasks come to: of one task, and of several as a whole.
//!
//! Invariant: -1 stands for a time that has not come, never a negative span.

use std::sync::atomic::{AtomicU64, Ordering};

use kobel_rest::metrics::IoMetrics;
use kobel_rest::ordered::OrderedMap;
use kobel_rest::per_state::PerState;
use kobel_rest::states::ExecutionState;
use kobel_rest::vertices::SubtaskAttemptDetails;

use crate::metrics::{TaskMetrics, TaskTime};

/// The states of a task in the order in which it may pass through them.
const LIFE: [ExecutionState; 9] = [
    ExecutionState::Created,
    ExecutionState::Scheduled,
    ExecutionState::Deploying,
    ExecutionState::Initializing,
    ExecutionState::Running,
    ExecutionState::Canceling,
    ExecutionState::Finished,
    ExecutionState::Canceled,
    ExecutionState::Failed,
];

/// When tasks began and ended, in epoch milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// When the first was deployed, or -1.
    pub(crate) start: i64,
    /// When the last ended, or -1.
    pub(crate) end: i64,
    /// How long they have run, or ran, or -1.
    pub(crate) duration: i64,
}

/// The counters of tasks, summed.
pub(crate) fn counters(tasks: &[TaskMetrics]) -> IoMetrics {
    let mut sum = IoMetrics::default();
    for task in tasks {
        sum.read_bytes += count(&task.bytes_in);
        sum.write_bytes += count(&task.bytes_out);
        sum.read_records += count(&task.rows_in);
        sum.write_records += count(&task.rows_out);
        sum.accumulated_backpressured_time += spent_ms(task, TaskTime::BackPressured);
        sum.accumulated_idle_time += spent_ms(task, TaskTime::Idle);
        sum.accumulated_busy_time.0 += spent_ms(task, TaskTime::Busy) as f64;
    }
    sum
}

fn count(counter: &AtomicU64) -> i64 {
    counter.load(Ordering::Relaxed) as i64
}

fn spent_ms(task: &TaskMetrics, time: TaskTime) -> i64 {
    (task.spent_ns(time) / 1_000_000) as i64
}

/// When a task was deployed, or began if that was not noted.
fn deployed_ms(task: &TaskMetrics) -> Option<i64> {
    let states = [ExecutionState::Deploying, ExecutionState::Initializing, ExecutionState::Running];
    states.into_iter().map(|state| task.since_ms(state)).find(|at| *at > 0)
}

/// When tasks began and ended.
pub(crate) fn span(tasks: &[TaskMetrics], now_ms: i64) -> Span {
    let Some(start) = tasks.iter().filter_map(deployed_ms).min() else {
        return Span { start: -1, end: -1, duration: -1 };
    };
    if tasks.iter().any(|task| !task.state().is_terminal()) {
        return Span { start, end: -1, duration: (now_ms - start).max(0) };
    }
    let end = tasks.iter().map(|task| task.since_ms(task.state())).max().unwrap_or(start);
    Span { start, end, duration: (end - start).max(0) }
}

/// How many tasks are in each state.
pub(crate) fn states(tasks: &[TaskMetrics]) -> PerState<ExecutionState> {
    PerState::count(tasks.iter().map(TaskMetrics::state))
}

/// The state of a vertex whose tasks are in these states, as Flink sums it up.
pub(crate) fn summed_state(states: &PerState<ExecutionState>) -> ExecutionState {
    let strongest = [
        ExecutionState::Failed,
        ExecutionState::Canceling,
        ExecutionState::Canceled,
        ExecutionState::Initializing,
        ExecutionState::Running,
    ];
    if let Some(state) = strongest.into_iter().find(|state| states.get(*state) > 0) {
        return state;
    }
    match states.get(ExecutionState::Finished) {
        0 => ExecutionState::Created,
        finished if finished == states.total() => ExecutionState::Finished,
        _ => ExecutionState::Running,
    }
}

/// When a task entered each state.
pub(crate) fn timestamps(task: &TaskMetrics) -> PerState<ExecutionState> {
    let mut all = PerState::zero();
    for state in ExecutionState::ALL {
        all.set(*state, task.since_ms(*state));
    }
    all
}

/// How long a task was in each state on the way to its work, or -1 if it was not.
pub(crate) fn status_durations(task: &TaskMetrics, now_ms: i64) -> OrderedMap<ExecutionState, i64> {
    SubtaskAttemptDetails::TIMED.into_iter().map(|state| (state, status_duration(task, state, now_ms))).collect()
}

fn status_duration(task: &TaskMetrics, state: ExecutionState, now_ms: i64) -> i64 {
    let begin = task.since_ms(state);
    if begin == 0 {
        return -1;
    }
    let later = LIFE.into_iter().skip_while(|known| *known != state).skip(1);
    let end = later.map(|next| task.since_ms(next)).filter(|at| *at > 0).min().unwrap_or(now_ms);
    (end - begin).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(states: &[(ExecutionState, i64)]) -> TaskMetrics {
        let task = TaskMetrics::new(1_000);
        for (state, at) in states {
            task.enter(*state, *at);
        }
        task
    }

    #[test]
    fn a_span_ends_when_the_last_task_has_ended() {
        use ExecutionState::{Deploying, Failed, Finished, Initializing, Running};
        let cases: [(Vec<TaskMetrics>, (i64, i64, i64)); 5] = [
            (vec![], (-1, -1, -1)),
            (vec![task(&[])], (-1, -1, -1)),
            (vec![task(&[(Deploying, 1_010), (Running, 1_020)]), task(&[])], (1_010, -1, 990)),
            (vec![task(&[(Running, 1_020), (Finished, 1_500)]), task(&[(Running, 1_030)])], (1_020, -1, 980)),
            (vec![task(&[(Initializing, 1_020), (Finished, 1_500)]), task(&[(Failed, 1_600)])], (1_020, 1_600, 580)),
        ];
        for (tasks, expected) in cases {
            let span = span(&tasks, 2_000);
            assert_eq!((span.start, span.end, span.duration), expected);
        }
    }

    #[test]
    fn a_vertex_is_summed_up_by_its_strongest_state() {
        use ExecutionState::{Canceled, Canceling, Created, Failed, Finished, Initializing, Running, Scheduled};
        let cases: [(&[ExecutionState], ExecutionState); 9] = [
            (&[], Created),
            (&[Scheduled, Created], Created),
            (&[Finished, Created], Running),
            (&[Finished, Finished], Finished),
            (&[Running, Finished], Running),
            (&[Running, Initializing], Initializing),
            (&[Running, Canceled], Canceled),
            (&[Canceled, Canceling], Canceling),
            (&[Canceling, Failed, Running], Failed),
        ];
        for (states, expected) in cases {
            assert_eq!(summed_state(&PerState::count(states.iter().copied())), expected, "{states:?}");
        }
    }

    #[test]
    fn a_state_lasts_until_the_next_that_was_entered() {
        let task = task(&[(ExecutionState::Initializing, 1_100), (ExecutionState::Running, 1_250)]);
        let durations = status_durations(&task, 2_000);
        let of = |state: ExecutionState| durations.get(&state).copied();
        assert_eq!(of(ExecutionState::Created), Some(100));
        assert_eq!(of(ExecutionState::Scheduled), Some(-1));
        assert_eq!(of(ExecutionState::Deploying), Some(-1));
        assert_eq!(of(ExecutionState::Initializing), Some(150));
        assert_eq!(of(ExecutionState::Running), Some(750));
        assert_eq!(of(ExecutionState::Failed), None);
        task.enter(ExecutionState::Failed, 1_300);
        assert_eq!(status_durations(&task, 2_000).get(&ExecutionState::Running), Some(&50));
        assert_eq!(timestamps(&task).get(ExecutionState::Running), 1_250);
    }

    #[test]
    fn counters_are_summed_over_tasks_in_whole_milliseconds() {
        let tasks = [task(&[]), task(&[])];
        for (index, task) in tasks.iter().enumerate() {
            task.rows_in.store(1 + index as u64, Ordering::Relaxed);
            task.rows_out.store(10, Ordering::Relaxed);
            task.bytes_in.store(100, Ordering::Relaxed);
            task.bytes_out.store(1_000, Ordering::Relaxed);
            task.spend(TaskTime::Busy, 2_900_000);
            task.spend(TaskTime::Idle, 5_000_000);
            task.spend(TaskTime::BackPressured, 7_000_000);
        }
        let sum = counters(&tasks);
        assert_eq!((sum.read_records, sum.write_records), (3, 20));
        assert_eq!((sum.read_bytes, sum.write_bytes), (200, 2_000));
        assert_eq!((sum.accumulated_idle_time, sum.accumulated_backpressured_time), (10, 14));
        assert_eq!(sum.accumulated_busy_time.0, 4.0);
    }
}
