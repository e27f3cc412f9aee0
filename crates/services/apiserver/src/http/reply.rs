//! An answer as the API gives it, however it goes out.

use std::fmt;

use bytes::Bytes;
use serde_json::Value;

use super::negotiation::JSON;
use super::watching::WatchStream;
use crate::status::Status;

/// The most bytes of all warnings of an answer together.
const WARNINGS_MAX: usize = 4096;

/// One answer.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status code.
    pub code: u16,
    /// Headers besides those that transport sets.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: ReplyBody,
}

/// The body of an answer.
pub enum ReplyBody {
    /// All of it.
    Full(Bytes),
    /// Events as they come.
    Watch(Box<WatchStream>),
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(bytes) => f.debug_tuple("Full").field(&bytes.len()).finish(),
            Self::Watch(_) => f.write_str("Watch"),
        }
    }
}

impl Reply {
    /// An answer of bytes.
    pub fn full(code: u16, media_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type", media_type.to_owned()), ("cache-control", "no-cache, private".to_owned())];
        Self { code, headers, body: ReplyBody::Full(body.into()) }
    }

    /// An answer of JSON, which ends with a line end as the API server's do.
    pub fn json(code: u16, object: &Value) -> Self {
        Self::full(code, JSON, format!("{object}\n"))
    }

    /// An answer of events.
    pub fn watch(stream: WatchStream) -> Self {
        let headers = vec![("content-type", JSON.to_owned()), ("cache-control", "no-cache, private".to_owned())];
        Self { code: 200, headers, body: ReplyBody::Watch(Box::new(stream)) }
    }

    /// A refusal.
    pub fn refusal(status: &Status) -> Self {
        let mut reply = Self::json(status.code, &status.to_json());
        let wait = status.details.as_ref().and_then(|details| details.get("retryAfterSeconds")).and_then(Value::as_i64);
        if let Some(seconds) = wait {
            reply.headers.push(("retry-after", seconds.to_string()));
        }
        reply
    }

    /// Adds warnings for the person at the other end; what is too long is cut.
    pub fn warn(&mut self, warnings: &[String]) {
        let mut room = WARNINGS_MAX;
        for warning in warnings {
            let text = quote(warning, room);
            if text.is_empty() {
                return;
            }
            room -= text.len();
            self.headers.push(("warning", format!("299 - \"{text}\"")));
        }
    }

    /// The whole body, if it is not a stream.
    pub fn bytes(&self) -> Option<&Bytes> {
        match &self.body {
            ReplyBody::Full(bytes) => Some(bytes),
            ReplyBody::Watch(_) => None,
        }
    }
}

/// Escapes a text for a quoted string of a header, as far as it fits.
fn quote(text: &str, room: usize) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        let before = quoted.len();
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
        if quoted.len() > room {
            quoted.truncate(before);
            break;
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_quoted_and_bounded() {
        let mut reply = Reply::full(200, JSON, "{}");
        reply.warn(&["unknown field \"spec.x\"\n".to_owned(), "x".repeat(9000), "lost".to_owned()]);
        let warnings: Vec<&str> =
            reply.headers.iter().filter(|(name, _)| *name == "warning").map(|(_, value)| value.as_str()).collect();
        assert_eq!(warnings.len(), 2);
        assert_eq!(warnings[0], r#"299 - "unknown field \"spec.x\" ""#);
        assert!(warnings.iter().map(|warning| warning.len() - 8).sum::<usize>() <= WARNINGS_MAX);
    }
}
