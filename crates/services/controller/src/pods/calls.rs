//! The objects of a cluster that deployments are made of: looked at, applied and deleted, each call within a time.
//!
//! Objects are applied server-side by one manager of fields, which takes over what others have set: whoever gives a
//! deployment to this operator means it. What the manager does not name stays whose it is.
//!
//! What is certain not to be there yet is created, which costs the API server a fraction of applying it. The fields of what was
//! created are managed in another way, and applying less takes none of them away; so where something is found to be there all
//! the same, what was once created is made what was applied.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt as _, select_all};
use kobel_model::{Error, ErrorKind, Result};
use kube::Client;
use kube::ResourceExt as _;
use kube::api::{
    Api, ApiResource, DeleteParams, GroupVersionKind, ListParams, Patch, PatchParams, PostParams, Preconditions,
    PropagationPolicy,
};
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::managers::{self, MANAGER};
use super::refusal;
use crate::news::News;
use crate::prompt::prompt;
use crate::scope::Scope;
use crate::wire::{Faring, Whole};

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How many objects are listed at once of those of all deployments.
const PAGE: u32 = 50;
/// How many requests are under way at once; each has a connection, which is kept for a while.
const CALLS_MAX: usize = 12;

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
    places: Arc<Semaphore>,
}

impl Calls {
    /// The calls of a client, which looks after these namespaces.
    pub(super) fn over(client: Client, scope: Scope) -> Self {
        Self { client, scope, places: Arc::new(Semaphore::new(CALLS_MAX)) }
    }

