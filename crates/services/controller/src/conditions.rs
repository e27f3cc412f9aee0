//! The conditions of a status: whether the job runs, whether everything is as it was asked for, what has no effect here.
//!
//! A condition keeps the time of its last change, so one that says what is already said changes nothing.

use jiff::Timestamp;
use kobel_lifecycle::decision::Wait;
use kobel_lifecycle::record::Record;
use kobel_lifecycle::state::{JobManagerState, JobState};
use kobel_resources::status::Condition;

/// Whether the job, or the session cluster, runs; the Apache operator has the same.
const RUNNING: &str = "Running";
/// Whether everything is as it was asked for, and what is awaited if not.
pub(crate) const SETTLED: &str = "Settled";
/// Whether every field has an effect on this machine.
const HONOURED: &str = "Honoured";

/// Lays a condition over those that are there.
pub(crate) fn lay(conditions: &mut Vec<Condition>, mut condition: Condition, now: Timestamp) {
    let known = conditions.iter_mut().find(|known| known.kind == condition.kind);
    let earlier = known.as_ref().filter(|known| known.status == condition.status);
    let since = earlier.and_then(|known| known.last_transition_time.clone());
    let stamp = || now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    condition.last_transition_time = Some(since.unwrap_or_else(stamp));
    match known {
        Some(known) => *known = condition,
        None => conditions.push(condition),
    }
}

/// Whether the job runs.
pub(crate) fn job_runs(record: &Record) -> Condition {
    let state = record.job.state;
    let word = state.map_or("RECONCILING", JobState::as_str);
    condition(RUNNING, Holds::when(state == Some(JobState::Running)), &camel(word), format!("Job status {word}"))
}

/// Whether the session cluster runs.
pub(crate) fn session_runs(record: &Record) -> Condition {
    let (reason, message) = match record.job_manager {
        JobManagerState::Ready => ("JobManagerReady", "JobManager is running and ready to receive REST API calls"),
        JobManagerState::DeployedNotReady => ("DeployedNotReady", "JobManager is running but not ready yet"),
        JobManagerState::Deploying => ("JobManagerIsDeploying", "JobManager process is starting up"),
        JobManagerState::Missing => ("JobManagerDeploymentMissing", "JobManager is not there"),
        JobManagerState::Error => ("Error", "JobManager cannot be started"),
    };
    condition(RUNNING, Holds::when(record.job_manager == JobManagerState::Ready), reason, message.to_owned())
}

/// Whether everything is as it was asked for.
pub(crate) fn settled(wait: &Wait, generation: i64) -> Condition {
    let mut condition = condition(SETTLED, Holds::when(wait.reason == SETTLED), wait.reason, wait.message.clone());
    condition.observed_generation = Some(generation);
    condition
}

/// Whether every field has an effect on this machine; none if that is so and was never otherwise.
pub(crate) fn honoured(paths: &[String], said: &[Condition], generation: i64) -> Option<Condition> {
    if paths.is_empty() && !said.iter().any(|condition| condition.kind == HONOURED) {
        return None;
    }
    let (reason, message) = match paths {
        [] => ("AllFields", "every field has an effect on this machine".to_owned()),
        _ => ("NotOnThisSubstrate", format!("have no effect on this machine: {}", paths.join(", "))),
    };
    let mut condition = condition(HONOURED, Holds::when(paths.is_empty()), reason, message);
    condition.observed_generation = Some(generation);
    Some(condition)
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Yes,
    No,
}

impl Holds {
    fn when(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }
}

fn condition(kind: &str, holds: Holds, reason: &str, message: String) -> Condition {
    Condition {
        kind: kind.to_owned(),
        status: Some(if holds == Holds::Yes { "True" } else { "False" }.to_owned()),
        reason: Some(reason.to_owned()),
        message: Some(message),
        last_transition_time: None,
        observed_generation: None,
    }
}

/// `RUNNING` as `Running`.
fn camel(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters.map(|letter| letter.to_ascii_lowercase())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_condition_keeps_the_time_at_which_its_status_changed() {
        let mut conditions = vec![];
        lay(&mut conditions, condition("Running", Holds::No, "Created", "Job status CREATED".to_owned()), at(0));
        lay(&mut conditions, condition("Running", Holds::No, "Failing", "Job status FAILING".to_owned()), at(5));
        assert_eq!(conditions.len(), 1);
        assert_eq!(conditions[0].reason.as_deref(), Some("Failing"));
        assert_eq!(conditions[0].last_transition_time.as_deref(), Some("1970-01-01T00:00:00Z"));
        lay(&mut conditions, condition("Running", Holds::Yes, "Running", "Job status RUNNING".to_owned()), at(9));
        assert_eq!(conditions[0].last_transition_time.as_deref(), Some("1970-01-01T00:00:09Z"));
    }

    #[test]
    fn the_running_condition_is_that_of_the_apache_operator() {
        let mut record = Record::default();
        record.job.state = Some(JobState::Running);
        let running = job_runs(&record);
        assert_eq!((running.status.as_deref(), running.reason.as_deref()), (Some("True"), Some("Running")));
        assert_eq!(running.message.as_deref(), Some("Job status RUNNING"));
        record.job_manager = JobManagerState::Ready;
        assert_eq!(session_runs(&record).reason.as_deref(), Some("JobManagerReady"));
    }

    #[test]
    fn what_was_never_dishonoured_is_not_spoken_of() {
        assert_eq!(honoured(&[], &[], 1), None);
        let paths = ["spec.image".to_owned()];
        let said = honoured(&paths, &[], 1).unwrap();
        assert_eq!(said.message.as_deref(), Some("have no effect on this machine: spec.image"));
        let good = honoured(&[], &[said], 2).unwrap();
        assert_eq!((good.status.as_deref(), good.observed_generation), (Some("True"), Some(2)));
    }
}
