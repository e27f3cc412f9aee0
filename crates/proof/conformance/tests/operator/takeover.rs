//! Apache's operator is scaled to nothing, wherever it was, and this one goes on: what runs runs on under the same
//! Deployment and pods, and what was under way ends as it was meant to, from the state that was saved. And the reverse:
//! a status is written as Apache's operator reads it.
//!
//! What answers as JobManager is Flink itself. What is left behind is what 1.7.0 was seen to leave on this cluster. Of
//! the way back that is checked at which 1.7.0 stops: it starts nothing, for good, while a JobManager is recorded as
//! coming up in the middle of a change, and it asks for the generation beside the recorded spec.

use kobel_testkit::flink::FlinkCluster;
use kobel_testkit::http::get_json;
use kobel_testkit::{or_skip, packages};
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::client::{resource, text};
use crate::left::{Left, answer, job, make, put_status, recorded_job, spec_with_meta, then, unseen};
use crate::manifests::application;
use crate::objects::{NATIVE, SESSION, is_deployed};
use crate::refusals::{HALVES, begin, lift};
use crate::stage::{Stage, on_stage};

/// The release of Flink that answers.
const FLINK: &str = "2.3.0";
/// The jobs, each in its own case.
const JOBS: [&str; 3] =
    ["719c42dc9a54b7662840754c6b12c501", "719c42dc9a54b7662840754c6b12c502", "719c42dc9a54b7662840754c6b12c503"];
/// A savepoint that was taken; nothing reads it here.
const SAVEPOINT: &str = "file:/savepoints/savepoint-719c42-5003589e5287";
/// A job that runs for as long as it is let.
const RUNS: &str = "\
    CREATE TEMPORARY TABLE clicks (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1');\n\
    CREATE TEMPORARY TABLE nowhere (id BIGINT) WITH ('connector' = 'blackhole');\n\
    SET 'parallelism.default' = '1';\n";
/// What it does.
const ENDLESS: &str = "SELECT id FROM clicks";
/// What a job does that fails at once.
const FAILING: &str = "SELECT CAST('x' || CAST(id AS STRING) AS BIGINT) FROM clicks";

/// The spec as Apache's operator writes it back.
fn spec(port: u16) -> Value {
    let mut spec = application("orders")["spec"].take();
    spec["flinkConfiguration"]["rest.port"] = json!(port.to_string());
    spec["jobManager"]["replicas"] = json!(1);
    (spec["job"]["args"], spec["job"]["state"]) = (json!([]), json!("running"));
    (spec["job"]["upgradeMode"], spec["job"]["parallelism"]) = (json!("savepoint"), json!(1));
    let directories = [
        ("execution.checkpointing.dir", "file:///checkpoints"),
        ("execution.checkpointing.savepoint-dir", "file:///savepoints"),
    ];
    for (key, value) in directories {
        spec["flinkConfiguration"][key] = json!(value);
    }
    spec
}

/// Ends this operator until Apache's has left something, whose pods are no restricted ones.
pub(crate) async fn leave(stage: &mut Stage) {
    stage.operator.kill();
    let labels = json!({"pod-security.kubernetes.io/enforce": "privileged"});
    let namespaces: Api<DynamicObject> = Api::all_with(stage.client().clone(), &resource("v1", "Namespace"));
    let patch = Patch::Merge(json!({"metadata": {"labels": labels}}));
    namespaces.patch(stage.namespace(), &PatchParams::default(), &patch).await.expect("its labels are changed");
}

fn flink() -> Result<FlinkCluster, String> {
    let home = packages::flink(FLINK)?;
    FlinkCluster::start(&home, &[("restart-strategy.type", "none")])
}

/// Runs a job under an id, and waits until it is in a state.
async fn run(stage: &Stage, flink: &mut FlinkCluster, (job, query): (&str, &str), state: &str) {
    flink.submit_sql_as(&format!("{RUNS}INSERT INTO nowhere {query};\n"), job).expect("it is submitted");
    let port = flink.port();
    stage
        .until("the job gets there", async || {
            let found = get_json(port, &format!("/jobs/{job}")).expect("the job");
            (found["state"] == state).then_some(())
        })
        .await;
}

