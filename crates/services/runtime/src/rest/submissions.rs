//! What a cluster for compiled programs would take and this one does not: programs, job graphs, requests to operators.
//!
//! Each is refused with the status that Flink has for a program that is not there, and a text that says why.

use kobel_model::ids::JobId;
use kobel_rest::submissions::JarListInfo;

use crate::rest::call::{Answer, Call, Refusal, Reply};
use crate::rest::hex_id::HexId;
use crate::rest::java_exceptions::{COMPLETION, REST_HANDLER, UNSUPPORTED};
use crate::rest::refusals::{internal, no_master};

/// Why there is nothing to submit to.
const ONE_APPLICATION: &str = "This process runs one native application and takes neither programs nor job graphs. \
    Start another one with `kobel run`.";

/// `GET /jars`.
pub(crate) fn jars(_call: &Call<'_>, address: &str) -> Reply {
    Answer::json(&JarListInfo { address: address.to_owned(), files: Vec::new() })
}

/// `POST /jars/upload` and `POST /jobs`.
pub(crate) fn submit(_call: &Call<'_>) -> Reply {
    Err(Refusal::bad_request(ONE_APPLICATION))
}

/// `GET` and `POST /jars/:jarid/plan`, `POST /jars/:jarid/run` and `run-application`.
pub(crate) fn run(call: &Call<'_>) -> Reply {
    let name = call.path("jarid");
    Err(internal(COMPLETION, format_args!("{REST_HANDLER}: Jar file {name} does not exist. {ONE_APPLICATION}")))
}

/// `DELETE /jars/:jarid`.
pub(crate) fn delete(call: &Call<'_>) -> Reply {
    Err(Refusal::bad_request(format!("File {} does not exist. {ONE_APPLICATION}", call.path("jarid"))))
}

/// `POST /jobs/:jobid/coordinators/:operatorUid`.
pub(crate) fn coordinate(call: &Call<'_>) -> Reply {
    let id: JobId = call.path_value("jobid")?;
    match call.cluster.job(id) {
        Some(_) => Err(internal(UNSUPPORTED, "Operators of a native application take no requests from clients.")),
        None => Err(no_master(id)),
    }
}

/// `PATCH /jobs/:jobid/rescaling`.
pub(crate) fn rescale(call: &Call<'_>) -> Reply {
    call.path_value::<JobId>("jobid")?;
    Err(rescaling_disabled())
}

/// `GET /jobs/:jobid/rescaling/:triggerid`.
pub(crate) fn rescaling_status(call: &Call<'_>) -> Reply {
    call.path_value::<JobId>("jobid")?;
    call.path_value::<HexId>("triggerid")?;
    Err(rescaling_disabled())
}

fn rescaling_disabled() -> Refusal {
    Refusal::new(503, "Rescaling is temporarily disabled. See FLINK-12312.")
}
