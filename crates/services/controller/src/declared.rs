//! What an object declares, as the lifecycle and the substrate ask for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use kobel_lifecycle::options::Options;
use kobel_manifest::configuration::{CHECKPOINT_DIRECTORY, SAVEPOINT_DIRECTORY};
use kobel_model::deployment::{Deployment, FlinkConfiguration, FlinkVersion, Job, SessionJob, Substrate, engine};
use kobel_resources::read::{Declared, local_defaults, refused, unhonoured};
use kobel_resources::{Context, Problem, Reading};
use serde_json::{Map, Value, json};

use crate::key::{Key, Kind};

/// What an object declares.
#[derive(Debug)]
pub(crate) enum What {
    /// A cluster, with a job or without.
    Deployment(Box<Deployment>),
    /// A job of a session cluster.
    SessionJob(Box<SessionJob>),
}

/// A declaration and what follows from it.
#[derive(Debug)]
pub(crate) struct Declaration {
    /// What is declared.
    pub(crate) what: What,
    /// The options of the operator.
    pub(crate) options: Options,
    /// The paths of the fields that have no effect here.
    pub(crate) unhonoured: Vec<String>,
}

impl Declaration {
    /// Reads an object; none if it declares nothing that runs.
    ///
    /// # Errors
    /// Every problem of the object.
    pub(crate) fn read(object: &Value, rules: &Rules) -> Result<Option<Self>, Vec<Problem>> {
        let reading = rules.read(object)?;
        let unhonoured = unhonoured(&reading.declared, rules.substrate);
        let what = match reading.declared {
            Declared::Deployment(mut deployment) => {
                rules.choose_engine(&mut deployment);
                What::Deployment(deployment)
            }
            Declared::SessionJob(job) => What::SessionJob(job),
            Declared::Snapshot(_) | Declared::BlueGreen(_) | Declared::Canary => return Ok(None),
        };
        let options = Options::read(what.configuration());
        Ok(Some(Self { what, options, unhonoured }))
    }
}

/// By which rules objects are read: what holds where they run.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    substrate: Substrate,
    defaults: BTreeMap<String, String>,
}

impl Rules {
    /// Those of this machine.
    pub(crate) fn local() -> Self {
        Self { substrate: Substrate::Local, defaults: local_defaults().clone() }
    }

    /// Those of a cluster, whose operator says this where a resource is silent.
    pub(crate) fn of_cluster(defaults: &BTreeMap<String, String>) -> Self {
        Self { substrate: Substrate::Kubernetes, defaults: defaults.clone() }
    }

    /// Reads an object as it is stored: it is its own past, so what may not change has not changed.
    ///
    /// # Errors
    /// Every problem of the object.
    pub(crate) fn read(&self, object: &Value) -> Result<Reading, Vec<Problem>> {
        // Whether the job of a snapshot is declared is a fact that is gathered, and no problem of the object.
        let is_snapshot = object.get("kind").and_then(Value::as_str) == Some(Kind::Snapshot.name());
        let find = |_: &str, _: &str| is_snapshot.then(|| json!({}));
        let context = Context { previous: Some(object), find: &find, defaults: &self.defaults };
        let reading = kobel_resources::read(object, &context)?;
        let problems = refused(&reading.declared, self.substrate, &self.defaults);
        if problems.is_empty() { Ok(reading) } else { Err(problems) }
    }

    /// Of how many objects declarations are kept.
    const fn kept(&self) -> usize {
        match self.substrate {
            Substrate::Local => KEPT,
            Substrate::Kubernetes => KEPT_OF_CLUSTER,
        }
    }

    /// In a cluster everything runs on Apache Flink unless it says otherwise.
    fn choose_engine(&self, deployment: &mut Deployment) {
        let configuration = &mut deployment.cluster.flink_configuration;
        if self.substrate == Substrate::Kubernetes && configuration.get(engine::KEY).is_none() {
            let mut values = configuration.values().clone();
            values.insert(engine::KEY.to_owned(), "flink".to_owned());
            *configuration = FlinkConfiguration::new(values);
        }
    }
}

/// The parts of an object that say what it declares; of its status only what was carried out last, since some of that may
/// not change.
const TELLING: [&str; 7] =
    ["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace", "/metadata/labels", "/spec", LAST];
/// Where in an object it stands what was carried out last.
const LAST: &str = "/status/reconciliationStatus/lastReconciledSpec";
/// How many declarations of one object are kept: the present one, and the one that is carried out.
const KEPT_OF_ONE: usize = 2;
/// Of how many objects declarations are kept on a machine, which bounds the memory.
const KEPT: usize = 128;
/// Of how many they are in a cluster, where there are more of them and one operator.
const KEPT_OF_CLUSTER: usize = 2_048;

