//! One API that can be asked: a call in, an answer with its warnings out, each within its time.
//!
//! Paths and queries are built here and nowhere else, so that no name escapes its place in them.

use std::path::Path;
use std::time::Duration;

use hyper::{Method, Request, Response};
use kobel_model::{Error, ErrorKind, Result};
use kube::Client;
use kube::client::Body;
use kube::config::{Config, KubeConfigOptions};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::context::{Context, unusable};
use crate::failure::{Answer, Refusal, unreachable};

/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take to be complete.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// What is accepted if nothing else is said.
pub(crate) const JSON: &str = "application/json";

/// An API with the credentials to speak to it.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    namespace: String,
    server: String,
    /// The command that starts the API where it does not run.
    start: String,
}

/// One request.
pub(crate) struct Call {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    accept: &'static str,
    body: Option<(&'static str, Value)>,
}

/// One answer that is a success.
pub(crate) struct Reply {
    /// HTTP status code.
    pub(crate) code: u16,
    /// The object.
    pub(crate) value: Value,
    /// What the API says besides.
    pub(crate) warnings: Vec<String>,
}

impl Call {
    /// A request without a body.
    pub(crate) fn new(method: Method, path: String) -> Self {
        Self { method, path, query: Vec::new(), accept: JSON, body: None }
    }

    /// Reads `path`.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path.into())
    }

    /// Adds a parameter.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Asks for another representation.
    pub(crate) fn accepting(mut self, accept: &'static str) -> Self {
        self.accept = accept;
        self
    }

    /// Sends a body of this media type.
    pub(crate) fn sending(mut self, media_type: &'static str, body: Value) -> Self {
        self.body = Some((media_type, body));
        self
    }

    fn request(self) -> Result<Request<Body>> {
        let mut target = self.path;
        for (index, (name, value)) in self.query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(name);
            target.push('=');
            target.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
        }
        let mut request = Request::builder().method(self.method).uri(target).header("accept", self.accept);
        let body = match self.body {
            Some((media_type, body)) => {
                request = request.header("content-type", media_type);
                Body::from(body.to_string().into_bytes())
            }
            None => Body::empty(),
        };
        request.body(body).map_err(|error| Error::bug("cannot build a request").with_source(error))
    }
}

impl Cluster {
    /// Makes ready to speak to the API of a context; nothing is sent yet.
    ///
    /// # Errors
    /// Invalid if the kubeconfig cannot be used.
    pub async fn connect(context: &Context) -> Result<Self> {
        let options = KubeConfigOptions { context: Some(context.name.clone()), ..KubeConfigOptions::default() };
        let config = Config::from_custom_kubeconfig(context.kubeconfig.clone(), &options).await;
        let mut config = config.map_err(|error| unusable(Path::new(&context.origin), &error))?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // Proxies of the environment are for other hosts than clusters, and this client speaks to none.
        config.proxy_url = None;
        let namespace = config.default_namespace.clone();
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let client = Client::try_from(config).map_err(|error| {
            Error::invalid(format!("cannot use context `{}` of `{}`", context.name, context.origin))
                .with_source(error.to_string())
        })?;
        Ok(Self { client, namespace, server, start: "kobel up".to_owned() })
    }

    /// The same, with the command that is told where the API does not run.
    pub fn started_by(mut self, command: String) -> Self {
        self.start = command;
        self
    }

    /// The namespace of the context.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The address of the API.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn call(&self, call: Call) -> Answer<Reply> {
        let request = call.request()?;
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, self.exchange(request)).await;
        answer.unwrap_or_else(|_| Err(self.too_late().into()))
    }

    /// Sends a request and gives the answer whose body goes on.
    pub(crate) async fn open(&self, call: Call) -> Answer<Body> {
        let request = call.request()?;
        let head = tokio::time::timeout(ANSWER_TIMEOUT, self.send(request)).await;
        let response = head.unwrap_or_else(|_| Err(self.too_late().into()))?;
        Ok(response.into_body())
    }

    /// The error of a request without an answer, or of a body that broke off.
    pub(crate) fn broken(&self, error: &kube::Error) -> Error {
        unreachable(&self.server, &self.start, error)
    }

    async fn exchange(&self, request: Request<Body>) -> Answer<Reply> {
        let response = self.send(request).await?;
        let code = response.status().as_u16();
        let given = response.headers().get_all("warning").iter();
        let warnings = given.filter_map(|value| warning_text(value.to_str().ok()?)).collect();
        let body = response.into_body().collect_bytes().await.map_err(|error| self.broken(&error))?;
        let value = serde_json::from_slice(&body).map_err(|error| {
            Error::new(ErrorKind::Unavailable, format!("the API at `{}` answered with something else", self.server))
                .with_source(error)
                .with_hint("see that the address in the kubeconfig is that of a Kubernetes API")
        })?;
        Ok(Reply { code, value, warnings })
    }

    /// Sends a request; what is no success becomes a refusal.
    async fn send(&self, request: Request<Body>) -> Answer<Response<Body>> {
        let response = self.client.send(request).await.map_err(|error| self.broken(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.into_body().collect_bytes().await.map_err(|error| self.broken(&error))?;
        Err(Refusal::read(status.as_u16(), &body).into())
    }

    fn too_late(&self) -> Error {
        let seconds = ANSWER_TIMEOUT.as_secs();
        Error::new(ErrorKind::Unavailable, format!("the API at `{}` did not answer in {seconds} s", self.server))
            .with_hint("try again")
    }
}

/// One step of a path, with what would end it escaped.
pub(crate) fn step(name: &str) -> String {
    /// What names are made of stays as it is.
    const RESERVED: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b':');
    utf8_percent_encode(name, RESERVED).to_string()
}

/// The text of a `Warning` header: `299 - "text"`.
fn warning_text(header: &str) -> Option<String> {
    let (_, quoted) = header.split_once('"')?;
    let mut text = String::new();
    let mut rest = quoted.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' => return Some(text),
            '\\' => text.extend(rest.next()),
            c => text.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_keep_to_their_place() {
        let path = format!("/api/v1/namespaces/{}/pods", step("a/../b?x"));
        let call = Call::get(path).with("labelSelector", "a=b,c").with("limit", "1");
        let request = call.request().unwrap();
        assert_eq!(request.uri().to_string(), "/api/v1/namespaces/a%2F..%2Fb%3Fx/pods?labelSelector=a%3Db%2Cc&limit=1");
    }

    #[test]
    fn a_warning_is_the_quoted_text() {
        for (header, expected) in [
            ("299 - \"unknown field \\\"spec.x\\\"\"", Some("unknown field \"spec.x\"")),
            ("299 - \"open", None),
            ("299", None),
        ] {
            assert_eq!(warning_text(header).as_deref(), expected, "{header}");
        }
    }
}
