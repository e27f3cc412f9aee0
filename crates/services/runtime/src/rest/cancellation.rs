//! What ends jobs at once: a job, all jobs of the application, the whole process.

use kobel_model::ids::JobId;
use kobel_rest::cluster::EmptyBody;
use kobel_rest::states::{ApplicationState, JobStatus};

use crate::control::Control;
use crate::rest::applications::standing;
use crate::rest::call::{Answer, Call, Refusal, Reply};
use crate::rest::hex_id::HexId;
use crate::rest::refusals::unreadable;

/// What Flink says of the termination mode `stop`.
const STOP_REMOVED: &str = "The termination mode \"stop\" has been removed. For an ungraceful shutdown, please use \
    \"cancel\" instead. For a graceful shutdown, please use \"jobs/:jobId/stop\" instead.";

/// `PATCH /jobs/:jobid`, which cancels the job.
pub(crate) fn job(call: &Call<'_>) -> Reply {
    let id: JobId = call.path_value("jobid")?;
    match call.query("mode") {
        None => {}
        Some(mode) if mode.eq_ignore_ascii_case("cancel") => {}
        Some(mode) if mode.eq_ignore_ascii_case("stop") => return Err(Refusal::new(308, STOP_REMOVED)),
        Some(mode) => return Err(unreadable("mode", mode)),
    }
    let job = call.cluster.job(id).ok_or_else(|| Refusal::not_found("Job could not be found."))?;
    match job.read(|state| state.status) {
        status @ (JobStatus::Finished | JobStatus::Failed) => Err(Refusal::new(
            409,
            format!("Job cancellation failed because the job has already reached another terminal state ({status})."),
        )),
        JobStatus::Canceled => accepted(),
        _ => {
            job.controller().send(Control::Cancel);
            accepted()
        }
    }
}

/// `GET /jobs/:jobid/yarn-cancel`: any page could have a browser look at it, so here it changes nothing.
pub(crate) fn yarn_cancel(call: &Call<'_>) -> Reply {
    call.path_value::<JobId>("jobid")?;
    Err(Refusal::new(405, "A job is not cancelled by looking at it. Use PATCH /jobs/:jobid?mode=cancel instead."))
}

/// `GET /jobs/:jobid/yarn-stop`.
pub(crate) fn yarn_stop(call: &Call<'_>) -> Reply {
    call.path_value::<JobId>("jobid")?;
    Err(Refusal::new(308, STOP_REMOVED))
}

/// `POST /applications/:applicationid/cancel`.
pub(crate) fn application(call: &Call<'_>) -> Reply {
    let id: HexId = call.path_value("applicationid")?;
    if id.to_string() != call.cluster.facts.application_id {
        return Err(Refusal::not_found("Application could not be found."));
    }
    match standing(call.cluster, &call.cluster.application(), call.now_ms).state {
        state @ (ApplicationState::Finished | ApplicationState::Failed) => Err(Refusal::new(
            409,
            format!(
                "Application cancellation failed because the application has already reached another terminal state \
                 ({state})."
            ),
        )),
        ApplicationState::Canceled => accepted(),
        _ => {
            cancel_all(call);
            accepted()
        }
    }
}

/// `DELETE /cluster`.
pub(crate) fn cluster(call: &Call<'_>) -> Reply {
    call.cluster.note(|end| end.is_shutdown_wanted = true);
    cancel_all(call);
    Answer::empty()
}

/// Cancels every job, and has none begin any more.
fn cancel_all(call: &Call<'_>) {
    // An application that has ended is not canceled by what is asked later.
    call.cluster.note(|end| end.is_cancel_wanted |= end.ended.is_none());
    for job in call.cluster.jobs() {
        if !job.read(|state| state.status.is_globally_terminal()) {
            job.controller().send(Control::Cancel);
        }
    }
}

fn accepted() -> Reply {
    Answer::accepted(&EmptyBody {})
}
