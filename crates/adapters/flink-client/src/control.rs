//! What changes a running job or the whole cluster: cancelling, rescaling, shutting down.

use std::collections::BTreeMap;

use hyper::Method;
use kobel_model::{Error, Result};
use kobel_rest::resources::{JobResourceRequirementsBody, ParallelismBounds, VertexResourceRequirements};
use serde::Deserialize;

use crate::call::{Call, segment};
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::transport::FlinkClient;

/// What came of a request to cancel a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Canceled {
    /// The job is being cancelled, or was cancelled before.
    Asked,
    /// The cluster does not know the job.
    Gone,
    /// The job ended otherwise before; the state is spelled as Flink does, and empty if it is not told.
    AlreadyEnded(String),
}

#[derive(Deserialize)]
struct JobAnswer {
    vertices: Vec<VertexAnswer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VertexAnswer {
    id: String,
    #[serde(default)]
    max_parallelism: i64,
}

impl FlinkClient {
    /// Cancels a job, without a savepoint; it may take a while until the job has ended.
    ///
    /// # Errors
    /// Unavailable if there is no answer, after which the job may have been asked or not.
    pub async fn cancel(&self, at: &Endpoint, id: &str) -> Result<Canceled> {
        let call = Call::new(Method::PATCH, format!("/jobs/{}?mode=cancel", segment(id)));
        match self.send(at, call).await {
            Ok(_) => Ok(Canceled::Asked),
            Err(Failure::NoJob) => Ok(Canceled::Gone),
            Err(Failure::Answered { status: 409, reason }) => Ok(Canceled::AlreadyEnded(state_in(&reason))),
            Err(failure) => Err(failure.about(&format!("cancel job `{id}`"), at.shown())),
        }
    }

    /// Has a job of the adaptive scheduler run on with another parallelism, as far as each vertex can have it.
    ///
    /// # Errors
    /// Missing if the cluster does not know the job or the job has ended; invalid or unsupported if it cannot be
    /// rescaled in place; unavailable if there is no answer.
    pub async fn rescale(&self, at: &Endpoint, id: &str, parallelism: u32) -> Result<()> {
        let upper = i32::try_from(parallelism).ok().filter(|upper| *upper > 0).ok_or_else(|| {
            let max = i32::MAX;
            Error::invalid(format!("cannot rescale job `{id}` to `{parallelism}`: allowed are 1 to {max}"))
        })?;
        let rescaled = self.rescale_to(at, id, upper).await;
        rescaled.map_err(|failure| failure.about(&format!("rescale job `{id}` to {parallelism}"), at.shown()))
    }

    /// Ends the cluster with all its jobs; they are cancelled, not stopped with savepoints.
    ///
    /// # Errors
    /// Unavailable if there is no answer, which may mean that it has ended before.
    pub async fn shutdown(&self, at: &Endpoint) -> Result<()> {
        let answer = self.send(at, Call::new(Method::DELETE, "/cluster")).await;
        answer.map(|_| ()).map_err(|failure| failure.about("shut the cluster down", at.shown()))
    }

    async fn rescale_to(&self, at: &Endpoint, id: &str, upper: i32) -> Result<(), Failure> {
        let job = format!("/jobs/{}", segment(id));
        let path = format!("{job}/resource-requirements");
        let current: JobResourceRequirementsBody = self.ask(at, Call::get(&path)).await?;
        let answer: JobAnswer = self.ask(at, Call::get(job)).await?;
        let wanted = wanted(&current, &answer.vertices, upper);
        if wanted != current {
            self.send(at, Call::json(Method::PUT, path, &wanted)?).await?;
        }
        Ok(())
    }
}

/// The requirements with another upper bound, no more than what a vertex can have.
fn wanted(current: &JobResourceRequirementsBody, vertices: &[VertexAnswer], upper: i32) -> JobResourceRequirementsBody {
    let limits: BTreeMap<String, i32> = vertices
        .iter()
        .filter_map(|vertex| Some((vertex.id.to_ascii_lowercase(), i32::try_from(vertex.max_parallelism).ok()?)))
        .filter(|(_, limit)| *limit > 0)
        .collect();
    let bounds = |(id, requirements): (&String, &VertexResourceRequirements)| {
        let upper_bound = limits.get(id).map_or(upper, |limit| upper.min(*limit));
        let lower_bound = requirements.parallelism.lower_bound.min(upper_bound);
        (id.clone(), VertexResourceRequirements { parallelism: ParallelismBounds { lower_bound, upper_bound } })
    };
    JobResourceRequirementsBody(current.0.iter().map(bounds).collect())
}

/// The state in brackets at the end of a refusal.
fn state_in(reason: &str) -> String {
    let state = reason.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(state, _)| state);
    state.filter(|state| state.chars().all(|c| c.is_ascii_uppercase())).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use kobel_model::ErrorKind;
    use serde_json::{Value, json};

