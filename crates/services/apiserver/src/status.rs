//! The refusals of the API, as Kubernetes' `Status` objects: a code, a reason, a message, and the causes.
//!
//! The texts are those of apimachinery (`pkg/api/errors`), because `kubectl` and controllers read them.

use std::fmt;

use kobel_resources::{Problem, Refusal};
use serde_json::{Value, json};

/// A refusal: what `kubectl` prints and a client matches on.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// HTTP status code.
    pub code: u16,
    /// One CamelCase word that clients match on; empty where the API server gives none.
    pub reason: &'static str,
    /// What a person reads.
    pub message: String,
    /// `details` of the object: name, group, kind, causes.
    pub details: Option<Value>,
}

/// Result with a refusal.
pub type Answer<T> = Result<T, Box<Status>>;

impl Status {
    /// Makes a refusal without details.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Box<Self> {
        Box::new(Self { code, reason, message: message.into(), details: None })
    }

    /// 404: the object is not there; `resource` is `plural.group`, or the plural alone in the core group.
    pub fn not_found(resource: &Resource<'_>, name: &str) -> Box<Self> {
        let message = format!("{} \"{name}\" not found", resource.qualified());
        Box::new(Self { code: 404, reason: "NotFound", message, details: Some(resource.details(name)) })
    }

    /// 404: no such path.
    pub fn no_such_path() -> Box<Self> {
        Self::new(404, "NotFound", "the server could not find the requested resource")
    }

    /// 409: create of something that is there.
    pub fn already_exists(resource: &Resource<'_>, name: &str) -> Box<Self> {
        let message = format!("{} \"{name}\" already exists", resource.qualified());
        Box::new(Self { code: 409, reason: "AlreadyExists", message, details: Some(resource.details(name)) })
    }

    /// 409: somebody else changed the object.
    pub fn conflict(resource: &Resource<'_>, name: &str, why: impl fmt::Display) -> Box<Self> {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified());
        Box::new(Self { code: 409, reason: "Conflict", message, details: Some(resource.details(name)) })
    }

    /// 409: the object that an update was made from is not the newest.
    pub fn stale(resource: &Resource<'_>, name: &str) -> Box<Self> {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, name, why)
    }

    /// 422: the object breaks rules; every problem is a cause.
    pub fn invalid(kind: &str, group: &str, name: &str, problems: &[Problem]) -> Box<Self> {
        let Refusal { message, details } = Refusal::of(kind, group, name, problems);
        Box::new(Self { code: Refusal::CODE, reason: Refusal::REASON, message, details: Some(details) })
    }

    /// 400: the request itself makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Box<Self> {
        Self::new(400, "BadRequest", message)
    }

    /// 403: the caller may not do this; `why` follows the object's name.
    pub fn forbidden(resource: &Resource<'_>, name: &str, why: impl fmt::Display) -> Box<Self> {
        let object = if name.is_empty() { String::new() } else { format!(" \"{name}\"") };
        let message = format!("{}{object} is forbidden: {why}", resource.qualified());
        Box::new(Self { code: 403, reason: "Forbidden", message, details: Some(resource.details(name)) })
    }

    /// 401: who is it?
    pub fn unauthorized() -> Box<Self> {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// 405: the path is known, the method is not for it.
    pub fn method_not_allowed() -> Box<Self> {
        Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }

    /// 406: none of the asked media types can be given.
    pub fn not_acceptable(known: &str) -> Box<Self> {
        Self::new(406, "NotAcceptable", format!("only the following media types are accepted: {known}"))
    }

    /// 410: the version that was asked for is no longer known.
    pub fn expired(message: impl Into<String>) -> Box<Self> {
        Self::new(410, "Expired", message)
    }

    /// 413: the body is larger than any object may be.
    pub fn too_large(max: usize) -> Box<Self> {
        Self::new(413, "RequestEntityTooLarge", format!("Request entity too large: limit is {max}"))
    }

    /// 415: the body is of a media type that is not read here.
    pub fn unsupported_media_type(given: &str, known: &str) -> Box<Self> {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {known} (got `{given}`)"
        );
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// 429: the caller should come again later.
    pub fn too_many_requests(message: impl Into<String>) -> Box<Self> {
        let mut status = Self::new(429, "TooManyRequests", message);
        status.details = Some(json!({"retryAfterSeconds": 1}));
        status
    }

    /// 500: something of ours broke.
    pub fn internal(message: impl fmt::Display) -> Box<Self> {
        Self::new(500, "InternalError", format!("Internal error occurred: {message}"))
    }

    /// 503: the store cannot take writes now.
    pub fn unavailable(message: impl Into<String>) -> Box<Self> {
        Self::new(503, "ServiceUnavailable", message)
    }

    /// The refusal as the API object that is sent.
    pub fn to_json(&self) -> Value {
        let mut object = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message,
        });
        if !self.reason.is_empty() {
            object["reason"] = json!(self.reason);
        }
        if let Some(details) = &self.details {
            object["details"] = details.clone();
        }
        object["code"] = json!(self.code);
        object
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Status {}

/// Which resource a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource<'a> {
    /// API group, empty for the core group.
    pub group: &'a str,
    /// Plural name.
    pub plural: &'a str,
}

impl Resource<'_> {
    /// `plural.group`, or the plural alone in the core group.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    fn details(&self, name: &str) -> Value {
        let mut details = json!({});
        if !name.is_empty() {
            details["name"] = json!(name);
        }
        if !self.group.is_empty() {
            details["group"] = json!(self.group);
        }
        details["kind"] = json!(self.plural);
        details
    }
}
