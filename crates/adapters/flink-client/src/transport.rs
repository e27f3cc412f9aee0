//! The connections to all clusters: kept for a while and used again, with a time limit and a limit of bytes for each
//! answer.
//!
//! # Invariants
//! Every call ends in time, whatever the server does. A request that changes something is sent once at most.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::body::Outgoing;
use crate::call::{Call, Patience};
use crate::endpoint::Endpoint;
use crate::failure::{Failure, Stage};

/// How long a connection may take.
const CONNECT_TIME: Duration = Duration::from_secs(2);
/// How long an answer may take, the connection included.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// How many times as long it may take to run a program or to take in a file.
const LONG: u32 = 12;
/// How long an idle connection is kept; shorter than every server keeps it.
const IDLE_TIME: Duration = Duration::from_secs(5);
/// How many idle connections are kept to one cluster.
const IDLE_MAX: usize = 2;
/// The most bytes of an answer.
const ANSWER_MAX: usize = 16 << 20;

/// An answer on its way: its status and its body.
pub type Carried<'a> = Pin<Box<dyn Future<Output = Result<(u16, Bytes), Failure>> + Send + 'a>>;

/// What carries requests to clusters.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends a request, once, and waits for the whole answer for as long as it takes.
    fn carry(&self, request: Request<Outgoing>) -> Carried<'_>;
}

/// A client of every cluster; clones share their connections.
#[derive(Debug, Clone)]
pub struct FlinkClient {
    transport: Arc<dyn Transport>,
    answer_time: Duration,
}

/// Connections over TCP.
#[derive(Debug)]
struct Connections {
    http: Client<HttpConnector, Outgoing>,
    connect_time: Duration,
}

impl Default for FlinkClient {
    fn default() -> Self {
        Self::new()
    }
}

impl FlinkClient {
    /// Returns a client that waits ten seconds for an answer, and two of them for a connection.
    pub fn new() -> Self {
        Self::with_timeout(ANSWER_TIME)
    }

    /// Returns a client that waits so long for an answer, and twelve times as long for a program to be taken in or run.
    pub fn with_timeout(answer_time: Duration) -> Self {
        let connect_time = CONNECT_TIME.min(answer_time);
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(connect_time));
        connector.set_nodelay(true);
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(IDLE_MAX)
            .build(connector);
        Self { transport: Arc::new(Connections { http, connect_time }), answer_time }
    }

    /// Returns a client over another transport, with the usual time limits.
    pub fn over(transport: Arc<dyn Transport>) -> Self {
        Self { transport, answer_time: ANSWER_TIME }
    }

    /// Sends a request and reads its answer as JSON.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, at: &Endpoint, call: Call) -> Result<T, Failure> {
        let body = self.send(at, call).await?;
        serde_json::from_slice(&body)
            .map_err(|error| Failure::NotFlink(format!("its answer has another form: {error}")))
    }

    /// Sends a request and returns the body of its answer.
    pub(crate) async fn send(&self, at: &Endpoint, call: Call) -> Result<Bytes, Failure> {
        let time = match call.patience {
            Patience::Short => self.answer_time,
            Patience::Long => self.answer_time.saturating_mul(LONG),
        };
        match timeout(time, self.exchange(at, call)).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::TimedOut(time)),
        }
    }

    async fn exchange(&self, at: &Endpoint, call: Call) -> Result<Bytes, Failure> {
        let Call { method, path, body, .. } = call;
        match self.exchange_once(at, &method, &path, body).await {
            // The server may close a kept connection in the moment in which it is used again.
            Err(Failure::Broken(_)) if method == Method::GET => {
                self.exchange_once(at, &method, &path, Outgoing::nothing()).await
            }
            answer => answer,
        }
    }

    async fn exchange_once(
        &self,
        at: &Endpoint,
        method: &Method,
        path: &str,
        body: Outgoing,
    ) -> Result<Bytes, Failure> {
        let (status, body) = self.transport.carry(request(at, method, path, body)?).await?;
        if (200..300).contains(&status) { Ok(body) } else { Err(Failure::of_answer(status, &body)) }
    }
}

impl Transport for Connections {
    fn carry(&self, request: Request<Outgoing>) -> Carried<'_> {
        Box::pin(async {
            let answer = self.http.request(request).await;
            let answer = answer.map_err(|error| Failure::of_connection(&error, stage(&error), self.connect_time))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
            Ok((status, body.map_err(|error| self.unread(error.as_ref()))?.to_bytes()))
        })
    }
}

