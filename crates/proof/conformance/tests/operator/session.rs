//! A session job whose cluster runs in pods: submitted, upgraded with a savepoint, and ended by the operator over the REST
//! API of a real Apache Flink, which is where the address of the pod of the job manager leads.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use kobel_resources::session_job::FlinkSessionJob;
use kobel_testkit::flink::{FlinkCluster, runner_jar};
use kobel_testkit::http::get_json;
use kobel_testkit::or_skip;
use kobel_testkit::packages::{debian_binary, flink};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::text;
use crate::manifests::{configured, session};
use crate::stage::{Stage, on_stage};

/// The release of Flink that answers.
const FLINK: &str = "2.3.0";
/// A job that has state and never ends by itself.
const SCRIPT: &str = "\
    CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '10');\n\
    CREATE TABLE nothing (n BIGINT) WITH ('connector' = 'blackhole');\n\
    INSERT INTO nothing SELECT n FROM numbers;\n";

#[test]
fn a_session_job_is_submitted_to_pods_upgraded_with_a_savepoint_and_ended() {
    let home = or_skip!(flink(FLINK));
    or_skip!(debian_binary("javac"));
    on_stage("session-job", async |stage: &mut Stage| {
        let cluster = FlinkCluster::start(&home, &[]).expect("Flink starts");
        let programs = TempDir::new().expect("a folder");
        stage.start_operator_with(opened(programs.path())).await;
        stage.apply(&session_over(&cluster)).await;
        lead_to_this_machine(stage).await;
        let is_ready = |status: &Value| status["jobManagerDeploymentStatus"] == "READY";
        stage.status("session", "the job manager answers", is_ready).await;

        let job = job(&home, &cluster);
        submit(stage, &job).await;
        let first = runs(stage, 1).await;
        let mut changed = job.clone();
        changed["spec"]["restartNonce"] = json!(1);
        submit(stage, &changed).await;
        let second = runs(stage, 2).await;
        assert_ne!(first, second, "a job with another id");
        ended(stage, &cluster, &first, "FINISHED").await;
        let restored = restored(stage, &cluster, &second).await;
        assert_eq!(restored["is_savepoint"], true, "{restored}");
        let savepoints = cluster.folder().join("savepoints");
        assert!(text(&restored, "/external_path").contains(&*savepoints.to_string_lossy()), "{restored}");

        jobs(stage).delete("numbers", &DeleteParams::default()).await.expect("it is deleted");
        let is_gone = async || jobs(stage).get_opt("numbers").await.expect("an answer").is_none().then_some(());
        stage.until("the session job is gone", is_gone).await;
        ended(stage, &cluster, &second, "CANCELED").await;
        let uploaded = get_json(cluster.port(), "/jars").expect("a list");
        assert_eq!(uploaded["files"], json!([]), "what was uploaded is removed");
        let left: Vec<_> = entries(programs.path()).iter().flat_map(|folder| entries(folder)).collect();
        assert!(left.is_empty(), "what was fetched is removed: {left:?}");
        stage.delete("session").await;
        stage.cleared("session").await;
    });
}

/// What lets an operator fetch programs from this machine, and where to.
fn opened(programs: &Path) -> Vec<String> {
    let folder = format!("base.dir={}", programs.display());
    let options = ["allowed-schemes=http", "disallow-restricted-hosts=false", folder.as_str()];
    options.map(|option| format!("--default=kubernetes.operator.user.artifacts.{option}")).to_vec()
}

/// A session cluster whose REST API has the port of one that runs, and the same folders.
fn session_over(cluster: &FlinkCluster) -> Value {
    let folder = |name: &str| format!("file://{}", cluster.folder().join(name).display());
    let (port, checkpoints, savepoints) = (cluster.port().to_string(), folder("checkpoints"), folder("savepoints"));
    let values = [
        ("rest.port", port.as_str()),
        ("execution.checkpointing.dir", checkpoints.as_str()),
        ("execution.checkpointing.savepoint-dir", savepoints.as_str()),
    ];
    let mut manifest = configured(session("session"), &values);
    manifest["spec"]["flinkVersion"] = json!("v2_3");
    manifest["spec"]["image"] = json!("flink:2.3");
    manifest
}

