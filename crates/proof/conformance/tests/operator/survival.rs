//! The operator is killed at every place: what it had begun is finished by the next one, once. And what Flink keeps for
//! a successor goes when there is to be none.

use serde_json::{Value, json};

use crate::client::text;
use crate::manifests::{application, configured};
use crate::objects::{NATIVE, find, is_deployed};
use crate::refusals::{HALVES, begin, lift};
use crate::stage::{Stage, on_stage};

#[test]
fn an_operator_that_is_killed_halfway_leaves_nothing_out_and_makes_nothing_twice() {
    on_stage("halfway", async |stage: &mut Stage| {
        for refused in HALVES {
            // It gets no further than where it is to be killed.
            begin(stage, refused()).await;
            stage.operator.kill();
            lift(stage).await;
            stage.operator.start_again();
            is_one_launch(stage).await;
            stage.delete("orders").await;
            stage.cleared("orders").await;
        }
    });
}

#[test]
fn what_happens_while_the_operator_is_away_is_made_up_for() {
    on_stage("away", async |stage: &mut Stage| {
        stage.operator.kill();
        stage.apply(&application("orders")).await;
        stage.operator.start_again();
        let before = is_one_launch(stage).await;
        stage.operator.kill();
        stage.operator.start_again();
        assert_eq!(is_one_launch(stage).await, before, "what stands is not made anew");
        stage.operator.kill();
        stage.delete("orders").await;
        // It is held until somebody has ended what runs.
        stage.stands(&NATIVE).await;
        stage.operator.start_again();
        stage.cleared("orders").await;
    });
}

#[test]
fn the_metadata_of_high_availability_goes_with_the_resource() {
    on_stage("available", async |stage: &mut Stage| {
        let values = [
            ("high-availability.type", "kubernetes"),
            ("high-availability.storageDir", "s3://bucket/ha"),
            ("execution.checkpointing.dir", "s3://bucket/checkpoints"),
        ];
        stage.apply(&configured(application("orders"), &values)).await;
        let mut expected = NATIVE.to_vec();
        // Job managers that take over from each other are not called by one name.
        expected.retain(|name| *name != "Service orders");
        stage.stands(&expected).await;
        // Flink makes it, and makes nobody its owner.
        let labels = json!({"app": "orders", "type": "flink-native-kubernetes"});
        let kept = json!({"metadata": {"name": "orders-cluster-config-map", "labels": labels}});
        stage.create("v1", "ConfigMap", kept).await;
        expected.push("ConfigMap orders-cluster-config-map");
        stage.stands(&expected).await;
        stage.delete("orders").await;
        stage.cleared("orders").await;
    });
}

/// Waits until everything stands, and sees that it is of one launch: the job is the same everywhere, and there was never
/// another template of its pods. Answers which Deployment it is.
async fn is_one_launch(stage: &Stage) -> Value {
    stage.stands(&NATIVE).await;
    let status = stage.status("orders", "it is deployed", is_deployed).await;
    let job = text(&status, "/jobStatus/jobId");
    let made = stage.stands(&NATIVE).await;
    let pods = find(&made, "ReplicaSet of orders jobmanager");
    assert_eq!(pods["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "1", "{pods:#}");
    let manager = find(&made, "Deployment orders");
    assert_eq!(manager["metadata"]["annotations"]["kobel.dev/job-id"], job);
    let file = text(find(&made, "ConfigMap flink-config-orders"), "/data/config.yaml");
    assert!(file.contains(&format!("'$internal.pipeline.job-id': '{job}'")), "job `{job}` in\n{file}");
    manager["metadata"]["uid"].clone()
}