/// An object as it was read, and what it declares.
type Known = (Value, Arc<Declaration>);

/// What objects were found to declare. Reading is the dearest part of a round in which nothing happens, and an object
/// that has not changed declares what it did.
#[derive(Debug, Clone)]
pub(crate) struct Declarations {
    rules: Arc<Rules>,
    known: Arc<Mutex<BTreeMap<Key, Vec<Known>>>>,
}

impl Declarations {
    /// Nothing is known yet of what is declared by these rules.
    pub(crate) fn by(rules: Rules) -> Self {
        Self { rules: Arc::new(rules), known: Arc::default() }
    }

    /// By which rules objects are read.
    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Reads an object, as [`Declaration::read`] does; whatever else its status says has no part in it.
    ///
    /// # Errors
    /// Every problem of the object.
    pub(crate) fn read(&self, key: &Key, object: &Value) -> Result<Option<Arc<Declaration>>, Vec<Problem>> {
        let is_it = |(known, _): &&Known| TELLING.iter().all(|place| part(known, place) == part(object, place));
        let found = |known: &BTreeMap<Key, Vec<Known>>| {
            let (_, declaration) = known.get(key)?.iter().find(is_it)?;
            Some(Arc::clone(declaration))
        };
        if let Some(declaration) = found(&self.known.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(Some(declaration));
        }
        let telling = telling(object);
        let Some(declaration) = Declaration::read(&telling, &self.rules)?.map(Arc::new) else { return Ok(None) };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.rules.kept() && !known.contains_key(key) {
            // Objects are looked at in turn, so whichever goes is as good as another; not all, or none is found again.
            known.pop_last();
        }
        let of_it = known.entry(key.clone()).or_default();
        of_it.insert(0, (telling, Arc::clone(&declaration)));
        of_it.truncate(KEPT_OF_ONE);
        Ok(Some(declaration))
    }

    /// Forgets an object that is gone.
    pub(crate) fn forget(&self, key: &Key) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

/// A part of an object; null is as good as nothing.
fn part<'a>(object: &'a Value, place: &str) -> Option<&'a Value> {
    object.pointer(place).filter(|part| !part.is_null())
}

/// The parts of an object that say what it declares.
fn telling(object: &Value) -> Value {
    let whole = |name: &str| object.get(name).cloned().unwrap_or_default();
    let named = |name: &str| object.pointer(&format!("/metadata/{name}")).map(|value| (name.to_owned(), value.clone()));
    let metadata: Map<String, Value> = ["name", "namespace", "labels"].into_iter().filter_map(named).collect();
    let last = object.pointer(LAST).cloned().unwrap_or_default();
    json!({
        "apiVersion": whole("apiVersion"), "kind": whole("kind"), "metadata": metadata, "spec": whole("spec"),
        "status": {"reconciliationStatus": {"lastReconciledSpec": last}},
    })
}

impl What {
    /// The job, if there is one.
    pub(crate) fn job(&self) -> Option<&Job> {
        match self {
            Self::Deployment(deployment) => deployment.cluster.job.as_ref(),
            Self::SessionJob(job) => Some(&job.job),
        }
    }

    /// The Flink configuration.
    pub(crate) fn configuration(&self) -> &FlinkConfiguration {
        match self {
            Self::Deployment(deployment) => &deployment.cluster.flink_configuration,
            Self::SessionJob(job) => &job.flink_configuration,
        }
    }

    /// Where savepoints go, if that was said.
    pub(crate) fn savepoint_directory(&self) -> Option<&str> {
        SAVEPOINT_DIRECTORY.declared(self.configuration())
    }

    /// Where checkpoints go, if that was said.
    pub(crate) fn checkpoint_directory(&self) -> Option<&str> {
        CHECKPOINT_DIRECTORY.declared(self.configuration())
    }

    /// The line of Flink; that of a session job is its cluster's.
    pub(crate) fn flink_version(&self) -> Option<FlinkVersion> {
        match self {
            Self::Deployment(deployment) => Some(deployment.cluster.flink_version),
            Self::SessionJob(_) => None,
        }
    }

    /// Whether another job manager can take over; that of a session job is its cluster's.
    pub(crate) fn is_highly_available(&self) -> bool {
        matches!(self, Self::Deployment(deployment) if deployment.cluster.high_availability.is_on())
    }
}

/// The object with another spec, which was carried out before or is to be.
pub(crate) fn with_spec(object: &Value, spec: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.insert("spec".to_owned(), spec.clone());
    }
    object
}

