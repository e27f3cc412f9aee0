//! Connections: taken in, bounded in number and in time, and let go at the end.
//!
//! # Invariants
//! Nobody waits for a slow client: every connection is a task of its own and has a time for each thing that it waits
//! for. When the server ends, requests that have been read are answered, if the client takes the answers.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::rest::dispatch::{Site, respond};

/// Connections at a time; more have to wait.
pub(crate) const CONNECTIONS_MAX: u32 = 512;
/// The time in which the head of a request must have come, the time in which the connection lies idle included.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// The time in which a client must have agreed on TLS.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// After this time a connection may finish what it is at; a client that takes nothing does not hold it for ever.
const CONNECTION_TIME: Duration = Duration::from_secs(120);
/// The time for that.
const LAST_TIME: Duration = Duration::from_secs(60);
/// The pause after a connection could not be taken, when files are short.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The most bytes of the head of a request.
const HEAD_MAX: usize = 64 << 10;

/// A socket and what answers there.
pub(crate) struct Door {
    /// The socket.
    pub(crate) listener: TcpListener,
    /// What answers.
    pub(crate) site: Arc<Site>,
    /// Speaks TLS, if it is to be spoken.
    pub(crate) tls: Option<TlsAcceptor>,
    /// Room for connections.
    pub(crate) room: Arc<Semaphore>,
}

impl Door {
    /// Takes connections in until `stop` says that it is enough.
    pub(crate) async fn serve(self, mut stop: watch::Receiver<bool>) {
        loop {
            let next = tokio::select! {
                next = self.next() => next,
                _ = stop.changed() => return,
            };
            match next {
                Ok((stream, permit)) => {
                    let (site, tls, stop) = (Arc::clone(&self.site), self.tls.clone(), stop.clone());
                    tokio::spawn(async move {
                        admit(stream, site, tls, stop).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(target: "kobel.rest", %error, "cannot take in a connection");
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

async fn admit(stream: TcpStream, site: Arc<Site>, tls: Option<TlsAcceptor>, stop: watch::Receiver<bool>) {
    let Some(tls) = tls else {
        return converse(stream, site, stop).await;
    };
    if let Ok(Ok(stream)) = timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
        converse(stream, site, stop).await;
    }
}

/// Answers the requests of a connection, one after the other.
async fn converse<S>(stream: S, site: Arc<Site>, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| respond(Arc::clone(&site), request));
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
        () = sleep(CONNECTION_TIME) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(LAST_TIME, connection).await;
}