fn is_stable(status: &Value) -> bool {
    status["lifecycleState"] == "STABLE" && is_settled(status)
}

/// Whether this operator has looked and finds nothing to be done.
fn is_settled(status: &Value) -> bool {
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let mut settled = conditions.filter(|condition| condition["type"] == "Settled");
    settled.any(|condition| condition["status"] == "True")
}

/// Sees that a Deployment and the pod of its job manager are those that were there before, and never were changed.
async fn is_untouched(stage: &Stage, manager: &Value, pod: &Value) {
    let made = stage.stands(&SESSION).await;
    let of_kind = |kind: &str| made.iter().find(|object| object["kind"] == kind).expect("it stands");
    for (kind, was) in [("Deployment", manager), ("Pod", pod)] {
        let is = of_kind(kind);
        assert_eq!(is["metadata"]["uid"], was["metadata"]["uid"], "{kind}");
        assert_eq!(is["metadata"]["generation"], was["metadata"]["generation"], "{kind}");
    }
}

#[test]
fn what_runs_runs_on() {
    let mut flink = or_skip!(flink());
    on_stage("runs", async |stage: &mut Stage| {
        let spec = spec(flink.port());
        let saved = |job| Left::upgrading(&spec, job, SAVEPOINT);
        let cases: [(Left, &str); 3] = [
            (Left::running(&spec, JOBS[0]), JOBS[0]),
            (Left::deploying(&spec, JOBS[1]), JOBS[1]),
            // It was made, and Apache's operator ended before it had recorded that.
            (saved(JOBS[2]), JOBS[2]),
        ];
        for (left, job) in cases {
            run(stage, &mut flink, (job, ENDLESS), "RUNNING").await;
            leave(stage).await;
            let declared = left.declare(stage, "orders").await;
            let manager = make(stage, &declared, Some(job)).await;
            let pod = answer(stage, "orders").await;
            stage.operator.start_again();
            let status = stage.status("orders", "it is stable", is_stable).await;
            assert_eq!(text(&status, "/jobStatus/jobId"), job);
            assert_eq!(
                (&status["observedGeneration"], &status["jobManagerDeploymentStatus"]),
                (&json!(1), &json!("READY"))
            );
            is_untouched(stage, &manager, &pod).await;
            // What is deleted has no snapshot taken of it.
            stage.delete("orders").await;
            stage.cleared("orders").await;
        }
    });
}

#[test]
fn what_comes_up_is_waited_for() {
    let mut flink = or_skip!(flink());
    on_stage("comes-up", async |stage: &mut Stage| {
        leave(stage).await;
        let declared = Left::deploying(&spec(flink.port()), JOBS[0]).declare(stage, "orders").await;
        let manager = make(stage, &declared, Some(JOBS[0])).await;
        let pod = answer(stage, "orders").await;
        stage.operator.start_again();
        // Its REST API answers before it has the job.
        let is_awaited =
            |status: &Value| status["observedGeneration"] == 1 && status["jobStatus"]["state"] == "RECONCILING";
        stage.status("orders", "its job is awaited", is_awaited).await;
        run(stage, &mut flink, (JOBS[0], ENDLESS), "RUNNING").await;
        stage.status("orders", "it is stable", is_stable).await;
        is_untouched(stage, &manager, &pod).await;
        stage.delete("orders").await;
        stage.cleared("orders").await;
    });
}

#[test]
fn what_has_failed_stays_for_whoever_looks_at_it() {
    let mut flink = or_skip!(flink());
    on_stage("failed", async |stage: &mut Stage| {
        run(stage, &mut flink, (JOBS[0], FAILING), "FAILED").await;
        leave(stage).await;
        let mut left = Left::running(&spec(flink.port()), JOBS[0]);
        (left.job, left.lifecycle) = (job(JOBS[0], "FAILED"), "FAILED");
        let declared = left.declare(stage, "orders").await;
        let manager = make(stage, &declared, Some(JOBS[0])).await;
        let pod = answer(stage, "orders").await;
        stage.operator.start_again();
        let has_failed = |status: &Value| status["lifecycleState"] == "FAILED" && status["observedGeneration"] == 1;
        stage.status("orders", "its job has failed", has_failed).await;
        is_untouched(stage, &manager, &pod).await;
        stage.delete("orders").await;
        stage.cleared("orders").await;
    });
}

