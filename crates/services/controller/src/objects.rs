//! The objects of an API: watched in the namespaces that are looked after, read one by one, written with the state that
//! they were read in.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use jiff::Timestamp;
use kobel_lifecycle::decision::{Event, EventKind};
use kobel_model::{Error, ErrorKind, Result, chain};
use kobel_resources::API_VERSION;
use kube::Client;
use kube::api::{
    Api, ApiResource, DeleteParams, GroupVersionKind, ListParams, Patch, PatchParams, PostParams, Preconditions,
};
use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::core::Status;
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::key::{Key, Kind};
use crate::prompt::prompt;
use crate::scope::Scope;
use crate::surroundings::Surroundings;
use crate::turns::Turn;
use crate::wire::{Named, Whole};

/// Who the fields belong to that are written here, and who tells events.
const MANAGER: &str = "kobel-controller";
/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may be without a word. An open watch is told something every minute.
const READ_TIMEOUT: Duration = Duration::from_secs(295);
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How many objects are listed at once; they are in memory together.
const PAGE: u32 = 10;
/// The longest note of an event, in bytes.
const NOTE_MAX: usize = 1_024;

/// What a watch tells.
pub(crate) type Change = watcher::Result<watcher::Event<Named>>;

/// What became of a write.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Written {
    /// It is written; this is the object now.
    Done(Box<Value>),
    /// The object has changed since it was read, or is gone, so nothing was written.
    Stale,
}

/// How many requests are under way at once beside one for each round; each has a connection, which is kept for a while.
const CALLS_BESIDE: usize = 1;

/// The objects of an API.
#[derive(Clone)]
pub(crate) struct Objects {
    client: Client,
    scope: Scope,
    calls: Arc<Semaphore>,
    surroundings: Arc<dyn Surroundings>,
    /// The turn of the round that asks; waiting for a call is not its own time.
    turn: Option<Turn>,
}

impl Objects {
    /// The objects of the API that a client speaks to, in the namespaces that are looked after, for so many rounds at once.
    pub(crate) fn over(client: Client, scope: Scope, surroundings: Arc<dyn Surroundings>, rounds: usize) -> Self {
        let calls = Arc::new(Semaphore::new(rounds + CALLS_BESIDE));
        Self { client, scope, calls, surroundings, turn: None }
    }

    /// The same objects for the round with this turn.
    pub(crate) fn during(&self, turn: &Turn) -> Self {
        Self { turn: Some(turn.clone()), ..self.clone() }
    }

    /// Every object of a kind that is there, then every change; after an error it goes on by itself, after a pause.
    /// There is one stream for all namespaces, or one for each that is listed.
    pub(crate) fn changes(&self, kind: Kind) -> Vec<impl Stream<Item = Change> + use<>> {
        let client = prompt(&self.client, ANSWER_TIMEOUT);
        let watch = |api: Api<Named>| watcher(api, watcher::Config::default().page_size(PAGE)).default_backoff();
        self.scope.apis::<Named>(&client, &resource(kind)).into_iter().map(watch).collect()
    }

