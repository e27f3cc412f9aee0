//! The server: API servers ask over TLS, `/validate` and `/mutate`, and are answered.
//!
//! # Invariants
//! Connections, heads and bodies are bounded in number, size and time. Whoever keeps a connection is answered on it
//! again; it is the client who ends one that lies idle, so no request meets a connection that is being closed.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use kobel_model::{Error, Result};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;

use crate::api::{Api, Place};
use crate::configurations::told;
use crate::review::Question;
use crate::shelf::Shelf;

/// Connections at a time; more have to wait.
pub(crate) const CONNECTIONS_MAX: u32 = 256;
/// The most bytes of a body: an object with what it replaces, and room for how they are written.
const BODY_MAX: usize = 8 << 20;
/// The most KiB of all bodies that are read or judged at a time.
const BODIES_MAX: usize = 32 << 10;
/// How long a body may wait until there is room for it.
const ROOM_TIME: Duration = Duration::from_secs(3);
/// The time in which a body must have come.
const BODY_TIME: Duration = Duration::from_secs(10);
/// The time in which a client must have agreed on TLS.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// The time in which the head of a request must have come, the time in which the connection lies idle included. API
/// servers end connections that were idle for 90 s.
const HEAD_TIME: Duration = Duration::from_secs(150);
/// The most bytes of the head of a request.
const HEAD_MAX: usize = 64 << 10;
/// The pause after a connection could not be taken, when files are short.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long answers that are under way may take at the end.
pub(crate) const LAST_ANSWERS: Duration = Duration::from_millis(700);
/// The type of text for people.
const TEXT: &str = "text/plain; charset=utf-8";
/// The type of reviews.
const JSON: &str = "application/json";

/// The body of an answer.
type Outgoing = Full<Bytes>;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Validate,
    Mutate,
}

/// Why a request is not answered with a review.
struct Fault {
    status: StatusCode,
    text: String,
}

/// What answers.
pub(crate) struct Desk {
    api: Api,
    defaults: BTreeMap<String, String>,
    bodies: Arc<Semaphore>,
}

/// A socket and what answers there.
pub(crate) struct Door {
    listener: TcpListener,
    tls: TlsAcceptor,
    desk: Arc<Desk>,
    room: Arc<Semaphore>,
}

impl Task {
    fn of(method: &Method, path: &str) -> Result<Self, Fault> {
        let task = match path {
            "/validate" => Self::Validate,
            "/mutate" => Self::Mutate,
            _ => return Err(Fault::new(StatusCode::NOT_FOUND, "there are /validate and /mutate")),
        };
        if *method == Method::POST {
            return Ok(task);
        }
        Err(Fault::new(StatusCode::METHOD_NOT_ALLOWED, "reviews are sent by POST"))
    }
}

impl Fault {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body has more than {BODY_MAX} bytes"))
    }

    fn response(self) -> Response<Outgoing> {
        let mut response = answer(self.status, TEXT, format!("{}\n", self.text));
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }
}

