//! What may not change.

#![cfg(test)]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Context, read};
use super::{deployment, problems, session_job, with};

/// The problems of `now` where `before` is stored.
fn changed(before: &Value, now: &Value) -> Vec<String> {
    problems(read(now, &Context { previous: Some(before), find: &|_, _| None, defaults: &BTreeMap::new() }))
}

#[test]
fn what_was_declared_once_stays() {
    let base = deployment();
    let session = with(&base, "job", &Value::Null);
    let standalone = with(&base, "mode", &json!("standalone"));
    let redeploy = with(&base, "job/savepointRedeployNonce", &json!(1));
    let from_savepoint = with(&redeploy, "job/initialSavepointPath", &json!("s3://b/s"));
    let waiting = with(&with(&base, "job/state", &json!("suspended")), "job/upgradeMode", &json!("last-state"));
    let newer = with(&waiting, "flinkVersion", &json!("v2_0"));
    let newer_stateless = with(&newer, "job/upgradeMode", &json!("stateless"));
    for (before, now, expected) in [
        (&base, &base, ""),
        (&base, &session, "spec.job: Required value: a job cannot be taken away: it would become a session"),
        (&session, &base, "spec.job: Forbidden: a session cluster cannot become one with a job"),
        (&base, &standalone, "spec.mode: Invalid value: \"standalone\": cannot change: must stay `native`"),
        (&standalone, &base, "spec.mode: Invalid value: \"native\": cannot change: must stay `standalone`"),
        (
            &base,
            &redeploy,
            "spec.job.initialSavepointPath: Required value: the savepoint from which the changed \
             `savepointRedeployNonce` starts the job",
        ),
        (&redeploy, &redeploy, ""),
        (&base, &from_savepoint, ""),
        (
            &waiting,
            &newer,
            "spec.flinkVersion: Invalid value: \"v2_0\": must stay `v1_20` while the job is suspended with its last \
             state, unless spec.job.upgradeMode is `stateless`",
        ),
        (&waiting, &newer_stateless, ""),
    ] {
        let expected: Vec<&str> = Some(expected).filter(|text| !text.is_empty()).into_iter().collect();
        assert_eq!(changed(before, now), expected, "from {before} to {now}");
    }
}

#[test]
fn the_measure_is_what_was_deployed_last() {
    let mut stored = with(&deployment(), "mode", &json!("standalone"));
    let record = json!({"spec": deployment()["spec"]}).to_string();
    stored["status"] = json!({"reconciliationStatus": {"lastReconciledSpec": record}});
    assert_eq!(changed(&stored, &deployment()), Vec::<String>::new());
    let standalone = with(&deployment(), "mode", &json!("standalone"));
    assert_eq!(changed(&stored, &standalone).len(), 1);
}

#[test]
fn a_version_that_was_let_in_is_carried_out() {
    let waiting = with(&with(&deployment(), "job/state", &json!("suspended")), "job/upgradeMode", &json!("last-state"));
    let newer = with(&waiting, "flinkVersion", &json!("v2_0"));
    let record = json!({"spec": waiting["spec"]}).to_string();
    for (stored, state, expected) in [
        (&waiting, "DEPLOYED", 1),
        (&waiting, "ROLLED_BACK", 1),
        (&newer, "DEPLOYED", 0),
        (&waiting, "UPGRADING", 0),
        (&newer, "ROLLING_BACK", 0),
    ] {
        let mut stored = stored.clone();
        stored["status"] = json!({"reconciliationStatus": {"lastReconciledSpec": record, "state": state}});
        assert_eq!(changed(&stored, &newer).len(), expected, "{state}");
    }
}

#[test]
fn a_session_job_stays_in_its_session() {
    let moved = with(&session_job(), "deploymentName", &json!("other"));
    assert_eq!(
        changed(&session_job(), &moved),
        ["spec.deploymentName: Invalid value: \"other\": cannot change: must stay `session`"]
    );
}
