//! The API of the cluster, as far as the webhook asks it: objects by their names, and no lists.
//!
//! # Invariant
//! What is answered may hold a private key, so it stands in no error and in no log.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use hyper::Request;
use kobel_model::{Error, ErrorKind, Result};
use kube::Client;
use kube::api::{GetParams, Patch, PatchParams, PostParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::core::Status;
use kube::core::request::{Error as Unbuilt, Request as Requests};
use serde_json::Value;
use tokio::time::timeout;

use crate::review::Neighbour;

/// Who the fields belong to that are written here.
const MANAGER: &str = "kobel-webhook";
/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an answer may take; whoever asks the webhook does not wait much longer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(4);

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    path: String,
    kind: &'static str,
    namespace: Option<String>,
    name: String,
}

impl Place {
    /// A Secret.
    pub(crate) fn secret(namespace: &str, name: &str) -> Self {
        Self {
            path: format!("/api/v1/namespaces/{namespace}/secrets"),
            kind: "Secret",
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    /// What makes API servers ask whether an object is as it should be.
    pub(crate) fn validating(name: &str) -> Self {
        Self::configuration("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", name)
    }

    /// What makes API servers ask what an object lacks.
    pub(crate) fn mutating(name: &str) -> Self {
        Self::configuration("MutatingWebhookConfiguration", "mutatingwebhookconfigurations", name)
    }

    fn configuration(kind: &'static str, plural: &str, name: &str) -> Self {
        let path = format!("/apis/admissionregistration.k8s.io/v1/{plural}");
        Self { path, kind, namespace: None, name: name.to_owned() }
    }

    /// A resource of Flink.
    pub(crate) fn flink(neighbour: &Neighbour) -> Self {
        let plural = format!("{}s", neighbour.kind.to_ascii_lowercase());
        Self {
            path: format!("/apis/{}/namespaces/{}/{plural}", kobel_resources::API_VERSION, neighbour.namespace),
            kind: neighbour.kind,
            namespace: Some(neighbour.namespace.clone()),
            name: neighbour.name.clone(),
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its namespace, if it has one.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} `{namespace}/{}`", self.kind, self.name),
            None => write!(f, "{} `{}`", self.kind, self.name),
        }
    }
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is written.
    Done,
    /// Somebody else was first, so nothing was written.
    Stale,
}

/// What an API answers.
enum Answered {
    Object(Value),
    Refusal(Box<Status>),
}

/// The API of a cluster.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
}

impl Api {
    /// The API that a client speaks to.
    pub(crate) fn over(client: Client) -> Self {
        Self { client }
    }

    /// Reads an object; none if there is none of this name.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, Denied if it refuses.
    pub(crate) async fn get(&self, place: &Place) -> Result<Option<Value>> {
        let request = Requests::new(&place.path).get(&place.name, &GetParams::default());
        match self.send("read", place, request).await? {
            Answered::Object(object) => Ok(Some(object)),
            Answered::Refusal(status) if is_gone(&status, place) => Ok(None),
            Answered::Refusal(status) => Err(refused("read", place, &status)),
        }
    }

    /// Makes an object, unless there is one of its name.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, Denied or Invalid if it refuses.
    pub(crate) async fn create(&self, place: &Place, object: &Value) -> Result<Written> {
        let request = Requests::new(&place.path).create(&written_by(), object.to_string().into_bytes());
        written("make", place, self.send("make", place, request).await?)
    }

    /// Replaces an object, if it still is the one that was read.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, Denied or Invalid if it refuses.
    pub(crate) async fn replace(&self, place: &Place, object: &Value) -> Result<Written> {
        let body = object.to_string().into_bytes();
        let request = Requests::new(&place.path).replace(&place.name, &written_by(), body);
        written("change", place, self.send("change", place, request).await?)
    }

    /// Changes a part of an object by a strategic merge patch, if it still is the one whose version the patch names.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, Denied or Invalid if it refuses.
    pub(crate) async fn patch(&self, place: &Place, patch: &Value) -> Result<Written> {
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let request = Requests::new(&place.path).patch(&place.name, &params, &Patch::Strategic(patch));
        written("change", place, self.send("change", place, request).await?)
    }

    async fn send(&self, act: &str, place: &Place, request: Result<Request<Vec<u8>>, Unbuilt>) -> Result<Answered> {
        let failed = |why: String| Error::new(ErrorKind::Unavailable, format!("cannot {act} {place}")).with_source(why);
        let request = request.map_err(|error| failed(error.to_string()))?;
        let text = match timeout(ANSWER_TIMEOUT, self.client.request_text(request)).await {
            Ok(Ok(text)) => text,
            Ok(Err(kube::Error::Api(status))) => return Ok(Answered::Refusal(status)),
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed(format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()))),
        };
        let object = serde_json::from_str(&text).map_err(|_| failed("the answer is no JSON".to_owned()))?;
        Ok(Answered::Object(object))
    }
}

