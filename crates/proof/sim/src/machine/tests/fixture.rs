//! Worlds and launches for tests: manifests as people write them, read and laid out by the product.

use std::path::PathBuf;
use std::sync::Arc;

use kobel_manifest::launch::{JobStart, Launch};
use kobel_manifest::place::{FlinkHome, Place, Ports, Standbys};
use kobel_model::deployment::{Deployment, Identity};
use kobel_processes::Label;
use kobel_resources::read::{Declared, local_defaults};
use kobel_resources::{Context, read};
use serde_json::{Value, json};

use crate::entry::Entry;
use crate::machine::cluster;
use crate::script::Script;
use crate::world::World;

/// The id of a job.
pub const JOB: &str = "0a0b0c0d0e0f00000000000000000001";
/// The id of the job after it.
pub const NEXT_JOB: &str = "0a0b0c0d0e0f00000000000000000002";

/// A world in which nothing has happened.
pub fn world() -> World {
    let mut world = World::new(Script { name: "nothing".to_owned(), steps: Arc::new([]) }, 7);
    world.knobs.start_ms = 1_000;
    world.knobs.savepoint_ms = 800;
    world.knobs.checkpoint_ms = 200;
    world.knobs.cancel_ms = 300;
    world.knobs.end_ms = 300;
    world
}

/// A deployment of this name.
pub fn of(name: &str) -> Identity {
    Identity { namespace: "default".to_owned(), name: name.to_owned() }
}

/// Which launch it is.
pub fn label(generation: i64, job: &str) -> Label {
    Label { generation, job_id: Some(job.to_owned()).filter(|job| !job.is_empty()) }
}

/// What a manifest declares.
pub fn declared(object: &Value) -> Declared {
    let context = Context { previous: None, find: &|_, _| None, defaults: local_defaults() };
    read(object, &context).expect("a manifest without problems").declared
}

/// A manifest of a deployment with these values of its configuration, and this many JobManagers.
pub fn manifest(program: Option<&str>, values: &[(&str, &str)], job_managers: u32) -> Value {
    let mut configuration = json!({"execution.checkpointing.interval": "10 s"});
    for (key, value) in values {
        configuration[*key] = json!(value);
    }
    let resource = json!({"memory": "1024m", "cpu": 1});
    let mut object = json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
        "metadata": {"name": "orders", "namespace": "default"},
        "spec": {
            "flinkVersion": "v1_20", "flinkConfiguration": configuration, "serviceAccount": "flink",
            "jobManager": {"resource": resource, "replicas": job_managers},
            "taskManager": {"resource": resource, "replicas": 1},
        },
    });
    if let Some(program) = program {
        let job = json!({"jarURI": program, "parallelism": 2, "upgradeMode": "last-state", "entryClass": "Orders"});
        let script = json!({"jarURI": program, "parallelism": 2, "upgradeMode": "last-state"});
        object["spec"]["job"] = if program.ends_with(".jar") { job } else { script };
    }
    object
}

/// The deployment of a manifest.
pub fn deployment(object: &Value) -> Deployment {
    match declared(object) {
        Declared::Deployment(deployment) => *deployment,
        _ => panic!("it declares no deployment"),
    }
}

/// Where `orders` is started on the machine.
pub fn place(job_managers: u32, line: &str) -> Place {
    let ports = |first: u16| Ports { rest: first, rpc: first + 1, blob: first + 2 };
    let standbys = (1..job_managers).map(|number| ports(30_000 + 10 * u16::try_from(number).unwrap()));
    let zookeeper = if job_managers > 1 { 30_999 } else { 0 };
    Place {
        folder: PathBuf::from(cluster::folder(&of("orders"))),
        ports: ports(30_000),
        standbys: Standbys { job_managers: standbys.collect(), zookeeper },
        kobel: PathBuf::from("/opt/kobel/kobel"),
        artifact: Some(PathBuf::from("/kobel/artifacts/orders.sql")),
        flink: Some(FlinkHome { home: PathBuf::from("/kobel/flink").join(line), ..FlinkHome::default() }),
    }
}

/// A launch of `orders` on the native engine.
pub fn native(job_id: &str, restore: Option<&str>) -> Launch {
    let deployment = deployment(&manifest(Some("local:///opt/orders.sql"), &[], 1));
    kobel_manifest::application(&deployment, &JobStart { job_id, restore }, &place(1, "v1_20"))
}

/// A launch of `orders` on Apache Flink, with one JobManager, or with two that stand by for each other.
pub fn flink(job_id: &str, restore: Option<&str>, job_managers: u32) -> Launch {
    let available = [("high-availability.type", "zookeeper"), ("high-availability.storageDir", "file:///kobel/ha")];
    let values = if job_managers > 1 { available.as_slice() } else { &[] };
    let deployment = deployment(&manifest(Some("local:///opt/orders.jar"), values, job_managers));
    kobel_manifest::application(&deployment, &JobStart { job_id, restore }, &place(job_managers, "v1_20"))
}

/// A session cluster `orders`.
pub fn session() -> Launch {
    kobel_manifest::session(&deployment(&manifest(None, &[], 1)), &place(1, "v1_20"))
}

/// Starts a launch of `orders`.
pub fn start(world: &mut World, label: &Label, launch: &Launch) {
    cluster::start(world, &of("orders"), label, launch).expect("a start");
}

/// The state of the job of `orders` that was started last, and the records that it has counted.
pub fn job(world: &World) -> (&'static str, u64) {
    let job = world.machine.job_of(&of("orders")).expect("a job");
    (job.state, job.count(world.now_ms))
}

/// The starts of jobs: what each started from, with what, and what there was.
pub fn starts(world: &World) -> Vec<(Option<String>, u64, u64)> {
    let start = |entry: &Entry| match entry {
        Entry::JobStarted { from, count, newest, .. } => Some((from.clone(), *count, *newest)),
        _ => None,
    };
    world.history.iter().filter_map(|happened| start(&happened.entry)).collect()
}
