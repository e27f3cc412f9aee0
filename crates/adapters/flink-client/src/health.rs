//! How well a job does: its restarts and its checkpoints, as its metrics count them.
//!
//! A number that the cluster does not tell is absent and never read as zero.

use kobel_model::Result;
use kobel_rest::metrics::MetricCollectionResponseBody;

use crate::call::{Call, segment};
use crate::endpoint::Endpoint;
use crate::transport::FlinkClient;

/// Restarts, as Flink counts them now.
const RESTARTS: &str = "numRestarts";
/// Restarts, as Flink counted them once.
const FULL_RESTARTS: &str = "fullRestarts";
const COMPLETED_CHECKPOINTS: &str = "numberOfCompletedCheckpoints";

/// What a job tells of how well it does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobHealth {
    /// How often it was restarted since its job manager began.
    pub restarts: Option<i64>,
    /// How many checkpoints it has completed since then.
    pub completed_checkpoints: Option<i64>,
}

impl FlinkClient {
    /// Asks how often a job was restarted and how many checkpoints it has completed. A job that the cluster does not
    /// know tells nothing.
    ///
    /// # Errors
    /// Unavailable if there is no answer.
    pub async fn health(&self, at: &Endpoint, id: &str) -> Result<JobHealth> {
        let path = format!("/jobs/{}/metrics?get={RESTARTS},{FULL_RESTARTS},{COMPLETED_CHECKPOINTS}", segment(id));
        let answer = self.ask::<MetricCollectionResponseBody>(at, Call::get(path)).await;
        let metrics = answer.map_err(|failure| failure.about(&format!("ask how job `{id}` does"), at.shown()))?;
        let number = |name: &str| {
            let metric = metrics.iter().find(|metric| metric.id == name)?;
            metric.value.as_ref()?.trim().parse::<i64>().ok()
        };
        Ok(JobHealth {
            restarts: number(RESTARTS).or_else(|| number(FULL_RESTARTS)),
            completed_checkpoints: number(COMPLETED_CHECKPOINTS),
        })
    }
}

#[cfg(test)]
mod tests {
    use kobel_model::ErrorKind;

    use super::*;
    use crate::playback::{Playback, Reply};

    const ID: &str = "d6ebe40fb3e2262b88121e25031759c0";

    fn line() -> String {
        format!("GET /v1/jobs/{ID}/metrics?get=numRestarts,fullRestarts,numberOfCompletedCheckpoints")
    }

    #[tokio::test]
    async fn restarts_are_counted_by_the_newer_name_and_what_is_not_told_is_absent() {
        let cases = [
            (
                r#"[{"id":"numberOfCompletedCheckpoints","value":"2"},{"id":"fullRestarts","value":"3"},
                {"id":"numRestarts","value":"4"}]"#,
                (Some(4), Some(2)),
            ),
            (r#"[{"id":"fullRestarts","value":"3"}]"#, (Some(3), None)),
            (r#"[{"id":"numRestarts","value":"NaN"},{"id":"fullRestarts","value":"3"}]"#, (Some(3), None)),
            (r#"[{"id":"numRestarts"},{"id":"numberOfCompletedCheckpoints","value":"0"}]"#, (None, Some(0))),
            ("[]", (None, None)),
        ];
        for (answer, (restarts, completed_checkpoints)) in cases {
            let server = Playback::of(vec![(line(), Reply::ok(answer))]);
            let health = FlinkClient::new().health(&server.endpoint(), ID).await.unwrap();
            assert_eq!(health, JobHealth { restarts, completed_checkpoints }, "{answer}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_an_error() {
        let server = Playback::of(vec![(line(), Reply::HangUp)]);
        let error = FlinkClient::new().health(&server.endpoint(), ID).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains(ID), "{error}");
    }
}
