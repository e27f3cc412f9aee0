//! What is removed on request: savepoints, and cached data sets, of which there are none.

use std::sync::Arc;
use std::thread;

use kobel_model::{Error, Result};
use kobel_rest::operations::{
    AsynchronousOperationInfo, AsynchronousOperationResult, SavepointDisposalRequest, TriggerResponse,
};
use kobel_storage::location::local_path;
use kobel_storage::snapshots::dispose;

use crate::control::Outcome;
use crate::rest::call::{Answer, Call, Refusal, Reply};
use crate::rest::hex_id::HexId;
use crate::rest::operations::{Begun, OperationKey, OperationKind, Progress};
use crate::rest::snapshots::{crowded, failure};
use crate::rest::throwable::throwable;

/// Nothing to tell but that it is done.
const DONE: Outcome = Outcome { checkpoint_id: None, directory: None };

/// `POST /savepoint-disposal`; a thread of its own takes the files away.
pub(crate) fn trigger_savepoint(call: &Call<'_>) -> Reply {
    let body: SavepointDisposalRequest = call.body()?;
    let Some(path) = body.savepoint_path else {
        return Err(Refusal::bad_request("Field savepoint-path must not be omitted or be null."));
    };
    let key = OperationKey::new(OperationKind::Disposal, None, None);
    if call.operations.begin(&key) != Begun::Now {
        return Err(crowded());
    }
    let (operations, own_key) = (Arc::clone(call.operations), key.clone());
    let work = move || {
        let removed = remove(&path).map(|()| DONE).map_err(|error| failure(own_key.kind, &error));
        operations.end(&own_key, removed);
    };
    if let Err(error) = thread::Builder::new().name("dispose".to_owned()).spawn(work) {
        let error = Error::io("cannot start a thread to remove a savepoint", error);
        call.operations.end(&key, Err(failure(key.kind, &error)));
    }
    Answer::json(&TriggerResponse { request_id: key.id })
}

fn remove(path: &str) -> Result<()> {
    let local = local_path("savepoint path", path)?;
    dispose(&local).map_err(|error| error.context(format!("cannot dispose savepoint `{path}`")))
}

/// `DELETE /datasets/:datasetid`: none is there, so it is gone.
pub(crate) fn trigger_data_set(call: &Call<'_>) -> Reply {
    call.path_value::<HexId>("datasetid")?;
    let key = OperationKey::new(OperationKind::DataSet, None, None);
    if call.operations.begin(&key) != Begun::Now {
        return Err(crowded());
    }
    call.operations.end(&key, Ok(DONE));
    Answer::accepted(&TriggerResponse { request_id: key.id })
}

/// `GET /savepoint-disposal/:triggerid`.
pub(crate) fn savepoint_status(call: &Call<'_>) -> Reply {
    status(call, OperationKind::Disposal)
}

/// `GET /datasets/delete/:triggerid`.
pub(crate) fn data_set_status(call: &Call<'_>) -> Reply {
    status(call, OperationKind::DataSet)
}

fn status(call: &Call<'_>, kind: OperationKind) -> Reply {
    let id: HexId = call.path_value("triggerid")?;
    let key = OperationKey::new(kind, None, Some(id.to_string()));
    let progress = call.operations.read(&key);
    match progress.ok_or_else(|| Refusal::missing(format!("Operation not found under key: {id}")))? {
        Progress::InProgress => Answer::json(&AsynchronousOperationResult::<AsynchronousOperationInfo>::in_progress()),
        Progress::Ended(result) => {
            let failure_cause = result.err().map(|failure| throwable(failure.class, &failure.text));
            Answer::json(&AsynchronousOperationResult::completed(AsynchronousOperationInfo { failure_cause }))
        }
    }
}
