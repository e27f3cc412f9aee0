//! Bindings are refused in the words of Kubernetes, and Flink manifests go through the door.

use serde_json::{Value, json};

use super::{bindings, flink};

fn told(problems: &[kobel_resources::Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

fn binding(role: Value, subjects: Value) -> Value {
    json!({"kind": "RoleBinding", "metadata": {"name": "b", "namespace": "ns"}, "roleRef": role, "subjects": subjects})
}

#[test]
fn a_binding_is_refused_in_the_words_of_kubernetes() {
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "x"});
    let subjects = json!([
        {"kind": "Foo", "name": "a"}, {"kind": "ServiceAccount", "name": "a"}, {"kind": "User", "name": ""},
        {"kind": "User", "name": "x", "apiGroup": "y"},
    ]);
    let review = bindings::role_binding(&binding(role.clone(), subjects), None, &|_, _| None);
    assert_eq!(
        told(&review.problems),
        [
            "subjects[0].kind: Unsupported value: \"Foo\": supported values: \"ServiceAccount\", \"User\", \"Group\"",
            "subjects[2].name: Required value",
            "subjects[3].apiGroup: Unsupported value: \"y\": supported values: \"rbac.authorization.k8s.io\"",
        ]
    );
    let account = json!([{"kind": "ServiceAccount", "name": "a"}]);
    let review = bindings::cluster_role_binding(&binding(role, account), None, &|_, _| None);
    assert_eq!(told(&review.problems), ["subjects[0].namespace: Required value"]);
}

#[test]
fn the_role_of_a_binding_cannot_be_changed() {
    let role = |name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name});
    let (old, new) = (binding(role("admin"), json!([])), binding(role("edit"), json!([])));
    let shown = r#"{"APIGroup":"rbac.authorization.k8s.io","Kind":"ClusterRole","Name":"edit"}"#;
    let review = bindings::role_binding(&new, Some(&old), &|_, _| None);
    assert_eq!(told(&review.problems), [format!("roleRef: Invalid value: {shown}: cannot change roleRef")]);
    let review = bindings::role_binding(&old, Some(&old), &|_, _| None);
    assert_eq!(told(&review.problems), Vec::<String>::new());
}

#[test]
fn a_flink_manifest_goes_through_the_door() {
    let empty = json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
        "metadata": {"name": "app", "namespace": "ns"}, "spec": {},
    });
    assert!(!flink(&empty, None, &|_, _| None).problems.is_empty());
}
