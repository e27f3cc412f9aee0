//! One request as handlers see it, and what they answer.
//!
//! Handlers are functions from a [`Call`] to a [`Reply`]; they do no I/O on sockets and never wait.

use std::fmt;
use std::fs::File;
use std::str::FromStr;
use std::sync::Arc;

use kobel_model::ids::{JobId, OperatorId};
use kobel_rest::errors::ErrorResponseBody;
use kobel_rest::requests::read_body;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::monitor::Monitor;
use crate::rest::java_exceptions::{NOT_FOUND, REST_HANDLER, no_job};
use crate::rest::operations::Operations;
use crate::view::cluster::Cluster;
use crate::view::job::JobView;

/// A request.
pub(crate) struct Call<'a> {
    /// The process.
    pub(crate) cluster: &'a Cluster,
    /// Metrics and rates.
    pub(crate) monitor: &'a Monitor,
    /// What was triggered and is under way, or has ended and not been asked for.
    pub(crate) operations: &'a Arc<Operations>,
    /// Values of the placeholders of the path, decoded once, by name without the colon.
    pub(crate) path: Vec<(&'static str, String)>,
    /// Parameters of the query, decoded, in their order.
    pub(crate) query: Vec<(String, String)>,
    /// The whole body.
    pub(crate) body: &'a [u8],
    /// Epoch milliseconds.
    pub(crate) now_ms: i64,
}

/// What a handler answers.
pub(crate) type Reply = Result<Answer, Refusal>;

/// A good answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// What comes back.
    pub(crate) content: Content,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Content {
    /// JSON text.
    Json(Vec<u8>),
    /// Plain text.
    Text(String),
    /// A file, sent as plain text.
    File(File),
}

impl Answer {
    /// 200 with JSON.
    pub(crate) fn json(value: &impl Serialize) -> Reply {
        Self::with_status(200, value)
    }

    /// 202 with JSON: it has been begun.
    pub(crate) fn accepted(value: &impl Serialize) -> Reply {
        Self::with_status(202, value)
    }

    /// 200 with `{}`.
    pub(crate) fn empty() -> Reply {
        Ok(Self { status: 200, content: Content::Json(b"{}".to_vec()) })
    }

    fn with_status(status: u16, value: &impl Serialize) -> Reply {
        match serde_json::to_vec(value) {
            Ok(text) => Ok(Self { status, content: Content::Json(text) }),
            Err(error) => Err(Refusal::new(500, format!("the answer cannot be encoded: {error}"))),
        }
    }
}

/// A refusal: status and what Flink writes under `errors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// HTTP status.
    pub(crate) status: u16,
    /// Whose words they are.
    pub(crate) wording: Wording,
    /// For the person.
    pub(crate) messages: Vec<String>,
}

/// What stands before the first message, since clients look for it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wording {
    /// Nothing: no handler was reached, or it failed.
    Plain,
    /// The exception of a handler that refuses.
    Handler,
    /// The exception of a handler that finds nothing.
    NotFound,
}

impl Refusal {
    /// A refusal of a handler with one message.
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, wording: Wording::Handler, messages: vec![message.into()] }
    }

    /// A refusal that no handler made.
    pub(crate) fn plain(status: u16, message: impl Into<String>) -> Self {
        Self { wording: Wording::Plain, ..Self::new(status, message) }
    }

    /// 404 because something that the path names is not there.
    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self { wording: Wording::NotFound, ..Self::new(404, message) }
    }

    /// 404 with one message.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, message)
    }

    /// 400 with one message.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// Adds a cause to the message.
    pub(crate) fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        if let Some(message) = self.messages.first_mut() {
            message.push_str(&format!("\nCaused by: {cause}"));
        }
        self
    }

    /// The body.
    pub(crate) fn body(&self) -> ErrorResponseBody {
        let class = match self.wording {
            Wording::Plain => None,
            Wording::Handler => Some(REST_HANDLER),
            Wording::NotFound => Some(NOT_FOUND),
        };
        let mut errors = self.messages.clone();
        if let (Some(class), Some(first)) = (class, errors.first_mut()) {
            first.insert_str(0, &format!("{class}: "));
        }
        ErrorResponseBody { errors }
    }
}

impl Call<'_> {
    /// The value of a placeholder of the path.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str())
    }

    /// The value of a parameter of the query; the last, if it was given several times.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A placeholder of the path as a value.
    ///
    /// # Errors
    /// 400 as Flink words it if it is none.
    pub(crate) fn path_value<T: FromStr>(&self, name: &str) -> Result<T, Refusal> {
        let text = self.path(name);
        text.parse().map_err(|_| {
            Refusal::bad_request(format!(
                "Bad request, could not parse parameters: Cannot resolve path parameter ({name}) from value \"{text}\"."
            ))
        })
    }

    /// The job that the path names.
    ///
    /// # Errors
    /// 404 if there is none.
    pub(crate) fn job(&self) -> Result<Arc<JobView>, Refusal> {
        let id: JobId = self.path_value("jobid")?;
        let missing = || Refusal::missing(format!("Job {id} not found")).caused_by(no_job(id));
        self.cluster.job(id).ok_or_else(missing)
    }

    /// The vertex of `job` that the path names, as its index.
    ///
    /// # Errors
    /// 404 if there is none, in the words of what is about a part of a vertex.
    pub(crate) fn vertex(&self, job: &JobView) -> Result<usize, Refusal> {
        self.vertex_or(job, |id| Refusal::not_found(format!("No vertex with ID '{id}' exists.")))
    }

    /// The vertex of `job` that the path names, as its index.
    ///
    /// # Errors
    /// 404 if there is none, in the words of what is about the vertex as a whole.
    pub(crate) fn whole_vertex(&self, job: &JobView) -> Result<usize, Refusal> {
        self.vertex_or(job, |id| Refusal::missing(format!("JobVertex {id} not found")))
    }

    fn vertex_or(&self, job: &JobView, missing: impl FnOnce(OperatorId) -> Refusal) -> Result<usize, Refusal> {
        let id: OperatorId = self.path_value("vertexid")?;
        let found = job.facts.plan.vertex(&id.to_string()).map(|(index, _)| index);
        found.ok_or_else(|| missing(id))
    }

    /// The job and the vertex that the path names, for answers to which it is no error that there is no such.
    ///
    /// # Errors
    /// 400 if one of them is no id.
    pub(crate) fn known_vertex(&self) -> Result<Option<(Arc<JobView>, usize)>, Refusal> {
        let job: JobId = self.path_value("jobid")?;
        let vertex: OperatorId = self.path_value("vertexid")?;
        let known = self.cluster.job(job).and_then(|job| {
            let (vertex, _) = job.facts.plan.vertex(&vertex.to_string())?;
            Some((job, vertex))
        });
        Ok(known)
    }

    /// The body as a value; an empty body counts as `{}`.
    ///
    /// # Errors
    /// 400 as Flink words it if it is none.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        read_body(self.body).map_err(|error| {
            // The shapes are called as Flink's classes are.
            let shape = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default();
            Refusal::bad_request(format!("Request did not match expected format {shape}.")).caused_by(error)
        })
    }
}
