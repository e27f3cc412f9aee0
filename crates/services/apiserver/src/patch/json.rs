//! JSON patch, RFC 6902, as the API server takes it.
//!
//! Two things differ from the RFC, because clients of the API server rely on them: `replace` of a field that is not
//! there adds it, and an operation without a value has a null.

use json_patch::PatchOperation;
use serde_json::Value;

use super::body::cannot_decode;
use crate::http::decode::DEPTH_MAX;
use crate::status::{Answer, Status};
use crate::store::depth;

/// The most operations of one patch.
const OPERATIONS_MAX: usize = 10_000;
/// The most bytes that the operations of one patch bring to their places. Each `copy` could double the object.
const BROUGHT_MAX: usize = 3 << 20;

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
    let (mut object, mut brought) = (current.clone(), 0);
    for operation in operations {
        let operation = read(operation, &object).ok_or_else(refusal)?;
        if let Some(value) = brings(&operation, &object) {
            brought += value.to_string().len();
            check(operation.path().count() + depth(value), brought)?;
        }
        json_patch::patch(&mut object, std::slice::from_ref(&operation)).map_err(|_| refusal())?;
    }
    Ok(object)
}

/// The value that an operation brings to its path.
fn brings<'a>(operation: &'a PatchOperation, object: &'a Value) -> Option<&'a Value> {
    match operation {
        PatchOperation::Add(operation) => Some(&operation.value),
        PatchOperation::Replace(operation) => Some(&operation.value),
        PatchOperation::Copy(operation) => object.pointer(operation.from.as_str()),
        PatchOperation::Move(operation) => object.pointer(operation.from.as_str()),
        PatchOperation::Remove(_) | PatchOperation::Test(_) => None,
    }
}

/// Refuses what would be too deep or too large before it is done, so that no value ever is.
fn check(levels: usize, brought: usize) -> Answer<()> {
    if levels > DEPTH_MAX {
        let message = format!("the result of the JSON patch exceeds max depth {DEPTH_MAX}");
        return Err(Status::new(422, "Invalid", message));
    }
    if brought > BROUGHT_MAX {
        let message = format!(
            "Request entity too large: The allowed maximum size of all values in a JSON patch is {BROUGHT_MAX}, \
             got {brought}"
        );
        return Err(Status::new(413, "RequestEntityTooLarge", message));
    }
    Ok(())
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
