//! One request before it is sent: method, path, body, and how long its answer may take.

use hyper::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::body::Outgoing;
use crate::failure::Failure;

/// What is written in another way within a segment of a path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How long an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// As long as the server needs to look something up.
    Short,
    /// As long as it needs to take a file in, or to run a program until it has submitted its job.
    Long,
}

/// A request.
#[derive(Debug)]
pub(crate) struct Call {
    /// The method.
    pub(crate) method: Method,
    /// The path with the query, without the version.
    pub(crate) path: String,
    /// The body.
    pub(crate) body: Outgoing,
    /// How long the answer may take.
    pub(crate) patience: Patience,
}

impl Call {
    /// A request without a body.
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), body: Outgoing::nothing(), patience: Patience::Short }
    }

    /// A question.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A request with JSON.
    pub(crate) fn json(method: Method, path: impl Into<String>, body: &impl Serialize) -> Result<Self, Failure> {
        let text = serde_json::to_vec(body)
            .map_err(|error| Failure::Address(format!("the request cannot be written: {error}")))?;
        Ok(Self { body: Outgoing::json(text), ..Self::new(method, path) })
    }

    /// The same request with more time for the answer.
    pub(crate) fn patient(self) -> Self {
        Self { patience: Patience::Long, ..self }
    }
}

/// A text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}
