//! The monitor on a process with one running job.

use super::fixtures::{self, JOB_ID};
use super::{Component, Monitor, TimesPerSecond};
use crate::metrics::{JobMetrics, TaskTime};
use crate::view::job::JobView;
use kobel_rest::states::{ExecutionState, JobStatus};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

fn monitored(parallelism: usize) -> (Arc<JobView>, Monitor) {
    let job = fixtures::job(parallelism);
    let monitor = Monitor::new(fixtures::cluster(&job));
    (job, monitor)
}

fn metrics(job: &JobView) -> Arc<JobMetrics> {
    job.read(|state| Arc::clone(&state.attempt.metrics))
}

fn text(component: &Component, name: &str) -> String {
    component.value(name).map_or_else(|| format!("no `{name}`"), |value| value.to_string())
}

#[test]
fn the_names_of_a_task_depend_on_what_it_is() {
    let (job, monitor) = monitored(1);
    let names = |vertex: usize| monitor.subtask(&job, vertex, 0, 0).unwrap().names();
    let (source, window) = (names(0), names(1));
    let has = |names: &[String], name: &str| names.iter().any(|known| known == name);
    for name in [
        "numRecordsIn",
        "numBytesOutPerSecond",
        "numBuffersOut",
        "busyTimeMsPerSecond",
        "accumulateIdleTimeMs",
        "isBackPressured",
        "checkpointStartDelayNanos",
    ] {
        assert!(has(&source, name) && has(&window, name), "{name}");
    }
    for name in ["currentInputWatermark", "checkpointAlignmentTime"] {
        assert!(!has(&source, name) && has(&window, name), "{name}");
    }
    let of = |names: &[String], operator: &str| {
        let names = names.iter().filter_map(|name| name.strip_prefix(operator)).map(str::to_owned);
        names.collect::<Vec<_>>().join(" ")
    };
    let rows = "numRecordsIn numRecordsInPerSecond numRecordsOut numRecordsOutPerSecond";
    assert_eq!(
        of(&source, "Source__flights."),
        format!("currentOutputWatermark numBytesIn numBytesInPerSecond {rows}")
    );
    assert_eq!(of(&source, "Calc[2]."), format!("currentInputWatermark currentOutputWatermark {rows}"));
    assert_eq!(
        of(&window, "TumblingWindow[3]."),
        format!(
            "currentInputWatermark currentOutputWatermark lateRecordsDroppedRate numLateRecordsDropped {rows} \
             watermarkLatency"
        )
    );
    assert_eq!(
        of(&window, "hourly__Writer."),
        format!(
            "currentInputWatermark currentOutputWatermark numBytesOut numBytesOutPerSecond numBytesSend {rows} \
             numRecordsSend numRecordsSendErrors"
        )
    );
}

#[test]
fn values_are_those_of_the_counters() {
    let (job, monitor) = monitored(2);
    let counters = metrics(&job);
    counters.tasks[1][1].rows_in.store(42, Ordering::Relaxed);
    counters.tasks[1][1].spend(TaskTime::Busy, 1_500_000_000);
    counters.operators[2].subtasks[1].watermark.set(1_000_i64);
    counters.operators[2].subtasks[1].late_rows.store(5, Ordering::Relaxed);
    counters.operators[0].subtasks[1].watermark.set(4_000_i64);
    counters.operators[0].subtasks[1].pending_rows.set(77_i64);
    let window = monitor.subtask(&job, 1, 1, 5_000).unwrap();
    let expected = [
        ("numRecordsIn", "42"),
        ("accumulateBusyTimeMs", "1500.0"),
        ("initializationTime", "1500"),
        ("isBackPressured", "false"),
        ("currentInputWatermark", "1000"),
        ("TumblingWindow[3].watermarkLatency", "4000"),
        ("TumblingWindow[3].numLateRecordsDropped", "5"),
        ("hourly__Writer.currentInputWatermark", "-9223372036854775808"),
        ("hourly__Writer.numRecordsInPerSecond", "0.0"),
    ];
    for (name, value) in expected {
        assert_eq!(text(&window, name), value, "{name}");
    }
    let source = monitor.subtask(&job, 0, 1, 5_000).unwrap();
    assert_eq!(text(&source, "Source__flights.watermarkLag"), "1000");
    assert_eq!(text(&source, "Source__flights.pendingRecords"), "77");
    // Behind the last row there is no lag.
    counters.operators[0].subtasks[1].watermark.set(i64::MAX);
    let source = monitor.subtask(&job, 0, 1, 5_000).unwrap();
    assert_eq!(source.value("Source__flights.watermarkLag"), None);
}

