//! An application on the native engine: one pod, whose process is really run, on this machine, with exactly the arguments
//! and the configuration that the pod has. It goes on from its newest checkpoint when its container is started again, and
//! from a savepoint when it is changed.

use std::fs;
use std::process::Command;
use std::time::Duration;

use kobel_testkit::process::{Running, free_port};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::text;
use crate::objects::find;
use crate::operator::kobel;
use crate::stage::{Stage, called, on_stage};

/// Everything that is made.
const OBJECTS: [&str; 6] = [
    "ConfigMap flink-config-orders",
    "ConfigMap kobel-launch-orders",
    "Deployment orders",
    "Pod of orders jobmanager",
    "ReplicaSet of orders jobmanager",
    "Service orders-rest",
];
/// Counts rows by region; rows come at a steady pace.
const SCRIPT: &str = "
CREATE TABLE orders (id BIGINT, region INT) WITH (
  'connector' = 'datagen', 'rows-per-second' = '200',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000000000',
  'fields.region.min' = '1', 'fields.region.max' = '3');
CREATE TABLE by_region (region INT, orders BIGINT) WITH ('connector' = 'print');
INSERT INTO by_region SELECT region, COUNT(*) FROM orders GROUP BY region;
";
/// Where the process of a pod writes what is not on the volume.
const DATA: &str = "/var/lib/kobel";
/// How long the process may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a container of the pod would be: its volume and its processes. The paths of the volume are the same in the pod and
/// here, so what the process tells the operator is what the next one is told.
struct Container {
    folder: TempDir,
    port: u16,
    started: usize,
}

#[test]
fn a_native_application_is_one_pod_and_keeps_its_state() {
    on_stage("engine", async |stage: &mut Stage| {
        let mut container =
            Container { folder: TempDir::new().expect("a folder"), port: free_port().expect("a port"), started: 0 };
        stage.apply(&container.manifest()).await;
        let mut first = container.run(stage, "1").await;
        stage.status("orders", "it runs", |status| is_running(status, 1)).await;
        accepted(stage).await;
        // By the third every region has been counted.
        stage.until("there are checkpoints", async || container.has_checkpoint(3).then_some(())).await;
        // As Kubernetes starts a container again: with the same arguments.
        first.signal("KILL").expect("the process is killed");
        first.wait(PATIENCE).expect("it ends");
        let mut again = container.run(stage, "1").await;
        again.wait_for_line("the job has run before; it goes on from", PATIENCE).expect("it finds its checkpoint");
        stage.status("orders", "it runs again", |status| is_running(status, 1)).await;
        went_on(&mut again);
        let change = Patch::Merge(json!({"spec": {"job": {"parallelism": 2}}}));
        stage.deployments().patch("orders", &PatchParams::default(), &change).await.expect("it is changed");
        container.ends_with_its_pod(stage, again).await;
        let mut next = container.run(stage, "2").await;
        let status = stage.status("orders", "it runs changed", |status| is_running(status, 2)).await;
        let restored = text(&status, "/jobStatus/upgradeSavepointPath");
        assert!(restored.contains("savepoint-"), "it went on from a savepoint: {status:#}");
        went_on(&mut next);
        stage.delete("orders").await;
        container.ends_with_its_pod(stage, next).await;
        stage.cleared("orders").await;
    });
}

#[test]
fn an_application_whose_state_would_go_with_its_pod_is_refused() {
    on_stage("fleeting", async |stage: &mut Stage| {
        let container =
            Container { folder: TempDir::new().expect("a folder"), port: free_port().expect("a port"), started: 0 };
        let mut fleeting = container.manifest();
        fleeting["spec"]["podTemplate"]["spec"]["volumes"] = json!([{"name": "state", "emptyDir": {}}]);
        stage.apply(&fleeting).await;
        let is_told = |status: &Value| text(status, "/error").contains("would go with its pod");
        stage.status("orders", "it is refused", is_told).await;
        stage.delete("orders").await;
        stage.cleared("orders").await;
    });
}

