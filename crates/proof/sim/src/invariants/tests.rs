//! Each invariant is broken by a history that is made by hand, and kept by one that differs from it where it matters.

mod excuses;
mod history;

use kobel_model::deployment::Identity;
use serde_json::{Value, json};

use self::history::{
    HELD, Told, broken, deployment, exited, late, orders, pending, settled, spawned, starting, with, with_status,
};
use crate::call::Port;
use crate::entry::{Entry, SnapshotKind, Verb, Who};
use crate::fault::Fault;
use crate::script::manifest::SECRET;

#[test]
fn two_clusters_of_one_deployment_break() {
    let name = ["one_cluster_per_deployment"];
    let job = || Some("job-1".to_owned());
    let beside = || Entry::StartAsked { of: orders(), generation: 1, job: job(), beside_living: true };
    assert_eq!(broken(|told| told.tell(beside())), name);
    assert_eq!(broken(|told| told.tell(spawned("application"))), name);
    assert!(broken(|told| told.tell(spawned("taskmanager-1"))).is_empty());
    assert!(broken(|told| told.tell(exited("application", Who::User)).tell(spawned("application"))).is_empty());
    let fault = Fault::Stale { for_ms: 1, back: 1 };
    let stale = || Entry::Fault { n: 1, fault: fault.clone() };
    assert!(broken(|told| told.tell(stale()).tell(beside())).is_empty());
    assert_eq!(broken(|told| told.tell(stale()).pass(61_000).tell(beside())), name, "reads are not stale any more");
}

#[test]
fn two_jobs_of_one_lineage_break() {
    let mut told = Told::changed("stateless");
    told.state("job-1", "RUNNING").job_started("job-2", None, 0);
    assert!(told.broken.is_empty(), "its process has ended, so the first is lost: {:?}", told.broken);
    let told = |state: &'static str| {
        let mut told = Told::running();
        told.declare(2, "stateless")
            .status(2, starting("job-2", 2))
            .state("job-1", state)
            .job_started("job-2", None, 0);
        told.broken
    };
    assert_eq!(told("RESTARTING"), ["one_job_per_lineage"]);
    assert!(told("FINISHED").is_empty());
}

#[test]
fn state_that_is_not_handed_over_breaks() {
    let started = |mode: &str, from: Option<&str>, count| {
        let mut told = Told::changed(mode);
        told.job_started("job-2", from, count);
        told.broken
    };
    assert_eq!(started("last-state", None, 0), ["state_is_handed_over"]);
    assert!(started("last-state", Some("file:///c/chk-1"), 1_000).is_empty());
    assert!(started("stateless", None, 0).is_empty());
}

#[test]
fn what_is_gone_or_not_the_present_jobs_is_not_asked_for() {
    let mut told = Told::changed("last-state");
    told.tell(Entry::Disposed { path: "file:///c/chk-1".to_owned(), by: Who::User }).job_started("job-2", None, 0);
    assert!(told.broken.is_empty());

    let mut told = Told::changed("stateless");
    told.job_started("job-2", None, 0).declare(3, "savepoint").status(3, starting("job-3", 3));
    told.tell(exited("application", Who::Controller)).start_asked("job-3", 3).job_started("job-3", None, 0);
    assert!(told.broken.is_empty(), "what an earlier job had was thrown away: {:?}", told.broken);
}

#[test]
fn a_start_from_a_scratch_file_breaks() {
    let mut told = Told::changed("last-state");
    told.job_started("job-2", Some("file:///a/tmp/checked-state/savepoint-9"), 0);
    assert_eq!(told.broken, ["scratch_is_never_started_from"]);
}