/// Problems as one text.
pub(crate) fn listed(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key { kind: Kind::Deployment, namespace: "default".to_owned(), name: name.to_owned() }
    }

    fn object(name: &str, parallelism: i64) -> Value {
        json!({
            "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
            "metadata": {"name": name, "namespace": "default", "resourceVersion": "1"},
            "spec": {
                "flinkVersion": "v2_0",
                "flinkConfiguration": {"kobel.engine": "native"},
                "job": {"jarURI": "local:///opt/job.sql", "parallelism": parallelism},
            },
        })
    }

    fn parallelism(declarations: &Declarations, object: &Value) -> (u32, Arc<Declaration>) {
        let declaration = declarations.read(&key("a"), object).unwrap().unwrap();
        (declaration.what.job().unwrap().parallelism, declaration)
    }

    #[test]
    fn an_object_is_read_again_once_it_declares_something_else() {
        let declarations = Declarations::by(Rules::local());
        let (first, read) = parallelism(&declarations, &object("a", 2));
        let mut later = object("a", 2);
        later["status"] = json!({"lifecycleState": "STABLE"});
        later["metadata"]["resourceVersion"] = json!("2");
        let (same, again) = parallelism(&declarations, &later);
        assert!((first, same) == (2, 2) && Arc::ptr_eq(&read, &again), "nothing that it declares has changed");
        later["status"] =
            json!({"reconciliationStatus": {"lastReconciledSpec": r#"{"spec":{"flinkVersion":"v2_0"}}"#}});
        let problems = declarations.read(&key("a"), &later).unwrap_err();
        assert_eq!(problems[0].path, "spec.job", "what was carried out last was a session cluster");
        assert_eq!(parallelism(&declarations, &object("a", 3)).0, 3);
        assert!(Arc::ptr_eq(&parallelism(&declarations, &object("a", 2)).1, &read), "both are kept");
        assert_eq!(parallelism(&declarations, &object("a", 4)).0, 4);
        assert_eq!(parallelism(&declarations, &object("a", 5)).0, 5);
        assert!(!Arc::ptr_eq(&parallelism(&declarations, &object("a", 2)).1, &read), "two are kept and no more");
        let mut wrong = object("a", 2);
        wrong["spec"]["job"]["parallelism"] = json!("many");
        assert!(declarations.read(&key("a"), &wrong).is_err());
    }

    #[test]
    fn what_a_place_does_not_run_is_refused_there_alone() {
        let mut reactive = object("a", 2);
        reactive["spec"] = json!({
            "flinkVersion": "v2_0",
            "serviceAccount": "flink",
            "flinkConfiguration": {"scheduler-mode": " Reactive"},
            "jobManager": {"resource": {"memory": "2048m"}},
            "taskManager": {"resource": {"memory": "2048m"}},
            "job": {"jarURI": "local:///opt/job.jar", "parallelism": 1},
        });
        assert!(Declarations::by(Rules::local()).read(&key("a"), &reactive).is_ok());
        let in_pods = Declarations::by(Rules::of_cluster(&BTreeMap::new()));
        let problems = in_pods.read(&key("a"), &reactive).unwrap_err();
        assert_eq!(listed(&problems).split(": ").next(), Some("spec.flinkConfiguration[scheduler-mode]"));
        let mut session = reactive.clone();
        session["spec"]["mode"] = json!("standalone");
        assert!(in_pods.read(&key("a"), &session).is_ok());
        session["spec"].as_object_mut().unwrap().remove("job");
        assert!(in_pods.read(&key("a"), &session).is_err(), "a session cluster has no job to scale");
        session["spec"].as_object_mut().unwrap().remove("flinkConfiguration");
        let defaults = [("scheduler-mode".to_owned(), "reactive".to_owned())].into();
        let problems = Declarations::by(Rules::of_cluster(&defaults)).read(&key("a"), &session).unwrap_err();
        assert!(listed(&problems).contains("a default of the operator"), "{problems:?}");
    }

    #[test]
    fn declarations_of_few_objects_are_kept() {
        let declarations = Declarations::by(Rules::local());
        for number in 0..3 * KEPT {
            let name = format!("a{number}");
            declarations.read(&key(&name), &object(&name, 1)).unwrap();
            assert!(declarations.known.lock().unwrap().len() <= KEPT);
        }
        let last = key(&format!("a{}", 3 * KEPT - 1));
        assert!(declarations.known.lock().unwrap().contains_key(&last));
        declarations.forget(&last);
        assert!(!declarations.known.lock().unwrap().contains_key(&last));
    }
}