#[test]
fn rates_follow_from_samples_and_start_anew_with_each_attempt() {
    let (job, monitor) = monitored(2);
    let counters = metrics(&job);
    monitor.sample_at(Duration::from_secs(1));
    counters.tasks[1][0].rows_in.store(30, Ordering::Relaxed);
    counters.operators[3].subtasks[0].rows_out.store(60, Ordering::Relaxed);
    for (time, ms) in [(TaskTime::Busy, 700), (TaskTime::BackPressured, 1_600), (TaskTime::Idle, 700)] {
        counters.tasks[1][0].spend(time, ms * 1_000_000);
    }
    monitor.sample_at(Duration::from_secs(4));
    let task = monitor.subtask(&job, 1, 0, 0).unwrap();
    let expected = [
        ("numRecordsInPerSecond", "10.0"),
        ("hourly__Writer.numRecordsOutPerSecond", "20.0"),
        ("busyTimeMsPerSecond", "233.0"),
        ("backPressuredTimeMsPerSecond", "533"),
        ("idleTimeMsPerSecond", "233"),
        ("isBackPressured", "true"),
    ];
    for (name, value) in expected {
        assert_eq!(text(&task, name), value, "{name}");
    }
    let times = monitor.times(&job, 1, 0);
    assert!((times.busy_ms + times.back_pressured_ms + times.idle_ms - 1_000.0).abs() < 1e-6, "{times:?}");
    assert_eq!(monitor.times(&job, 1, 7), TimesPerSecond::default());

    job.update(|state| state.attempt = fixtures::attempt(1, 3));
    let task = monitor.subtask(&job, 1, 0, 0).unwrap();
    assert_eq!(text(&task, "numRecordsInPerSecond"), "0.0", "samples of the attempt before do not count");
    assert_eq!(monitor.times(&job, 1, 0), TimesPerSecond::default(), "nor do they here");
    monitor.sample_at(Duration::from_secs(5));
    assert_eq!(monitor.times(&job, 1, 0), TimesPerSecond::default());
    assert_eq!(monitor.subtasks(&job, 1, 0).len(), 3);
}

#[test]
fn what_has_ended_has_no_metrics() {
    let (job, monitor) = monitored(2);
    assert!(monitor.job(&job, 0).is_some());
    assert!(monitor.subtask(&job, 1, 2, 0).is_none() && monitor.subtask(&job, 2, 0, 0).is_none());
    metrics(&job).tasks[1][0].enter(ExecutionState::Failed, 9_000);
    metrics(&job).tasks[0][0].enter(ExecutionState::Finished, 9_000);
    let living = |vertex: usize| -> Vec<usize> {
        monitor.subtasks(&job, vertex, 0).iter().map(|(subtask, _)| *subtask).collect()
    };
    assert_eq!((living(0), living(1)), (vec![0, 1], vec![1]));

    monitor.sample_at(Duration::from_secs(1));
    job.enter(JobStatus::Canceled, 10_000);
    monitor.sample_at(Duration::from_secs(2));
    assert!(monitor.samples.read().unwrap().is_empty());
    assert!(monitor.job(&job, 0).is_none() && living(0).is_empty());
    assert!(!monitor.prometheus_at(0).contains("job_id"));
}