#[test]
fn a_start_that_is_redeployed_may_lose_state() {
    for (nonce, expected) in [(Value::Null, vec!["state_is_handed_over"]), (json!(1), vec![])] {
        let mut told = Told::running();
        told.snapshot("/c/chk-1", "job-1", 1_000, (SnapshotKind::Checkpoint, None, false));
        let mut object = with_status(deployment(2, "savepoint"), starting("job-2", 2));
        object["spec"]["job"]["savepointRedeployNonce"] = nonce;
        told.wrote(Who::User, Verb::Update, "flinkdeployments", "orders", Some(object));
        told.tell(exited("application", Who::Controller)).start_asked("job-2", 2).job_started("job-2", None, 0);
        assert_eq!(told.broken, expected);
    }
}

#[test]
fn a_savepoint_while_the_job_goes_on_is_no_restore_point() {
    for (stops, expected) in [(false, vec![]), (true, vec!["state_is_handed_over"])] {
        let mut told = Told::running();
        told.status(1, pending("t-1", "UPGRADE"));
        told.snapshot("/s/savepoint-1", "job-1", 700, (SnapshotKind::Savepoint, Some("t-1"), stops));
        told.status(1, starting("job-2", 1)).tell(exited("application", Who::Cluster));
        told.start_asked("job-2", 1).job_started("job-2", None, 0);
        assert_eq!(told.broken, expected);
    }
}

#[test]
fn foreign_state_breaks_unless_it_is_named() {
    let started = |from: &str, named: Option<&str>| {
        let mut told = Told::running();
        let mut object = with_status(deployment(2, "stateless"), starting("job-2", 2));
        object["spec"]["job"]["initialSavepointPath"] = json!(named);
        told.wrote(Who::User, Verb::Update, "flinkdeployments", "orders", Some(object));
        told.tell(exited("application", Who::Controller)).start_asked("job-2", 2);
        told.job_started("job-2", Some(from), 5).broken.clone()
    };
    assert_eq!(started("file:///bait/savepoint-1", None), ["foreign_state_is_never_taken"]);
    assert!(started("file:///bait/savepoint-1", Some("/bait/savepoint-1/")).is_empty());
}

#[test]
fn what_is_needed_is_not_disposed_of() {
    let disposed = |by: Who, path: &str, status: Value| {
        let mut told = Told::running();
        told.snapshot("/c/chk-1", "job-1", 100, (SnapshotKind::Checkpoint, None, false)).status(1, status);
        told.tell(Entry::Disposed { path: path.to_owned(), by }).broken.clone()
    };
    let name = ["no_snapshot_is_lost"];
    let plain = || settled("job-1", 1);
    let saved = || with(plain(), "/none", json!({"lastSavepoint": {"location": "file:///s/savepoint-1"}}));
    assert_eq!(disposed(Who::Controller, "/c/chk-1", plain()), name);
    assert_eq!(disposed(Who::Controller, "/s/savepoint-1", saved()), name);
    assert!(disposed(Who::Controller, "/s/savepoint-0", saved()).is_empty());
    assert!(disposed(Who::User, "/s/savepoint-1", saved()).is_empty());
}

#[test]
fn the_files_of_a_snapshot_go_only_if_that_was_asked_for() {
    for (disposes, deletion, expected) in [
        (true, json!("2026-01-01T00:00:00Z"), vec![]),
        (false, json!("2026-01-01T00:00:00Z"), vec!["no_snapshot_is_lost"]),
        (true, Value::Null, vec!["no_snapshot_is_lost"]),
    ] {
        let object = json!({
            "metadata": {"name": "one", "deletionTimestamp": deletion},
            "spec": {"savepoint": {"disposeOnDelete": disposes}},
            "status": {"state": "COMPLETED", "path": "file:///s/savepoint-1"},
        });
        let found = broken(|told| {
            told.wrote(Who::User, Verb::Create, "flinkstatesnapshots", "one", Some(object));
            told.tell(Entry::Disposed { path: "/s/savepoint-1".to_owned(), by: Who::Controller })
        });
        assert_eq!(found, expected);
    }
}