    /// Reads one object; none if the API says that there is none of this name.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(crate) async fn get(&self, key: &Key) -> Result<Option<Value>> {
        match self.answer("read", key, self.namespace(key).get(&key.name)).await? {
            Ok(object) => Ok(Some(manifest(key.kind, object))),
            Err(kube::Error::Api(status)) if is_gone(&status, key) => Ok(None),
            Err(error) => Err(failure("read", key, error.to_string())),
        }
    }

    /// The session jobs of a session cluster: their names, and the ids of their jobs.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(crate) async fn session_jobs_of(&self, key: &Key) -> Result<Vec<(String, Option<String>)>> {
        let jobs = key.beside(Kind::SessionJob, "");
        let params = ListParams::default();
        let listed = self.answer("list the session jobs of", key, self.namespace(&jobs).list(&params)).await?;
        let listed = listed.map_err(|error| failure("list the session jobs of", key, error.to_string()))?;
        let text = |object: &Whole, place: &str| object.value.pointer(place).and_then(Value::as_str).map(str::to_owned);
        let is_its = |object: &&Whole| text(object, "/spec/deploymentName").as_deref() == Some(key.name.as_str());
        let described =
            |object: &Whole| Some((text(object, "/metadata/name")?, text(object, "/status/jobStatus/jobId")));
        Ok(listed.items.iter().filter(is_its).filter_map(described).collect())
    }

    /// Replaces the status of the object as it was read.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(crate) async fn put_status(&self, key: &Key, object: &Value, status: &Value) -> Result<Written> {
        let mut changed = object.clone();
        if let Some(fields) = changed.as_object_mut() {
            fields.insert("status".to_owned(), status.clone());
        }
        let body = Whole::from(changed);
        let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        let api = self.namespace(key);
        let answered = self.answer("report on", key, api.replace_status(&key.name, &params, &body)).await?;
        written("report on", key, answered)
    }

    /// Replaces the finalizers of the object as it was read.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(crate) async fn put_finalizers(&self, key: &Key, object: &Value, finalizers: &[String]) -> Result<Written> {
        let patch = json!({"metadata": {
            "resourceVersion": object.pointer("/metadata/resourceVersion"),
            "uid": object.pointer("/metadata/uid"),
            "finalizers": finalizers,
        }});
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let api = self.namespace(key);
        let answered = self.answer("hold", key, api.patch(&key.name, &params, &Patch::Merge(&patch))).await?;
        written("hold", key, answered)
    }

    /// Tells an event of an object. One that cannot be told is lost: nothing depends on it.
    pub(crate) async fn tell(&self, key: &Key, object: &Value, event: &Event) {
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Event"));
        let api = Api::<Whole>::namespaced_with(self.client.clone(), &key.namespace, &kind);
        let told = Told { event, at: self.surroundings.now(), id: self.surroundings.fresh() };
        let body = Whole::from(event_of(key, object, &told));
        let told = self.answer("tell an event of", key, api.create(&PostParams::default(), &body)).await;
        if let Err(error) = told.and_then(|told| told.map_err(|error| failure("tell of", key, error.to_string()))) {
            tracing::warn!(target: "kobel.controller", object = %key, cause = %chain(&error), reason = event.reason, "an event is lost");
        }
    }

    /// Creates an object, unless there is one of its name.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(crate) async fn create(&self, key: &Key, object: Value) -> Result<()> {
        let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        let (api, body) = (self.namespace(key), Whole::from(object));
        match self.answer("create", key, api.create(&params, &body)).await? {
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
            answered => answered.map(drop).map_err(|error| failure("create", key, error.to_string())),
        }
    }

    /// Replaces the spec of the object as it was read.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(crate) async fn put_spec(&self, key: &Key, object: &Value, spec: &Value) -> Result<Written> {
        let mut changed = object.clone();
        if let Some(fields) = changed.as_object_mut() {
            fields.insert("spec".to_owned(), spec.clone());
        }
        let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        let (api, body) = (self.namespace(key), Whole::from(changed));
        let answered = self.answer("change", key, api.replace(&key.name, &params, &body)).await?;
        written("change", key, answered)
    }

    /// Deletes the object that was read, and no other of its name.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(crate) async fn delete(&self, key: &Key, object: &Value) -> Result<()> {
        let uid = object.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned);
        let preconditions = Some(Preconditions { uid, resource_version: None });
        let params = DeleteParams { preconditions, ..DeleteParams::default() };
        let api = self.namespace(key);
        match self.answer("delete", key, api.delete(&key.name, &params)).await? {
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
            answered => answered.map(drop).map_err(|error| failure("delete", key, error.to_string())),
        }
    }

    /// Waits for a call and for its answer, but not for ever.
    async fn answer<T>(&self, act: &str, key: &Key, call: impl Future<Output = T>) -> Result<T> {
        let late = || failure(act, key, format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()));
        // It is never closed, so there is always one in the end.
        let _call = match &self.turn {
            Some(turn) => turn.aside(self.calls.acquire()).await.ok(),
            None => self.calls.acquire().await.ok(),
        };
        timeout(ANSWER_TIMEOUT, call).await.map_err(|_| late())
    }

    fn namespace(&self, key: &Key) -> Api<Whole> {
        Api::namespaced_with(self.client.clone(), &key.namespace, &resource(key.kind))
    }
}

/// Makes ready to speak to the API of a kubeconfig; nothing is sent yet.
///
/// # Errors
/// Fails if the kubeconfig cannot be read or used.
pub(crate) async fn connect(kubeconfig: &Path) -> Result<Client> {
    let place = kubeconfig.display();
    // The cause could show what stands in the file, which holds a token.
    let unusable = || Error::invalid(format!("cannot use the kubeconfig `{place}`"));
    let read = Kubeconfig::read_from(kubeconfig).map_err(|error| match error {
        KubeconfigError::ReadConfig(error, _) => Error::io(format!("cannot read the kubeconfig `{place}`"), error),
        _ => unusable(),
    })?;
    let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(|_| unusable())?;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = Some(READ_TIMEOUT);
    // The API is on this machine, whatever stands in the environment for the rest of the world.
    config.proxy_url = None;
    Client::try_from(config).map_err(|error| unusable().with_source(error.to_string()))
}

/// Makes ready to speak to the API of the cluster in a pod of which this runs; nothing is sent yet.
///
/// # Errors
/// Missing if this runs in no pod, or its service account is not mounted.
pub(crate) fn connect_from_pod() -> Result<Client> {
    let config = Config::incluster().map_err(|error| {
        let message = "this runs in no pod of a cluster, and no kubeconfig is named";
        let hint = "name one with `--kubeconfig`, or mount the token of the service account";
        Error::new(ErrorKind::Missing, message).with_source(error.to_string()).with_hint(hint)
    });
    let mut config = config?;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = Some(READ_TIMEOUT);
    Client::try_from(config)
        .map_err(|error| Error::invalid("cannot speak to the API of the cluster").with_source(error.to_string()))
}

