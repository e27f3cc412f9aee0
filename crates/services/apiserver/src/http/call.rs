//! A request as the API sees it, however it came in.

use std::net::IpAddr;

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::AsHeaderName;

/// One request, its body read.
#[derive(Debug, Clone)]
pub struct Call {
    /// HTTP method in capitals.
    pub method: String,
    /// Path, still percent-encoded.
    pub path: String,
    /// Query without the question mark, still percent-encoded.
    pub query: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// Where it came from, if that is known.
    pub peer: Option<IpAddr>,
}

impl Call {
    /// Makes a request without headers and body.
    pub fn new(method: &str, path: &str, query: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            peer: None,
        }
    }

    /// A header as text; empty if it is absent or not text.
    pub fn header(&self, name: impl AsHeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
