//! The pods of a cluster as the place where deployments run, for Apache Flink in native and in standalone mode.
//!
//! What runs is what the API says: nothing is remembered here. The Deployment of the job manager stands for the cluster,
//! and carries for which generation and which job it was made. Flink keeps what a successor needs in ConfigMaps that nobody
//! owns; they outlive the Deployment, and are removed when a job is to start without them.

mod availability;
mod calls;
mod trouble;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::stream::{BoxStream, StreamExt as _};
use kobel_flink_client::{Endpoint, FlinkClient};
use kobel_lifecycle::facts::{Cluster, Launched};
use kobel_lifecycle::record::LAST_STATE_DUMMY;
use kobel_manifest::engine::{Engine, engine};
use kobel_manifest::kubernetes::{self, GENERATION, Start};
use kobel_manifest::launch::JobStart;
use kobel_model::deployment::{ArtifactKind, Deployment, Identity, Scheme};
use kobel_model::{Error, ErrorKind, Result, chain};
use kube::Client;
use serde_json::{Value, json};

use self::calls::{CONFIG_MAP, Calls, DEPLOYMENT, POD};
use crate::launching::Launching;
use crate::sight::{Found, Sight};
use crate::surroundings::Surroundings;

/// The annotation of a job manager's Deployment with the id of its job. Another operator's has none.
const JOB_ID: &str = "kobel.dev/job-id";
/// What selects the Deployments of job managers, in both modes.
const MANAGERS: &str = "type in (flink-native-kubernetes,flink-standalone-kubernetes),component=jobmanager";
/// What selects everything of clusters, in both modes.
const KINDS: &str = "type in (flink-native-kubernetes,flink-standalone-kubernetes)";
/// The port of the REST API, unless the Deployment names another.
const REST_PORT: u64 = 8081;

/// How pods are made and reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What holds where a resource is silent, by key of the Flink configuration.
    pub defaults: BTreeMap<String, String>,
    /// The image of this program.
    pub image: String,
    /// How the REST API of a cluster is reached.
    pub reach: Reach,
}

/// How the REST API of a cluster is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// By the name of its service, from inside the cluster of Kubernetes.
    Services,
    /// By the address of a pod of the job manager, where no names are resolved.
    Addresses,
}

/// What has the name of a job manager.
enum Manager {
    /// The job manager.
    Ours(Box<Value>),
    /// Something that belongs to somebody else.
    Theirs,
    /// Nothing.
    Absent,
}

/// The pods of a cluster as a substrate.
#[derive(Clone)]
pub(crate) struct Pods {
    calls: Calls,
    flink: FlinkClient,
    surroundings: Arc<dyn Surroundings>,
    settings: Arc<Settings>,
}

impl Pods {
    /// The pods of the cluster that a client speaks to.
    pub(crate) fn over(
        client: Client,
        surroundings: Arc<dyn Surroundings>,
        flink: FlinkClient,
        settings: Settings,
    ) -> Self {
        Self { calls: Calls::over(client), flink, surroundings, settings: Arc::new(settings) }
    }

    /// Every deployment that has a job manager here.
    ///
    /// # Errors
    /// Unavailable if it cannot be listed.
    pub(crate) async fn all(&self) -> Result<Vec<Identity>> {
        let managers = self.calls.list_all(DEPLOYMENT, MANAGERS).await?;
        let ours = managers.iter().filter(|manager| is_of(manager, text(manager, "/metadata/name")));
        Ok(ours.map(|manager| identity(text(manager, "/metadata/namespace"), manager)).collect())
    }

