//! The answers about jobs, word for word.

use super::{
    ExecutionConfigInfo, JobConfigInfo, JobDetailsInfo, JobExecutionResultResponseBody, JobIdsWithStatusOverview,
    JobStatusInfo, MultipleJobsDetails, TaskCounts,
};
use crate::operations::QueueStatus;
use crate::per_state::PerState;
use crate::round_trip::{printed_back, refusal};
use crate::states::{ApplicationStatus, ExecutionState, JobStatus, SchedulerType};

const COUNTS: &str = r#"{"INITIALIZING":0,"RUNNING":1,"RECONCILING":0,"SCHEDULED":0,"FINISHED":0,"CANCELED":0,
    "CANCELING":0,"FAILED":0,"CREATED":0,"DEPLOYING":0}"#;

#[test]
fn ids_stand_with_the_state_of_their_job() {
    let ids: JobIdsWithStatusOverview = printed_back(r#"{"jobs":[{"id":"j0","status":"RUNNING"}]}"#);
    assert_eq!(ids.jobs.len(), 1);
    let status: JobStatusInfo = printed_back(r#"{"status":"CANCELLING"}"#);
    assert_eq!(status.status, JobStatus::Cancelling);
    assert!(refusal::<JobStatusInfo>(r#"{"status":"BUSY"}"#).contains("`BUSY` is not a job status"));
}

#[test]
fn the_overview_counts_the_tasks_of_a_job() {
    let overview: MultipleJobsDetails = printed_back(
        r#"{"jobs":[{"jid":"j0","name":"sample","jobType":"STREAMING","schedulerType":"Adaptive","start-time":10,
        "end-time":-1,"duration":5,"state":"RUNNING","last-modification":12,"tasks":{"running":2,"canceling":0,
        "canceled":0,"total":3,"created":0,"scheduled":0,"deploying":0,"reconciling":0,"finished":1,"initializing":0,
        "failed":0},"pending-operators":0},
        {"jid":"j1","name":"lost","jobType":null,"schedulerType":null,"start-time":10,"end-time":11,"duration":1,
        "state":"FAILED","last-modification":11,"tasks":{"running":0,"canceling":0,"canceled":0,"total":0,"created":0,
        "scheduled":0,"deploying":0,"reconciling":0,"finished":0,"initializing":0,"failed":0},
        "pending-operators":0}]}"#,
    );
    let counts = PerState::count([ExecutionState::Running, ExecutionState::Finished, ExecutionState::Running]);
    assert_eq!(overview.jobs.first().map(|job| job.tasks), Some(TaskCounts::from(&counts)));
    assert_eq!(overview.jobs.last().map(|job| job.tasks), Some(TaskCounts::default()));
}

#[test]
fn a_job_in_detail_has_every_key_in_the_order_of_flink() {
    let json = format!(
        r#"{{"jid":"j0","application-id":"a0","name":"sample","isStoppable":false,"state":"RUNNING",
        "job-type":"STREAMING","schedulerType":"Adaptive","start-time":10,"end-time":-1,"duration":5,
        "maxParallelism":-1,"now":15,"timestamps":{{"SUSPENDED":0,"RUNNING":12,"CREATED":11,"FAILING":0,"FINISHED":0,
        "FAILED":0,"CANCELLING":0,"CANCELED":0,"RESTARTING":0,"RECONCILING":0,"INITIALIZING":10}},
        "vertices":[{{"id":"v0","slotSharingGroupId":"s0","name":"source","maxParallelism":128,"parallelism":1,
        "status":"RUNNING","start-time":12,"end-time":-1,"duration":3,"tasks":{COUNTS},"metrics":{{"read-bytes":0,
        "read-bytes-complete":true,"write-bytes":9,"write-bytes-complete":true,"read-records":0,
        "read-records-complete":true,"write-records":1,"write-records-complete":false,
        "accumulated-backpressured-time":0,"accumulated-idle-time":0,"accumulated-busy-time":1.0}}}}],
        "status-counts":{COUNTS},"plan":{{"jid":"j0","name":"sample","type":"STREAMING","nodes":[]}},
        "pending-operators":0}}"#
    );
    let job: JobDetailsInfo = printed_back(&json);
    assert_eq!(job.scheduler_type, Some(SchedulerType::Adaptive));
    assert_eq!(job.timestamps.get(JobStatus::Created), 11);
    assert!(job.stream_graph.is_none());
}

#[test]
fn a_job_without_known_configuration_lacks_the_key() {
    let known: JobConfigInfo = printed_back(
        r#"{"jid":"j0","name":"sample","execution-config":{"restart-strategy":"No restart.","job-parallelism":2,
        "object-reuse-mode":true,"user-config":{"b":"1","a":"2"}}}"#,
    );
    let parallelism = |config: ExecutionConfigInfo| config.job_parallelism;
    assert_eq!(known.execution_config.map(parallelism), Some(2));
    let unknown: JobConfigInfo = printed_back(r#"{"jid":"j0","name":"sample"}"#);
    assert_eq!(unknown.execution_config, None);
}

#[test]
fn a_result_is_there_only_at_the_end() {
    let running: JobExecutionResultResponseBody = printed_back(r#"{"status":{"id":"IN_PROGRESS"}}"#);
    assert_eq!(running.status, QueueStatus::IN_PROGRESS);
    let ended: JobExecutionResultResponseBody = printed_back(
        r#"{"status":{"id":"COMPLETED"},"job-execution-result":{"id":"j0","name":"sample",
        "application-status":"SUCCEEDED","accumulator-results":{},"net-runtime":5,"start-time":1,"end-time":6}}"#,
    );
    assert_eq!(ended.job_execution_result.map(|job| job.application_status), Some(ApplicationStatus::Succeeded));
    let failed: JobExecutionResultResponseBody = printed_back(
        r#"{"status":{"id":"COMPLETED"},"job-execution-result":{"id":"j0","name":"sample",
        "application-status":"FAILED","accumulator-results":{"n":"rO0A"},"net-runtime":5,
        "failure-cause":{"class":"E","stack-trace":"E: x","serialized-throwable":"rO0A"},"application-id":"a0",
        "start-time":1,"end-time":6}}"#,
    );
    assert!(failed.job_execution_result.is_some_and(|job| job.failure_cause.is_some()));
}
