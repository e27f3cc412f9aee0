//! The deployments of an API: watched in all namespaces, read one by one, and reported on in their status.

use std::path::Path;
use std::time::Duration;

use futures::Stream;
use kobel_model::{Error, ErrorKind, Result};
use kobel_resources::API_VERSION;
use kobel_resources::flink_deployment::FlinkDeployment;
use kobel_resources::status::Condition;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, Resource as _};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::key::Key;

/// Who the fields belong to that are written here.
const MANAGER: &str = "kobel-controller";
/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How many objects are listed at once; they are in memory together.
const PAGE: u32 = 50;

/// What a watch tells.
pub(crate) type Change = watcher::Result<watcher::Event<DynamicObject>>;

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// It stands in the status.
    Done,
    /// The object has changed since it was read, so nothing was written.
    Stale,
    /// The object is gone.
    Gone,
}

/// The deployments of an API.
#[derive(Clone)]
pub(crate) struct Deployments {
    client: Client,
    resource: ApiResource,
}

impl Deployments {
    /// Makes ready to speak to the API of a kubeconfig; nothing is sent yet.
    ///
    /// # Errors
    /// Fails if the kubeconfig cannot be read or used.
    pub(crate) async fn connect(kubeconfig: &Path) -> Result<Self> {
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
        // The API is on this machine, whatever stands in the environment for the rest of the world.
        config.proxy_url = None;
        let client = Client::try_from(config).map_err(|error| unusable().with_source(error.to_string()))?;
        Ok(Self { client, resource: ApiResource::erase::<FlinkDeployment>(&()) })
    }

    /// Every deployment that is there, then every change; after an error it goes on by itself, after a pause.
    pub(crate) fn changes(&self) -> impl Stream<Item = Change> {
        let api = Api::<DynamicObject>::all_with(self.client.clone(), &self.resource);
        watcher(api, watcher::Config::default().page_size(PAGE)).default_backoff()
    }

    /// Reads one deployment; none if there is none of this name.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(crate) async fn get(&self, key: &Key) -> Result<Option<Value>> {
        let failed = |cause: String| failure("read", key, cause);
        let api = self.namespace(&key.namespace);
        match timeout(ANSWER_TIMEOUT, api.get_opt(&key.name)).await {
            Ok(Ok(found)) => found.map(|object| manifest(&object)).transpose(),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed(too_late())),
        }
    }

    /// Writes one condition into the status of the deployment as it was read; other conditions stay as they are.
    ///
    /// # Errors
    /// Unavailable if the API does not answer, or refuses.
    pub(crate) async fn report(&self, key: &Key, object: &Value, condition: &Condition) -> Result<Written> {
        let failed = |cause: String| failure("report on", key, cause);
        let params = PatchParams::apply(MANAGER).force();
        let body = Patch::Apply(report(key, object, condition));
        let api = self.namespace(&key.namespace);
        match timeout(ANSWER_TIMEOUT, api.patch_status(&key.name, &params, &body)).await {
            Ok(Ok(_)) => Ok(Written::Done),
            Ok(Err(kube::Error::Api(status))) if status.code == 404 => Ok(Written::Gone),
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => Ok(Written::Stale),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed(too_late())),
        }
    }

    fn namespace(&self, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &self.resource)
    }
}

/// A deployment as it would stand in a file. The items of a list need not name their kind, so it is named here.
///
/// # Errors
/// Bug if the object has no form in JSON, which every object has that came as JSON.
pub(crate) fn manifest(object: &DynamicObject) -> Result<Value> {
    let value = serde_json::to_value(object);
    let mut value = value.map_err(|error| Error::bug("an object has no form in JSON").with_source(error))?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("apiVersion".to_owned(), json!(API_VERSION));
        fields.insert("kind".to_owned(), json!(FlinkDeployment::kind(&())));
    }
    Ok(value)
}

/// What is applied: the condition alone, to this very state of this very object.
fn report(key: &Key, object: &Value, condition: &Condition) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": FlinkDeployment::kind(&()),
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "uid": object.pointer("/metadata/uid"),
            "resourceVersion": object.pointer("/metadata/resourceVersion"),
        },
        "status": {"conditions": [condition]},
    })
}

fn failure(act: &str, key: &Key, cause: String) -> Error {
    Error::new(ErrorKind::Unavailable, format!("cannot {act} deployment `{key}`")).with_source(cause)
}

fn too_late() -> String {
    format!("no answer within {} s", ANSWER_TIMEOUT.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_holds_one_condition_and_the_state_it_is_about() {
        let key = Key { namespace: "default".to_owned(), name: "demo".to_owned() };
        let object = json!({
            "metadata": {"name": "demo", "uid": "u", "resourceVersion": "7", "labels": {"a": "b"}},
            "spec": {"image": "x"},
            "status": {"conditions": [{"type": "Running"}], "lifecycleState": "STABLE"},
        });
        let condition = Condition { kind: "Honoured".to_owned(), ..Condition::default() };
        assert_eq!(
            report(&key, &object, &condition),
            json!({
                "apiVersion": "flink.apache.org/v1beta1",
                "kind": "FlinkDeployment",
                "metadata": {"name": "demo", "namespace": "default", "uid": "u", "resourceVersion": "7"},
                "status": {"conditions": [{"type": "Honoured"}]},
            })
        );
    }

    #[test]
    fn an_item_of_a_list_is_a_manifest_too() {
        let item = json!({"metadata": {"name": "demo"}, "spec": {"image": "x"}});
        let object: DynamicObject = serde_json::from_value(item).unwrap();
        let manifest = manifest(&object).unwrap();
        assert_eq!(
            (&manifest["apiVersion"], &manifest["kind"], &manifest["spec"]["image"]),
            (&json!("flink.apache.org/v1beta1"), &json!("FlinkDeployment"), &json!("x"))
        );
    }
}
