//! Statuses of the Apache operator, read and written back.

use kobel_lifecycle::record::LAST_STATE_DUMMY;

use super::*;

/// A status as the Apache operator leaves it in the middle of a savepoint upgrade.
fn theirs() -> Value {
    json!({
        "jobStatus": {
            "jobName": "demo", "jobId": "0123456789abcdef0123456789abcdef", "state": "FINISHED",
            "startTime": "1700000000000", "updateTime": "1700000001000",
            "upgradeSavepointPath": "s3://bucket/savepoint-012345-0",
            "savepointInfo": {
                "lastSavepoint": {
                    "timeStamp": 5, "location": "s3://bucket/savepoint-a", "triggerType": "PERIODIC",
                    "formatType": "NATIVE", "triggerNonce": 7
                },
                "triggerId": "", "triggerTimestamp": 0, "triggerType": null, "formatType": null,
                "savepointHistory": [
                    {"timeStamp": 5, "location": "s3://bucket/savepoint-a", "triggerType": "PERIODIC",
                     "formatType": "NATIVE", "triggerNonce": 7}
                ],
                "lastPeriodicSavepointTimestamp": 5
            },
            "checkpointInfo": {"triggerId": "ffff", "triggerTimestamp": 9, "triggerType": "MANUAL",
                "lastPeriodicCheckpointTimestamp": 0}
        },
        "error": "{\"type\":\"org.apache.flink.SomeException\",\"message\":\"went wrong\",\"throwableList\":[]}",
        "observedGeneration": 3,
        "lifecycleState": "UPGRADING",
        "clusterInfo": {"flink-version": "1.20.1", "total-cpu": "2.0"},
        "jobManagerDeploymentStatus": "MISSING",
        "reconciliationStatus": {
            "reconciliationTimestamp": 1_700_000_000_500_i64,
            "lastReconciledSpec":
                "{\"spec\":{\"job\":{\"state\":\"suspended\",\"upgradeMode\":\"savepoint\"}},\"resource_metadata\":{\"apiVersion\":\"flink.apache.org/v1beta1\",\"metadata\":{\"generation\":3},\"firstDeployment\":false}}",
            "lastStableSpec": "{\"spec\":{\"job\":{\"parallelism\":2}},\"resource_metadata\":{\"apiVersion\":\"flink.apache.org/v1beta1\",\"firstDeployment\":false}}",
            "state": "UPGRADING"
        }
    })
}

#[test]
fn a_status_of_the_apache_operator_is_read_in_the_middle_of_an_upgrade() {
    let record = record(&of(&json!({"status": theirs()})));
    assert_eq!(record.job.id.as_deref(), Some("0123456789abcdef0123456789abcdef"));
    assert_eq!(record.job.state, Some(JobState::Finished));
    assert_eq!(record.job.restore_path.as_deref(), Some("s3://bucket/savepoint-012345-0"));
    assert_eq!(record.job.savepoints.pending, None, "an empty id is no savepoint");
    assert_eq!(record.job.savepoints.history.len(), 1);
    let pending = Pending { trigger_id: "ffff".to_owned(), since_ms: 9, trigger: Trigger::Manual, directory: None };
    assert_eq!(record.job.checkpoints.pending, Some(pending));
    assert_eq!(record.job_manager, JobManagerState::Missing);
    assert_eq!((record.reconciliation, record.is_first), (ReconciliationState::Upgrading, false));
    assert_eq!(record.last, Some(json!({"job": {"state": "suspended", "upgradeMode": "savepoint"}})));
    assert_eq!(record.stable, Some(json!({"job": {"parallelism": 2}})));
    assert_eq!((record.observed_generation, record.error.as_deref()), (Some(3), Some("went wrong")));
}

#[test]
fn where_a_stop_writes_its_savepoint_is_written_down_with_it() {
    let mut status = of(&json!({"status": theirs()}));
    let mut mine = record(&status);
    let (trigger_id, directory) = ("ab".repeat(16), Some("file:///kobel/new".to_owned()));
    mine.job.savepoints.pending = Some(Pending { trigger_id, since_ms: 9, trigger: Trigger::Upgrade, directory });
    write(&mine, &mut status);
    assert_eq!(record(&status), mine);
    mine.job.savepoints.pending = None;
    write(&mine, &mut status);
    assert!(!status.cluster_info.unwrap_or_default().contains_key(Pending::DIRECTORY_KEY));
}

