//! The server: one thread that listens and answers.
//!
//! # Invariants
//! It listens before [`Server::start`] returns, and ends within a second of being dropped. Connections, heads, bodies
//! and watches are bounded in number, size and time; nobody waits for a slow client.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener as StdListener};
use std::pin::pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use kobel_model::{Error, Result};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::api::Api;
use super::call::Call;
use super::certificates::Material;
use super::outgoing::Outgoing;
use super::patient::Patient;
use super::places::{Place, Places};
use super::reply::{Reply, ReplyBody};
use super::watching::WatchStream;
use crate::status::{Answer, Status};

/// The most bytes of a body.
const BODY_MAX: usize = 3 << 20;
/// The most KiB of all bodies that are read or answered at a time.
const BODIES_MAX: usize = 64 << 10;
/// Connections at a time; more have to wait.
const CONNECTIONS_MAX: u32 = 1000;
/// Connections of one peer at a time; more are closed at once.
const CONNECTIONS_PER_PEER: usize = 256;
/// The same for this machine itself, whose programs share one address.
const CONNECTIONS_PER_LOOPBACK: usize = 900;
/// How long a peer may take nothing of what is written to it.
const WRITE_TIME: Duration = Duration::from_secs(30);
/// The time in which the head of a request must have come, the time in which the connection lies idle included.
const HEADER_TIME: Duration = Duration::from_secs(60);
/// The time in which the body of a request must have come.
const BODY_TIME: Duration = Duration::from_secs(60);
/// How long a body may wait until there is room for it.
const ROOM_TIME: Duration = Duration::from_secs(10);
/// The time in which a client must have agreed on TLS.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long a watcher may take to take an event.
const EVENT_TIME: Duration = Duration::from_secs(60);
/// Events of a watch that wait to be sent.
const EVENTS_WAITING: usize = 16;
/// The most bytes of the head of a request.
const HEAD_MAX: usize = 64 << 10;
/// The pause after a connection could not be taken, when files are short.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long answers that are under way may take at the end.
const LAST_ANSWERS: Duration = Duration::from_millis(700);
/// How often old events are removed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// How the API is reached.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 is any that is free.
    pub address: SocketAddr,
    /// Certificate and key; without them plain HTTP is spoken.
    pub tls: Option<Material>,
}

/// The server; dropping it ends it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens, and answers from now on.
    ///
    /// # Errors
    /// Unavailable if the address cannot be listened at, Invalid if certificate or key cannot be used.
    pub fn start(options: &Options, api: Arc<Api>) -> Result<Self> {
        let failed =
            |error: io::Error| Error::io(format!("cannot serve the resource API at `{}`", options.address), error);
        let runtime = Builder::new_current_thread().enable_io().enable_time().build().map_err(failed)?;
        let tls = options.tls.as_ref().map(acceptor).transpose()?;
        let listener = StdListener::bind(options.address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener).map_err(failed)?
        };
        let (stop, stopped) = watch::channel(false);
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX as usize));
        let bodies = Arc::new(Semaphore::new(BODIES_MAX));
        let door = Door { listener, api, tls, room, bodies, peers: Places::default() };
        let thread = thread::Builder::new()
            .name("api".to_owned())
            .spawn(move || run(&runtime, door, stopped))
            .map_err(failed)?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody hears it if the thread has ended, which is all that is wanted.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Makes what speaks TLS.