    /// Reads one object; none if there is none of this name.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(super) async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Option<Value>> {
        let (what, api) = (format!("read {} `{namespace}/{name}`", kind.1), self.api(kind, namespace));
        Ok(self.answer(&what, api.get_opt(name)).await?.map(|object| object.value))
    }

    /// Every object of a kind with these labels, which are those of one deployment, in one namespace.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(super) async fn list(&self, kind: Kind, namespace: &str, labels: &str) -> Result<Vec<Value>> {
        // In pages many API servers read the whole namespace from their store for it, and else from memory.
        Ok(self.page(&self.api(kind, namespace), kind, &ListParams::default().labels(labels)).await?.0)
    }

    /// Every object of a kind with these labels, in all namespaces that are looked after.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(super) async fn list_all(&self, kind: Kind, labels: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        for api in self.scope.apis::<Whole>(&self.client, &resource(kind.0, kind.1)) {
            let mut params = ListParams::default().labels(labels).limit(PAGE);
            loop {
                let (items, next) = self.page(&api, kind, &params).await?;
                all.extend(items);
                if next.is_none() {
                    break;
                }
                params.continue_token = next;
            }
        }
        Ok(all)
    }

    /// A page of a list, and what the next one is asked for with.
    async fn page(&self, api: &Api<Whole>, kind: Kind, params: &ListParams) -> Result<(Vec<Value>, Option<String>)> {
        let what = format!("list {} with `{}`", kind.1, params.label_selector.as_deref().unwrap_or_default());
        let listed = self.answer(&what, api.list(params)).await?;
        let next = listed.metadata.continue_.filter(|token| !token.is_empty());
        Ok((listed.items.into_iter().map(|object| object.value).collect(), next))
    }

    /// Namespace and name of every object of a kind with these labels that is there, and then of each that fares in another
    /// way than before, in all namespaces that are looked after.
    pub(super) fn changes(&self, kind: Kind, labels: &str) -> BoxStream<'static, (String, String)> {
        let client = prompt(&self.client, ANSWER_TIMEOUT);
        let config = watcher::Config::default().labels(labels).page_size(PAGE);
        let watch = |api: Api<Faring>| {
            let mut news = News::default();
            let told = watcher(api, config.clone()).default_backoff();
            told.filter_map(move |change| ready(heard(&mut news, change))).boxed()
        };
        let apis = self.scope.apis::<Faring>(&client, &resource(kind.0, kind.1));
        select_all(apis.into_iter().map(watch)).boxed()
    }

    /// Makes an object be as it is given; returns it as it is then.
    ///
    /// # Errors
    /// Invalid if it names no kind; Unavailable if the API does not answer; what it refuses.
    pub(super) async fn apply(&self, object: &Value) -> Result<Value> {
        let (api, params, patch) = (self.api_of(object), PatchParams::apply(MANAGER).force(), Patch::Apply(object));
        let applied = api.patch(text(object, "/metadata/name"), &params, &patch);
        Ok(self.answer(&format!("apply {}", called(object)), applied).await?.value)
    }

    /// Creates an object; returns it as it is then, or nothing if there is one of its name.
    ///
    /// # Errors
    /// Invalid if it names no kind; Unavailable if the API does not answer; what it refuses.
    pub(super) async fn create(&self, object: &Value) -> Result<Option<Value>> {
        let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        let (api, body) = (self.api_of(object), Whole::from(object.clone()));
        let created = async {
            match api.create(&params, &body).await {
                Err(kube::Error::Api(status)) if status.code == 409 && status.reason == "AlreadyExists" => Ok(None),
                other => other.map(|created| Some(created.value)),
            }
        };
        self.answer(&format!("create {}", called(object)), created).await
    }

    /// Makes an object be as it is given that is most likely not there yet.
    ///
    /// # Errors
    /// Invalid if it names no kind; Unavailable if the API does not answer; what it refuses.
    pub(super) async fn make(&self, object: &Value) -> Result<()> {
        if self.create(object).await?.is_some() {
            return Ok(());
        }
        let there = self.apply(object).await?;
        let Some(adopted) = managers::adopted(&there) else { return Ok(()) };
        // What was created here once, and is not applied now, goes only if it counts as applied.
        let (api, params, patch) = (self.api_of(object), PatchParams::default(), Patch::Merge(&adopted));
        let changed = api.patch(text(object, "/metadata/name"), &params, &patch);
        self.answer(&format!("take over {}", called(object)), changed).await?;
        self.apply(object).await.map(drop)
    }

    /// Changes parts of an object that must be there; a part that is null is taken away.
    ///
    /// # Errors
    /// Invalid if the change is refused; Unavailable if the object is not there, or the API does not answer.
    pub(super) async fn change(&self, kind: Kind, (namespace, name): (&str, &str), change: &Value) -> Result<()> {
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let (api, patch) = (self.api(kind, namespace), Patch::Merge(change));
        let what = format!("change {} `{namespace}/{name}`", kind.1);
        self.answer(&what, api.patch(name, &params, &patch)).await.map(drop)
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
        self.answer(&what, changed).await
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
        let (namespace, name) = (text(object, "/metadata/namespace"), text(object, "/metadata/name"));
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
        self.answer(&format!("delete {} `{namespace}/{name}`", kind.1), deleted).await
    }

    /// Waits for a place and for an answer, but for that not for ever.
    async fn answer<T>(&self, act: &str, call: impl Future<Output = kube::Result<T>>) -> Result<T> {
        // It is never closed, so there is always one in the end.
        let _place = self.places.acquire().await.ok();
        answer(act, call).await
    }

    fn api_of(&self, object: &Value) -> Api<Whole> {
        let kind = resource(text(object, "/apiVersion"), text(object, "/kind"));
        Api::namespaced_with(self.client.clone(), text(object, "/metadata/namespace"), &kind)
    }

    fn api(&self, kind: Kind, namespace: &str) -> Api<Whole> {
        Api::namespaced_with(self.client.clone(), namespace, &resource(kind.0, kind.1))
    }
}

fn resource(api_version: &str, kind: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

fn text<'a>(object: &'a Value, place: &str) -> &'a str {
    object.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

/// What an object is called, for a person.
fn called(object: &Value) -> String {
    let (namespace, name) = (text(object, "/metadata/namespace"), text(object, "/metadata/name"));
    format!("{} `{namespace}/{name}`", text(object, "/kind"))
}

/// Which Deployment fares in another way than before, if a watch tells of that.
fn heard(news: &mut News, change: watcher::Result<watcher::Event<Faring>>) -> Option<(String, String)> {
    match change {
        Ok(told) => {
            let is_news = news.of(&told);
            match told {
                watcher::Event::Apply(object) | watcher::Event::InitApply(object) | watcher::Event::Delete(object) => {
                    is_news.then(|| (object.namespace().unwrap_or_default(), object.name_any()))
                }
                watcher::Event::Init | watcher::Event::InitDone => None,
            }
        }
        Err(error) => {
            tracing::warn!(target: "kobel.controller", %error, "a watch of what runs failed and begins again");
            None
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
