//! A kube client of a kubeconfig, the loop that drives it, and how it speaks of objects of any kind.

use std::path::Path;
use std::time::Duration;

use kube::Client;
use kube::api::{ApiResource, GroupVersionKind};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::Value;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);
/// How long is waited between two looks.
pub(crate) const STEP: Duration = Duration::from_millis(50);

/// Makes the loop that a check runs in.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a loop")
}

/// Makes a client of the context that is current in a kubeconfig.
pub(crate) async fn connect(kubeconfig: &Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("the kubeconfig is read");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let mut config = config.expect("the kubeconfig is complete");
    // What is refused is looked at, and not asked for again.
    config.default_retry = false;
    Client::try_from(config).expect("a client")
}

/// What a kind is called in paths.
pub(crate) fn resource(api_version: &str, kind: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

/// A text in an object; empty if there is none.
pub(crate) fn text<'a>(object: &'a Value, place: &str) -> &'a str {
    object.pointer(place).and_then(Value::as_str).unwrap_or_default()
}
