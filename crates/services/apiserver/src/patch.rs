//! Patches: how a request names a change of an object, and the object that results.
//!
//! JSON patch, merge patch and strategic merge patch are whole here; server-side apply is `managed`. Custom resources
//! have no strategic merge patch.
//!
//! # Source
//! `apiserver`, `pkg/endpoints/handlers/patch.go`: the texts.

mod body;
mod json;
mod merge;
mod strategic;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::object::go_type;
use crate::status::{Answer, Status};

/// The way in which a patch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 6902: a list of operations.
    Json,
    /// RFC 7396: a part of the object, where null removes.
    Merge,
    /// A part of the object with directives; lists of the kinds of Kubernetes itself merge by key.
    Strategic,
    /// Server-side apply.
    Apply,
}

impl PatchKind {
    /// The kind that a content type names; parameters such as `charset` do not count.
    pub fn of(content_type: &str) -> Option<Self> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match media_type {
            "application/json-patch+json" => Some(Self::Json),
            "application/merge-patch+json" => Some(Self::Merge),
            "application/strategic-merge-patch+json" => Some(Self::Strategic),
            "application/apply-patch+yaml" => Some(Self::Apply),
            _ => None,
        }
    }

    /// The refusal of a content type that patches custom resources in none of the known ways.
    pub fn refuse_for_custom() -> Box<Status> {
        refuse("application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml")
    }

    /// The refusal of a content type that patches kinds of Kubernetes itself in none of the known ways.
    pub fn refuse_for_core() -> Box<Status> {
        refuse(
            "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, \
             application/apply-patch+yaml",
        )
    }
}

fn refuse(accepted: &str) -> Box<Status> {
    let text = "the body of the request was in an unknown format - accepted media types include";
    Status::new(415, "UnsupportedMediaType", format!("{text}: {accepted}"))
}

/// Patches an object; the result has not been looked at by its schema yet.
///
/// # Errors
/// 400 if the patch is not of the form of its kind, 413 if it has too many operations, 422 if it does not fit the
/// object; 415 for server-side apply, which is not a patch of this form.
pub fn apply(kind: PatchKind, current: &Value, body: &Value) -> Answer<Value> {
    let patched = match kind {
        PatchKind::Json => json::patched(current, body)?,
        PatchKind::Merge => merge::patched(current, body)?,
        PatchKind::Strategic => strategic::patched(current, body)?,
        PatchKind::Apply => return Err(PatchKind::refuse_for_core()),
    };
    if patched.is_object() { Ok(patched) } else { Err(not_an_object(&patched)) }
}

fn not_an_object(patched: &Value) -> Box<Status> {
    let why = format!(
        "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go value of type struct {{ \
         APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}",
        go_type(patched)
    );
    let cause = format!("Invalid value: {}: {why}", Value::String(patched.to_string()));
    let mut status = Status::new(422, "Invalid", format!(" \"\" is invalid: patch: {cause}"));
    let cause = serde_json::json!({"reason": "FieldValueInvalid", "message": cause, "field": "patch"});
    status.details = Some(serde_json::json!({"causes": [cause]}));
    status
}
