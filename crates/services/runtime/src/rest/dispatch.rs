//! From a request to its answer: heard or not, read, routed, answered.
//!
//! # Invariants
//! A request that is not heard is not read. Texts of refusals are scrubbed. No answer allows another origin anything.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use serde::Deserialize;

use crate::epoch::now_ms;
use crate::monitor::Monitor;
use crate::rest::body::AnswerBody;
use crate::rest::call::{Answer, Call, Content, Refusal, Reply};
use crate::rest::guard::{Denial, Guard};
use crate::rest::operations::Operations;
use crate::rest::path::{Patterns, Verb, decode};
use crate::rest::query;
use crate::rest::route::Target;
use crate::view::cluster::Cluster;

/// The time in which a body must have come.
const BODY_TIME: Duration = Duration::from_secs(30);
/// The most bytes of a body, whatever is allowed: no request here needs more, since nothing is uploaded, which is what
/// Flink's larger bound is for. So all connections together hold no more than memory has room for.
const BODY_MAX: usize = 1 << 20;
/// How much of a path is logged.
const LOGGED_PATH_MAX: usize = 256;

const JSON: &str = "application/json; charset=UTF-8";
const TEXT: &str = "text/plain";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a request to look at something may say: nothing.
#[derive(Deserialize)]
struct EmptyRequestBody {}

/// What requests are about.
pub(crate) enum Service {
    /// The REST API.
    Rest {
        /// Who answers.
        routes: Patterns<Target>,
        /// What was triggered.
        operations: Arc<Operations>,
        /// Where the server is: `http://localhost:8081`.
        address: String,
    },
    /// Metrics for Prometheus, and nothing else.
    Metrics,
}

/// What answers at one socket.
pub(crate) struct Site {
    /// Which requests are heard.
    pub(crate) guard: Guard,
    /// The process.
    pub(crate) cluster: Arc<Cluster>,
    /// Its metrics.
    pub(crate) monitor: Arc<Monitor>,
    /// What requests are about.
    pub(crate) service: Service,
    /// The most bytes of a body that the settings allow.
    pub(crate) body_max: usize,
}

/// Answers a request; what goes wrong is an answer too.
pub(crate) async fn respond(site: Arc<Site>, request: Request<Incoming>) -> Result<Response<AnswerBody>, Infallible> {
    let (head, body) = request.into_parts();
    if let Err(denial) = site.guard.check(&head.headers) {
        // Whoever may not ask cannot fill the log either.
        let (status, reason) = (denial.status(), denial.message());
        tracing::debug!(target: "kobel.rest", status, reason, "REST request denied");
        return Ok(denied(denial));
    }
    let reply = receive(body, site.body_max.min(BODY_MAX)).await.and_then(|body| site.answer(&head, &body));
    let response = site.response(reply);
    if head.method != Method::GET {
        log(&head, response.status());
    }
    Ok(response)
}

/// Tells of a request that may have changed something.
fn log(head: &Parts, status: StatusCode) {
    let (method, status) = (head.method.as_str(), status.as_u16());
    let path = head.uri.path();
    let path = path.get(..LOGGED_PATH_MAX).unwrap_or(path);
    tracing::info!(target: "kobel.rest", method, path, status, "REST request");
}

/// The whole body.
async fn receive(mut body: Incoming, max: usize) -> Result<Vec<u8>, Refusal> {
    if body.is_end_stream() {
        return Ok(Vec::new());
    }
    if body.size_hint().lower() > max as u64 {
        return Err(too_large(max));
    }
    let all = async {
        let mut received = Vec::new();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            let frame = frame.map_err(|_| Refusal::plain(400, "Bad request received: the body broke off."))?;
            if let Ok(data) = frame.into_data() {
                if data.len() > max - received.len() {
                    return Err(too_large(max));
                }
                received.extend_from_slice(&data);
            }
        }
        Ok(received)
    };
    match tokio::time::timeout(BODY_TIME, all).await {
        Ok(received) => received,
        Err(_) => Err(Refusal::plain(408, "Bad request received: the body took too long.")),
    }
}

fn too_large(max: usize) -> Refusal {
    let advice = if max < BODY_MAX {
        ". Try to raise [rest.server.max-content-length]"
    } else {
        ", the most that is read here, whatever [rest.server.max-content-length] says"
    };
    Refusal::plain(413, format!("content length exceeded {max} bytes{advice}"))
}

impl Site {
    fn answer(&self, head: &Parts, body: &[u8]) -> Reply {
        let path = decode(head.uri.path());
        match &self.service {
            Service::Metrics => self.metrics(head, &path),
            Service::Rest { routes, operations, address } => {
                let verb = Verb::of(head.method.as_str());
                let Some((target, values)) = verb.and_then(|verb| routes.find(verb, &path)) else {
                    return Err(unknown(head, &path));
                };
                let call = Call {
                    cluster: &self.cluster,
                    monitor: &self.monitor,
                    operations,
                    path: values,
                    query: query::parse(head.uri.query())?,
                    body,
                    now_ms: now_ms(),
                };
                if head.method == Method::GET && !body.is_empty() {
                    // Flink reads it as well, and refuses what is no object.
                    call.body::<EmptyRequestBody>()?;
                }
                target.answer(&call, address)
            }
        }
    }

    /// As Flink's reporter, which has the same metrics at the root.
    fn metrics(&self, head: &Parts, path: &str) -> Reply {
        if head.method == Method::GET && matches!(path, "/metrics" | "/metrics/" | "/") {
            return Ok(Answer { status: 200, content: Content::Text(self.monitor.prometheus()) });
        }
        Err(unknown(head, path))
    }

    fn response(&self, reply: Reply) -> Response<AnswerBody> {
        let text = match self.service {
            Service::Metrics => PROMETHEUS,
            Service::Rest { .. } => TEXT,
        };
        match reply {
            Ok(Answer { status, content: Content::Json(bytes) }) => made(status, JSON, AnswerBody::whole(bytes)),
            Ok(Answer { status, content: Content::Text(bytes) }) => made(status, text, AnswerBody::whole(bytes)),
            Ok(Answer { status, content: Content::File(file) }) => match AnswerBody::file(file) {
                Ok(body) => made(status, text, body),
                Err(_) => self.refused(Refusal::plain(500, "Could not transfer file to client.")),
            },
            Err(refusal) => self.refused(refusal),
        }
    }

    fn refused(&self, mut refusal: Refusal) -> Response<AnswerBody> {
        for message in &mut refusal.messages {
            *message = self.cluster.facts.scrubber.scrub(message).into_owned();
        }
        failed(&refusal)
    }
}

fn denied(denial: Denial) -> Response<AnswerBody> {
    let mut response = failed(&Refusal::plain(denial.status(), denial.message()));
    if denial == Denial::Unauthorized {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn failed(refusal: &Refusal) -> Response<AnswerBody> {
    // Texts can always be encoded.
    let bytes = serde_json::to_vec(&refusal.body()).unwrap_or_default();
    made(refusal.status, JSON, AnswerBody::whole(bytes))
}

fn made(status: u16, content_type: &'static str, body: AnswerBody) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// 404 as Flink words it: what is looked at might be a file of the Web UI, anything else is just not there.
fn unknown(head: &Parts, path: &str) -> Refusal {
    if head.method == Method::GET {
        let index = if path.ends_with('/') { "index.html" } else { "" };
        return Refusal::plain(404, format!("Unable to load requested file {path}{index}."));
    }
    Refusal::plain(404, format!("Not found: {}", head.uri))
}
