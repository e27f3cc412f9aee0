//! JSON merge patch, RFC 7396.

use serde_json::Value;

use super::body::cannot_decode;
use crate::status::Answer;

/// Merges a part of an object into it.
pub(super) fn patched(current: &Value, body: &Value) -> Answer<Value> {
    if !body.is_object() {
        return Err(cannot_decode(body, "map[string]interface {}"));
    }
    let mut object = current.clone();
    json_patch::merge(&mut object, body);
    Ok(object)
}
