//! The pods of a cluster as the place where deployments run, for Apache Flink in native and in standalone mode, and for the
//! native engine, whose one process stands where a job manager does.
//!
//! What runs is what the API says: nothing is remembered here. The Deployment of the job manager stands for the cluster,
//! and carries for which generation and which job it was made. Flink keeps what a successor needs in ConfigMaps that nobody
//! owns; they outlive the Deployment, and are removed when a job is to start without them.

mod availability;
mod book;
mod calls;
mod lacking;
mod manager;
mod managers;
mod newest;
mod programs;
mod refusal;
mod session_jobs;
mod starting;
mod trouble;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::stream::{BoxStream, StreamExt as _};
use kobel_flink_client::{Endpoint, FlinkClient};
use kobel_lifecycle::facts::{Cluster, Launched};
use kobel_manifest::kubernetes::{self, GENERATION, Start};
use kobel_manifest::launch::JobStart;
use kobel_model::deployment::{Deployment, Identity};
use kobel_model::{Error, Result, chain};
use kube::Client;
use serde_json::Value;

use self::calls::{CONFIG_MAP, Calls, DEPLOYMENT, POD};
pub(crate) use self::lacking::lacks_for;
use self::manager::JOB_ID;
pub(crate) use self::programs::Fetched;
use self::programs::Programs;
use crate::scope::Scope;
use crate::sight::Sight;
use crate::surroundings::Surroundings;

/// What selects the Deployments of job managers, in both modes.
const MANAGERS: &str = "type in (flink-native-kubernetes,flink-standalone-kubernetes),component=jobmanager";
/// What selects everything of clusters, in both modes.
const KINDS: &str = "type in (flink-native-kubernetes,flink-standalone-kubernetes)";
/// The port of the REST API, unless the Deployment names another.
const REST_PORT: u64 = 8081;
/// The id of a job of which is only asked whether it can be started.
const NO_JOB: &str = "00000000000000000000000000000000";
/// The launch of what is no whole cluster, and so of none that was ever recorded.
const NO_LAUNCH: Launched = Launched { generation: 0, job_id: None };

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
    programs: Arc<Programs>,
}

