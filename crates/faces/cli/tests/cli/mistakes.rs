//! What a newcomer types wrongly: values of the wrong type, names, programs that are not there yet.

use std::fs;

use crate::kobel::{kobel, start_kobel};

/// A suspended deployment after an empty document, with this value for the parallelism.
fn manifest(parallelism: &str) -> String {
    format!(
        "# The orders.
---
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata:
  name: orders
spec:
  flinkVersion: v2_3
  job:
    jarURI: local:///no/such/directory/orders.sql
    parallelism: {parallelism}
    upgradeMode: savepoint
    state: suspended
"
    )
}

#[test]
fn a_mistake_is_told_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let mut up = start_kobel(directory, &["up", "--api-only", "--data-dir", "data", "--listen", "127.0.0.1:0"]);
    let ready = up.error_line();
    fs::write(directory.join("wrong.yaml"), manifest("two")).unwrap();
    fs::write(directory.join("orders.yaml"), manifest("2")).unwrap();
    let ask = |arguments: &[&str]| kobel(directory, &[arguments, &["--kubeconfig", "data/kubeconfig"]].concat());
    let told: Vec<_> = [
        (
            &["apply", "-f", "wrong.yaml"][..],
            &[
                "error: wrong.yaml:11: ",
                "line 11: spec.job.parallelism: `\"two\"` is a text, and a whole number is expected",
                "write it like `parallelism: 2`",
            ][..],
        ),
        (
            &["apply", "-f", "orders.yaml"],
            &[
                "warning: there is no file `/no/such/directory/orders.sql` on this machine",
                "before `kobel resume orders`",
            ],
        ),
        (&["explain", "ordes"], &["hint: did you mean `orders`?"]),
        (&["suspend", "ordes"], &["hint: did you mean `orders`?"]),
        (&["describe", "flinkdep", "ordes"], &["not found", "hint: did you mean `orders`?"]),
        (&["explain", "orders", "-n", "other"], &["hint: there is one in the namespace `default`: add `-n default`"]),
        (&["get", "flinkdep", "ordes", "-w"], &["not found", "hint: did you mean `orders`?"]),
        (&["get", "orders"], &["hint: it is the name of an object: `kobel get flinkdep/orders`"]),
        (&["describe", "nonsense"], &["the API serves no kind `nonsense`", "hint: it serves flink"]),
        (&["get", "flinkdep", "-n", "nowhere"], &["warning: there is no namespace `nowhere`; create it with `printf"]),
    ]
    .into_iter()
    .map(|(arguments, parts)| (arguments, parts, ask(arguments)))
    .collect();
    up.interrupt();
    up.end();
    let away = ask(&["get", "flinkdep"]);
    assert!(away.stderr.contains("hint: start it with `kobel up --data-dir /"), "{}", away.stderr);
    assert!(ready.contains("ready in "), "{ready}");
    for (arguments, parts, ended) in told {
        for part in parts {
            assert!(ended.stderr.contains(part), "`{part}` is missing for {arguments:?} in\n{}", ended.stderr);
        }
    }
}
