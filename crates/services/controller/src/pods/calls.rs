//! The objects of a cluster that deployments are made of: looked at, applied and deleted, each call within a time.
//!
//! Objects are applied server-side by one manager of fields, which takes over what others have set: whoever gives a
//! deployment to this operator means it. What the manager does not name stays whose it is.

use std::time::Duration;

use futures::stream::{BoxStream, StreamExt as _, select_all};
use kobel_model::{Error, ErrorKind, Result};
use kube::Client;
use kube::ResourceExt as _;
use kube::api::{
    Api, ApiResource, DeleteParams, GroupVersionKind, ListParams, Patch, PatchParams, Preconditions, PropagationPolicy,
};
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::Value;
use tokio::time::timeout;

use super::refusal;
use crate::prompt::prompt;
use crate::scope::Scope;
use crate::wire::{Named, Whole};

/// Who the fields belong to that are applied here.
const MANAGER: &str = "kobel-operator";
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How many objects are listed at once.
const PAGE: u32 = 50;

/// A kind of object, as `apiVersion` and `kind` name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind(pub(super) &'static str, pub(super) &'static str);

/// The job manager is one of these, and so are the task managers in standalone mode.
pub(super) const DEPLOYMENT: Kind = Kind("apps/v1", "Deployment");
/// What everything runs in.
pub(super) const POD: Kind = Kind("v1", "Pod");
/// What Flink keeps the metadata of high availability in, and is configured with.
pub(super) const CONFIG_MAP: Kind = Kind("v1", "ConfigMap");
/// How the REST API is reached from outside.
pub(super) const INGRESS: Kind = Kind("networking.k8s.io/v1", "Ingress");

/// The calls to the API of a cluster.
#[derive(Clone)]
pub(super) struct Calls {
    client: Client,
    scope: Scope,
}

impl Calls {
    /// The calls of a client, which looks after these namespaces.
    pub(super) fn over(client: Client, scope: Scope) -> Self {
        Self { client, scope }
    }

