//! One start of a deployment as objects of a Kubernetes cluster: a deployment and what surrounds it in, objects out.
//!
//! The objects are those that Flink's own client makes when it deploys a cluster, under the names and labels by which
//! Flink finds them again; so whoever deployed a cluster, the other goes on with it. What the custom resource owns is
//! made first. The rest is owned by the Deployment of the job manager and needs its uid.
//!
//! # Invariants
//! * Pure and total, as the rest of this crate: the same values always give the same objects.
//! * An object says only what is meant: server-side apply leaves the rest to whoever owns it.
//!
//! # Source
//! Apache Flink 1.20 and 2.2, `KubernetesClusterDescriptor` and the decorators of `org.apache.flink.kubernetes`; Apache
//! Flink Kubernetes operator 1.15, `FlinkConfigBuilder`, `StandaloneKubernetesUtils`, `IngressUtils`.

pub mod accounts;
pub mod config_maps;
pub mod configuration;
pub mod container;
pub mod emr;
pub mod fetcher;
pub mod ingress;
pub mod job_manager;
pub mod native;
pub mod services;
pub mod sidecar;
pub mod standalone;
mod start;
pub mod template;

use kobel_model::deployment::Mode;
use kobel_model::deployment::engine::{Engine, engine};
use serde_json::Value;

pub use self::start::{GENERATION, LAST_STATE, MAIN_CONTAINER, Start};
use crate::configuration::Configuration;

/// What the resource owns, in the order in which it is applied; the Deployment of the job manager is the last of them,
/// for whoever applies them needs its uid to go on. A native application has one process, which is its job manager.
pub fn owned_by_resource(start: &Start<'_>, configuration: &Configuration) -> Vec<Value> {
    let mut objects = accounts::objects(start);
    objects.extend(ingress::object(start, configuration));
    if engine(&start.deployment.cluster) == Engine::Native {
        objects.push(native::deployment(start, configuration));
        return objects;
    }
    if start.deployment.cluster.mode == Mode::Standalone {
        objects.push(standalone::task_managers(start, configuration));
    }
    objects.push(job_manager::object(start, configuration));
    objects
}

/// What the Deployment of the job manager owns, which has this uid.
pub fn owned_by_manager(start: &Start<'_>, configuration: &Configuration, uid: &str) -> Vec<Value> {
    if engine(&start.deployment.cluster) == Engine::Native {
        return native::owned(start, configuration, uid);
    }
    let mut objects = services::objects(start, configuration, uid);
    objects.extend(config_maps::objects(start, configuration, uid));
    objects
}

#[cfg(test)]
mod tests;