/// Has the pod of the job manager be where Flink runs: nobody answers at the address of a pod that is played.
async fn lead_to_this_machine(stage: &Stage) {
    let pods = stage.api("v1", "Pod");
    let managers = ListParams::default().labels("app=session,component=jobmanager");
    let found = stage.until("the job manager has a pod with an address", async || {
        let listed = pods.list(&managers).await.expect("a list").items;
        let has_address = |pod: &DynamicObject| pod.data.pointer("/status/podIP").is_some();
        listed.into_iter().find(has_address)?.metadata.name
    });
    let status = json!({"status": {"podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}});
    let patched = pods.patch_status(&found.await, &PatchParams::default(), &Patch::Merge(&status)).await;
    patched.expect("it is at this machine");
}

/// A job that runs a script of SQL, whose program a server of this machine has.
fn job(home: &Path, cluster: &FlinkCluster) -> Value {
    let jar = runner_jar(home, cluster.folder()).expect("the runner is compiled");
    let port = serve(std::fs::read(jar).expect("the runner is read"));
    let script = cluster.folder().join("numbers.sql");
    std::fs::write(&script, SCRIPT).expect("the script is written");
    json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkSessionJob",
        "metadata": {"name": "numbers"},
        "spec": {
            "deploymentName": "session",
            "job": {
                "jarURI": format!("http://127.0.0.1:{port}/runner.jar"),
                "entryClass": "SqlRunner",
                "args": [script],
                "parallelism": 1,
                "upgradeMode": "savepoint",
            },
        },
    })
}

/// Answers every request with these bytes as long as the test runs; tells the port.
fn serve(bytes: Vec<u8>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // Whoever asks and goes away does not need the answer.
            drop(answer(stream, &bytes));
        }
    });
    port
}

fn answer(mut stream: TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    let asked = BufReader::new(&stream).lines().map_while(Result::ok);
    asked.take_while(|line| !line.is_empty()).for_each(drop);
    let length = bytes.len();
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")?;
    stream.write_all(bytes)
}

fn jobs(stage: &Stage) -> Api<DynamicObject> {
    let kind = ApiResource::erase::<FlinkSessionJob>(&());
    Api::namespaced_with(stage.client().clone(), stage.namespace(), &kind)
}

/// Declares the session job.
async fn submit(stage: &Stage, job: &Value) {
    let params = PatchParams::apply("conformance").force();
    jobs(stage).patch(text(job, "/metadata/name"), &params, &Patch::Apply(job)).await.expect("it is applied");
}

/// Waits until the session job runs as this generation says; answers the id of its job.
async fn runs(stage: &Stage, generation: i64) -> String {
    stage
        .until(&format!("generation {generation} of the session job runs"), async || {
            let job = jobs(stage).get("numbers").await.expect("it is there").data;
            let status = job.get("status")?;
            let is_it = status["observedGeneration"] == generation
                && status["lifecycleState"] == "STABLE"
                && status["jobStatus"]["state"] == "RUNNING";
            is_it.then(|| text(status, "/jobStatus/jobId").to_owned())
        })
        .await
}

/// Waits until Flink, which may be a little late, tells that a job has ended in a state.
async fn ended(stage: &Stage, cluster: &FlinkCluster, job: &str, state: &str) {
    stage
        .until(&format!("the job is {state}"), async || {
            let found = get_json(cluster.port(), &format!("/jobs/{job}")).expect("the job is known");
            (found["state"] == state).then_some(())
        })
        .await;
}

/// Waits until Flink tells from what a job has begun.
async fn restored(stage: &Stage, cluster: &FlinkCluster, job: &str) -> Value {
    stage
        .until("the job has begun from a snapshot", async || {
            let found = get_json(cluster.port(), &format!("/jobs/{job}/checkpoints")).expect("checkpoints");
            Some(found["latest"]["restored"].clone()).filter(|restored| !restored.is_null())
        })
        .await
}

fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
}
