//! Bodies of patches that are not of the form of their kind, and how the API server says so.

use serde_json::Value;

use crate::status::Status;

/// The word that Go has for the JSON type of a value.
pub(super) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What is wrong with a body that is not of the type `wanted`.
pub(super) fn mismatch(body: &Value, wanted: &str) -> String {
    format!("json: cannot unmarshal {} into Go value of type {wanted}", go_type(body))
}

/// The refusal of such a body.
pub(super) fn cannot_decode(body: &Value, wanted: &str) -> Box<Status> {
    Status::bad_request(format!("error decoding patch: {}", mismatch(body, wanted)))
}