#[test]
fn a_savepoint_that_nobody_writes_down_breaks() {
    fn taken(told: &mut Told) -> &mut Told {
        told.status(1, pending("t-1", "MANUAL"));
        told.snapshot("/s/savepoint-1", "job-1", 100, (SnapshotKind::Savepoint, Some("t-1"), false))
    }
    assert_eq!(broken(|told| late(taken(told))), ["no_savepoint_is_forgotten"]);
    let saved = with(settled("job-1", 1), "/none", json!({"lastSavepoint": {"location": "file:///s/savepoint-1"}}));
    assert!(broken(|told| late(taken(told).status(1, saved))).is_empty());
    let lost = exited("application", Who::Cluster);
    assert!(broken(|told| late(taken(told).status(1, starting("job-1", 1)).tell(lost))).is_empty());
}

#[test]
fn one_id_is_answered_once() {
    let taken = |second: &str| {
        let savepoint = (SnapshotKind::Savepoint, Some("t-1"), false);
        let mut told = Told::running();
        told.status(1, pending("t-1", "MANUAL")).snapshot("/s/savepoint-1", "job-1", 100, savepoint);
        told.status(1, pending("t-2", "MANUAL"));
        told.snapshot("/s/savepoint-2", "job-1", 200, (SnapshotKind::Savepoint, Some(second), false)).broken.clone()
    };
    assert_eq!(taken("t-1"), ["one_trigger_one_snapshot"]);
    assert!(taken("t-2").is_empty());
}

#[test]
fn one_snapshot_is_taken_once_unless_it_failed() {
    for (failures, expected) in [(0, vec!["one_trigger_one_snapshot"]), (1, vec![])] {
        let mut told = Told::running();
        for id in ["t-1", "t-2"] {
            let status = json!({"state": "IN_PROGRESS", "triggerId": id, "failures": failures});
            let object = json!({"metadata": {"name": "one"}, "status": status});
            told.wrote(Who::Controller, Verb::UpdateStatus, "flinkstatesnapshots", "one", Some(object));
            told.snapshot(&format!("/s/{id}"), "job-1", 100, (SnapshotKind::Savepoint, Some(id), false));
        }
        assert_eq!(told.broken, expected);
    }
}

#[test]
fn a_job_that_is_declared_and_settled_is_not_ended() {
    let name = ["declared_jobs_are_not_ended"];
    let (end, cancel) = ((Port::Host, "end", "default/orders"), (Port::Rest, "PATCH /jobs/:id", "job-1"));
    for (port, call, about) in [end, cancel] {
        assert_eq!(broken(|told| told.call(port, call, about)), name);
        assert!(broken(|told| told.status(1, starting("job-1", 1)).call(port, call, about)).is_empty());
    }
    let gone = |told: &mut Told| {
        told.wrote(Who::User, Verb::Delete, "flinkdeployments", "orders", None);
        told.call(end.0, end.1, end.2).broken.clone()
    };
    assert!(gone(&mut Told::running()).is_empty());
}

#[test]
fn a_deployment_of_a_pair_goes_only_after_the_other_has_run() {
    let pair = json!({"metadata": {"name": "pair"}, "spec": {"template": {"spec": {"job": {"state": "running"}}}}});
    let child = |name: &str, state: &str| {
        json!({
            "metadata": {"name": name, "ownerReferences": [{"kind": "FlinkBlueGreenDeployment", "name": "pair"}]},
            "spec": {"job": {"state": "running"}}, "status": {"jobStatus": {"state": state}},
        })
    };
    for (state, expected) in [("RECONCILING", vec!["declared_jobs_are_not_ended"]), ("RUNNING", vec![])] {
        let (blue, green) = (child("pair-blue", "RUNNING"), child("pair-green", state));
        let found = broken(|told| {
            told.wrote(Who::User, Verb::Create, "flinkbluegreendeployments", "pair", Some(pair.clone()))
                .wrote(Who::User, Verb::Create, "flinkdeployments", "pair-blue", Some(blue))
                .wrote(Who::User, Verb::Create, "flinkdeployments", "pair-green", Some(green))
                .wrote(Who::Controller, Verb::Delete, "flinkdeployments", "pair-blue", None)
        });
        assert_eq!(found, expected, "{state}");
    }
}