impl Container {
    /// The application. What the fixture plays answers here.
    fn manifest(&self) -> Value {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        fs::write(path("count.sql"), SCRIPT).expect("a script");
        let main =
            json!({"name": "flink-main-container", "volumeMounts": [{"name": "state", "mountPath": path("state")}]});
        json!({
            "apiVersion": "flink.apache.org/v1beta1",
            "kind": "FlinkDeployment",
            "metadata": {"name": "orders"},
            "spec": {
                "flinkVersion": "v2_2",
                "serviceAccount": "flink",
                "flinkConfiguration": {
                    "kobel.engine": "native",
                    "rest.port": self.port.to_string(),
                    "kubernetes.flink.conf.dir": path("conf"),
                    "execution.checkpointing.interval": "500 ms",
                    "execution.checkpointing.dir": path("state/checkpoints"),
                    "execution.checkpointing.savepoint-dir": path("state/savepoints"),
                },
                "jobManager": {"resource": {"memory": "1024m", "cpu": 1}},
                "taskManager": {"resource": {"memory": "1024m", "cpu": 1}},
                "podTemplate": {
                    "metadata": {"annotations": {"kube-fixture/answers": "true", "kube-fixture/address": "127.0.0.1"}},
                    "spec": {
                        "containers": [main],
                        // Of all that outlives pods, what needs no object of its own.
                        "volumes": [{"name": "state", "csi": {"driver": "files.example.com"}}],
                    },
                },
                "job": {"jarURI": format!("local://{}", path("count.sql")), "parallelism": 1, "upgradeMode": "savepoint"},
            },
        })
    }

    /// Runs what the main container of the pod runs that was made of a generation.
    async fn run(&mut self, stage: &Stage, generation: &str) -> Running {
        let made = stage.until("the pod is there", async || {
            let made = stage.stands(&OBJECTS).await;
            let manager = find(&made, "Deployment orders");
            let of = &manager["metadata"]["annotations"]["flinkdeployment.flink.apache.org/generation"];
            (*of == generation && manager["spec"]["paused"].is_null()).then_some(made)
        });
        let made = made.await;
        let folder = self.folder.path();
        let data = folder.join("data");
        let configuration = text(find(&made, "ConfigMap flink-config-orders"), "/data/config.json");
        let configuration = configuration.replace(DATA, &data.display().to_string());
        for name in ["conf", "data", "state"] {
            fs::create_dir_all(folder.join(name)).expect("a folder");
        }
        fs::write(folder.join("conf/config.json"), configuration).expect("a configuration");
        let main = &find(&made, "Pod of orders jobmanager")["spec"]["containers"][0];
        assert_eq!(main["command"], json!(["kobel"]));
        let args = main["args"].as_array().expect("arguments").iter().filter_map(Value::as_str);
        let mut command = Command::new(kobel());
        command.args(args.map(|argument| argument.replace("$$", "$"))).current_dir(&data);
        self.started += 1;
        let name = format!("application-{}", self.started);
        Running::start(&mut command, folder, &name).expect("the process starts")
    }

    /// Whether a checkpoint is complete with this number or a later one.
    fn has_checkpoint(&self, number: u64) -> bool {
        let jobs = fs::read_dir(self.folder.path().join("state/checkpoints")).into_iter().flatten().flatten();
        let all = jobs.flat_map(|job| fs::read_dir(job.path()).into_iter().flatten().flatten());
        let numbers = all
            .filter(|found| found.path().join("_metadata").is_file())
            .filter_map(|found| found.file_name().to_str()?.strip_prefix("chk-")?.parse::<u64>().ok());
        numbers.max().is_some_and(|newest| newest >= number)
    }

    /// Ends a process as soon as its pod is to end.
    async fn ends_with_its_pod(&self, stage: &Stage, mut process: Running) {
        let managers = stage.api("apps/v1", "Deployment");
        let uid = managers.get("orders").await.expect("the Deployment").metadata.uid;
        stage
            .until("the pod is to end", async || {
                let found = managers.get_opt("orders").await.expect("an answer");
                let stays =
                    found.is_some_and(|found| found.metadata.uid == uid && found.metadata.deletion_timestamp.is_none());
                (!stays).then_some(())
            })
            .await;
        process.signal("TERM").expect("the process is asked to end");
        process.wait(PATIENCE).expect("it ends");
    }
}

/// The objects are taken without a word, and the pod is a restricted one.
async fn accepted(stage: &Stage) {
    for object in stage.stands(&OBJECTS).await {
        if ["ConfigMap", "Deployment", "Service"].contains(&text(&object, "/kind"))
            && text(&object, "/metadata/name") != "kobel-launch-orders"
        {
            assert_eq!(stage.warnings(&object).await, Vec::<String>::new(), "of {}", called(&object));
        }
    }
}

/// Waits until a process has counted, which it did not do from the beginning.
fn went_on(process: &mut Running) {
    process.wait_for_line("+U[", PATIENCE).expect("it counts");
    let said = process.stdout();
    let anew: Vec<&str> = said.lines().filter(|line| line.contains("+I[")).collect();
    assert!(anew.is_empty(), "the counts begin anew: {anew:?}");
}

fn is_running(status: &Value, generation: i64) -> bool {
    status["jobStatus"]["state"] == "RUNNING"
        && status["lifecycleState"] == "STABLE"
        && status["observedGeneration"] == generation
}