    /// The deployments whose job managers change.
    pub(crate) fn changes(&self) -> BoxStream<'static, Identity> {
        let changes = self.calls.changes(DEPLOYMENT, MANAGERS);
        changes.map(|(namespace, name)| Identity { namespace, name }).boxed()
    }

    /// Looks at what runs of a deployment, and changes nothing.
    pub(crate) async fn look(&self, of: &Identity) -> Sight {
        match self.manager(of).await {
            Ok(Manager::Ours(manager)) => self.sight(of, &manager).await,
            Ok(Manager::Theirs) => Sight::nothing(),
            // Pods end after what made them.
            Ok(Manager::Absent) => match self.pods(of).await {
                Ok(pods) if pods.is_empty() => Sight::nothing(),
                Ok(_) => Sight::silent(Cluster::Ending),
                Err(error) => Sight::silent(Cluster::Unknown(chain(&error))),
            },
            Err(error) => Sight::silent(Cluster::Unknown(chain(&error))),
        }
    }

    async fn sight(&self, of: &Identity, manager: &Value) -> Sight {
        let is_leaving = manager.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
        if is_leaving {
            return Sight::silent(Cluster::Ending);
        }
        let launched = match self.launched(of, manager).await {
            Ok(launched) => launched,
            Err(error) => return Sight::silent(Cluster::Unknown(chain(&error))),
        };
        if manager.pointer("/spec/replicas").and_then(Value::as_u64) == Some(0) {
            let why = "somebody has scaled its job manager to nothing".to_owned();
            return Sight::silent(Cluster::Failed(launched, why));
        }
        let pods = match self.pods(of).await {
            Ok(pods) => pods,
            Err(error) => return Sight::silent(Cluster::Unknown(chain(&error))),
        };
        let Some(endpoint) = self.endpoint(of, manager, &pods) else {
            let silence = trouble::of(manager, &pods).unwrap_or_else(|| "no pod of it has an address yet".to_owned());
            return Sight { silence: Some(silence), ..Sight::silent(Cluster::Starting(launched)) };
        };
        match self.flink.config(&endpoint).await {
            Ok(config) => Sight {
                endpoint: Some(endpoint),
                version: Some(config.version),
                behind_ms: config.refresh_ms,
                ..Sight::silent(Cluster::Ready(launched))
            },
            Err(error) => {
                let silence = trouble::of(manager, &pods).unwrap_or_else(|| chain(&error));
                Sight { silence: Some(silence), ..Sight::silent(Cluster::Starting(launched)) }
            }
        }
    }

    /// The Deployment that has the name of the job manager. What no FlinkDeployment owns is never touched, whatever its
    /// labels say: Flink's own command line makes the same objects.
    async fn manager(&self, of: &Identity) -> Result<Manager> {
        Ok(match self.calls.get(DEPLOYMENT, &of.namespace, &of.name).await? {
            Some(found) if is_of(&found, &of.name) => Manager::Ours(Box::new(found)),
            Some(_) => Manager::Theirs,
            None => Manager::Absent,
        })
    }

    async fn pods(&self, of: &Identity) -> Result<Vec<Value>> {
        let labels = format!("app={},{KINDS},component in (jobmanager,taskmanager)", of.name);
        self.calls.list(POD, &of.namespace, &labels).await
    }

    /// For which generation and job a job manager was made.
    async fn launched(&self, of: &Identity, manager: &Value) -> Result<Launched> {
        let annotations = manager.pointer("/metadata/annotations");
        let annotated = |key: &str| annotations.and_then(|all| all.get(key)).and_then(Value::as_str);
        let generation = annotated(GENERATION).and_then(|text| text.parse().ok()).unwrap_or_default();
        let job_id = match annotated(JOB_ID) {
            Some(job_id) => Some(job_id.to_owned()),
            // Made by another operator, which tells the job its id by its configuration alone.
            None => {
                let name = format!("flink-config-{}", of.name);
                let config = self.calls.get(CONFIG_MAP, &of.namespace, &name).await?;
                config.as_ref().and_then(configured_job)
            }
        };
        Ok(Launched { generation, job_id: job_id.filter(|job_id| !job_id.is_empty()) })
    }

    fn endpoint(&self, of: &Identity, manager: &Value, pods: &[Value]) -> Option<Endpoint> {
        let port = rest_port(manager);
        let host = match self.settings.reach {
            Reach::Services => format!("{}-rest.{}", of.name, of.namespace),
            Reach::Addresses => {
                let is_ready = |pod: &&Value| text(pod, "/metadata/labels/component") == "jobmanager";
                let address = pods.iter().filter(is_ready).map(|pod| text(pod, "/status/podIP"));
                address.filter(|address| !address.is_empty()).min()?.to_owned()
            }
        };
        Some(Endpoint { url: format!("http://{host}:{port}"), token: None })
    }

    /// Starts a deployment. It may be asked for again, and is finished then.
    ///
    /// # Errors
    /// Conflict beside another launch; Unsupported for the native engine; what the API refuses.
    pub(crate) async fn start(&self, deployment: &Deployment, launching: &Launching) -> Result<()> {
        let of = &deployment.identity;
        if let Some(why) = lacks(deployment) {
            return Err(Error::unsupported(why));
        }
        let restore = launching.restore.as_deref();
        match self.manager(of).await? {
            Manager::Theirs => {
                let message = format!("Deployment `{}/{}` belongs to somebody else", of.namespace, of.name);
                let hint = "give the FlinkDeployment another name";
                return Err(Error::new(ErrorKind::Conflict, message).with_hint(hint));
            }
            Manager::Ours(manager) => {
                let found = self.launched(of, &manager).await?;
                if (found.generation, &found.job_id) != (launching.label.generation, &launching.label.job_id) {
                    let message = format!("another launch of `{}/{}` is there", of.namespace, of.name);
                    return Err(Error::new(ErrorKind::Conflict, message));
                }
            }
            // Once there is a job manager, what is kept is its own.
            Manager::Absent => self.prepare(of, restore).await?,
        }
        let fresh = format!("{:032x}", self.surroundings.fresh());
        let job_id = launching.label.job_id.as_deref();
        let start = Start {
            deployment,
            job: job_id.map(|job_id| JobStart { job_id, restore }),
            generation: launching.label.generation,
            uid: &launching.uid,
            defaults: &self.settings.defaults,
            fresh: &fresh,
            kobel_image: &self.settings.image,
        };
        self.apply(&start).await
    }

    async fn apply(&self, start: &Start<'_>) -> Result<()> {
        let configuration = kubernetes::configuration::effective(start);
        let mut uid = String::new();
        for mut object in kubernetes::owned_by_resource(start, &configuration) {
            let is_manager = object["kind"] == DEPLOYMENT.1 && text(&object, "/metadata/name") == start.name();
            if is_manager && let Some(job) = &start.job {
                annotate(&mut object, JOB_ID, job.job_id);
            }
            let applied = self.calls.apply(&object).await?;
            if is_manager {
                uid = text(&applied, "/metadata/uid").to_owned();
            }
        }
        for object in kubernetes::owned_by_manager(start, &configuration, &uid) {
            self.calls.apply(&object).await?;
        }
        Ok(())
    }

    /// Sees to it that Flink finds the metadata that it is to go on from, and no other.
    async fn prepare(&self, of: &Identity, restore: Option<&str>) -> Result<()> {
        let kept = availability::of(&self.calls, of).await?;
        if restore != Some(LAST_STATE_DUMMY) {
            return self.remove(&kept).await;
        }
        for map in &kept {
            let graphs = availability::graphs(map);
            if graphs.is_empty() {
                continue;
            }
            // The job is submitted anew, and as it was its graph could not be read by another version.
            let gone: serde_json::Map<String, Value> = graphs.into_iter().map(|key| (key, Value::Null)).collect();
            let place = (text(map, "/metadata/namespace"), text(map, "/metadata/name"));
            self.calls.merge(CONFIG_MAP, place, &json!({ "data": gone })).await?;
        }
        Ok(())
    }

    async fn remove(&self, maps: &[Value]) -> Result<()> {
        for map in maps {
            self.calls.delete(CONFIG_MAP, map).await?;
        }
        Ok(())
    }

    /// Ends what runs of a deployment; says whether nothing of it is left. What a successor needs stays.
    ///
    /// # Errors
    /// Unavailable if it cannot be asked.
    pub(crate) async fn end(&self, of: &Identity) -> Result<bool> {
        let manager = match self.manager(of).await? {
            Manager::Ours(manager) => Some(*manager),
            Manager::Theirs => return Ok(true),
            Manager::Absent => None,
        };
        let workers = self.calls.get(DEPLOYMENT, &of.namespace, &format!("{}-taskmanager", of.name)).await?;
        let workers = workers.filter(|found| is_of(found, &of.name));
        let found: Vec<&Value> = manager.iter().chain(&workers).collect();
        for deployment in &found {
            self.calls.delete(DEPLOYMENT, deployment).await?;
        }
        Ok(found.is_empty() && self.pods(of).await?.is_empty())
    }

    /// Removes what is left of a deployment: the metadata of high availability.
    ///
    /// # Errors
    /// Unavailable if it cannot be removed.
    pub(crate) async fn forget(&self, of: &Identity) -> Result<()> {
        if matches!(self.manager(of).await?, Manager::Theirs) {
            return Ok(());
        }
        let kept = availability::of(&self.calls, of).await?;
        self.remove(&kept).await
    }

    /// The newest snapshot of a job whose job manager is silent: whether the metadata of high availability tells of one.
    ///
    /// # Errors
    /// Unsupported if there is somebody to ask, or if nothing was kept: only the object storage would tell then.
    pub(crate) async fn newest(&self, of: &Identity, sight: &Sight, job_id: &str) -> Result<Found> {
        if sight.endpoint.is_some() {
            return Err(Error::unsupported("its job manager tells the newest snapshot of a job that runs in pods"));
        }
        let kept = availability::of(&self.calls, of).await?;
        match availability::newest(&kept, job_id) {
            Some(at_ms) => Ok(Found::Checkpoint(LAST_STATE_DUMMY.to_owned(), at_ms)),
            None => {
                let message = format!("no metadata of high availability tells of checkpoints of job `{job_id}`");
                Err(Error::unsupported(message))
            }
        }
    }

    /// That session jobs are not submitted to pods yet.
    pub(crate) fn lacks_session_jobs() -> Error {
        Error::unsupported("session jobs do not run in pods yet; declare the job in a FlinkDeployment of its own")
    }

    /// That the files of a snapshot cannot be seen from here.
    pub(crate) fn out_of_sight(path: &str) -> Error {
        Error::unsupported(format!("the files of `{path}` cannot be seen by the operator"))
    }
}

