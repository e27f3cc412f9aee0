//! Answers as they go over the wire.

use bytes::Bytes;
use kobel_flink_client::Failure;
use kobel_rest::errors::ErrorResponseBody;
use serde_json::{Value, json};

use crate::machine::exceptions::NOT_FOUND;

/// An answer, or why there is none.
pub type Reply = Result<(u16, Bytes), Failure>;

/// An answer.
pub fn answer(status: u16, body: &Value) -> Reply {
    Ok((status, Bytes::from(body.to_string())))
}

/// A refusal with what Flink says of it.
pub fn refusal(status: u16, message: impl Into<String>) -> Reply {
    answer(status, &json!(ErrorResponseBody::of(message)))
}

/// A refusal because the job is not known.
pub fn no_job(id: &str) -> Reply {
    refusal(404, format!("{NOT_FOUND}: Job {id} not found"))
}

/// A refusal that is the fault of the server, with the exception that it tells.
pub fn internal(exception: &str) -> Reply {
    let trace = format!("<Exception on server side:\n{exception}\n\nEnd of exception on server side>");
    answer(500, &json!(ErrorResponseBody { errors: vec!["Internal server error.".to_owned(), trace] }))
}
