//! The manifests that scripts create: small ones, in the form of the examples.

use serde_json::{Map, Value, json};

/// The namespace of every script.
pub const NAMESPACE: &str = "default";
/// What stands in a manifest and must be told to nobody.
pub const SECRET: &str = "hunter2-of-the-simulation";
/// The key under which it stands.
const SECRET_KEY: &str = "s3.secret-key";
const API_VERSION: &str = "flink.apache.org/v1beta1";

/// Which engine runs a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Native,
    Flink,
}

/// What a job is declared to be.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) engine: Engine,
    pub(super) mode: String,
    pub(super) parallelism: u32,
    pub(super) state: String,
    pub(super) job_managers: u32,
    pub(super) configuration: Map<String, Value>,
}

impl Declared {
    /// A job that runs on the native engine, and starts again without state.
    pub(super) fn new(name: &str) -> Self {
        let mut configuration = Map::new();
        configuration.insert("execution.checkpointing.interval".to_owned(), json!("10s"));
        Self {
            name: name.to_owned(),
            engine: Engine::Native,
            mode: "stateless".to_owned(),
            parallelism: 1,
            state: "running".to_owned(),
            job_managers: 1,
            configuration,
        }
    }

    /// Has another job manager take over. On the native engine there is only the one process.
    pub(super) fn make_available(&mut self) {
        self.job_managers = if self.engine == Engine::Flink { 2 } else { 1 };
        self.configure("high-availability.type", "zookeeper");
    }

    /// Sets a key of the configuration.
    pub(super) fn configure(&mut self, key: &str, value: &str) {
        self.configuration.insert(key.to_owned(), json!(value));
    }

    /// Puts something in that must be told to nobody.
    pub(super) fn hold_a_secret(&mut self) {
        self.configure(SECRET_KEY, SECRET);
    }

    /// A deployment with this job.
    pub(super) fn deployment(&self) -> Value {
        object("FlinkDeployment", &self.name, self.spec(Some(self.job())))
    }

    /// A session cluster.
    pub(super) fn session_cluster(&self) -> Value {
        let mut spec = self.spec(None);
        if let Some(task_manager) = spec.get_mut("taskManager").and_then(Value::as_object_mut) {
            task_manager.insert("replicas".to_owned(), json!(1));
        }
        object("FlinkDeployment", &self.name, spec)
    }

    /// A job of a session cluster.
    pub(super) fn session_job(&self, cluster: &str) -> Value {
        let mut configuration = self.configuration.clone();
        configuration.remove("kobel.engine");
        let spec = json!({"deploymentName": cluster, "flinkConfiguration": configuration, "job": self.job()});
        object("FlinkSessionJob", &self.name, spec)
    }

    /// A pair of deployments with this job.
    pub(super) fn pair(&self, configuration: &Map<String, Value>) -> Value {
        let template = json!({"spec": self.spec(Some(self.job()))});
        object("FlinkBlueGreenDeployment", &self.name, json!({"configuration": configuration, "template": template}))
    }

    fn job(&self) -> Value {
        let form = if self.engine == Engine::Flink { "jar" } else { "sql" };
        let mut job = json!({
            "jarURI": format!("local:///opt/{}.{form}", self.name),
            "parallelism": self.parallelism,
            "upgradeMode": self.mode,
            "state": self.state,
        });
        if self.engine == Engine::Flink
            && let Some(fields) = job.as_object_mut()
        {
            fields.insert("entryClass".to_owned(), json!("Orders"));
        }
        job
    }

    fn spec(&self, job: Option<Value>) -> Value {
        let resource = json!({"memory": "1024m", "cpu": 1});
        let mut configuration = self.configuration.clone();
        let engine = if self.engine == Engine::Flink { "flink" } else { "native" };
        configuration.insert("kobel.engine".to_owned(), json!(engine));
        let mut spec = json!({
            "flinkVersion": "v2_3",
            "flinkConfiguration": configuration,
            "jobManager": {"resource": resource, "replicas": self.job_managers},
            "taskManager": {"resource": resource},
        });
        if let (Some(fields), Some(job)) = (spec.as_object_mut(), job) {
            fields.insert("job".to_owned(), job);
        }
        spec
    }
}

/// A snapshot that is asked for as an object.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) name: String,
    /// The kind and the name of what declares the job.
    pub(super) of: (String, String),
    pub(super) what: Taken,
    pub(super) backoff: Option<i64>,
}

/// What is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Checkpoint,
    /// A savepoint whose files go with the object.
    Savepoint,
    /// A savepoint whose files stay.
    KeptSavepoint,
}

impl Snapshot {
    /// The object.
    pub(super) fn object(&self) -> Value {
        let (kind, name) = &self.of;
        let mut spec = Map::new();
        spec.insert("jobReference".to_owned(), json!({"kind": kind, "name": name}));
        let (key, what) = match self.what {
            Taken::Checkpoint => ("checkpoint", json!({})),
            Taken::Savepoint => ("savepoint", json!({"disposeOnDelete": true})),
            Taken::KeptSavepoint => ("savepoint", json!({"disposeOnDelete": false})),
        };
        spec.insert(key.to_owned(), what);
        if let Some(limit) = self.backoff {
            spec.insert("backoffLimit".to_owned(), json!(limit));
        }
        object("FlinkStateSnapshot", &self.name, Value::Object(spec))
    }
}

fn object(kind: &str, name: &str, spec: Value) -> Value {
    let metadata = json!({"name": name, "namespace": NAMESPACE});
    json!({"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec})
}

#[cfg(test)]
mod tests {
    use kobel_resources::read::local_defaults;
    use kobel_resources::{Context, read};

    use super::*;

    #[test]
    fn every_manifest_is_valid() {
        let native = Declared { mode: "savepoint".to_owned(), ..Declared::new("orders") };
        let plain = Declared { engine: Engine::Flink, ..native.clone() };
        let mut flink = plain.clone();
        flink.make_available();
        flink.hold_a_secret();
        let snapshot = Snapshot {
            name: "one".to_owned(),
            of: ("FlinkDeployment".to_owned(), "orders".to_owned()),
            what: Taken::KeptSavepoint,
            backoff: Some(1),
        };
        let objects = [
            native.deployment(),
            flink.deployment(),
            flink.session_cluster(),
            plain.session_job("shared"),
            native.pair(&Map::new()),
            snapshot.object(),
            Snapshot { what: Taken::Checkpoint, ..snapshot }.object(),
        ];
        for object in objects {
            let is_snapshot = object["kind"] == "FlinkStateSnapshot";
            let find = |_: &str, _: &str| is_snapshot.then(|| json!({}));
            let problems = read(&object, &Context { previous: None, find: &find, defaults: local_defaults() }).err();
            assert_eq!(problems, None, "{object}");
        }
    }
}