/// Why a deployment does not run in pods yet.
pub(crate) fn lacks(deployment: &Deployment) -> Option<&'static str> {
    let job = deployment.cluster.job.as_ref();
    let artifact = job.and_then(|job| job.artifact.as_ref());
    if engine(&deployment.cluster) == Engine::Native {
        Some("the native engine does not run in pods yet; set `kobel.engine: flink`")
    } else if artifact.is_some_and(|artifact| artifact.kind == ArtifactKind::Sql) {
        Some("scripts of SQL do not run in pods yet; name a JAR or a script of Python")
    } else if artifact.is_some_and(|artifact| artifact.scheme != Scheme::Local) {
        Some("programs are not fetched for pods yet; name one of the image by `local://`")
    } else if deployment.cluster.monitoring.is_some() {
        Some("logs of pods are not shipped yet; take `monitoringConfiguration` away")
    } else {
        None
    }
}

/// Whether an object belongs to the FlinkDeployment of this name.
fn is_of(object: &Value, name: &str) -> bool {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let mut owners = owners.into_iter().flatten();
    owners.any(|owner| {
        text(owner, "/apiVersion").starts_with("flink.apache.org/")
            && text(owner, "/kind") == "FlinkDeployment"
            && text(owner, "/name") == name
    })
}

fn text<'a>(object: &'a Value, place: &str) -> &'a str {
    object.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