    use super::Canceled;
    use crate::playback::{Playback, Reply};
    use crate::transport::FlinkClient;

    const JOB: &str = "d6ebe40fb3e2262b88121e25031759c0";
    const SOURCE: &str = "cbc357ccb763df2852fee8c4fc7d55f2";
    const TOTAL: &str = "90bea66de1c231edf33913ecd54406c1";

    #[tokio::test]
    async fn a_job_is_cancelled_is_gone_or_has_ended() {
        let line = format!("PATCH /v1/jobs/{JOB}?mode=cancel");
        let ended = "org.apache.flink.runtime.rest.handler.RestHandlerException: Job cancellation failed because the \
             job has already reached another terminal state (FINISHED).\n\tat a.B.c(B.java:1)";
        let cases = [
            (Reply::Answer(202, "{}".to_owned()), Canceled::Asked),
            (Reply::refusal(404, "Job could not be found."), Canceled::Gone),
            (Reply::refusal(409, ended), Canceled::AlreadyEnded("FINISHED".to_owned())),
            (Reply::refusal(409, "no (or yes)"), Canceled::AlreadyEnded(String::new())),
        ];
        for (reply, canceled) in cases {
            let server = Playback::of(vec![(&line, reply)]);
            assert_eq!(FlinkClient::new().cancel(&server.endpoint(), JOB).await.unwrap(), canceled);
        }
        let server = Playback::of(vec![(&line, Reply::refusal(404, "Unable to load requested file /v1/jobs."))]);
        assert!(FlinkClient::new().cancel(&server.endpoint(), JOB).await.is_err());
    }

    #[tokio::test]
    async fn a_rescale_asks_for_no_more_than_a_vertex_can_have() {
        let bounds = |lower: i32, upper: i32| json!({"parallelism": {"lowerBound": lower, "upperBound": upper}});
        let server = Playback::of(vec![
            (
                format!("GET /v1/jobs/{JOB}/resource-requirements"),
                Reply::ok(&json!({SOURCE: bounds(2, 2), TOTAL: bounds(1, 1)}).to_string()),
            ),
            (
                format!("GET /v1/jobs/{JOB}"),
                Reply::ok(
                    &json!({"vertices": [{"id": SOURCE, "maxParallelism": 128}, {"id": TOTAL, "maxParallelism": 1}]})
                        .to_string(),
                ),
            ),
            (format!("PUT /v1/jobs/{JOB}/resource-requirements"), Reply::ok("{}")),
        ]);
        let client = FlinkClient::new();
        client.rescale(&server.endpoint(), JOB, 4).await.unwrap();
        let put = server.heard().into_iter().find(|heard| heard.line.starts_with("PUT ")).unwrap();
        let body: Value = serde_json::from_slice(&put.body).unwrap();
        assert_eq!(body, json!({SOURCE: bounds(2, 4), TOTAL: bounds(1, 1)}));
        // What is so already is not asked for.
        client.rescale(&server.endpoint(), JOB, 2).await.unwrap();
        assert_eq!(server.heard().iter().filter(|heard| heard.line.starts_with("PUT ")).count(), 1);
    }

    #[tokio::test]
    async fn a_rescale_of_an_ended_job_misses_it() {
        let gone = format!("org.apache.flink.runtime.messages.FlinkJobNotFoundException: no ({JOB})");
        let server =
            Playback::of(vec![(format!("GET /v1/jobs/{JOB}/resource-requirements"), Reply::refusal(500, &gone))]);
        let error = FlinkClient::new().rescale(&server.endpoint(), JOB, 4).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Missing);
        let error = FlinkClient::new().rescale(&server.endpoint(), JOB, 0).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}