fn acceptor(material: &Material) -> Result<TlsAcceptor> {
    let unusable = || Error::invalid("cannot serve TLS with the certificate of the resource API");
    let chain: std::result::Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(material.certificate.as_bytes()).collect();
    let chain = chain.map_err(|_| unusable())?;
    let key = PrivateKeyDer::from_pem_slice(material.key.as_bytes()).map_err(|_| unusable())?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable().with_source(error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| unusable().with_source(error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A socket and what answers there.
struct Door {
    listener: TcpListener,
    api: Arc<Api>,
    tls: Option<TlsAcceptor>,
    room: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    peers: Places<IpAddr>,
}

/// What the thread does. Connections that have not ended when it ends are broken off with the runtime.
fn run(runtime: &Runtime, door: Door, mut stopped: watch::Receiver<bool>) {
    runtime.block_on(async {
        let (api, room) = (Arc::clone(&door.api), Arc::clone(&door.room));
        tokio::spawn(door.serve(stopped.clone()));
        tokio::spawn(async move { sweep(&api).await });
        // The sender is dropped only after it has sent.
        let _ = stopped.changed().await;
        // Every permit is there again once every connection has ended.
        let _ = timeout(LAST_ANSWERS, room.acquire_many(CONNECTIONS_MAX)).await;
    });
}

async fn sweep(api: &Api) {
    let mut tick = interval(SWEEP_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(status) = api.sweep().await {
            tracing::warn!(target: "kobel.api", %status, "cannot remove old events");
        }
    }
}

impl Door {
    /// Takes connections in until `stop` says that it is enough.
    async fn serve(self, mut stop: watch::Receiver<bool>) {
        loop {
            let next = tokio::select! {
                next = self.next() => next,
                _ = stop.changed() => return,
            };
            match next {
                Ok((stream, peer, permit)) => {
                    let Some(place) = self.place(peer) else { continue };
                    let (api, bodies) = (Arc::clone(&self.api), Arc::clone(&self.bodies));
                    let visit = Visit { api, bodies, peer, stop: stop.clone() };
                    let tls = self.tls.clone();
                    tokio::spawn(async move {
                        admit(stream, tls, visit).await;
                        drop((permit, place));
                    });
                }
                Err(error) => {
                    tracing::warn!(target: "kobel.api", %error, "cannot take in a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn next(&self) -> io::Result<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
        let permit = Arc::clone(&self.room).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, peer) = self.listener.accept().await?;
        // An answer is written at once, so there is nothing to wait for.
        stream.set_nodelay(true)?;
        Ok((stream, peer.ip(), permit))
    }

    /// The place of a connection among those of its peer; none if the peer has too many.
    fn place(&self, peer: IpAddr) -> Option<Place<IpAddr>> {
        let peer = peer.to_canonical();
        let most = if peer.is_loopback() { CONNECTIONS_PER_LOOPBACK } else { CONNECTIONS_PER_PEER };
        self.peers.take(network(peer), most)
    }
}

/// Whom an address stands for: whoever has one of version 6 commonly has all of the first 64 bits.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V6(address) if !peer.is_loopback() => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        other => other,
    }
}

/// One connection.
#[derive(Clone)]
struct Visit {
    api: Arc<Api>,
    bodies: Arc<Semaphore>,
    peer: IpAddr,
    stop: watch::Receiver<bool>,
}

async fn admit(stream: TcpStream, tls: Option<TlsAcceptor>, visit: Visit) {
    let stream = Patient::new(stream, WRITE_TIME);
    let Some(tls) = tls else {
        return converse(stream, visit).await;
    };
    if let Ok(Ok(stream)) = timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
        converse(stream, visit).await;
    }
}

/// Answers the requests of a connection, one after the other.
async fn converse<S>(stream: S, visit: Visit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut stop = visit.stop.clone();
    let service = service_fn(move |request| respond(visit.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        // A client that breaks off is no concern of ours.
        _ = connection.as_mut() => return,
        _ = stop.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(LAST_ANSWERS, connection).await;
}

async fn respond(visit: Visit, request: Request<Incoming>) -> std::result::Result<Response<Outgoing>, Infallible> {
    let (head, body) = request.into_parts();
    let call = Call {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: Bytes::new(),
        peer: Some(visit.peer),
    };
    let has_body = !body.is_end_stream();
    let (mut reply, is_read) = match visit.answer(call, body).await {
        Ok(answered) => answered,
        Err(status) => (Reply::refusal(&status), false),
    };
    if has_body && !is_read {
        // What was not read stands in the way of the next request.
        reply.headers.push(("connection", "close".to_owned()));
    }
    Ok(response(reply, visit.stop))
}

impl Visit {
    /// Answers a request, and tells whether its body was read. A body is read only if its sender may send one.
    async fn answer(&self, mut call: Call, body: Incoming) -> Answer<(Reply, bool)> {
        let admitted = self.api.admit(&call)?;
        let is_read = admitted.takes_body() && !body.is_end_stream();
        // The room is kept until the answer is there, because the body is.
        let mut room = None;
        if is_read {
            room = Some(self.room_for(body.size_hint().exact()).await?);
            call.body = read_body(body).await?;
        }
        let reply = self.api.answer(&call, admitted).await;
        drop(room);
        Ok((reply, is_read))
    }

    /// Waits until there is room for a body among all that are held at a time; one of unknown size may be the largest.
    async fn room_for(&self, bytes: Option<u64>) -> Answer<OwnedSemaphorePermit> {
        let most = BODY_MAX.div_ceil(1024);
        let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
        let units = bytes.map_or(most, |bytes| bytes.div_ceil(1024).min(most));
        let busy = |_| Status::too_many_requests("too many bodies are being read, please try again later");
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let room = timeout(ROOM_TIME, Arc::clone(&self.bodies).acquire_many_owned(units)).await.map_err(busy)?;
        room.map_err(Status::internal)
    }
}

/// Reads a body, but no more of it than allowed.
async fn read_body(body: Incoming) -> Answer<Bytes> {
    if body.size_hint().lower() > BODY_MAX as u64 {
        return Err(Status::too_large(BODY_MAX));
    }
    match timeout(BODY_TIME, Limited::new(body, BODY_MAX).collect()).await {
        Ok(Ok(read)) => Ok(read.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Status::too_large(BODY_MAX)),
        Ok(Err(error)) => Err(Status::bad_request(format!("cannot read the body: {error}"))),
        Err(_) => Err(Status::new(408, "Timeout", "the body did not come in time")),
    }
}

fn response(reply: Reply, stop: watch::Receiver<bool>) -> Response<Outgoing> {
    let body = match reply.body {
        ReplyBody::Full(bytes) => Outgoing::Full(Some(bytes)),
        ReplyBody::Watch(stream) => {
            let (sender, receiver) = mpsc::channel(EVENTS_WAITING);
            tokio::spawn(pump(*stream, sender, stop));
            Outgoing::Events(receiver)
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(reply.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    set_headers(response.headers_mut(), reply.headers);
    response
}

fn set_headers(headers: &mut HeaderMap, given: Vec<(&'static str, String)>) {
    for (name, value) in given {
        // Text of warnings may be in any script.
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
}

/// Hands events to a connection until the watch, the connection or the server ends.
async fn pump(mut stream: WatchStream, sender: mpsc::Sender<Bytes>, mut stop: watch::Receiver<bool>) {
    loop {
        let next = tokio::select! {
            next = stream.next() => next,
            () = sender.closed() => return,
            _ = stop.changed() => return,
        };
        let Some(line) = next else { return };
        // A watcher that takes nothing for so long has gone.
        if !matches!(timeout(EVENT_TIME, sender.send(line)).await, Ok(Ok(()))) {
            return;
        }
    }
}
