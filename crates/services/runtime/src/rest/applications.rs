//! The one application: the list, its detail, its failures.

use kobel_rest::applications::{
    ApplicationDetails, ApplicationDetailsInfo, ApplicationExceptionHistory, ApplicationExceptionInfo,
    ApplicationExceptionsInfoWithHistory, MultipleApplicationsDetails,
};
use kobel_rest::ordered::OrderedMap;
use kobel_rest::per_state::PerState;
use kobel_rest::states::{ApplicationState, JobStatus};

use crate::rest::call::{Answer, Call, Refusal, Reply};
use crate::rest::hex_id::HexId;
use crate::rest::java_exceptions::NO_APPLICATION;
use crate::rest::jobs::summary;
use crate::rest::refusals::internal;
use crate::view::cluster::{ApplicationEnd, Cluster};

/// How the application stands, in the words of the API.
pub(crate) struct Standing {
    /// Its state.
    pub(crate) state: ApplicationState,
    /// When it ended in epoch milliseconds, or -1.
    pub(crate) end_time: i64,
    /// How long it has run, or ran.
    pub(crate) duration: i64,
}

/// `GET /applications/overview`.
pub(crate) fn overview(call: &Call<'_>) -> Reply {
    let facts = &call.cluster.facts;
    let standing = standing(call.cluster, &call.cluster.application(), call.now_ms);
    let mut jobs: OrderedMap<JobStatus, i64> = OrderedMap::new();
    for job in call.cluster.jobs() {
        let status = job.read(|state| state.status);
        let count = jobs.get(&status).copied().unwrap_or(0);
        jobs.insert(status, count + 1);
    }
    let application = ApplicationDetails {
        id: facts.application_id.clone(),
        name: facts.application_name.clone(),
        start_time: facts.started_ms,
        end_time: standing.end_time,
        duration: standing.duration,
        status: standing.state,
        jobs,
    };
    Answer::json(&MultipleApplicationsDetails { applications: vec![application] })
}

/// `GET /applications/:applicationid`.
pub(crate) fn detail(call: &Call<'_>) -> Reply {
    named(call)?;
    let facts = &call.cluster.facts;
    let end = call.cluster.application();
    let standing = standing(call.cluster, &end, call.now_ms);
    let jobs = call.cluster.jobs();
    Answer::json(&ApplicationDetailsInfo {
        id: facts.application_id.clone(),
        name: facts.application_name.clone(),
        status: standing.state,
        start_time: facts.started_ms,
        end_time: standing.end_time,
        duration: standing.duration,
        timestamps: timestamps(call.cluster, &end, standing.state),
        jobs: jobs.iter().rev().map(|job| job.read(|state| summary(&job.facts, state, call.now_ms))).collect(),
    })
}

/// `GET /applications/:applicationid/exceptions`.
pub(crate) fn exceptions(call: &Call<'_>) -> Reply {
    named(call)?;
    let entries = match call.cluster.application().ended {
        Some((timestamp, Err(text))) => vec![ApplicationExceptionInfo {
            exception_name: "kobel.ApplicationFailed".to_owned(),
            stacktrace: call.cluster.facts.scrubber.scrub(&text).into_owned(),
            timestamp,
            job_id: None,
        }],
        _ => Vec::new(),
    };
    Answer::json(&ApplicationExceptionsInfoWithHistory { exception_history: ApplicationExceptionHistory { entries } })
}

/// 500 as Flink answers, because there is no such application.
pub(crate) fn no_application(id: &HexId) -> Refusal {
    internal(NO_APPLICATION, format_args!("Could not find Flink application ({id})"))
}

/// Refuses every application but ours.
fn named(call: &Call<'_>) -> Result<(), Refusal> {
    let id: HexId = call.path_value("applicationid")?;
    if id.to_string() == call.cluster.facts.application_id { Ok(()) } else { Err(no_application(&id)) }
}

/// How the application stands.
pub(crate) fn standing(cluster: &Cluster, end: &ApplicationEnd, now_ms: i64) -> Standing {
    let begun = cluster.facts.started_ms;
    let Some((ended_ms, result)) = &end.ended else {
        let state = if end.is_cancel_wanted { ApplicationState::Canceling } else { ApplicationState::Running };
        return Standing { state, end_time: -1, duration: (now_ms - begun).max(0) };
    };
    let is_canceled = || cluster.jobs().iter().any(|job| job.read(|state| state.status == JobStatus::Canceled));
    let state = match result {
        Err(_) => ApplicationState::Failed,
        Ok(()) if end.is_cancel_wanted || is_canceled() => ApplicationState::Canceled,
        Ok(()) => ApplicationState::Finished,
    };
    Standing { state, end_time: *ended_ms, duration: (ended_ms - begun).max(0) }
}

/// When the application entered each state.
fn timestamps(cluster: &Cluster, end: &ApplicationEnd, state: ApplicationState) -> PerState<ApplicationState> {
    let mut timestamps = PerState::zero();
    timestamps.set(ApplicationState::Created, cluster.facts.started_ms);
    timestamps.set(ApplicationState::Running, cluster.facts.started_ms);
    if let Some((ended_ms, _)) = end.ended {
        timestamps.set(state, ended_ms);
    }
    timestamps
}
