//! How templates are merged, and what is added to them.

use kobel_model::deployment::{Cluster, OtherResource, ReleaseLabel};
use serde_json::json;

use super::super::start::MAIN_CONTAINER;
use super::*;
use crate::kubernetes::tests::{Case, main_container, told};

#[test]
fn the_specific_template_lies_over_the_common_one() {
    let (index, by_name) = (ArrayMerge::ByIndex, ArrayMerge::ByName);
    for (what, merge, common, specific, expected) in [
        (
            "objects recurse",
            index,
            json!({"a": {"b": 1, "c": 2}}),
            json!({"a": {"c": 3}}),
            json!({"a": {"b": 1, "c": 3}}),
        ),
        ("a value wins", index, json!({"a": 1}), json!({"a": 2, "b": 3}), json!({"a": 2, "b": 3})),
        ("null says nothing", index, json!({"a": 1}), json!({"a": null}), json!({"a": 1})),
        ("no value stands for an object", index, json!({"a": {"b": 1}}), json!({"a": 2}), json!({"a": {"b": 1}})),
        (
            "arrays by place",
            index,
            json!([{"name": "x", "v": 1}, {"name": "y"}]),
            json!([{"name": "y", "w": 2}]),
            json!([{"name": "y", "v": 1, "w": 2}, {"name": "y"}]),
        ),
        ("scalars stay, and more come", index, json!(["a", "b"]), json!(["x", "y", "z"]), json!(["a", "b", "z"])),
        (
            "arrays by name",
            by_name,
            json!([{"name": "x", "v": 1}, {"name": "y", "v": 1}]),
            json!([{"name": "z"}, {"name": "y", "w": 2}]),
            json!([{"name": "x", "v": 1}, {"name": "y", "v": 1, "w": 2}, {"name": "z"}]),
        ),
        (
            "one without a name, so by place",
            by_name,
            json!([{"name": "x"}, {"key": 1}]),
            json!([{"name": "y"}]),
            json!([{"name": "y"}, {"key": 1}]),
        ),
        ("scalars have no name", by_name, json!(["a"]), json!(["b", "c"]), json!(["a", "c"])),
    ] {
        assert_eq!(merged(&common, &specific, merge), expected, "{what}");
    }
}

#[test]
fn a_key_of_the_operator_chooses_the_merge() {
    for (values, expected) in [
        (&[][..], ArrayMerge::ByIndex),
        (&[(MERGE_BY_NAME, " True")][..], ArrayMerge::ByName),
        (&[(MERGE_BY_NAME, "no")][..], ArrayMerge::ByIndex),
    ] {
        assert_eq!(array_merge(&told(values)), expected);
    }
}