impl Connections {
    fn unread(&self, error: &(dyn StdError + Send + Sync + 'static)) -> Failure {
        if error.is::<LengthLimitError>() {
            Failure::TooLarge(ANSWER_MAX)
        } else {
            Failure::of_connection(error, Stage::Asking, self.connect_time)
        }
    }
}

fn stage(error: &hyper_util::client::legacy::Error) -> Stage {
    if error.is_connect() { Stage::Connecting } else { Stage::Asking }
}

fn request(at: &Endpoint, method: &Method, path: &str, body: Outgoing) -> Result<Request<Outgoing>, Failure> {
    let mut request = Request::builder().method(method).uri(at.uri(path)?).header(ACCEPT, "application/json");
    if let Some(content_type) = body.content_type() {
        request = request.header(CONTENT_TYPE, content_type);
    }
    if let Some(authorization) = at.authorization()? {
        request = request.header(AUTHORIZATION, authorization);
    }
    request.body(body).map_err(|error| Failure::Address(format!("the request cannot be made: {error}")))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use serde_json::Value;

    use super::FlinkClient;
    use crate::call::Call;
    use crate::endpoint::Endpoint;
    use crate::failure::Failure;
    use crate::playback::{Playback, Reply};

    #[tokio::test]
    async fn a_port_without_a_server_refuses() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let answer = FlinkClient::new().send(&Endpoint::local(port), Call::get("/config")).await;
        assert_eq!(answer, Err(Failure::Refused));
    }

    #[tokio::test]
    async fn a_server_that_never_answers_is_given_up() {
        let server = Playback::of(vec![("GET /v1/config", Reply::Silence)]);
        let patience = Duration::from_millis(50);
        let answer = FlinkClient::with_timeout(patience).send(&server.endpoint(), Call::get("/config")).await;
        assert_eq!(answer, Err(Failure::TimedOut(patience)));
    }

    #[tokio::test]
    async fn a_question_is_asked_again_after_a_broken_connection_and_an_order_is_not() {
        let line = "GET /v1/config";
        let server = Playback::of(vec![(line, Reply::HangUp), (line, Reply::ok("{}"))]);
        let client = FlinkClient::new();
        let answer = client.ask::<Value>(&server.endpoint(), Call::get("/config")).await;
        assert_eq!(answer, Ok(serde_json::json!({})));
        let line = "DELETE /v1/cluster";
        let server = Playback::of(vec![(line, Reply::HangUp), (line, Reply::ok("{}"))]);
        let answer = client.send(&server.endpoint(), Call::new(hyper::Method::DELETE, "/cluster")).await;
        assert!(matches!(answer, Err(Failure::Broken(_))), "{answer:?}");
        assert_eq!(server.heard().len(), 1);
    }

    #[tokio::test]
    async fn connections_are_used_again_and_carry_the_token() {
        let server = Playback::of(vec![("GET /v1/config", Reply::ok("{}"))]);
        let at = Endpoint { token: Some("t0k3n".to_owned()), ..server.endpoint() };
        let client = FlinkClient::new();
        for _ in 0..20 {
            client.send(&at, Call::get("/config")).await.unwrap();
        }
        // A connection is given back a moment after its answer, so that the next call may have made another one.
        assert!(server.connections() < 10, "{}", server.connections());
        assert!(server.heard().iter().all(|heard| heard.head.contains("authorization: bearer t0k3n")));
    }

    #[tokio::test]
    async fn an_answer_without_end_is_cut_off() {
        let server = Playback::of(vec![("GET /v1/config", Reply::ok(&" ".repeat(super::ANSWER_MAX + 1)))]);
        let answer = FlinkClient::new().send(&server.endpoint(), Call::get("/config")).await;
        assert_eq!(answer, Err(Failure::TooLarge(super::ANSWER_MAX)));
    }

    #[tokio::test]
    async fn something_else_at_the_address_is_not_taken_for_flink() {
        let server = Playback::of(vec![("GET /v1/config", Reply::ok("hello"))]);
        let answer = FlinkClient::new().ask::<Value>(&server.endpoint(), Call::get("/config")).await;
        assert!(matches!(answer, Err(Failure::NotFlink(_))), "{answer:?}");
    }
}
