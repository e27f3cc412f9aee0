//! The failures of a job, the newest first.

use std::str::FromStr;

use kobel_logs::Scrubber;
use kobel_rest::exceptions::{ExceptionInfo, JobExceptionHistory, JobExceptionsInfoWithHistory, RootExceptionInfo};
use kobel_rest::ordered::OrderedMap;
use kobel_rest::states::ExecutionState;

use crate::rest::call::{Answer, Call, Reply};
use crate::rest::identity::{endpoint, exception_name};
use crate::rest::java_exceptions::ILLEGAL_ARGUMENT;
use crate::rest::refusals::{internal, query_value};
use crate::view::job::{Attempt, FailureRecord, JobFacts, JobState};

/// Failures that are shown unless more or fewer are asked for.
const SHOWN: usize = 20;

/// Labels that shown failures must have: `key:value`, separated by commas.
#[derive(Debug)]
struct LabelFilter;

impl FromStr for LabelFilter {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_label = |part: &str| part.split(':').count() == 2;
        if text.split(',').all(is_label) { Ok(Self) } else { Err(()) }
    }
}

/// How failures are shown.
struct Look<'a> {
    task_manager_id: &'a str,
    scrubber: &'a Scrubber,
}

/// Failures, taken out of the job so that it does not wait while they are made texts.
struct Taken {
    /// The newest first, each with the name of its task if it was one task that failed.
    failures: Vec<(FailureRecord, Option<String>)>,
    /// Whether there are more.
    is_truncated: bool,
}

/// `GET /jobs/:jobid/exceptions`.
pub(crate) fn history(call: &Call<'_>) -> Reply {
    let asked = query_value::<i32>(call, "maxExceptions")?;
    let filter = query_value::<LabelFilter>(call, "failureLabelFilter")?;
    let job = call.job()?;
    let Ok(max) = asked.map_or(Ok(SHOWN), usize::try_from) else {
        let message = format!("{}: maxExceptions must not be negative", asked.unwrap_or_default());
        return Err(internal(ILLEGAL_ARGUMENT, message));
    };
    // No failure here has a label, so none passes a filter.
    if filter.is_some() {
        return Answer::json(&JobExceptionsInfoWithHistory::default());
    }
    let facts = &call.cluster.facts;
    let look = Look { task_manager_id: &facts.task_manager_id, scrubber: &facts.scrubber };
    let taken = job.read(|state| taken(&job.facts, state, max));
    Answer::json(&shown(taken, &look))
}

fn taken(job: &JobFacts, state: &JobState, max: usize) -> Taken {
    let newest = state.failures.iter().take(max);
    Taken {
        failures: newest.map(|failure| (failure.clone(), task_name(job, state, failure))).collect(),
        is_truncated: state.failures.len() > max,
    }
}

fn shown(taken: Taken, look: &Look<'_>) -> JobExceptionsInfoWithHistory {
    let entry = |(failure, task): (FailureRecord, Option<String>)| {
        let exception_name = exception_name(&failure.kind);
        let exception = ExceptionInfo {
            stacktrace: format!("{exception_name}: {}", look.scrubber.scrub(&failure.text)),
            exception_name,
            timestamp: failure.at_ms,
            failure_labels: OrderedMap::new(),
            endpoint: task.as_ref().map(|_| endpoint(look.task_manager_id).to_owned()),
            task_manager_id: task.as_ref().map(|_| look.task_manager_id.to_owned()),
            task_name: task,
        };
        RootExceptionInfo { exception, concurrent_exceptions: Vec::new() }
    };
    let entries = taken.failures.into_iter().map(entry).collect();
    let exception_history = JobExceptionHistory { entries, truncated: taken.is_truncated };
    JobExceptionsInfoWithHistory { exception_history }
}

/// Where it happened, as Flink names a task: `Calc (1/2) - execution #0`.
fn task_name(job: &JobFacts, state: &JobState, failure: &FailureRecord) -> Option<String> {
    let (vertex, subtask) = failure.task?;
    let name = &job.plan.vertices.get(vertex)?.name;
    let attempt = failed_attempt(state, failure.at_ms, (vertex, subtask));
    let parallelism = attempt.parallelism.get(vertex).copied().unwrap_or(0);
    Some(format!("{name} ({}/{parallelism}) - execution #{}", subtask + 1, attempt.number))
}