#[test]
fn slots_and_jobs_are_counted() {
    let (job, monitor) = monitored(3);
    let value = |name: &str| text(&monitor.job_manager(), name);
    let names = ["taskSlotsTotal", "taskSlotsAvailable", "numRunningJobs", "numRegisteredTaskManagers"];
    assert_eq!(names.map(value), ["8", "5", "1", "1"]);
    job.enter(JobStatus::Finished, 10_000);
    assert_eq!(names.map(value), ["8", "8", "0", "1"]);
    assert_eq!(text(&monitor.task_manager(), "Status.Flink.Memory.Managed.Used"), "0");
}

#[test]
fn prometheus_has_flinks_names_and_labels() {
    let (job, monitor) = monitored(1);
    let counters = metrics(&job);
    counters.tasks[1][0].rows_in.store(42, Ordering::Relaxed);
    counters.operators[3].subtasks[0].rows_out.store(7, Ordering::Relaxed);
    let out = monitor.prometheus_at(5_000);
    let job_labels = format!(r#"job_id="{JOB_ID}",job_name="my_job""#);
    let task_id = "2".repeat(32);
    let task_labels = [
        r#"host="localhost",tm_id="localhost:6122_abcdef""#.to_owned(),
        job_labels.clone(),
        format!(r#"task_id="{task_id}",task_name="TumblingWindow_3_____hourly:_Writer""#),
        format!(r#"task_attempt_id="{JOB_ID}_{task_id}_0_0",task_attempt_num="0",subtask_index="0""#),
    ]
    .join(",");
    let operator_id = "3".repeat(32);
    let operator_labels = format!(r#"{task_labels},operator_id="{operator_id}",operator_name="hourly:_Writer""#);
    for line in [
        "# HELP flink_jobmanager_numRunningJobs numRunningJobs (scope: jobmanager)".to_owned(),
        r#"flink_jobmanager_numRunningJobs{host="localhost"} 1"#.to_owned(),
        "# HELP flink_jobmanager_job_uptime uptime (scope: jobmanager_job)".to_owned(),
        "# TYPE flink_jobmanager_job_uptime gauge".to_owned(),
        format!(r#"flink_jobmanager_job_uptime{{host="localhost",{job_labels}}} 2000"#),
        "# HELP flink_taskmanager_Status_Flink_Memory_Managed_Used Used (scope: \
         taskmanager_Status_Flink_Memory_Managed)"
            .to_owned(),
        r#"flink_taskmanager_Status_Flink_Memory_Managed_Used{host="localhost",tm_id="localhost:6122_abcdef"} 0"#
            .to_owned(),
        "# HELP flink_taskmanager_job_task_numRecordsIn numRecordsIn (scope: taskmanager_job_task)".to_owned(),
        format!("flink_taskmanager_job_task_numRecordsIn{{{task_labels}}} 42"),
        format!("flink_taskmanager_job_task_operator_numRecordsSend{{{operator_labels}}} 7"),
    ] {
        assert!(out.lines().any(|known| known == line), "no line {line}\n{out}");
    }
    assert!(!out.contains("lastCheckpointExternalPath"), "a text is no number");
}

#[test]
fn a_family_is_written_once_and_whole() {
    let (_, monitor) = monitored(2);
    let out = monitor.prometheus_at(5_000);
    let mut families = HashSet::new();
    let mut series = HashSet::new();
    let mut family = "";
    for line in out.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split(' ').next().unwrap();
            assert!(families.insert(family), "{family} comes twice");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert_eq!(kind, format!("{family} gauge"));
        } else {
            let (name, _) = line.split_once('{').unwrap();
            assert_eq!(name, family, "{line}");
            let (identity, value) = line.rsplit_once(' ').unwrap();
            assert!(series.insert(identity), "{identity} comes twice");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
    assert!(families.len() > 100, "{} families", families.len());
}
