//! What is told by Deployments and pods as a cluster has them.

use super::*;

const MADE: &str = "2026-01-01T00:00:00Z";

/// A job manager that has been available or not since a time, with one container and the probe that it is made with.
fn manager(status: &str, since: &str) -> Value {
    json!({
        "metadata": {"name": "orders", "generation": 2, "resourceVersion": "7", "creationTimestamp": MADE,
            "annotations": {JOB_ID: "0a"}},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": MAIN_CONTAINER,
            "startupProbe": {"periodSeconds": 1, "httpGet": {"path": "/config", "port": "rest"}}}]}}},
        "status": {"observedGeneration": 2, "conditions": [
            {"type": "Progressing", "status": "True", "lastTransitionTime": MADE},
            {"type": "Available", "status": status, "lastTransitionTime": since}]},
    })
}

fn pod(component: &str, ready: &str, container: &Value) -> Value {
    let mut container = container.clone();
    container["name"] = json!(MAIN_CONTAINER);
    json!({"metadata": {"labels": {"component": component}},
        "status": {"conditions": [{"type": "Ready", "status": ready}], "containerStatuses": [container]}})
}

fn waiting() -> Value {
    let container = json!({"ready": false, "started": false, "restartCount": 0,
        "state": {"waiting": {"reason": "ImagePullBackOff"}}, "lastState": {}});
    pod("jobmanager", "False", &container)
}

fn crashing() -> Value {
    let container = json!({"ready": false, "started": false, "restartCount": 3,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 1}}});
    pod("jobmanager", "False", &container)
}

fn running(started: bool) -> Value {
    let container = json!({"ready": started, "started": started, "restartCount": 0, "state": {"running": {}}});
    pod("jobmanager", "False", &container)
}

#[test]
fn one_that_is_finished_is_as_it_was_meant_to_be() {
    let mut meant = manager("False", MADE);
    annotate(&mut meant, GENERATION, "3");
    let mut found = unfinished(&meant, Some("0a"));
    assert!(is_unfinished(&found) && found["spec"]["paused"] == json!(true), "{found}");
    let change = finishing(&meant, "u-1");
    for part in ["/metadata/annotations", "/spec"] {
        let changed = change.pointer(part).and_then(Value::as_object).unwrap();
        let there = found.pointer_mut(part).and_then(Value::as_object_mut).unwrap();
        for (key, value) in changed {
            drop(if value.is_null() { there.remove(key) } else { there.insert(key.clone(), value.clone()) });
        }
    }
    assert_eq!(found, meant);
    assert_eq!(change["metadata"]["uid"], "u-1");
    // A session cluster has no job.
    let mut session = meant;
    session["metadata"]["annotations"].as_object_mut().unwrap().remove(JOB_ID);
    assert!(finishing(&session, "u-1")["metadata"]["annotations"][JOB_ID].is_null());
}

#[test]
fn one_that_was_just_made_is_not_asked_before_it_is_told_to_be_up() {
    let made: Timestamp = MADE.parse().unwrap();
    let after = |seconds: i64| made.as_millisecond() + seconds * 1_000;
    let mut ready = manager("False", MADE);
    ready["status"]["readyReplicas"] = json!(1);
    let mut slow = manager("False", MADE);
    slow["spec"]["template"]["spec"]["readinessGates"] = json!([{"conditionType": "a"}]);
    for (what, manager, seconds, expected) in [
        ("it is new", manager("False", MADE), 3, true),
        (
            "its pods are not made yet",
            json!({"metadata": manager("", MADE)["metadata"], "spec": manager("", MADE)["spec"]}),
            0,
            true,
        ),
        ("it takes long", manager("False", MADE), 30, false),
        ("it is available", manager("True", MADE), 3, false),
        ("a pod is ready", ready, 3, false),
        ("it may answer before it is ready", slow, 3, false),
        ("nothing is told", json!({}), 3, false),
    ] {
        assert_eq!(is_coming_up(&manager, after(seconds)), expected, "{what}");
    }
}

#[test]
fn a_job_has_not_run_if_its_job_manager_was_never_available() {
    for (what, manager, pods, expected) in [
        ("no image", manager("False", MADE), vec![waiting()], Past::NotYet),
        ("no pod may be made", manager("False", MADE), vec![], Past::NotYet),
        ("it crashes at once", manager("False", MADE), vec![crashing()], Past::NotYet),
        ("told in the next second", manager("False", "2026-01-01T00:00:01Z"), vec![waiting()], Past::NotYet),
        ("it was available once", manager("False", "2026-01-01T00:05:00Z"), vec![waiting()], Past::MayHaveRun),
        ("it is available", manager("True", MADE), vec![], Past::MayHaveRun),
        ("its API answers", manager("False", MADE), vec![running(true)], Past::MayHaveRun),
        ("it comes up", manager("False", MADE), vec![running(false)], Past::NotYet),
        ("nothing is told yet", json!({"metadata": {"creationTimestamp": MADE}}), vec![], Past::MayHaveRun),
    ] {
        assert_eq!(past(&manager, &pods, "0a"), expected, "{what}");
    }
}