fn answer(status: StatusCode, kind: &'static str, text: String) -> Response<Outgoing> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

impl Desk {
    /// A desk whose reviews look at neighbours in an API, and hold to the defaults of the operator.
    pub(crate) fn new(api: Api, defaults: BTreeMap<String, String>) -> Self {
        Self { api, defaults, bodies: Arc::new(Semaphore::new(BODIES_MAX)) }
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Outgoing> {
        let (head, body) = request.into_parts();
        let has_body = !body.is_end_stream();
        let taken = match Task::of(&head.method, head.uri.path()) {
            Ok(task) => self.take(body).await.map(|taken| (task, taken)),
            Err(fault) => Err(fault),
        };
        let (task, (body, _room)) = match taken {
            Ok(taken) => taken,
            Err(fault) => {
                let mut response = fault.response();
                if has_body {
                    // What was not read stands in the way of the next request.
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                return response;
            }
        };
        match self.judge(task, &body).await {
            Ok(review) => answer(StatusCode::OK, JSON, review.to_string()),
            Err(fault) => fault.response(),
        }
    }

    /// Reads a body, once there is room for it among all that are held at a time; the room is kept as long as the
    /// permit.
    async fn take(&self, body: Incoming) -> Result<(Bytes, OwnedSemaphorePermit), Fault> {
        let hint = body.size_hint();
        if hint.lower() > BODY_MAX as u64 {
            return Err(Fault::too_large());
        }
        // One of unknown size may be the largest.
        let bytes = hint.exact().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(BODY_MAX);
        let units = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        let busy = || Fault::new(StatusCode::SERVICE_UNAVAILABLE, "too many reviews are under way");
        let room = timeout(ROOM_TIME, Arc::clone(&self.bodies).acquire_many_owned(units)).await;
        let room = room.map_err(|_| busy())?.map_err(|_| busy())?;
        match timeout(BODY_TIME, Limited::new(body, BODY_MAX).collect()).await {
            Ok(Ok(read)) => Ok((read.to_bytes(), room)),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Fault::too_large()),
            Ok(Err(error)) => Err(Fault::bad(format!("cannot read the body: {error}"))),
            Err(_) => Err(Fault::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
        }
    }

    async fn judge(&self, task: Task, body: &[u8]) -> Result<Value, Fault> {
        let body = serde_json::from_slice(body).map_err(|error| Fault::bad(format!("the body is no JSON: {error}")))?;
        let question = Question::read(body).map_err(Fault::bad)?;
        if task == Task::Mutate {
            return Ok(question.mutate());
        }
        let neighbour = match question.neighbour() {
            Some(neighbour) => self.api.get(&Place::flink(&neighbour)).await.map_err(|error| unknown(&error))?,
            None => None,
        };
        Ok(question.validate(neighbour.as_ref(), &self.defaults))
    }
}

/// Without its neighbour an object cannot be judged: the failure policy of the configuration decides then.
fn unknown(error: &Error) -> Fault {
    let text = told(error);
    tracing::warn!(target: "kobel.webhook", cause = %text, "an object is not judged");
    Fault::new(StatusCode::INTERNAL_SERVER_ERROR, text)
}

impl Door {
    /// A door at which the certificate on the shelf is shown.
    ///
    /// # Errors
    /// Fails if no version of TLS can be spoken.
    pub(crate) fn new(listener: TcpListener, shelf: Arc<Shelf>, desk: Desk) -> Result<Self> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::bug("cannot speak TLS").with_source(error))?
            .with_no_client_auth()
            .with_cert_resolver(shelf);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX as usize));
        Ok(Self { listener, tls: TlsAcceptor::from(Arc::new(config)), desk: Arc::new(desk), room })
    }

    /// The room for connections: all of it is free once every connection has ended.
    pub(crate) fn room(&self) -> Arc<Semaphore> {
        Arc::clone(&self.room)
    }

    /// Takes connections in until `stop` says that it is enough.
    pub(crate) async fn serve(self, mut stop: watch::Receiver<bool>) {
        loop {
            let next = tokio::select! {
                next = self.next() => next,
                _ = stop.changed() => return,
            };
            match next {
                Ok((stream, permit)) => {
                    let (desk, tls, stop) = (Arc::clone(&self.desk), self.tls.clone(), stop.clone());
                    tokio::spawn(async move {
                        admit(stream, tls, desk, stop).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(target: "kobel.webhook", %error, "cannot take in a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn next(&self) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
        let permit = Arc::clone(&self.room).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, _) = self.listener.accept().await?;
        // An answer is written at once, so there is nothing to wait for.
        stream.set_nodelay(true)?;
        Ok((stream, permit))
    }
}

/// Answers the requests of a connection, one after the other.
async fn admit(stream: TcpStream, tls: TlsAcceptor, desk: Arc<Desk>, mut stop: watch::Receiver<bool>) {
    let stream = tokio::select! {
        accepted = timeout(HANDSHAKE_TIME, tls.accept(stream)) => accepted,
        _ = stop.changed() => return,
    };
    // A client that does not trust us, or breaks off, is seen by whoever looks at the configurations.
    let Ok(Ok(stream)) = stream else { return };
    let service = service_fn(move |request: Request<Incoming>| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(desk.respond(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(LAST_ANSWERS, connection).await;
}
