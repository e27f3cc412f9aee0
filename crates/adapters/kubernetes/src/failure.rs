//! What goes wrong with a request: a refusal of the API with its code and causes, or an API that cannot be reached.
//!
//! Callers look at refusals; persons get them as the shared error, every cause on a line of its own.

use std::error::Error as StdError;

use kobel_model::{Error, ErrorKind};
use serde_json::Value;

/// One reason of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The word that clients match on: `FieldValueInvalid`.
    pub reason: String,
    /// The path of the field; may be empty.
    pub field: String,
    /// What a person reads.
    pub message: String,
}

/// A refusal of the API, from its `Status` object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status code.
    pub code: u16,
    /// The word that clients match on: `NotFound`.
    pub reason: String,
    /// What a person reads.
    pub message: String,
    /// Each reason by itself, if the API names them.
    pub causes: Vec<Cause>,
}

/// Why a request has no answer.
#[derive(Debug)]
pub enum Failure {
    /// The API answered with a refusal.
    Refused(Box<Refusal>),
    /// Anything else.
    Other(Error),
}

/// Answer of a request.
pub type Answer<T> = Result<T, Failure>;

impl Refusal {
    /// Reads the body of an answer that is no success; a body that is no `Status` becomes the message.
    pub fn read(code: u16, body: &[u8]) -> Self {
        let status = serde_json::from_slice::<Value>(body).ok().filter(|value| text(value, "kind") == "Status");
        match status {
            Some(status) => Self::of(code, &status),
            None => {
                let message = String::from_utf8_lossy(body).trim().to_owned();
                let message = if message.is_empty() { format!("the API answered with code {code}") } else { message };
                Self { code, reason: String::new(), message, causes: Vec::new() }
            }
        }
    }

    /// Reads a `Status` object; `code` stands in for one that the object lacks.
    pub fn of(code: u16, status: &Value) -> Self {
        let listed = status.get("details").and_then(|details| details.get("causes")).and_then(Value::as_array);
        let causes = listed.into_iter().flatten().map(|cause| Cause {
            reason: text(cause, "reason"),
            field: text(cause, "field"),
            message: text(cause, "message"),
        });
        let own = status.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        Self {
            code: own.unwrap_or(code),
            reason: text(status, "reason"),
            message: text(status, "message"),
            causes: causes.collect(),
        }
    }

    /// Whether what was named does not exist.
    pub fn is_missing(&self) -> bool {
        self.code == 404
    }

    /// The namespace that is not there, if that is the reason.
    pub fn missing_namespace(&self) -> Option<&str> {
        let named = self.message.strip_prefix("namespaces \"")?.strip_suffix("\" not found")?;
        self.is_missing().then_some(named)
    }

    /// What the receiver should do.
    pub fn kind(&self) -> ErrorKind {
        match self.code {
            401 | 403 => ErrorKind::Denied,
            404 => ErrorKind::Missing,
            409 | 410 => ErrorKind::Conflict,
            // An apply with a field that the schema does not have: nothing is wrong with the server.
            500 if self.message.contains("field not declared in schema") => ErrorKind::Invalid,
            429 | 500..=599 => ErrorKind::Unavailable,
            _ => ErrorKind::Invalid,
        }
    }

    /// The message with every cause on a line of its own.
    pub fn text(&self) -> String {
        let head = match self.reason.as_str() {
            "Invalid" => self.message.split_once(" is invalid").map(|(head, _)| format!("{head} is invalid")),
            "Conflict" => self.message.split_once(": ").map(|(head, _)| head.to_owned()),
            _ => None,
        };
        match head {
            Some(mut text) if !self.causes.is_empty() => {
                text.push(':');
                for cause in &self.causes {
                    text.push_str("\n  ");
                    if !cause.field.is_empty() {
                        text.push_str(&cause.field);
                        text.push_str(": ");
                    }
                    text.push_str(&cause.message);
                }
                text
            }
            _ => self.message.clone(),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self.code {
            403 => Some(
                "this token does not allow it: ask whoever runs the API for one that does, made with `kobel token USER \
                 --role operator`",
            ),
            401 => Some(
                "the token is unknown or expired: ask for a new one (`kobel token`), or use the kubeconfig that `kobel \
                 up` writes",
            ),
            409 if self.causes.iter().any(|cause| cause.reason == "FieldManagerConflict") => {
                Some("another manager owns these fields; take them over with `--force-conflicts`")
            }
            _ => None,
        }
    }
}

impl Failure {
    /// Whether what was named does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.is_missing())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Other(error) => error,
            Failure::Refused(refusal) => {
                let error = Self::new(refusal.kind(), refusal.text());
                match refusal.hint() {
                    Some(hint) => error.with_hint(hint),
                    None => error,
                }
            }
        }
    }
}

