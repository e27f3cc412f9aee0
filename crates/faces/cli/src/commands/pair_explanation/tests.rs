//! Each state of a pair, and of a deployment as one of a pair, with the sentences about it.

use kobel_kubernetes::kinds::Served;

use super::*;

const NOW: &str = "2026-01-02T00:00:00Z";
/// Four minutes after [`NOW`].
const LATER: &str = "2026-01-02T00:04:00Z";
const EARLIER: &str = "2026-01-01T23:00:00Z";

fn target(kind: &str, short_name: &str, object: Value) -> Target {
    let served = Served {
        group: "flink.apache.org".to_owned(),
        version: "v1beta1".to_owned(),
        plural: format!("{}s", kind.to_lowercase()),
        singular: kind.to_lowercase(),
        kind: kind.to_owned(),
        short_names: vec![short_name.to_owned()],
        is_namespaced: true,
        verbs: Vec::new(),
    };
    Target { served, object }
}

fn pair(status: Value) -> Value {
    json!({"metadata": {"name": "orders", "namespace": "team"}, "status": status})
}

fn deployment(name: &str, state: &str, lifecycle: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "team"}, "spec": {"job": {"state": state}},
           "status": {"lifecycleState": lifecycle, "jobStatus": {"state": "RUNNING"}}})
}

/// What is told of a pair with these deployments.
fn told(status: Value, names: &[&str]) -> Vec<String> {
    let target_of = |name: &&str| target("FlinkDeployment", "flinkdep", deployment(name, "running", "STABLE"));
    let deployments: Vec<Target> = names.iter().map(target_of).collect();
    let words: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let target = target("FlinkBlueGreenDeployment", "flinkbgdep", pair(status));
    let now = NOW.parse().unwrap();
    Pair { target: &target, deployments: &deployments, words: &words, events: &[], now }.sentences()
}

#[test]
fn each_state_of_a_pair_is_explained() {
    let both: &[&str] = &["orders-blue", "orders-green"];
    let of_both = "`kobel explain orders-blue` and `kobel explain orders-green` tell more of its deployments.";
    let of_blue = "`kobel explain orders-blue` tells more of its deployment.";
    for (status, names, expected) in [
        (
            json!({}),
            &[] as &[&str],
            vec![
                "Nothing is reported: no control loop has looked at it yet.",
                "See that `kobel up` runs, without `--api-only`, or the operator of the cluster.",
            ],
        ),
        (json!({"blueGreenState": "INITIALIZING_BLUE"}), &[], vec!["It is accepted, and nothing was started yet."]),
        (
            json!({"blueGreenState": "INITIALIZING_BLUE", "jobStatus": {"state": "SUSPENDED"}}),
            &[],
            vec!["It is suspended, as asked: nothing was started."],
        ),
        (
            json!({"blueGreenState": "TRANSITIONING_TO_BLUE", "abortTimestamp": LATER}),
            &["orders-blue"],
            vec!["`orders-blue` is being started.", of_blue],
        ),
        (
            json!({"blueGreenState": "ACTIVE_BLUE", "abortTimestamp": "1970-01-01T00:00:00Z"}),
            &["orders-blue"],
            vec!["`orders-blue` serves. Nothing is awaited.", of_blue],
        ),
        (
            json!({"blueGreenState": "ACTIVE_BLUE", "jobStatus": {"state": "SUSPENDED"}}),
            &["orders-blue"],
            vec!["`orders-blue` is suspended, as asked.", of_blue],
        ),
        (
            json!({"blueGreenState": "ACTIVE_BLUE", "jobStatus": {"state": "FAILING"},
                   "error": "the FlinkDeployment `orders-blue`, which served, was deleted"}),
            &[],
            vec![
                "`orders-blue` served and is not there any more: nothing serves.",
                "The last error: the FlinkDeployment `orders-blue`, which served, was deleted.",
            ],
        ),
        (
            json!({"blueGreenState": "ACTIVE_BLUE", "jobStatus": {"state": "SUSPENDED"}}),
            &[],
            vec!["Nothing runs, as asked; `orders-blue`, which served, is gone."],
        ),
        (
            json!({"blueGreenState": "SAVEPOINTING_BLUE", "abortTimestamp": LATER}),
            &["orders-blue"],
            vec![
                "A change is being carried out: `orders-blue` serves, and its savepoint is awaited, for at most 4m \
                 more.",
                of_blue,
            ],
        ),
        (
            json!({"blueGreenState": "TRANSITIONING_TO_GREEN", "abortTimestamp": EARLIER}),
            both,
            vec![
                "A change is being carried out: `orders-blue` serves until `orders-green` runs, which is awaited.",
                of_both,
            ],
        ),
    ] {
        assert_eq!(told(status.clone(), names), expected, "{status}");
    }
}