#[test]
fn what_is_written_back_unchanged_reads_the_same_and_loses_nothing() {
    let mut status = of(&json!({"status": theirs()}));
    let record = record(&status);
    write(&record, &mut status);
    assert_eq!(super::record(&status), record);
    let (mine, theirs) = (serde_json::to_value(&status).unwrap(), theirs());
    for path in [
        "/error",
        "/clusterInfo",
        "/jobStatus/savepointInfo/lastSavepoint",
        "/jobStatus/savepointInfo/savepointHistory",
        "/jobStatus/startTime",
        "/reconciliationStatus",
        "/lifecycleState",
    ] {
        assert_eq!(mine.pointer(path), theirs.pointer(path), "{path}");
    }
}

#[test]
fn a_new_object_has_an_empty_record() {
    for object in [json!({}), json!({"status": {}})] {
        assert_eq!(record(&of(&object)), Record::default(), "{object}");
    }
    let mut status = FlinkDeploymentStatus::default();
    write(&Record::default(), &mut status);
    assert_eq!(record(&status), Record::default());
}

#[test]
fn a_first_deployment_and_the_place_holder_of_last_state_are_written_as_theirs() {
    let mut record = Record { last: Some(json!({"a": 1})), is_first: true, ..Record::default() };
    record.job.restore_path = Some(LAST_STATE_DUMMY.to_owned());
    let mut status = FlinkDeploymentStatus::default();
    write(&record, &mut status);
    let text = status.reconciliation_status.clone().unwrap().last_reconciled_spec.unwrap();
    assert_eq!(
        text,
        r#"{"spec":{"a":1},"resource_metadata":{"apiVersion":"flink.apache.org/v1beta1","firstDeployment":true}}"#
    );
    assert_eq!(
        status.job_status.clone().unwrap().upgrade_savepoint_path.as_deref(),
        Some("KUBERNETES_OPERATOR_LAST_STATE")
    );
    assert_eq!(super::record(&status), record);
}

#[test]
fn errors_are_json_and_plain_ones_are_read_too() {
    assert_eq!(message("Job Not Found"), "Job Not Found");
    assert_eq!(message(&error("it broke")), "it broke");
    assert!(error("it broke").starts_with(r#"{"type":"org.apache.flink."#));
}

#[test]
fn the_generation_that_1_7_recorded_is_found_beside_the_spec() {
    let text = r#"{"spec":{},"resource_metadata":{"apiVersion":"flink.apache.org/v1beta1","metadata":{"generation":2},"firstDeployment":true}}"#;
    let status =
        |state: &str| of(&json!({"status": {"reconciliationStatus": {"lastReconciledSpec": text, "state": state}}}));
    let deployed = record(&status("DEPLOYED"));
    assert_eq!((deployed.observed_generation, deployed.is_first), (Some(2), false), "it was carried out");
    let begun = record(&status("UPGRADING"));
    assert_eq!((begun.observed_generation, begun.is_first), (Some(2), true));
    let mut written = status("UPGRADING");
    write(&begun, &mut written);
    assert_eq!(written.reconciliation_status.unwrap().last_reconciled_spec.as_deref(), Some(text));
}

#[test]
fn a_start_that_was_not_seen_is_told_as_none() {
    for (state, expected) in [
        (ReconciliationState::Upgrading, "MISSING"),
        (ReconciliationState::RollingBack, "MISSING"),
        (ReconciliationState::Deployed, "DEPLOYING"),
    ] {
        let record = Record { job_manager: JobManagerState::Deploying, reconciliation: state, ..Record::default() };
        let mut status = FlinkDeploymentStatus::default();
        write(&record, &mut status);
        let status = serde_json::to_value(status).unwrap();
        assert_eq!(status["jobManagerDeploymentStatus"], expected, "{state:?}");
    }
}