fn identity(namespace: &str, object: &Value) -> Identity {
    Identity { namespace: namespace.to_owned(), name: text(object, "/metadata/name").to_owned() }
}

fn annotate(object: &mut Value, key: &str, value: &str) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
        && let Some(annotations) = metadata.entry("annotations").or_insert_with(|| json!({})).as_object_mut()
    {
        annotations.insert(key.to_owned(), Value::from(value));
    }
}

/// The id of the job that a ConfigMap of Flink's configuration names, in either of its formats.
fn configured_job(config: &Value) -> Option<String> {
    let files = config.get("data")?.as_object()?;
    let lines = files.values().filter_map(Value::as_str).flat_map(str::lines);
    let mut values = lines.filter_map(|line| line.split_once(':'));
    let (_, id) = values.find(|(key, _)| key.trim().trim_matches(['"', '\'']) == "$internal.pipeline.job-id")?;
    Some(id.trim().trim_matches(['"', '\'']).to_owned())
}

/// The port of the REST API, as the main container names it.
fn rest_port(manager: &Value) -> u64 {
    let containers = manager.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let ports = containers.into_iter().flatten().filter_map(|container| container.get("ports")?.as_array()).flatten();
    let mut rest = ports.filter(|port| text(port, "/name") == "rest");
    rest.find_map(|port| port.get("containerPort")?.as_u64()).unwrap_or(REST_PORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_job_is_read_from_the_configuration_of_both_lines() {
        for (file, text) in [
            ("flink-conf.yaml", "a: 1\n$internal.pipeline.job-id: 0a1b\nrest.port: 8081\n"),
            ("config.yaml", "'$internal.pipeline.job-id': '0a1b'\n"),
            ("config.yaml", "\"$internal.pipeline.job-id\": \"0a1b\"\n"),
        ] {
            let config = json!({ "data": { file: text } });
            assert_eq!(configured_job(&config).as_deref(), Some("0a1b"), "{text}");
        }
        assert_eq!(configured_job(&json!({ "data": { "config.yaml": "a: 1" } })), None);
    }

    #[test]
    fn only_what_a_resource_of_the_name_owns_is_ours() {
        let owned = |api: &str, kind: &str, name: &str| {
            json!({"metadata": {"labels": {"type": "flink-native-kubernetes", "app": "orders"}, "ownerReferences": [
                {"apiVersion": api, "kind": kind, "name": name}]}})
        };
        for (object, expected) in [
            (owned("flink.apache.org/v1beta1", "FlinkDeployment", "orders"), true),
            (owned("flink.apache.org/v1beta1", "FlinkDeployment", "clicks"), false),
            (owned("example.com/v1", "FlinkDeployment", "orders"), false),
            (json!({"metadata": {"labels": {"type": "flink-native-kubernetes", "app": "orders"}}}), false),
        ] {
            assert_eq!(is_of(&object, "orders"), expected, "{object}");
        }
    }

    #[test]
    fn the_rest_api_is_where_the_main_container_says() {
        let named = |name: &str| json!({"spec": {"template": {"spec": {"containers": [{}, {"ports": [{"name": name, "containerPort": 9000}]}]}}}});
        assert_eq!((rest_port(&named("rest")), rest_port(&named("blob"))), (9_000, REST_PORT));
    }
}