    /// Reads one object; none if there is none of this name.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(super) async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Option<Value>> {
        let (what, api) = (format!("read {} `{namespace}/{name}`", kind.1), self.api(kind, namespace));
        Ok(answer(&what, api.get_opt(name)).await?.map(|object| object.value))
    }

    /// Every object of a kind with these labels, in one namespace.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(super) async fn list(&self, kind: Kind, namespace: &str, labels: &str) -> Result<Vec<Value>> {
        pages(&self.api(kind, namespace), kind, labels).await
    }

    /// Every object of a kind with these labels, in all namespaces that are looked after.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(super) async fn list_all(&self, kind: Kind, labels: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        for api in self.scope.apis::<Whole>(&self.client, &resource(kind.0, kind.1)) {
            all.extend(pages(&api, kind, labels).await?);
        }
        Ok(all)
    }

    /// Namespace and name of every object of a kind with these labels that is there, and then of each that changes, in
    /// all namespaces that are looked after.
    pub(super) fn changes(&self, kind: Kind, labels: &str) -> BoxStream<'static, (String, String)> {
        let client = prompt(&self.client, ANSWER_TIMEOUT);
        let config = watcher::Config::default().labels(labels).page_size(PAGE);
        let watch = |api: Api<Named>| watcher(api, config.clone()).default_backoff().boxed();
        let seen = select_all(self.scope.apis::<Named>(&client, &resource(kind.0, kind.1)).into_iter().map(watch));
        let named = seen.filter_map(|change| async {
            match change {
                Ok(
                    watcher::Event::Apply(object) | watcher::Event::InitApply(object) | watcher::Event::Delete(object),
                ) => Some((object.namespace().unwrap_or_default(), object.name_any())),
                Ok(watcher::Event::Init | watcher::Event::InitDone) => None,
                Err(error) => {
                    tracing::warn!(target: "kobel.controller", %error, "a watch of what runs failed and begins again");
                    None
                }
            }
        });
        named.boxed()
    }

    /// Makes an object be as it is given; returns it as it is then.
    ///
    /// # Errors
    /// Invalid if it names no kind; Unavailable if the API does not answer; what it refuses.
    pub(super) async fn apply(&self, object: &Value) -> Result<Value> {
        let text = |place: &str| object.pointer(place).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name, kind) = (text("/metadata/namespace"), text("/metadata/name"), text("/kind"));
        let api = Api::<Whole>::namespaced_with(self.client.clone(), namespace, &resource(text("/apiVersion"), kind));
        let params = PatchParams::apply(MANAGER).force();
        let what = format!("apply {kind} `{namespace}/{name}`");
        Ok(answer(&what, api.patch(name, &params, &Patch::Apply(object))).await?.value)
    }

    /// Changes parts of an object; a part that is null is taken away. That it is gone is well, and so is that it is not
    /// any more as the version says that the change names: then nothing is changed.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(super) async fn merge(&self, kind: Kind, (namespace, name): (&str, &str), change: &Value) -> Result<()> {
        let api = self.api(kind, namespace);
        let params = PatchParams::default();
        let what = format!("change {} `{namespace}/{name}`", kind.1);
        let patch = Patch::Merge(change);
        let changed = async {
            match api.patch(name, &params, &patch).await {
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
                other => other.map(drop),
            }
        };
        answer(&what, changed).await
    }

    /// Deletes the object that was seen, and no other of its name, after what it owns. That it is gone is well.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(super) async fn delete(&self, kind: Kind, object: &Value) -> Result<()> {
        let uid = object.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned);
        self.delete_if(kind, object, Preconditions { uid, resource_version: None }).await.map(drop)
    }

    /// Deletes an object unless it has changed since it was seen, after what it owns; says whether it did.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(super) async fn delete_as_seen(&self, kind: Kind, object: &Value) -> Result<bool> {
        let seen = |place: &str| object.pointer(place).and_then(Value::as_str).map(str::to_owned);
        let (uid, resource_version) = (seen("/metadata/uid"), seen("/metadata/resourceVersion"));
        self.delete_if(kind, object, Preconditions { uid, resource_version }).await
    }

    async fn delete_if(&self, kind: Kind, object: &Value, preconditions: Preconditions) -> Result<bool> {
        let text = |place: &str| object.pointer(place).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let params = DeleteParams {
            preconditions: Some(preconditions),
            propagation_policy: Some(PropagationPolicy::Foreground),
            ..DeleteParams::default()
        };
        let api = self.api(kind, namespace);
        let deleted = async {
            match api.delete(name, &params).await {
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(false),
                other => other.map(|_| true),
            }
        };
        answer(&format!("delete {} `{namespace}/{name}`", kind.1), deleted).await
    }

    fn api(&self, kind: Kind, namespace: &str) -> Api<Whole> {
        Api::namespaced_with(self.client.clone(), namespace, &resource(kind.0, kind.1))
    }
}

fn resource(api_version: &str, kind: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

async fn pages(api: &Api<Whole>, kind: Kind, labels: &str) -> Result<Vec<Value>> {
    let (mut all, mut next) = (Vec::new(), None);
    loop {
        let mut params = ListParams::default().labels(labels).limit(PAGE);
        params.continue_token = next;
        let listed = answer(&format!("list {} with `{labels}`", kind.1), api.list(&params)).await?;
        all.extend(listed.items.into_iter().map(|object| object.value));
        next = listed.metadata.continue_.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(all);
        }
    }
}

/// Waits for an answer, but not for ever.
async fn answer<T>(act: &str, call: impl Future<Output = kube::Result<T>>) -> Result<T> {
    let late =
        || Error::new(ErrorKind::Unavailable, format!("cannot {act}: no answer within {} s", ANSWER_TIMEOUT.as_secs()));
    let answered = timeout(ANSWER_TIMEOUT, call).await.map_err(|_| late())?;
    answered.map_err(|error| {
        let kind = match &error {
            kube::Error::Api(status) if matches!(status.code, 401 | 403) => ErrorKind::Denied,
            kube::Error::Api(status) if matches!(status.code, 400 | 422) => ErrorKind::Invalid,
            _ => ErrorKind::Unavailable,
        };
        let why = match &error {
            kube::Error::Api(status) if kind == ErrorKind::Invalid => refusal::of(status),
            _ => error.to_string(),
        };
        Error::new(kind, format!("cannot {act}")).with_source(why)
    })
}