/// Makes ready to speak to the API of a kubeconfig, or of the cluster in a pod of which this runs; nothing is sent yet.
///
/// # Errors
/// Fails if the kubeconfig cannot be read or used; Missing if there is none and this runs in no pod.
pub(crate) async fn connect(kubeconfig: Option<&Path>) -> Result<Client> {
    let mut config = match kubeconfig {
        Some(path) => read(path).await?,
        None => Config::incluster().map_err(|error| {
            let message = "this runs in no pod of a cluster, and no kubeconfig is named";
            let hint = "name one with `--kubeconfig`, or mount the token of the service account";
            Error::new(ErrorKind::Missing, message).with_source(error.to_string()).with_hint(hint)
        })?,
    };
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    Client::try_from(config)
        .map_err(|error| Error::invalid("cannot speak to the API of the cluster").with_source(error.to_string()))
}

/// Reads a kubeconfig, whose content must not show in an error.
async fn read(path: &Path) -> Result<Config> {
    let place = path.display();
    let unusable = || Error::invalid(format!("cannot use the kubeconfig `{place}`"));
    let read = Kubeconfig::read_from(path).map_err(|error| match error {
        KubeconfigError::ReadConfig(error, _) => Error::io(format!("cannot read the kubeconfig `{place}`"), error),
        _ => unusable(),
    })?;
    let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(|_| unusable())?;
    // Proxies of the environment are for other hosts than clusters.
    config.proxy_url = None;
    Ok(config)
}

fn written_by() -> PostParams {
    PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() }
}

fn written(act: &str, place: &Place, answered: Answered) -> Result<Written> {
    match answered {
        Answered::Object(_) => Ok(Written::Done),
        // One that was deleted meanwhile has changed too.
        Answered::Refusal(status) if status.code == 409 || is_gone(&status, place) => Ok(Written::Stale),
        Answered::Refusal(status) => Err(refused(act, place, &status)),
    }
}

/// Whether an answer says that there is no object of this name, and not that there is no such path.
fn is_gone(status: &Status, place: &Place) -> bool {
    status.code == 404 && status.details.as_ref().is_some_and(|details| details.name == place.name)
}

fn refused(act: &str, place: &Place, status: &Status) -> Error {
    let kind = match status.code {
        401 | 403 => ErrorKind::Denied,
        400 | 422 => ErrorKind::Invalid,
        404 => ErrorKind::Missing,
        _ => ErrorKind::Unavailable,
    };
    let error = Error::new(kind, format!("cannot {act} {place}")).with_source(status.message.clone());
    if kind != ErrorKind::Denied {
        return error;
    }
    error.with_hint("give the operator's service account the rights that the chart makes with `webhook.create: true`")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(value: Value) -> Status {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn places_are_named_and_found() {
        let neighbour = Neighbour { kind: "FlinkSessionJob", namespace: "team".to_owned(), name: "orders".to_owned() };
        for (place, path, text) in [
            (Place::secret("team", "tls"), "/api/v1/namespaces/team/secrets", "Secret `team/tls`"),
            (
                Place::validating("hook.team"),
                "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
                "ValidatingWebhookConfiguration `hook.team`",
            ),
            (
                Place::mutating("hook.team"),
                "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
                "MutatingWebhookConfiguration `hook.team`",
            ),
            (
                Place::flink(&neighbour),
                "/apis/flink.apache.org/v1beta1/namespaces/team/flinksessionjobs",
                "FlinkSessionJob `team/orders`",
            ),
        ] {
            assert_eq!((place.path.as_str(), place.to_string().as_str()), (path, text));
        }
    }

    #[test]
    fn only_an_answer_about_the_object_says_that_it_is_gone() {
        let place = Place::secret("team", "tls");
        for (answer, expected) in [
            (json!({"code": 404, "details": {"name": "tls", "kind": "secrets"}}), true),
            (json!({"code": 404, "details": {"name": "team", "kind": "namespaces"}}), false),
            (json!({"code": 404, "message": "404 page not found"}), false),
            (json!({"code": 403, "details": {"name": "tls"}}), false),
        ] {
            assert_eq!(is_gone(&status(answer.clone()), &place), expected, "{answer}");
        }
    }

    #[test]
    fn a_refusal_is_told_with_what_to_do() {
        let place = Place::validating("hook.team");
        for (code, kind) in [(403, ErrorKind::Denied), (422, ErrorKind::Invalid), (500, ErrorKind::Unavailable)] {
            let error = refused("change", &place, &status(json!({"code": code, "message": "because"})));
            assert_eq!(error.kind(), kind);
            assert_eq!(error.hint().is_some(), kind == ErrorKind::Denied);
            let text = kobel_model::chain(&error);
            assert_eq!(text, "cannot change ValidatingWebhookConfiguration `hook.team`: because");
        }
        let stale = Answered::Refusal(Box::new(status(json!({"code": 409}))));
        assert_eq!(written("change", &place, stale).unwrap(), Written::Stale);
    }
}