#[test]
fn a_session_cluster_and_its_job_run_on() {
    let mut flink = or_skip!(flink());
    on_stage("session-left", async |stage: &mut Stage| {
        run(stage, &mut flink, (JOBS[0], ENDLESS), "RUNNING").await;
        leave(stage).await;
        let mut spec = spec(flink.port());
        spec.as_object_mut().expect("an object").remove("job");
        let job_of_application = Left::running(&self::spec(flink.port()), JOBS[0]).job;
        let mut empty = unseen("");
        for field in ["jobId", "state"] {
            empty.as_object_mut().expect("an object").remove(field);
        }
        let recorded = crate::left::recorded(&spec);
        let left = Left {
            stable: recorded.clone(),
            recorded,
            spec,
            job: empty,
            manager: "READY",
            state: "DEPLOYED",
            lifecycle: "STABLE",
            error: None,
        };
        let declared = left.declare(stage, "orders").await;
        let manager = make(stage, &declared, None).await;
        let pod = answer(stage, "orders").await;
        let views = session_job(stage, job_of_application).await;
        stage.operator.start_again();
        stage.status("orders", "it is stable", is_stable).await;
        stage
            .until("the session job is stable", async || {
                let found = views.get("views").await.expect("it is there").data;
                is_stable(&found["status"]).then_some(())
            })
            .await;
        is_untouched(stage, &manager, &pod).await;
        // Nobody has submitted it a second time.
        let jobs = get_json(flink.port(), "/jobs").expect("the jobs");
        assert_eq!(jobs["jobs"].as_array().map(Vec::len), Some(1), "{jobs}");
        // The cluster is held by the job, and the job by what looks after it.
        views.delete("views", &DeleteParams::default()).await.expect("it is deleted");
        stage
            .until("the session job is gone", async || {
                views.get_opt("views").await.expect("an answer").is_none().then_some(())
            })
            .await;
        stage.delete("orders").await;
        stage.cleared("orders").await;
    });
}

/// Leaves a session job that runs in `orders`.
async fn session_job(stage: &Stage, status: Value) -> Api<DynamicObject> {
    let mut job = json!({
        "jarURI": "https://example.com/views.jar", "parallelism": 1, "args": [], "state": "running",
        "upgradeMode": "stateless",
    });
    let object = json!({
        "metadata": {"name": "views", "finalizers": ["flinksessionjobs.flink.apache.org/finalizer"]},
        "spec": {"deploymentName": "orders", "job": job},
    });
    stage.create("flink.apache.org/v1beta1", "FlinkSessionJob", object).await;
    recorded_job(&mut job);
    let recorded = json!({"job": job, "restartNonce": null, "flinkConfiguration": null, "deploymentName": "orders"});
    let views = stage.api("flink.apache.org/v1beta1", "FlinkSessionJob");
    let reconciliation = json!({
        "lastReconciledSpec": spec_with_meta(&recorded, 1, &json!(true)),
        "lastStableSpec": spec_with_meta(&recorded, 1, &json!(true)),
        "reconciliationTimestamp": then(),
        "state": "DEPLOYED",
    });
    let status = json!({"jobStatus": status, "lifecycleState": "STABLE", "reconciliationStatus": reconciliation});
    put_status(&views, "views", status).await;
    views
}

