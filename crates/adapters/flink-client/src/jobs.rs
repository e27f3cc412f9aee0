//! What runs on a cluster: its version, its jobs, and why a job failed.
//!
//! Answers are read by the few keys that are needed, so that a version of Flink with other keys or words around them is
//! still understood.

use kobel_model::Result;
use kobel_rest::exceptions::JobExceptionsInfoWithHistory;
use kobel_rest::jobs::TaskCounts;
use serde::Deserialize;
use serde_json::Value;

use crate::call::{Call, segment};
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::trace::summary;
use crate::transport::FlinkClient;

/// Which Flink it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FlinkConfig {
    /// The version, such as `2.3.0`.
    #[serde(rename = "flink-version")]
    pub version: String,
    /// The commit and its date; empty if it is not told.
    #[serde(rename = "flink-revision", default)]
    pub revision: String,
    /// For so many milliseconds it may tell of a job what was (`web.refresh-interval`).
    #[serde(rename = "refresh-interval", default)]
    pub refresh_ms: i64,
}

/// A job that the cluster knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSeen {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its state as Flink spells it, such as `RUNNING`.
    pub state: String,
    /// When it was submitted, in milliseconds since the epoch.
    pub start_ms: i64,
    /// Whether there are tasks and each of them runs or has ended well.
    pub all_running: bool,
}

#[derive(Deserialize)]
struct JobsAnswer {
    jobs: Vec<JobAnswer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct JobAnswer {
    jid: String,
    #[serde(default)]
    name: String,
    state: String,
    #[serde(default)]
    start_time: i64,
    #[serde(default)]
    last_modification: i64,
    #[serde(default)]
    tasks: TaskCounts,
}

/// How a job is being carried out at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Execution {
    state: String,
    tasks: i64,
    changed_ms: i64,
}

impl Execution {
    /// Whether there are tasks; without them the job is being made, waits for resources, or ended before it had any.
    pub(crate) fn has_tasks(&self) -> bool {
        self.tasks > 0
    }
}

impl From<JobAnswer> for JobSeen {
    fn from(job: JobAnswer) -> Self {
        let TaskCounts { running, finished, total, .. } = job.tasks;
        let all_running = total > 0 && running + finished == total;
        Self { id: job.jid, name: job.name, state: job.state, start_ms: job.start_time, all_running }
    }
}

impl FlinkClient {
    /// Asks which Flink it is; a cluster that answers is ready to take jobs.
    ///
    /// # Errors
    /// Unavailable if there is no answer.
    pub async fn config(&self, at: &Endpoint) -> Result<FlinkConfig> {
        let answer = self.ask(at, Call::get("/config")).await;
        answer.map_err(|failure: Failure| failure.about("ask for the version of Flink", at.shown()))
    }

    /// Lists the jobs, ended ones included as long as the cluster remembers them.
    ///
    /// # Errors
    /// Unavailable if there is no answer.
    pub async fn jobs(&self, at: &Endpoint) -> Result<Vec<JobSeen>> {
        let jobs = self.overview(at).await.map_err(|failure| failure.about("list the jobs", at.shown()))?;
        Ok(jobs.into_iter().map(JobSeen::from).collect())
    }

    /// Looks for a job; nothing if the cluster answers and does not know it.
    ///
    /// # Errors
    /// Unavailable if there is no answer.
    pub async fn job(&self, at: &Endpoint, id: &str) -> Result<Option<JobSeen>> {
        // The list is never older than the question, unlike the answer for one job, which Flink keeps for a while.
        let jobs = self.jobs(at).await?;
        Ok(jobs.into_iter().find(|job| job.id.eq_ignore_ascii_case(id)))
    }

    /// Asks why a job failed last, as one line; nothing if it has not, or if the cluster does not know the job.
    ///
    /// # Errors
    /// Unavailable if there is no answer.
    pub async fn failure(&self, at: &Endpoint, id: &str) -> Result<Option<String>> {
        let path = format!("/jobs/{}/exceptions?maxExceptions=1", segment(id));
        let found = match self.ask::<JobExceptionsInfoWithHistory>(at, Call::get(path)).await {
            Ok(exceptions) => root(&exceptions),
            Err(Failure::NoJob) => return Ok(None),
            Err(failure) => return Err(failure.about(&format!("ask for the failures of job `{id}`"), at.shown())),
        };
        if found.is_some() {
            return Ok(found);
        }
        // A job that could not even be made has no history, and its result tells why.
        let path = format!("/jobs/{}/execution-result", segment(id));
        match self.ask::<Value>(at, Call::get(path)).await {
            Ok(result) => Ok(cause(&result)),
            Err(Failure::NoJob | Failure::NotServed) => Ok(None),
            Err(failure) => Err(failure.about(&format!("ask for the result of job `{id}`"), at.shown())),
        }
    }

    /// Asks how a job is being carried out.
    pub(crate) async fn execution(&self, at: &Endpoint, id: &str) -> Result<Execution, Failure> {
        let jobs = self.overview(at).await?;
        let job = jobs.into_iter().find(|job| job.jid.eq_ignore_ascii_case(id)).ok_or(Failure::NoJob)?;
        Ok(Execution { state: job.state, tasks: job.tasks.total, changed_ms: job.last_modification })
    }

    async fn overview(&self, at: &Endpoint) -> Result<Vec<JobAnswer>, Failure> {
        Ok(self.ask::<JobsAnswer>(at, Call::get("/jobs/overview")).await?.jobs)
    }
}

/// The newest failure, with the task that it befell.
fn root(exceptions: &JobExceptionsInfoWithHistory) -> Option<String> {
    let failure = &exceptions.exception_history.entries.first()?.exception;
    let text = if failure.stacktrace.trim().is_empty() { &failure.exception_name } else { &failure.stacktrace };
    let line = summary(text);
    Some(match (&failure.task_name, &failure.endpoint) {
        (Some(task), Some(place)) => format!("{line} (in task `{task}` at `{place}`)"),
        (Some(task), None) => format!("{line} (in task `{task}`)"),
        (None, _) => line,
    })
}

/// Why a job ended, from its result.
fn cause(result: &Value) -> Option<String> {
    let cause = result.pointer("/job-execution-result/failure-cause")?;
    let text = |key: &str| cause.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    text("stack-trace").or_else(|| text("class")).map(summary)
}

#[cfg(test)]
mod tests;