#[test]
fn a_change_that_was_given_up_is_told_with_why_and_what_to_do() {
    let status = json!({"blueGreenState": "ACTIVE_BLUE", "abortTimestamp": EARLIER, "jobStatus": {"state": "FAILING"},
                        "error": "the savepoint failed:\n  disk full; `orders-blue` goes on serving"});
    let told = told(status, &["orders-blue", "orders-green"]);
    assert_eq!(told[0], "`orders-blue` serves, and the last change was given up.");
    assert_eq!(told[1], "The last error: the savepoint failed:\n  disk full; `orders-blue` goes on serving.");
    assert!(told[2].contains("`kobel apply -f FILE`"), "{told:?}");
}

#[test]
fn a_pair_is_told_to_people_and_to_programs() {
    let status = json!({"blueGreenState": "ACTIVE_BLUE", "jobStatus": {"state": "RUNNING"}});
    let target_of_pair = target("FlinkBlueGreenDeployment", "flinkbgdep", pair(status));
    let deployments = [target("FlinkDeployment", "flinkdep", deployment("orders-blue", "running", "STABLE"))];
    let words = ["orders-blue -n team".to_owned()];
    let now = NOW.parse().unwrap();
    let both = Pair { target: &target_of_pair, deployments: &deployments, words: &words, events: &[], now };
    let expected = "\
flinkbluegreendeployment.flink.apache.org/orders in team

  state         ACTIVE_BLUE
  job           RUNNING
  orders-blue   STABLE, job: RUNNING

`orders-blue` serves. Nothing is awaited.
`kobel explain orders-blue -n team` tells more of its deployment.
";
    assert_eq!(both.text(), expected);
    let value = both.value();
    assert_eq!(value["blueGreenState"], "ACTIVE_BLUE");
    assert_eq!(value["deployments"][0]["lifecycleState"], "STABLE");
}

#[test]
fn a_deployment_that_was_given_up_is_not_told_to_be_suspended_as_asked() {
    let pair = pair(json!({"blueGreenState": "ACTIVE_GREEN", "abortTimestamp": EARLIER,
                           "error": "`orders-blue` did not come to run within 3 s: it is UPGRADING"}));
    let membership = Membership { pair: &pair, words: "flinkbgdep/orders".to_owned() };
    let blue = deployment("orders-blue", "suspended", "SUSPENDED");
    let told = membership.sentences(&blue, "orders-blue", NOW.parse().unwrap());
    assert_eq!(
        told[..2],
        [
            "It was given up and stopped by the FlinkBlueGreenDeployment `orders`; `orders-green` goes on serving.",
            "Why: `orders-blue` did not come to run within 3 s: it is UPGRADING.",
        ]
    );
    assert!(told[2].contains("`kobel resume orders-blue` would be undone"), "{told:?}");
    assert!(told[2].contains("`kobel logs orders-blue`"), "{told:?}");
}

#[test]
fn a_deployment_that_serves_is_told_to_be_one_of_a_pair() {
    let pair = pair(json!({"blueGreenState": "ACTIVE_GREEN"}));
    let membership = Membership { pair: &pair, words: "flinkbgdep/orders".to_owned() };
    for (state, lifecycle, expected) in [
        ("running", "STABLE", "`kobel explain flinkbgdep/orders` tells of both."),
        (
            "suspended",
            "SUSPENDED",
            "set `spec.template.spec.job.state: running` in its manifest and `kobel apply -f FILE` to start it.",
        ),
    ] {
        let green = deployment("orders-green", state, lifecycle);
        let told = membership.sentences(&green, "orders-green", NOW.parse().unwrap());
        assert!(told.last().is_some_and(|last| last.ends_with(expected)), "{told:?}");
        assert!(!told.join(" ").contains("kobel resume"), "{told:?}");
    }
}