/// The error of a request that got no answer from `server`, which the command `start` starts.
pub(crate) fn unreachable(server: &str, start: &str, error: &(dyn StdError + 'static)) -> Error {
    let (last, io) = deepest(error);
    let reached = Error::new(ErrorKind::Unavailable, format!("cannot reach the API at `{server}`"));
    if io == Some(std::io::ErrorKind::ConnectionRefused) {
        return reached.with_source("nobody listens there").with_hint(format!("start it with `{start}`"));
    }
    if last.contains("certificate") {
        let message = format!("the API at `{server}` is not the one that the kubeconfig trusts");
        return Error::new(ErrorKind::Denied, message)
            .with_source(last)
            .with_hint("take the kubeconfig that `kobel up` names");
    }
    reached.with_source(last).with_hint("see that the address in the kubeconfig is right and the API runs")
}

/// The last cause in words, and the I/O error among the causes.
fn deepest(error: &(dyn StdError + 'static)) -> (String, Option<std::io::ErrorKind>) {
    let (mut text, mut io) = (error.to_string(), None);
    let mut next = Some(error);
    while let Some(error) = next {
        text = error.to_string();
        next = error.source();
        if let Some(own) = error.downcast_ref::<std::io::Error>() {
            io = Some(own.kind());
            // An I/O error that wraps another error names that one's cause as its own.
            if let Some(inner) = own.get_ref() {
                let inner: &(dyn StdError + 'static) = inner;
                next = Some(inner);
            }
        }
    }
    (text, io)
}

fn text(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_code_of_a_refusal_says_what_to_do() {
        for (code, expected) in [
            (400, ErrorKind::Invalid),
            (401, ErrorKind::Denied),
            (403, ErrorKind::Denied),
            (404, ErrorKind::Missing),
            (409, ErrorKind::Conflict),
            (410, ErrorKind::Conflict),
            (415, ErrorKind::Invalid),
            (422, ErrorKind::Invalid),
            (429, ErrorKind::Unavailable),
            (503, ErrorKind::Unavailable),
        ] {
            let error = Error::from(Failure::from(Refusal::read(code, b"no")));
            assert_eq!((error.kind(), error.to_string().as_str()), (expected, "no"), "{code}");
        }
    }

    #[test]
    fn who_may_not_is_told_how_to_be_allowed() {
        for (code, expected) in [(401, Some("`kobel token`")), (403, Some("--role operator`")), (400, None)] {
            let error = Error::from(Failure::from(Refusal::read(code, b"no")));
            assert_eq!(error.hint().is_some(), expected.is_some(), "{code}");
            assert!(error.hint().unwrap_or_default().contains(expected.unwrap_or_default()), "{code}: {error:?}");
        }
    }

    #[test]
    fn some_messages_say_more_than_their_code() {
        let message =
            "failed to create typed patch object (a/b; c/v1, Kind=D): .spec.foo: field not declared in schema";
        assert_eq!(Refusal::read(500, message.as_bytes()).kind(), ErrorKind::Invalid);
        for (code, message, expected) in [
            (404, "namespaces \"team\" not found", Some("team")),
            (403, "namespaces \"team\" not found", None),
            (404, "secrets \"team\" not found", None),
        ] {
            assert_eq!(Refusal::read(code, message.as_bytes()).missing_namespace(), expected, "{code} {message}");
        }
    }

    #[test]
    fn every_cause_stands_on_its_own_line() {
        let body = json!({
            "kind": "Status", "code": 422, "reason": "Invalid",
            "message": "FlinkDeployment.flink.apache.org \"a\" is invalid: [spec.x: Required value, spec.y: Forbidden]",
            "details": {"causes": [
                {"reason": "FieldValueRequired", "field": "spec.x", "message": "Required value"},
                {"reason": "FieldValueForbidden", "field": "spec.y", "message": "Forbidden"},
            ]},
        });
        let refusal = Refusal::read(422, body.to_string().as_bytes());
        let expected = "FlinkDeployment.flink.apache.org \"a\" is invalid:\n  spec.x: Required value\n  \
                        spec.y: Forbidden";
        assert_eq!(refusal.text(), expected);
    }

    #[test]
    fn a_conflict_of_managers_names_the_way_out() {
        let body = json!({
            "kind": "Status", "code": 409, "reason": "Conflict",
            "message": "Apply failed with 1 conflict: conflict with \"kubectl\" using v1: .data.a",
            "details": {"causes": [
                {"reason": "FieldManagerConflict", "field": ".data.a", "message": "conflict with \"kubectl\" using v1"},
            ]},
        });
        let error = Error::from(Failure::from(Refusal::read(409, body.to_string().as_bytes())));
        assert_eq!(error.to_string(), "Apply failed with 1 conflict:\n  .data.a: conflict with \"kubectl\" using v1");
        assert!(error.hint().is_some_and(|hint| hint.contains("--force-conflicts")), "{error:?}");
    }

    #[test]
    fn a_refused_connection_says_how_to_start_the_api() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let wrapped = std::io::Error::other(refused);
        let error = unreachable("https://127.0.0.1:1", "kobel up --data-dir /data", &wrapped);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.hint(), Some("start it with `kobel up --data-dir /data`"));
    }
}
