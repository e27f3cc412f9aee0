//! JSON patch, RFC 6902, as the API server takes it.
//!
//! Two things differ from the RFC, because clients of the API server rely on them: `replace` of a field that is not
//! there adds it, and an operation without a value has a null.

use json_patch::PatchOperation;
use serde_json::Value;

use super::body::cannot_decode;
use crate::status::{Answer, Status};

/// The most operations of one patch.
const OPERATIONS_MAX: usize = 10_000;

/// Applies all operations, or none.
pub(super) fn patched(current: &Value, body: &Value) -> Answer<Value> {
    let Some(operations) = body.as_array() else {
        return Err(cannot_decode(body, "[]handlers.jsonPatchOp"));
    };
    if let Some(stray) = operations.iter().find(|operation| !operation.is_object()) {
        return Err(cannot_decode(stray, "handlers.jsonPatchOp"));
    }
    if operations.len() > OPERATIONS_MAX {
        let message = format!(
            "Request entity too large: The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got {}",
            operations.len()
        );
        return Err(Status::new(413, "RequestEntityTooLarge", message));
    }
    let mut object = current.clone();
    for operation in operations {
        let operation = read(operation, &object).ok_or_else(refusal)?;
        json_patch::patch(&mut object, std::slice::from_ref(&operation)).map_err(|_| refusal())?;
    }
    Ok(object)
}

fn read(operation: &Value, object: &Value) -> Option<PatchOperation> {
    let mut operation = operation.clone();
    let fields = operation.as_object_mut()?;
    let word = fields.get("op")?.as_str()?.to_owned();
    if matches!(word.as_str(), "add" | "replace" | "test") && !fields.contains_key("value") {
        fields.insert("value".to_owned(), Value::Null);
    }
    if word == "replace" && is_missing_field(object, fields.get("path")?.as_str()?) {
        fields.insert("op".to_owned(), Value::from("add"));
    }
    serde_json::from_value(operation).ok()
}

/// Whether a path names a field that is not there, of a map that is.
fn is_missing_field(object: &Value, path: &str) -> bool {
    let parent = path.rsplit_once('/').map(|(parent, _)| parent);
    object.pointer(path).is_none() && parent.and_then(|parent| object.pointer(parent)).is_some_and(Value::is_object)
}

/// The API server does not say which operation failed.
fn refusal() -> Box<Status> {
    let mut status = Status::new(422, "Invalid", "the server rejected our request due to an error in our request");
    status.details = Some(serde_json::json!({}));
    status
}
