//! What must hold of all metrics, and the names that Flink 2.3 has for a job.

use super::catalogue;
use super::job::JobReading;
use crate::monitor::definition::{AnyReading, MetricEntry, MetricKind, MetricScope};
use crate::monitor::fixtures;
use crate::view::checkpoints::{CheckpointProgress, CheckpointRecord, CheckpointType, RestoredCheckpoint};
use crate::view::job::JobView;
use kobel_rest::states::JobStatus;
use std::collections::HashSet;
use std::path::PathBuf;

#[test]
fn each_metric_is_defined_once_and_described() {
    let mut seen = HashSet::new();
    for MetricEntry { name, scope, kind, description } in catalogue() {
        let scopes = match scope {
            MetricScope::Process => vec![MetricScope::JobManager, MetricScope::TaskManager],
            scope => vec![*scope],
        };
        for scope in scopes {
            assert!(seen.insert((scope.as_str(), name)), "`{name}` twice in {scope:?}");
        }
        assert!(description.ends_with('.') && description.len() > 10, "`{name}`: {description}");
        let is_rate = name.ends_with("Rate") || (name.ends_with("PerSecond") && !is_time(name));
        assert_eq!(*kind == MetricKind::Meter, is_rate, "`{name}`");
    }
}

/// Milliseconds of each second are not the speed of a counter in Flink; garbage collection alone is.
fn is_time(name: &str) -> bool {
    name.ends_with("TimeMsPerSecond") && !name.contains("GarbageCollector")
}

#[test]
fn a_job_has_the_metrics_that_flink_gives_it() {
    let expected = "allSubTasksRunningOrFinishedTime cancellingTime createdTime deployingTime downtime failingTime \
                    initializingTime lastCheckpointCompletedTimestamp lastCheckpointDuration \
                    lastCheckpointExternalPath lastCheckpointFullSize lastCheckpointMetadataSize \
                    lastCheckpointPersistedData lastCheckpointProcessedData lastCheckpointRestoreTimestamp \
                    lastCheckpointSize lastCompletedCheckpointId numRescales numRestarts \
                    numberOfCompletedCheckpoints numberOfFailedCheckpoints numberOfInProgressCheckpoints \
                    restartingTime runningTime totalNumberOfCheckpoints uptime";
    let job = fixtures::job(1);
    let names: Vec<_> = job.read(|state| JobReading::new(state, 0).all()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.join(" "), expected);
}

/// The values of some metrics of the fixture's job, as text.
fn values(job: &JobView, now_ms: i64, names: &[&str]) -> Vec<String> {
    let reading = job.read(|state| JobReading::new(state, now_ms));
    names.iter().map(|name| reading.value(name).unwrap().to_string()).collect()
}

#[test]
fn the_times_of_a_job_follow_its_status() {
    const NAMES: [&str; 6] =
        ["uptime", "downtime", "runningTime", "restartingTime", "createdTime", "allSubTasksRunningOrFinishedTime"];
    let job = fixtures::job(2);
    assert_eq!(values(&job, 13_000, &NAMES), ["10000", "0", "10000", "0", "0", "9500"]);
    job.enter(JobStatus::Failing, 14_000);
    job.enter(JobStatus::Restarting, 15_000);
    assert_eq!(values(&job, 16_000, &NAMES[..4]), ["0", "1000", "0", "1000"]);
    job.enter(JobStatus::Failed, 17_000);
    assert_eq!(values(&job, 18_000, &NAMES[..4]), ["-1", "-1", "0", "0"]);
}

#[test]
fn checkpoints_count_from_the_first_on() {
    const NAMES: [&str; 8] = [
        "totalNumberOfCheckpoints",
        "numberOfInProgressCheckpoints",
        "lastCompletedCheckpointId",
        "lastCheckpointDuration",
        "lastCheckpointSize",
        "lastCheckpointFullSize",
        "lastCheckpointExternalPath",
        "lastCheckpointRestoreTimestamp",
    ];
    let job = fixtures::job(1);
    assert_eq!(values(&job, 0, &NAMES), ["0", "0", "-1", "-1", "-1", "-1", "n/a", "-1"]);
    let record = |id: u64, kind: CheckpointType| CheckpointRecord {
        id,
        kind,
        is_incremental: true,
        progress: CheckpointProgress::InProgress,
        triggered_ms: 4_000,
        ended_ms: None,
        state_bytes: 500,
        written_bytes: 20,
        tasks: Vec::new(),
    };
    job.update(|state| {
        let history = &mut state.checkpoints;
        for (id, kind) in [(7, CheckpointType::Checkpoint), (8, CheckpointType::Savepoint)] {
            history.begin(record(id, kind));
            history.end(id, |record| {
                record.ended_ms = Some(4_080);
                record.progress = CheckpointProgress::Completed(Some(PathBuf::from(format!("/data/chk-{id}"))));
            });
        }
        history.begin(record(9, CheckpointType::Checkpoint));
        let path = PathBuf::from("/data/chk-6");
        history.restored(RestoredCheckpoint { id: 6, restored_ms: 2_500, is_savepoint: false, path, state_bytes: 1 });
    });
    assert_eq!(values(&job, 0, &NAMES), ["3", "1", "8", "80", "20", "500", "file:/data/chk-8", "2500"]);
}