fn resource(kind: Kind) -> ApiResource {
    let (group, version) = API_VERSION.split_once('/').unwrap_or(("", API_VERSION));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind.name()))
}

/// Whether an answer says that there is no object of this name, and not that there is no such path: a server that does not
/// know the kind says nothing of its objects.
fn is_gone(status: &Status, key: &Key) -> bool {
    status.code == 404 && status.details.as_ref().is_some_and(|details| details.name == key.name)
}

/// An object as it would stand in a file. The items of a list need not name their kind, so it is named here.
fn manifest(kind: Kind, object: Whole) -> Value {
    let mut value = object.value;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("apiVersion".to_owned(), json!(API_VERSION));
        fields.insert("kind".to_owned(), json!(kind.name()));
    }
    value
}

fn written(act: &str, key: &Key, answered: kube::Result<Whole>) -> Result<Written> {
    match answered {
        Ok(object) => Ok(Written::Done(Box::new(manifest(key.kind, object)))),
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(Written::Stale),
        Err(error) => Err(failure(act, key, error.to_string())),
    }
}

fn failure(act: &str, key: &Key, cause: String) -> Error {
    Error::new(ErrorKind::Unavailable, format!("cannot {act} {key}")).with_source(cause)
}

/// An event that is told.
struct Told<'a> {
    event: &'a Event,
    at: Timestamp,
    /// What tells it from all others.
    id: u128,
}

fn event_of(key: &Key, object: &Value, told: &Told<'_>) -> Value {
    let event = told.event;
    let kind = match event.kind {
        EventKind::Normal => "Normal",
        EventKind::Warning => "Warning",
    };
    let mut message = event.message.clone();
    if message.len() > NOTE_MAX {
        let end = (0..=NOTE_MAX - 3).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
        message.truncate(end);
        message.push('…');
    }
    let time = told.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": format!("{}.{:016x}", key.name, told.id & u128::from(u64::MAX)), "namespace": key.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": key.kind.name(),
            "name": key.name,
            "namespace": key.namespace,
            "uid": object.pointer("/metadata/uid"),
            "resourceVersion": object.pointer("/metadata/resourceVersion"),
        },
        "reason": event.reason,
        "message": message,
        "type": kind,
        "count": 1,
        "firstTimestamp": time,
        "lastTimestamp": time,
        "source": {"component": MANAGER},
        "reportingComponent": MANAGER,
        "reportingInstance": MANAGER,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_a_list_is_a_manifest_too() {
        let item = json!({"metadata": {"name": "demo"}, "spec": {"image": "x"}});
        let manifest = manifest(Kind::SessionJob, Whole::from(item));
        assert_eq!(
            (&manifest["apiVersion"], &manifest["kind"], &manifest["spec"]["image"]),
            (&json!("flink.apache.org/v1beta1"), &json!("FlinkSessionJob"), &json!("x"))
        );
    }

    #[test]
    fn only_an_answer_about_the_object_says_that_it_is_gone() {
        let key = Key { kind: Kind::Deployment, namespace: "team".to_owned(), name: "demo".to_owned() };
        let details = json!({"name": "demo", "group": "flink.apache.org", "kind": "flinkdeployments"});
        for (status, expected) in [
            (json!({"code": 404, "reason": "NotFound", "details": details}), true),
            (json!({"code": 404, "reason": "NotFound", "details": {"name": "other"}}), false),
            (json!({"code": 404, "reason": "NotFound", "details": {}}), false),
            (json!({"code": 404, "message": "404 page not found"}), false),
            (json!({"code": 403, "details": details}), false),
            (json!({"code": 503, "details": details}), false),
        ] {
            let read: Status = serde_json::from_value(status.clone()).unwrap();
            assert_eq!(is_gone(&read, &key), expected, "{status}");
        }
    }

    #[test]
    fn an_event_is_short_and_names_its_object() {
        let key = Key { kind: Kind::Deployment, namespace: "team".to_owned(), name: "demo".to_owned() };
        let event = Event { kind: EventKind::Warning, reason: "Missing", message: "é".repeat(900) };
        let told = Told { event: &event, at: Timestamp::UNIX_EPOCH, id: 7 };
        let told = event_of(&key, &json!({"metadata": {"uid": "u"}}), &told);
        assert_eq!(told["involvedObject"]["uid"], "u");
        assert_eq!((&told["type"], &told["reason"]), (&json!("Warning"), &json!("Missing")));
        let message = told["message"].as_str().unwrap();
        assert!(message.len() <= NOTE_MAX && message.ends_with('…'), "{} bytes", message.len());
    }
}