impl Pods {
    /// The pods of the cluster that a client speaks to, in the namespaces that are looked after.
    pub(crate) fn over(
        client: Client,
        scope: Scope,
        surroundings: Arc<dyn Surroundings>,
        flink: FlinkClient,
        settings: Settings,
    ) -> Self {
        let programs = Arc::new(Programs::by(&settings.defaults));
        Self { calls: Calls::over(client, scope), flink, surroundings, settings: Arc::new(settings), programs }
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
            Ok(Manager::Absent) => match self.left(of).await {
                Ok(cluster) => Sight::silent(cluster),
                Err(error) => Sight::silent(Cluster::Unknown(chain(&error))),
            },
            Err(error) => Sight::silent(Cluster::Unknown(chain(&error))),
        }
    }

    /// What is left of a cluster without a job manager.
    async fn left(&self, of: &Identity) -> Result<Cluster> {
        if let Some(workers) = self.workers(of).await? {
            // Nobody ends them by themselves, as no job manager owns them.
            let why = "its task managers are there without a job manager".to_owned();
            return Ok(if manager::is_leaving(&workers) { Cluster::Ending } else { Cluster::Failed(NO_LAUNCH, why) });
        }
        // Pods end after what made them.
        Ok(if self.pods(of).await?.is_empty() { Cluster::Absent } else { Cluster::Ending })
    }

    async fn sight(&self, of: &Identity, manager: &Value) -> Sight {
        if manager::is_unfinished(manager) {
            return self.unfinished(of, manager).await;
        }
        if manager::is_leaving(manager) {
            return Sight::silent(Cluster::Ending);
        }
        let launched = match self.launched(of, manager).await {
            Ok(launched) => launched,
            Err(error) => return Sight::silent(Cluster::Unknown(chain(&error))),
        };
        if let Some(why) = manager::scaled_to_nothing(manager) {
            return Sight::silent(Cluster::Failed(launched, why.to_owned()));
        }
        if manager::is_coming_up(manager, self.surroundings.now().as_millisecond()) {
            return Sight::silent(Cluster::Starting(launched));
        }
        let pods = match self.pods(of).await {
            Ok(pods) => pods,
            Err(error) => return Sight::silent(Cluster::Unknown(chain(&error))),
        };
        let Some(endpoint) = self.endpoint(of, manager, &pods) else {
            return unanswered((manager, &pods), launched, "no pod of it has an address yet".to_owned());
        };
        match self.flink.config(&endpoint).await {
            Ok(config) => Sight {
                endpoint: Some(endpoint),
                version: Some(config.version),
                behind_ms: config.refresh_ms,
                ..Sight::silent(Cluster::Ready(launched))
            },
            Err(error) => unanswered((manager, &pods), launched, chain(&error)),
        }
    }

    /// What is seen of a start that was not made to the end. Pods that came of it all the same are not ended unasked.
    async fn unfinished(&self, of: &Identity, manager: &Value) -> Sight {
        match self.pods(of).await {
            Ok(pods) if manager::has_gone_on(manager, &pods) => {
                let why = "somebody has let its job manager go on before its start was finished".to_owned();
                Sight { unreached: Some(NO_LAUNCH), ..Sight::silent(Cluster::Unknown(why)) }
            }
            Ok(_) => {
                let why = "its start was not finished, and is made again".to_owned();
                Sight::silent(Cluster::Failed(NO_LAUNCH, why))
            }
            Err(error) => Sight::silent(Cluster::Unknown(chain(&error))),
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

    /// The Deployment of the task managers, in standalone mode.
    async fn workers(&self, of: &Identity) -> Result<Option<Value>> {
        let found = self.calls.get(DEPLOYMENT, &of.namespace, &format!("{}-taskmanager", of.name)).await?;
        Ok(found.filter(|found| is_of(found, &of.name)))
    }

    async fn pods(&self, of: &Identity) -> Result<Vec<Value>> {
        let labels = format!("app={},{KINDS},component in (jobmanager,taskmanager)", of.name);
        self.calls.list(POD, &of.namespace, &labels).await
    }

    /// For which generation and job a job manager was made.
    async fn launched(&self, of: &Identity, manager: &Value) -> Result<Launched> {
        let generation = manager::annotation(manager, GENERATION);
        let generation = generation.and_then(|text| text.parse().ok()).unwrap_or_default();
        let job_id = match manager::annotation(manager, JOB_ID) {
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

    /// Why a deployment cannot be started; none if it can, or if that only shows then.
    pub(crate) fn lacks(&self, deployment: &Deployment) -> Option<String> {
        if let Some(why) = lacking::declared(deployment) {
            return Some(why.to_owned());
        }
        let start = Start {
            deployment,
            job: deployment.cluster.job.as_ref().map(|_| JobStart { job_id: NO_JOB, restore: None }),
            generation: 0,
            uid: "",
            defaults: &self.settings.defaults,
            fresh: NO_JOB,
            kobel_image: &self.settings.image,
        };
        lacking::configured(&start, &kubernetes::configuration::effective(&start))
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
            Manager::Ours(manager) if manager::is_unfinished(&manager) => {
                self.undo(of, &manager).await?;
                return Ok(false);
            }
            Manager::Ours(manager) => Some(*manager),
            Manager::Theirs => return Ok(true),
            Manager::Absent => None,
        };
        if let Some(manager) = &manager
            && !self.remember(of, manager).await?
        {
            return Ok(false);
        }
        let workers = self.workers(of).await?;
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

    /// That the files of a snapshot cannot be seen from here.
    pub(crate) fn out_of_sight(path: &str) -> Error {
        Error::unsupported(format!("the files of `{path}` cannot be seen by the operator"))
    }
}

/// What is seen of a cluster whose REST API does not answer, with its job manager and pods; `why` for a person. One that
/// runs all the same is not lost, however long it does not answer: nobody can say what it does.
fn unanswered((manager, pods): (&Value, &[Value]), launched: Launched, why: String) -> Sight {
    if manager::is_up(manager, pods) {
        let blame = "its job manager is up and its REST API does not answer the operator; a network policy may be why";
        let why = format!("{blame}: {why}");
        return Sight { unreached: Some(launched), ..Sight::silent(Cluster::Unknown(why)) };
    }
    let silence = trouble::of(manager, pods).unwrap_or(why);
    Sight { silence: Some(silence), ..Sight::silent(Cluster::Starting(launched)) }
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
    use serde_json::json;

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
    fn a_job_manager_that_runs_and_does_not_answer_is_not_taken_for_one_that_starts() {
        let manager = |status: &str| json!({"status": {"conditions": [{"type": "Available", "status": status}]}});
        let launched = Launched { generation: 3, job_id: Some("0a".to_owned()) };
        let up = unanswered((&manager("True"), &[]), launched.clone(), "no route".to_owned());
        assert!(matches!(&up.cluster, Cluster::Unknown(why) if why.ends_with(": no route")), "{up:?}");
        assert_eq!(up.unreached, Some(launched.clone()));
        let coming = unanswered((&manager("False"), &[]), launched.clone(), "no route".to_owned());
        assert_eq!((coming.cluster, coming.unreached), (Cluster::Starting(launched), None));
        assert_eq!(coming.silence.as_deref(), Some("no route"));
    }

    #[test]
    fn the_rest_api_is_where_the_main_container_says() {
        let named = |name: &str| json!({"spec": {"template": {"spec": {"containers": [{}, {"ports": [{"name": name, "containerPort": 9000}]}]}}}});
        assert_eq!((rest_port(&named("rest")), rest_port(&named("blob"))), (9_000, REST_PORT));
    }
}