#[test]
fn the_main_container_is_there_and_stays_where_it_is() {
    let names = |pod: &Value| {
        let containers = pod["spec"]["containers"].as_array().unwrap();
        containers.iter().map(|container| name(container).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let merge = ArrayMerge::ByIndex;
    let case = Case::application();
    assert_eq!(names(&pod(&case.start(), None, merge)), [MAIN_CONTAINER]);
    let containers = json!([{ "name": MAIN_CONTAINER, "env": [] }, { "name": "proxy" }]);
    let template = json!({ "kind": "Pod", "spec": { "containers": containers }, "status": {} });
    let case = Case::application().with(|cluster| cluster.pod_template = Some(template));
    let pod_of_both = pod(&case.start(), None, merge);
    assert_eq!(names(&pod_of_both), [MAIN_CONTAINER, "proxy"]);
    assert_eq!(pod_of_both.as_object().unwrap().keys().collect::<Vec<_>>(), ["spec"]);
    let specific = json!({ "spec": { "containers": [{ "name": "first" }, { "name": "second" }] } });
    assert_eq!(names(&pod(&case.start(), Some(&specific), merge)), ["first", "second", MAIN_CONTAINER]);
}

#[test]
fn the_pod_has_the_nodes_of_its_component_and_everything_else_it_is_given() {
    let storage = OtherResource {
        name: "ephemeral-storage".to_owned(),
        request: Some("1Gi".to_owned()),
        limit: Some("2Gi".to_owned()),
    };
    let gpus = OtherResource { name: "nvidia.com/gpu".to_owned(), request: None, limit: Some("1".to_owned()) };
    let template = json!({ "spec": { "nodeSelector": { "pool": "a", "zone": "z" } } });
    let case = Case::application().with(|cluster| {
        cluster.pod_template = Some(template);
        cluster.job_manager.node_selector = [("pool".to_owned(), "b".to_owned())].into();
        cluster.task_manager.amounts.others = vec![storage, gpus];
    });
    let manager = of(&case.start(), &told(&[]), Component::JobManager);
    assert_eq!(manager["spec"]["nodeSelector"], json!({ "pool": "b", "zone": "z" }));
    assert_eq!(main_container(&manager)["resources"], Value::Null);
    let tasks = of(&case.start(), &told(&[]), Component::TaskManager);
    assert_eq!(tasks["spec"]["nodeSelector"], json!({ "pool": "a", "zone": "z" }));
    let expected = json!({
        "requests": { "ephemeral-storage": "1Gi" },
        "limits": { "ephemeral-storage": "2Gi", "nvidia.com/gpu": "1" },
    });
    assert_eq!(main_container(&tasks)["resources"], expected);
}

#[test]
fn flink_gets_a_template_in_native_mode() {
    let configuration = told(&[]);
    let template = task_manager(&Case::application().start(), &configuration).unwrap();
    assert_eq!(template["spec"]["securityContext"]["runAsUser"], 9999);
    let node = |cluster: &mut Cluster| {
        cluster.task_manager.node_selector = [("pool".to_owned(), "b".to_owned())].into();
    };
    let case = Case::application().with(node);
    let template = task_manager(&case.start(), &configuration).unwrap();
    assert_eq!((&template["apiVersion"], &template["kind"]), (&json!("v1"), &json!("Pod")));
    assert_eq!(template["spec"]["nodeSelector"], json!({ "pool": "b" }));
    let case = case.with(|cluster| cluster.mode = Mode::Standalone);
    assert_eq!(task_manager(&case.start(), &configuration), None);
}

#[test]
fn what_the_restricted_standard_asks_for_is_added_only_where_nothing_is_said() {
    let mut pod = json!({ "spec": {
        "securityContext": { "runAsNonRoot": false },
        "initContainers": [{ "name": "a", "securityContext": { "capabilities": { "drop": ["NET_RAW"] } } }],
        "containers": [{ "name": "b", "securityContext": { "allowPrivilegeEscalation": true } }, { "name": "c" }],
    }});
    secure(&mut pod, None);
    let spec = &pod["spec"];
    assert_eq!(
        spec["securityContext"],
        json!({ "runAsNonRoot": false, "seccompProfile": { "type": "RuntimeDefault" } })
    );
    let contexts = [&spec["initContainers"][0], &spec["containers"][0], &spec["containers"][1]];
    let contexts = contexts.map(|container| container["securityContext"].clone());
    let all = json!({ "drop": ["ALL"] });
    assert_eq!(
        contexts,
        [
            json!({ "capabilities": { "drop": ["NET_RAW"] }, "allowPrivilegeEscalation": false }),
            json!({ "allowPrivilegeEscalation": true, "capabilities": all }),
            json!({ "allowPrivilegeEscalation": false, "capabilities": all }),
        ]
    );
}

#[test]
fn an_image_whose_user_only_it_knows_need_not_prove_that_it_is_not_root() {
    let released = |cluster: &mut Cluster| cluster.release_label = ReleaseLabel::parse("emr-7.12.0-flink-latest");
    for component in [Component::JobManager, Component::TaskManager] {
        let of_emr = of(&Case::application().with(released).start(), &told(&[]), component);
        assert_eq!(of_emr["spec"]["securityContext"], json!({ "seccompProfile": { "type": "RuntimeDefault" } }));
        let official = of(&Case::application().start(), &told(&[]), component);
        let context = &official["spec"]["securityContext"];
        assert_eq!((&context["runAsNonRoot"], &context["runAsUser"]), (&json!(true), &json!(9999)));
    }
}

#[test]
fn what_a_template_says_in_a_wrong_shape_is_replaced() {
    let mut pod = json!({ "spec": "no", "metadata": 3 });
    edit_main(&mut pod, |container| put(container, &["env"], json!({ "name": "A" })));
    *slot(&mut pod, &["metadata", "labels", "a"]) = json!("b");
    let containers = json!([{ "name": MAIN_CONTAINER, "env": [{ "name": "A" }] }]);
    assert_eq!(pod, json!({ "spec": { "containers": containers }, "metadata": { "labels": { "a": "b" } } }));
}

#[test]
fn a_volume_of_a_secret_stands_once_where_flink_adds_it_itself() {
    let mount = json!({ "name": "aws-volume", "mountPath": "/opt/other" });
    let main = json!({ "name": MAIN_CONTAINER, "volumeMounts": [mount] });
    let volumes =
        json!([{ "name": "aws-volume", "secret": { "secretName": "aws" } }, { "name": "data", "emptyDir": {} }]);
    let own = json!({ "spec": { "containers": [main], "volumes": volumes } });
    let case = Case::application().with(|cluster| cluster.task_manager.pod_template = Some(own));
    let volumes = |values: &[(&str, &str)]| {
        let template = task_manager(&case.start(), &told(values)).unwrap();
        let volumes = template["spec"]["volumes"].as_array().unwrap().clone();
        volumes.iter().filter_map(name).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(volumes(&[("kubernetes.secrets", "aws:/opt/aws")]), ["data"]);
    // What the template mounts in its place Flink does not add.
    assert_eq!(volumes(&[("kubernetes.secrets", "aws:/opt/other")]), ["aws-volume", "data"]);
    assert_eq!(volumes(&[]), ["aws-volume", "data"]);
}
