//! Bodies of patches that are not of the form of their kind, and how the API server says so.

use serde_json::Value;

use crate::object::go_type;
use crate::status::Status;

/// What is wrong with a body that is not of the type `wanted`.
pub(super) fn mismatch(body: &Value, wanted: &str) -> String {
    format!("json: cannot unmarshal {} into Go value of type {wanted}", go_type(body))
}

/// The refusal of such a body.
pub(super) fn cannot_decode(body: &Value, wanted: &str) -> Box<Status> {
    Status::bad_request(format!("error decoding patch: {}", mismatch(body, wanted)))
}