#[test]
fn what_was_under_way_ends_from_the_state_that_was_saved() {
    on_stage("under-way", async |stage: &mut Stage| {
        let spec = spec(8081);
        let mut suspended = spec.clone();
        suspended["job"]["state"] = json!("suspended");
        let mut failing = Left::upgrading(&spec, JOBS[0], SAVEPOINT);
        failing.error = Some(
            json!({"type": "org.apache.flink.kubernetes.operator.exception.ReconciliationException",
                "message": "Could not create Kubernetes cluster \"orders\".", "additionalMetadata": {},
                "throwableList": []})
            .to_string(),
        );
        for left in
            [Left::upgrading(&spec, JOBS[0], SAVEPOINT), failing, Left::suspended(&suspended, JOBS[0], SAVEPOINT)]
        {
            leave(stage).await;
            left.declare(stage, "orders").await;
            stage.operator.start_again();
            if left.lifecycle == "SUSPENDED" {
                let rests = |status: &Value| status["lifecycleState"] == "SUSPENDED" && is_settled(status);
                stage.status("orders", "it is suspended", rests).await;
                stage.stands(&[]).await;
                let resume = Patch::Merge(json!({"spec": {"job": {"state": "running"}}}));
                stage.deployments().patch("orders", &PatchParams::default(), &resume).await.expect("it is resumed");
            }
            let made = stage.stands(&NATIVE).await;
            let config = made.iter().find(|object| text(object, "/metadata/name") == "flink-config-orders");
            let file = text(config.expect("its configuration"), "/data/config.yaml");
            assert!(file.contains(SAVEPOINT), "no savepoint in\n{file}");
            stage.delete("orders").await;
            stage.cleared("orders").await;
        }
    });
}

#[test]
fn a_first_deployment_of_which_nothing_was_made_is_begun_anew() {
    on_stage("first-left", async |stage: &mut Stage| {
        leave(stage).await;
        let mut left = Left::deploying(&spec(8081), JOBS[0]);
        (left.manager, left.state, left.lifecycle) = ("MISSING", "UPGRADING", "UPGRADING");
        left.recorded["job"]["state"] = json!("suspended");
        left.declare(stage, "orders").await;
        let is_first = spec_with_meta(&left.recorded, 1, &json!(true));
        let status = json!({"reconciliationStatus": {"lastReconciledSpec": is_first}});
        put_status(&stage.deployments(), "orders", status).await;
        stage.operator.start_again();
        stage.stands(&NATIVE).await;
        stage.status("orders", "it is deployed", is_deployed).await;
        stage.delete("orders").await;
        stage.cleared("orders").await;
    });
}

#[test]
fn a_status_is_written_as_apaches_operator_reads_it() {
    on_stage("way-back", async |stage: &mut Stage| {
        // A start that is recorded and not made.
        begin(stage, HALVES[0]()).await;
        let status = stage.declared("orders").await["status"].take();
        let state = &status["reconciliationStatus"]["state"];
        assert_eq!(
            (state, &status["jobManagerDeploymentStatus"]),
            (&json!("UPGRADING"), &json!("MISSING")),
            "{status:#}"
        );
        is_readable(&status, &json!(true));
        lift(stage).await;
        let status = stage.status("orders", "it is deployed", is_deployed).await;
        is_readable(&status, &json!(false));
        stage.delete("orders").await;
        stage.cleared("orders").await;
    });
}

/// Sees that the parts of a status are what the classes of Apache's operator are read from.
fn is_readable(status: &Value, is_first: &Value) {
    let last: Value = serde_json::from_str(text(status, "/reconciliationStatus/lastReconciledSpec")).expect("JSON");
    let meta =
        json!({"apiVersion": "flink.apache.org/v1beta1", "metadata": {"generation": 1}, "firstDeployment": is_first});
    assert_eq!(last["resource_metadata"], meta);
    assert_eq!(last["spec"]["flinkVersion"], "v2_2");
    let job = &status["jobStatus"];
    assert_eq!(text(job, "/jobId").len(), 32, "{job}");
    assert!(job["startTime"].is_string(), "{job}");
    let keys = ["spec", "resource_metadata"].map(str::to_owned).to_vec();
    assert_eq!(last.as_object().expect("an object").keys().cloned().collect::<Vec<_>>(), keys);
}