#[test]
fn one_that_is_not_ready_for_other_reasons_has_run_once_its_container_has() {
    let with = |place: &str, value: Value| {
        let mut manager = manager("False", MADE);
        let (parent, key) = place.rsplit_once('/').unwrap();
        manager.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.to_owned(), value);
        manager
    };
    let container = "/spec/template/spec/containers/0";
    for manager in [
        with(&format!("{container}/readinessProbe"), json!({"tcpSocket": {"port": 1}})),
        with(&format!("{container}/startupProbe"), json!({"tcpSocket": {"port": "rest"}, "periodSeconds": 1})),
        with("/spec/template/spec/readinessGates", json!([{"conditionType": "a"}])),
        with("/spec/template/spec/initContainers", json!([{"name": "a", "restartPolicy": "Always"}])),
        with("/spec/template/spec/containers", json!([{"name": MAIN_CONTAINER}, {"name": "side"}])),
        with("/spec/minReadySeconds", json!(60)),
    ] {
        assert_eq!(past(&manager, &[crashing()], "0a"), Past::MayHaveRun, "{manager}");
        assert_eq!(past(&manager, &[running(false)], "0a"), Past::MayHaveRun, "{manager}");
        assert_eq!(past(&manager, &[waiting()], "0a"), Past::MayHaveRun, "one before it may have: {manager}");
    }
}

#[test]
fn one_that_has_not_run_never_will_once_it_is_scaled_to_nothing_and_its_pods_are_gone() {
    // With nothing asked of it a Deployment is available.
    let mut scaled = manager("True", "2026-01-01T01:00:00Z");
    scaled["spec"]["replicas"] = json!(0);
    assert_eq!(past(&scaled, &[], "0a"), Past::MayHaveRun, "somebody else scaled it");
    annotate(&mut scaled, STILLED, "0a");
    assert_eq!(past(&scaled, &[waiting()], "0a"), Past::Going);
    assert_eq!(past(&scaled, &[running(true)], "0a"), Past::MayHaveRun, "it came up meanwhile");
    assert_eq!(past(&scaled, &[], "0a"), Past::Never);
    assert_eq!(past(&scaled, &[], "0b"), Past::MayHaveRun, "it was another job");
    scaled["metadata"]["generation"] = json!(3);
    assert_eq!(past(&scaled, &[], "0a"), Past::Going, "pods may still come");
    let change = stilled(&scaled, "0a");
    assert_eq!((&change["metadata"]["resourceVersion"], &change["spec"]["replicas"]), (&json!("7"), &json!(0)));
}

#[test]
fn a_job_manager_is_up_if_it_is_available_or_one_of_its_pods_is_ready() {
    let ready = |component: &str| pod(component, "True", &json!({}));
    let mut leaving = ready("jobmanager");
    leaving["metadata"]["deletionTimestamp"] = json!(MADE);
    for (manager, pods, expected) in [
        (manager("True", MADE), vec![], true),
        (manager("False", MADE), vec![ready("jobmanager")], true),
        (manager("False", MADE), vec![ready("taskmanager")], false),
        (manager("False", MADE), vec![leaving], false),
        (manager("False", MADE), vec![waiting(), running(false)], false),
        (json!({}), vec![], false),
    ] {
        assert_eq!(is_up(&manager, &pods), expected, "{manager} {pods:?}");
    }
}

#[test]
fn what_is_made_first_has_no_pods_and_says_that_it_is_unfinished() {
    let whole = json!({"metadata": {"name": "orders"}, "spec": {"replicas": 1}});
    let first = unfinished(&whole, Some("0a"));
    let annotated = json!({"metadata": {"name": "orders", "annotations": {GENERATION: "1"}}, "spec": {}});
    assert_eq!(annotation(&unfinished(&annotated, None), GENERATION), None, "nobody takes it for one that is made");
    assert_eq!((unmade_job(&first), unmade_job(&unfinished(&whole, None))), (Some("0a"), None));
    assert!(is_unfinished(&unfinished(&whole, None)), "a session has no job");
    assert_eq!(first["spec"], json!({"replicas": 1, "paused": true}));
    assert!(is_unfinished(&first) && !is_unfinished(&whole));
    assert!(!is_whole(&first) && is_whole(&whole));
    assert!(!is_whole(&json!({"spec": {"replicas": 0}})), "what was scaled to nothing is left to be removed");
    assert!(!has_gone_on(&first, &[]));
    assert!(has_gone_on(&first, &[waiting()]), "it has a pod");
    assert!(has_gone_on(&whole, &[]), "it is not paused any more");
    let mut last = whole.clone();
    name(&mut last, "u-1");
    assert_eq!(last["metadata"], json!({"name": "orders", "uid": "u-1"}));
}
