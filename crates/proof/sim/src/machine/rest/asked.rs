//! A request, read: whom it is for and what it asks for.

use hyper::{Method, Request};
use kobel_flink_client::Outgoing;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Which Flink it is.
    Config,
    /// The jobs.
    Overview,
    /// Why a job failed.
    Exceptions(String),
    /// How a job ended.
    Result(String),
    /// How a job does.
    Metrics(String),
    /// The snapshots of a job.
    Statistics(String),
    /// What became of a savepoint of a job.
    SavepointStatus(String, String),
    /// What became of a checkpoint of a job.
    CheckpointStatus(String, String),
    /// A job is stopped with a savepoint.
    Stop(String),
    /// A savepoint of a job is taken.
    Savepoint(String),
    /// A checkpoint of a job is taken.
    Checkpoint(String),
    /// A job is cancelled.
    Cancel(String),
    /// A program is taken in.
    Upload,
    /// A program is run.
    Run(String),
    /// A program is removed.
    Delete(String),
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The port that it is sent to.
    pub port: u16,
    /// What is asked for; absent if nobody knows that.
    pub route: Option<Route>,
    /// The path, for who does not know it.
    pub path: String,
    /// What it says besides.
    pub body: Vec<u8>,
}

impl Asked {
    /// Reads a request.
    pub fn of(request: &Request<Outgoing>) -> Self {
        let uri = request.uri();
        let (path, body) = (uri.path().to_owned(), request.body().front().to_vec());
        let port = uri.port_u16().unwrap_or(80);
        Self { port, route: Route::of(request.method(), &path), path, body }
    }
}

impl Route {
    fn of(method: &Method, path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix("/v1/")?.split('/').collect();
        let own = |text: &str| text.to_owned();
        Some(match (method.as_str(), parts.as_slice()) {
            ("GET", ["config"]) => Self::Config,
            ("GET", ["jobs", "overview"]) => Self::Overview,
            ("GET", ["jobs", id, "exceptions"]) => Self::Exceptions(own(id)),
            ("GET", ["jobs", id, "execution-result"]) => Self::Result(own(id)),
            ("GET", ["jobs", id, "metrics"]) => Self::Metrics(own(id)),
            ("GET", ["jobs", id, "checkpoints"]) => Self::Statistics(own(id)),
            ("GET", ["jobs", id, "savepoints", trigger]) => Self::SavepointStatus(own(id), own(trigger)),
            ("GET", ["jobs", id, "checkpoints", trigger]) => Self::CheckpointStatus(own(id), own(trigger)),
            ("POST", ["jobs", id, "stop"]) => Self::Stop(own(id)),
            ("POST", ["jobs", id, "savepoints"]) => Self::Savepoint(own(id)),
            ("POST", ["jobs", id, "checkpoints"]) => Self::Checkpoint(own(id)),
            ("PATCH", ["jobs", id]) => Self::Cancel(own(id)),
            ("POST", ["jars", "upload"]) => Self::Upload,
            ("POST", ["jars", id, "run"]) => Self::Run(own(id)),
            ("DELETE", ["jars", id]) => Self::Delete(own(id)),
            _ => return None,
        })
    }

    /// The name of the call.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Config => "GET /config",
            Self::Overview => "GET /jobs/overview",
            Self::Exceptions(_) => "GET /jobs/:id/exceptions",
            Self::Result(_) => "GET /jobs/:id/execution-result",
            Self::Metrics(_) => "GET /jobs/:id/metrics",
            Self::Statistics(_) => "GET /jobs/:id/checkpoints",
            Self::SavepointStatus(..) => "GET /jobs/:id/savepoints/:trigger",
            Self::CheckpointStatus(..) => "GET /jobs/:id/checkpoints/:trigger",
            Self::Stop(_) => "POST /jobs/:id/stop",
            Self::Savepoint(_) => "POST /jobs/:id/savepoints",
            Self::Checkpoint(_) => "POST /jobs/:id/checkpoints",
            Self::Cancel(_) => "PATCH /jobs/:id",
            Self::Upload => "POST /jars/upload",
            Self::Run(_) => "POST /jars/:id/run",
            Self::Delete(_) => "DELETE /jars/:id",
        }
    }

    /// The job that it is about; empty if it is about none.
    pub fn about(&self) -> &str {
        match self {
            Self::Exceptions(id)
            | Self::Result(id)
            | Self::Metrics(id)
            | Self::Statistics(id)
            | Self::SavepointStatus(id, _)
            | Self::CheckpointStatus(id, _)
            | Self::Stop(id)
            | Self::Savepoint(id)
            | Self::Checkpoint(id)
            | Self::Cancel(id) => id,
            Self::Config | Self::Overview | Self::Upload | Self::Run(_) | Self::Delete(_) => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Call, Port};

    #[test]
    fn every_route_is_a_call_that_there_is() {
        for (method, path) in [
            ("GET", "/v1/config"),
            ("GET", "/v1/jobs/overview"),
            ("GET", "/v1/jobs/a/exceptions"),
            ("GET", "/v1/jobs/a/execution-result"),
            ("GET", "/v1/jobs/a/metrics"),
            ("GET", "/v1/jobs/a/checkpoints"),
            ("GET", "/v1/jobs/a/savepoints/t"),
            ("GET", "/v1/jobs/a/checkpoints/t"),
            ("POST", "/v1/jobs/a/stop"),
            ("POST", "/v1/jobs/a/savepoints"),
            ("POST", "/v1/jobs/a/checkpoints"),
            ("PATCH", "/v1/jobs/a"),
            ("POST", "/v1/jars/upload"),
            ("POST", "/v1/jars/a/run"),
            ("DELETE", "/v1/jars/a"),
        ] {
            let route = Route::of(&method.parse().unwrap(), path).expect(path);
            let call = Call::of(Port::Rest, route.name(), route.about()).unwrap_or_else(|| panic!("{}", route.name()));
            assert_eq!(call.changes(), method != "GET", "{path}");
            assert_eq!(call.about, if path.contains("/jobs/a") { "a" } else { "" }, "{path}");
        }
        assert_eq!(Route::of(&Method::GET, "/v1/overview"), None);
    }
}