/// The attempt in which a task failed nearest to a point in time; the one that runs if none is remembered.
fn failed_attempt(state: &JobState, at_ms: i64, (vertex, subtask): (usize, usize)) -> &Attempt {
    let distance = |attempt: &Attempt| {
        let failed = attempt.metrics.tasks.get(vertex)?.get(subtask)?.since_ms(ExecutionState::Failed);
        (failed > 0).then(|| failed.abs_diff(at_ms))
    };
    let attempts = std::iter::once(&state.attempt).chain(&state.earlier);
    let found =
        attempts.filter_map(|attempt| Some((distance(attempt)?, attempt))).min_by_key(|(distance, _)| *distance);
    let Some((_, attempt)) = found else { return &state.attempt };
    attempt
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rest::fixtures::{BORN, TASK_MANAGER, attempt, job};

    fn failure(at_ms: i64, task: Option<(usize, usize)>) -> FailureRecord {
        FailureRecord { at_ms, kind: "Invalid".to_owned(), text: "row 3 is no number\ncheck it".to_owned(), task }
    }

    #[test]
    fn failures_name_the_task_and_the_attempt_that_failed() {
        let job = job();
        job.update(|state| {
            state.attempt.metrics.tasks[0][1].enter(ExecutionState::Failed, BORN + 400);
            let first = std::mem::replace(&mut state.attempt, attempt(1, BORN + 500));
            state.earlier.push_front(first);
            state.failures.push_front(FailureRecord { text: "no to hunter22".to_owned(), ..failure(BORN, None) });
            state.failures.push_front(failure(BORN + 401, Some((0, 1))));
            state.failures.push_front(failure(BORN + 450, None));
        });
        let scrubber = Scrubber::new();
        scrubber.add("hunter22");
        let look = Look { task_manager_id: TASK_MANAGER, scrubber: &scrubber };
        let shown = |max: usize| shown(job.read(|state| taken(&job.facts, state, max)), &look);
        let answer = |max: usize| serde_json::to_value(shown(max)).unwrap();
        assert_eq!(shown(9).exception_history.entries[2].exception.stacktrace, "kobel.Invalid: no to ******");
        let whole = json!({
            "exceptionName": "kobel.Invalid", "stacktrace": "kobel.Invalid: row 3 is no number\ncheck it",
            "timestamp": BORN + 450, "failureLabels": {}, "concurrentExceptions": [],
        });
        let of_task = json!({
            "exceptionName": "kobel.Invalid", "stacktrace": "kobel.Invalid: row 3 is no number\ncheck it",
            "timestamp": BORN + 401, "failureLabels": {},
            "taskName": "Source: flights[1] -> Calc[2] (2/2) - execution #0",
            "endpoint": "localhost:6122", "taskManagerId": TASK_MANAGER, "concurrentExceptions": [],
        });
        assert_eq!(answer(2), json!({"exceptionHistory": {"entries": [whole, of_task], "truncated": true}}));
        assert_eq!(answer(1), json!({"exceptionHistory": {"entries": [whole], "truncated": true}}));
        assert_eq!(answer(0), json!({"exceptionHistory": {"entries": [], "truncated": true}}));
    }

    #[test]
    fn a_failure_of_a_forgotten_attempt_is_told_of_the_current_one() {
        let job = job();
        job.read(|state| assert_eq!(failed_attempt(state, BORN, (0, 0)).number, 0));
        job.read(|state| assert_eq!(failed_attempt(state, BORN, (9, 9)).number, 0));
    }

    #[test]
    fn label_filters_are_pairs() {
        for (text, is_good) in [("a:b", true), ("a:b,c:d", true), ("ab", false), ("", false), ("a:b,", false)] {
            assert_eq!(text.parse::<LabelFilter>().is_ok(), is_good, "{text}");
        }
    }
}