#[test]
fn what_is_let_go_of_is_gone() {
    fn released(told: &mut Told) -> &mut Told {
        let mut object = with_status(deployment(1, "last-state"), starting("job-1", 1));
        object["metadata"]["finalizers"] = json!(["other/one"]);
        told.wrote(Who::Controller, Verb::Update, "flinkdeployments", "orders", Some(object))
    }
    fn ended(told: &mut Told) -> &mut Told {
        told.status(1, starting("job-1", 1)).tell(exited("application", Who::Controller))
    }
    let name = ["nothing_is_left_behind"];
    assert_eq!(broken(released), name, "its process lives");
    assert_eq!(broken(|told| released(ended(told))), name, "its files are there");
    assert!(broken(|told| released(ended(told).call(Port::Host, "forget", "default/orders"))).is_empty());
}

#[test]
fn what_nobody_declares_ends() {
    fn deleted(told: &mut Told) -> &mut Told {
        told.wrote(Who::User, Verb::Delete, "flinkdeployments", "orders", None)
    }
    assert_eq!(broken(|told| late(deleted(told))), ["nothing_is_left_behind"]);
    assert!(broken(|told| late(deleted(told).tell(exited("application", Who::Controller)))).is_empty());
}

#[test]
fn nothing_is_started_that_no_finalizer_holds() {
    let mut told = Told::default();
    let mut object = with_status(deployment(1, "last-state"), starting("job-1", 1));
    object["metadata"]["finalizers"] = json!(["other/one"]);
    told.wrote(Who::User, Verb::Create, "flinkdeployments", "orders", Some(object)).start_asked("job-1", 1);
    assert_eq!(told.broken, ["nothing_is_left_behind"]);
}

#[test]
fn a_status_says_why_and_does_not_contradict_itself() {
    let place = "/conditions/0";
    for (status, is_broken) in [
        (settled("job-1", 1), false),
        (starting("job-1", 1), false),
        (with(settled("job-1", 1), "/conditions", json!([])), true),
        (with(starting("job-1", 1), &format!("{place}/reason"), json!("")), true),
        (with(starting("job-1", 1), &format!("{place}/message"), Value::Null), true),
        (with(starting("job-1", 1), &format!("{place}/reason"), json!("Settled")), true),
        (with(settled("job-1", 1), &format!("{place}/reason"), json!("Starting")), true),
        (with(settled("job-1", 1), "/jobStatus/state", json!("RESTARTING")), true),
        (with(settled("job-1", 1), "/jobStatus/state", json!("FINISHED")), false),
        (json!({"error": "it cannot be read"}), false),
        (json!({}), true),
    ] {
        let found = broken(|told| told.status(1, status.clone()));
        assert_eq!(!found.is_empty(), is_broken, "{status}: {found:?}");
        assert!(found.iter().all(|name| *name == "a_reason_is_set"), "{found:?}");
    }
    let behind = with(settled("job-1", 2), "/observedGeneration", json!(1));
    assert_eq!(broken(|told| told.declare(2, "last-state").status(2, behind)), ["a_reason_is_set"]);
}

#[test]
fn a_job_is_said_to_run_only_if_it_does() {
    let name = ["running_is_never_claimed"];
    let mut told = Told::default();
    told.declare(1, "last-state").status(1, starting("job-1", 1)).start_asked("job-1", 1);
    told.tell(spawned("application")).job_started("job-1", None, 0).state("job-1", "CREATED");
    assert_eq!(told.status(1, settled("job-1", 1)).broken, name);

    assert!(broken(late).is_empty());
    assert_eq!(broken(|told| late(told.state("job-1", "RESTARTING"))), name);
    assert!(broken(|told| late(told.state("job-1", "RESTARTING").state("job-1", "RUNNING"))).is_empty());
}

