//! What the control loop tells whoever asks over HTTP: `/healthz`, that it turns, and `/metrics`.
//!
//! # Invariants
//! The thread of the loop answers, so whoever hears nothing knows that the loop stands still. Connections are bounded in
//! number, size and time; nobody waits for a slow client.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use kobel_model::{Error, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use crate::metrics::Metrics;

/// Connections at a time; more have to wait.
const CONNECTIONS_MAX: usize = 32;
/// How long a connection may last. It is for one request.
const CONNECTION_TIME: Duration = Duration::from_secs(10);
/// The most bytes of the head of a request.
const HEAD_MAX: usize = 16 << 10;
/// The pause after a connection could not be taken, when files are short.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The type of text for people.
const TEXT: &str = "text/plain; charset=utf-8";
/// The type of the text format of Prometheus.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Listens at an address; nobody is answered yet.
///
/// # Errors
/// Unavailable or Denied if it cannot be listened at.
pub(crate) fn listen(runtime: &Runtime, address: SocketAddr) -> Result<TcpListener> {
    let failed = |error: io::Error| Error::io(format!("cannot listen at `{address}`"), error);
    let listener = StdListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let _inside = runtime.enter();
    TcpListener::from_std(listener).map_err(failed)
}

/// Answers until it is dropped.
pub(crate) async fn answer(listener: TcpListener, metrics: Metrics) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        match next(&listener, &room).await {
            Ok((stream, permit)) => {
                let metrics = metrics.clone();
                tokio::spawn(async move {
                    converse(stream, metrics).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(target: "kobel.controller", %error, "cannot take in a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn next(listener: &TcpListener, room: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}

async fn converse(stream: TcpStream, metrics: Metrics) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = respond(request.method(), request.uri().path(), &metrics);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(CONNECTION_TIME)
        .max_buf_size(HEAD_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // A client that breaks off is no concern of the loop.
    let _ = timeout(CONNECTION_TIME, connection).await;
}

fn respond(method: &Method, path: &str, metrics: &Metrics) -> Response<String> {
    let (status, kind, text) = if !matches!(*method, Method::GET | Method::HEAD) {
        (StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET is answered\n".to_owned())
    } else if path == "/healthz" {
        (StatusCode::OK, TEXT, "ok\n".to_owned())
    } else if path == "/metrics" {
        (StatusCode::OK, PROMETHEUS, metrics.text())
    } else {
        (StatusCode::NOT_FOUND, TEXT, "there are /healthz and /metrics\n".to_owned())
    };
    let mut response = Response::new(text);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpStream as StdStream};

    use tokio::runtime::Builder;

    use super::*;

    fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = StdStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn it_tells_over_http_that_it_turns_and_what_it_measures() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let listener = listen(&runtime, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let taken = listen(&runtime, address).unwrap_err();
        assert_eq!(taken.to_string(), format!("cannot listen at `{address}`"));
        let asking = move || {
            ["GET /healthz", "GET /metrics", "GET /", "POST /metrics"]
                .map(|line| ask(address, &format!("{line} HTTP/1.1\r\nhost: x\r\n\r\n")))
        };
        let answers = runtime.block_on(async {
            tokio::select! {
                () = answer(listener, Metrics::default()) => panic!("it ended"),
                answers = tokio::task::spawn_blocking(asking) => answers.unwrap(),
            }
        });
        let statuses = answers.each_ref().map(|answer| answer.lines().next().unwrap_or_default());
        let expected =
            ["200 OK", "200 OK", "404 Not Found", "405 Method Not Allowed"].map(|text| format!("HTTP/1.1 {text}"));
        assert_eq!(statuses.map(str::to_owned), expected);
        assert!(answers[0].ends_with("\r\n\r\nok\n"), "{}", answers[0]);
        assert!(answers[1].contains("\r\ncontent-type: text/plain; version=0.0.4"), "{}", answers[1]);
        assert!(answers[1].contains("\nkobel_build_info{version="), "{}", answers[1]);
    }
}
