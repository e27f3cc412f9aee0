//! A client whose requests are answered within a time, or fail.
//!
//! A list, or the beginning of a watch, that nobody answers would otherwise be waited for without end: whoever waits sees
//! nothing of its kind any more. Only the head of the answer has to come in time, because a watch goes on for long; a body
//! that stalls ends when its connection has been silent for too long.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::{Request, Response};
use kobel_model::{Error, ErrorKind};
use kube::Client;
use kube::client::Body;
use tokio::time::timeout;
use tower_service::Service;

/// Sends requests by a client, and waits so long for each answer to begin.
struct Prompt {
    client: Client,
    within: Duration,
}

/// The same client, which waits for each answer to begin no longer than this. It has to be made within a runtime.
pub(crate) fn prompt(client: &Client, within: Duration) -> Client {
    let namespace = client.default_namespace().to_owned();
    Client::new(Prompt { client: client.clone(), within }, namespace)
}

impl Service<Request<Body>> for Prompt {
    type Response = Response<Body>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (client, within) = (self.client.clone(), self.within);
        Box::pin(async move {
            let late = || Error::new(ErrorKind::Unavailable, format!("no answer within {} s", within.as_secs()));
            let answered = timeout(within, client.send(request)).await.map_err(|_| late())?;
            Ok(answered?)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    /// Never answers.
    struct Silent;

    impl Service<Request<Body>> for Silent {
        type Response = Response<Body>;
        type Error = std::io::Error;
        type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<Body>) -> Self::Future {
            Box::pin(pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_nobody_answers_fails() {
        let client = prompt(&Client::new(Silent, "default"), Duration::from_secs(10));
        let answered = timeout(Duration::from_secs(60), client.send(Request::new(Body::empty()))).await;
        let error = answered.expect("it is not waited for without end").unwrap_err();
        assert!(error.to_string().contains("no answer within 10 s"), "{error}");
    }
}