#[test]
fn a_generation_does_not_go_back() {
    for (observed, expected) in
        [(1, vec!["observed_generation_grows"]), (2, vec![]), (3, vec!["observed_generation_grows"])]
    {
        let status = with(starting("job-1", 2), "/observedGeneration", json!(observed));
        let carried = |told: &mut Told| told.declare(2, "last-state").status(2, starting("job-1", 2)).broken.len();
        let mut told = Told::running();
        assert_eq!(carried(&mut told), 0);
        assert_eq!(told.status(2, status).broken, expected);
    }
}

#[test]
fn what_is_done_was_written_down_before() {
    let name = ["intent_comes_first"];
    assert_eq!(broken(|told| told.start_asked("job-2", 1)), name);
    assert_eq!(broken(|told| told.start_asked("job-1", 2)), name);
    assert!(broken(|told| told.start_asked("job-1", 1)).is_empty());

    let stopped = |kind: &str| {
        let status = with(starting("job-1", 1), "/none", json!({"triggerId": "t-1", "triggerType": kind}));
        broken(|told| told.status(1, status).call(Port::Rest, "POST /jobs/:id/stop", "job-1"))
    };
    assert_eq!(stopped("MANUAL"), name);
    assert!(stopped("UPGRADE").is_empty());

    let taken = |path: &str| {
        let savepoint = (SnapshotKind::Savepoint, Some("t-9"), false);
        broken(|told| told.snapshot(path, "job-1", 100, savepoint))
    };
    assert_eq!(taken("/s/savepoint-9"), name);
    assert!(taken("/a/tmp/checked-state/savepoint-9").is_empty());
}

#[test]
fn a_session_job_is_started_under_the_id_that_was_written_down() {
    for (id, expected) in [("job-8", vec!["intent_comes_first"]), ("job-9", vec![])] {
        let held = json!(["flinksessionjobs.flink.apache.org/finalizer"]);
        let object = json!({
            "metadata": {"name": "a", "generation": 1, "finalizers": held}, "spec": {"job": {}},
            "status": starting("job-9", 1),
        });
        let (lineage, job, from) = (Identity { name: "a".to_owned(), ..orders() }, id.to_owned(), None);
        let started = Entry::JobStarted { cluster: orders(), lineage, job, from, count: 0, newest: 0 };
        let found =
            broken(|told| told.wrote(Who::User, Verb::Create, "flinksessionjobs", "a", Some(object)).tell(started));
        assert_eq!(found, expected);
    }
}

#[test]
fn what_belongs_to_others_stays() {
    let changed = |change: fn(&mut Value)| {
        let mut object = with_status(deployment(1, "last-state"), settled("job-1", 1));
        change(&mut object);
        broken(|told| told.wrote(Who::Controller, Verb::Update, "flinkdeployments", "orders", Some(object)))
    };
    assert_eq!(changed(|object| object["metadata"]["finalizers"] = json!([HELD])), ["finalizers_of_others_stay"]);
    assert_eq!(changed(|object| object["spec"]["job"]["parallelism"] = json!(2)), ["users_fields_stay"]);
    assert_eq!(changed(|object| object["metadata"]["labels"] = json!({"a": "b"})), ["users_fields_stay"]);
    assert!(changed(|_| ()).is_empty());
    let deleted = |by: Who| {
        let gone = with_status(deployment(1, "last-state"), starting("job-1", 1));
        broken(|told| told.wrote(by, Verb::MarkDeleted, "flinkdeployments", "orders", Some(gone)))
    };
    assert_eq!(deleted(Who::Controller), ["users_fields_stay"]);
    assert!(deleted(Who::User).is_empty());
}

#[test]
fn secrets_are_not_told_and_names_are_short() {
    let event = |name: &str, message: &str| {
        let object = json!({"metadata": {"name": name}, "message": message});
        broken(|told| told.wrote(Who::Controller, Verb::Create, "events", name, Some(object)))
    };
    assert_eq!(event("orders.1", &format!("the key is {SECRET}")), ["no_secret_is_told"]);
    assert_eq!(event(&"o".repeat(254), "it runs"), ["names_fit"]);
    assert!(event("orders.1", "the key is ******").is_empty());
}
