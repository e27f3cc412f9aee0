//! What Flink's part of a pod is, over what the template says.

use serde_json::json;

use super::*;
use crate::kubernetes::template;
use crate::kubernetes::tests::{Case, main_container, told};

/// The pod of a job manager, written over `template` with these values of the configuration.
fn written(case: Case, spec: Value, values: &[(&str, &str)]) -> Value {
    let case = case.with(|cluster| cluster.pod_template = Some(json!({ "spec": spec })));
    let start = case.start();
    let mut pod = template::of(&start, &told(values), Component::JobManager);
    let environment = vec![json!({ "name": "OURS", "value": "1" })];
    let main = Main {
        component: Component::JobManager,
        args: vec!["run".to_owned()],
        ports: vec![("rest", 8081), ("jobmanager-rpc", 6123)],
        environment,
    };
    write(&mut pod, &start, &told(values), &main);
    pod
}

fn with_main(container: Value) -> Value {
    let mut main = json!({ "name": MAIN_CONTAINER });
    for (key, value) in container.as_object().unwrap() {
        main[key] = value.clone();
    }
    json!({ "containers": [main] })
}

#[test]
fn an_image_that_is_named_beats_the_template_and_the_template_beats_the_default() {
    let unnamed = || Case::application().with(|cluster| cluster.image = None);
    let template = || with_main(json!({ "image": "template", "imagePullPolicy": "Never" }));
    for (case, spec, values, image, policy) in [
        (Case::application(), template(), &[][..], "flink:1.20", "Never"),
        (unnamed(), template(), &[][..], "template", "Never"),
        (
            Case::application(),
            template(),
            &[("kubernetes.container.image.ref", "mine"), ("kubernetes.container.image.pull-policy", "Always")][..],
            "mine",
            "Always",
        ),
        (unnamed(), json!({}), &[][..], "flink:1.20", ""),
    ] {
        let pod = written(case, spec, values);
        let main = main_container(&pod);
        assert_eq!(main["image"], image);
        assert_eq!(main["imagePullPolicy"].as_str().unwrap_or_default(), policy);
    }
}

#[test]
fn a_value_from_somewhere_survives_beside_values() {
    let secret = json!({ "name": "PASSWORD", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } });
    let ours = json!({ "name": "OURS", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } });
    let values = [
        ("containerized.master.env.A", "1"),
        ("containerized.taskmanager.env.B", "2"),
        ("kubernetes.env.secretKeyRef", "env:C,secret:s,key:c"),
        ("kubernetes.flink.log.dir", "/logs"),
    ];
    let pod = written(Case::application(), with_main(json!({ "env": [secret, ours] })), &values);
    let expected = json!([
        secret,
        { "name": "OURS", "value": "1" },
        { "name": "A", "value": "1" },
        { "name": "FLINK_LOG_DIR", "value": "/logs" },
        { "name": "C", "valueFrom": { "secretKeyRef": { "name": "s", "key": "c" } } },
    ]);
    assert_eq!(main_container(&pod)["env"], expected);
}

#[test]
fn resources_are_those_of_the_component_and_what_the_template_gives_besides_stays() {
    let resources = json!({ "requests": { "cpu": "9", "ephemeral-storage": "1Gi" }, "limits": { "gpu": "1" } });
    let spec = with_main(json!({ "resources": resources }));
    let pod = written(Case::application(), spec.clone(), &[]);
    assert_eq!(
        main_container(&pod)["resources"],
        json!({
            "requests": { "cpu": "1.0", "ephemeral-storage": "1Gi", "memory": "1600Mi" },
            "limits": { "gpu": "1", "cpu": "1.0", "memory": "1600Mi" },
        })
    );
    let values = [
        ("kubernetes.jobmanager.cpu.amount", "0.5"),
        ("kubernetes.jobmanager.cpu.limit-factor", "3"),
        ("kubernetes.jobmanager.memory.limit-factor", "1.5"),
        ("jobmanager.memory.process.size", "1 gb"),
    ];
    let of = |part: &Value| (part["cpu"].clone(), part["memory"].clone());
    let pod = written(Case::application(), spec.clone(), &values);
    let resources = &main_container(&pod)["resources"];
    assert_eq!(of(&resources["requests"]), (json!("0.5"), json!("1024Mi")));
    assert_eq!(of(&resources["limits"]), (json!("1.5"), json!("1536Mi")));
    let exact = Case::application().with(|cluster| {
        cluster.job_manager.amounts.cpu_limit_millis = Some(2500);
        cluster.job_manager.amounts.memory_limit = Some(2001 << 20);
    });
    let pod = written(exact, spec, &values);
    assert_eq!(of(&main_container(&pod)["resources"]["limits"]), (json!("2.5"), json!("2001Mi")));
}

#[test]
fn ports_of_ours_replace_those_of_the_same_name_or_number() {
    let own = json!([
        { "name": "web", "containerPort": 8081 },
        { "name": "rest", "containerPort": 1 },
        { "name": "metrics", "containerPort": 9249 },
        { "name": "udp", "containerPort": 6123, "protocol": "UDP" },
    ]);
    let spec = with_main(json!({ "ports": own }));
    let pod = written(Case::application(), spec.clone(), &[]);
    let ports = main_container(&pod)["ports"].as_array().unwrap().clone();
    let names: Vec<&str> = ports.iter().filter_map(name).collect();
    assert_eq!(names, ["metrics", "udp", "rest", "jobmanager-rpc"]);
    let pod = written(Case::application(), spec, &[("kubernetes.hostnetwork.enabled", "true")]);
    assert_eq!(main_container(&pod)["ports"], own);
    assert_eq!(pod["spec"]["hostNetwork"], true);
    assert_eq!(pod["spec"]["dnsPolicy"], "ClusterFirstWithHostNet");
}

#[test]
fn labels_that_select_cannot_be_changed() {
    let values = [
        ("kubernetes.jobmanager.labels", "app:other,team:a"),
        ("kubernetes.jobmanager.annotations", "note:new"),
        ("kubernetes.taskmanager.labels", "b:c"),
    ];
    let pod = written(Case::application(), json!({}), &values);
    let labels = json!({ "app": "flights", "component": "jobmanager", "team": "a", "type": "flink-native-kubernetes" });
    assert_eq!(pod["metadata"]["labels"], labels);
    assert_eq!(pod["metadata"]["annotations"], json!({ "note": "new", GENERATION: "7" }));
    let case = Case::application();
    let none = annotations(&case.start(), &told(&values), Component::TaskManager);
    assert!(none.is_empty());
}

#[test]
fn a_pod_is_told_on_which_nodes_and_as_whom_it_runs() {
    let values = [
        ("kubernetes.service-account", "all"),
        ("kubernetes.jobmanager.service-account", "managers"),
        ("kubernetes.container.image.pull-secrets", "a;b"),
        ("kubernetes.jobmanager.node-selector", "pool:fast"),
        ("kubernetes.jobmanager.tolerations", "key:spot,operator:Exists;key:t,tolerationSeconds:30,effect:NoExecute"),
    ];
    let spec = json!({
        "serviceAccountName": "template",
        "restartPolicy": "Never",
        "imagePullSecrets": [{ "name": "a" }],
        "nodeSelector": { "pool": "slow", "zone": "z" },
        "tolerations": [{ "key": "spot", "operator": "Exists" }],
    });
    let pod = written(Case::application(), spec, &values);
    let spec = &pod["spec"];
    assert_eq!((&spec["serviceAccountName"], &spec["serviceAccount"]), (&json!("managers"), &json!("managers")));
    assert_eq!(spec.get("restartPolicy"), None);
    assert_eq!(spec["imagePullSecrets"], json!([{ "name": "a" }, { "name": "b" }]));
    assert_eq!(spec["nodeSelector"], json!({ "pool": "fast", "zone": "z" }));
    let expected = json!([
        { "key": "spot", "operator": "Exists" },
        { "effect": "NoExecute", "key": "t", "tolerationSeconds": 30 },
    ]);
    assert_eq!(spec["tolerations"], expected);
}

#[test]
fn configuration_and_secrets_are_mounted() {
    let spec =
        json!({ "volumes": [{ "name": "flink-config-volume", "emptyDir": {} }, { "name": "data", "emptyDir": {} }] });
    let values = [("kubernetes.secrets", "aws:/opt/aws"), ("kubernetes.hadoop.conf.config-map.name", "hdfs")];
    let pod = written(Case::application(), spec, &values);
    assert_eq!(
        pod["spec"]["volumes"],
        json!([
            { "name": "flink-config-volume", "configMap": { "name": "flink-config-flights" } },
            { "name": "data", "emptyDir": {} },
            { "name": "aws-volume", "secret": { "secretName": "aws" } },
            { "name": "hadoop-config-volume", "configMap": { "name": "hdfs" } },
        ])
    );
    let main = main_container(&pod);
    assert_eq!(
        main["volumeMounts"],
        json!([
            { "name": "flink-config-volume", "mountPath": "/opt/flink/conf" },
            { "name": "aws-volume", "mountPath": "/opt/aws" },
            { "name": "hadoop-config-volume", "mountPath": "/opt/hadoop/conf" },
        ])
    );
    assert_eq!(main["env"][1], json!({ "name": "HADOOP_CONF_DIR", "value": "/opt/hadoop/conf" }));
}

#[test]
fn a_secret_gives_way_to_what_the_template_mounts_in_its_place() {
    for (path, expected) in [
        ("/opt/aws", &["/opt/flink/conf", "/opt/aws"][..]),
        ("/opt/aws/", &["/opt/flink/conf", "/opt/aws/"][..]),
        ("/opt/aws/keys", &["/opt/flink/conf", "/opt/aws/keys", "/opt/aws"][..]),
    ] {
        let spec = with_main(json!({ "volumeMounts": [{ "name": "own", "mountPath": path }] }));
        let pod = written(Case::application(), spec, &[("kubernetes.secrets", "aws:/opt/aws")]);
        let mounts = main_container(&pod)["volumeMounts"].as_array().unwrap();
        let mut paths: Vec<&str> = mounts.iter().filter_map(|mount| mount["mountPath"].as_str()).collect();
        let mut expected = expected.to_vec();
        paths.sort_unstable();
        expected.sort_unstable();
        assert_eq!(paths, expected, "for `{path}`");
        let own = mounts.iter().find(|mount| mount["mountPath"] == path).unwrap();
        assert_eq!(own["name"], "own");
    }
}

#[test]
fn a_volume_that_is_offered_gives_way_to_the_template() {
    let offered = || json!({ "name": "artifacts", "emptyDir": {} });
    let with_mount = |path: &str| {
        let mut spec = with_main(json!({ "volumeMounts": [{ "name": "own", "mountPath": path }] }));
        spec["volumes"] = json!([{ "name": "artifacts", "emptyDir": { "sizeLimit": "1Gi" } }]);
        json!({ "spec": spec })
    };
    for (path, mounts) in [("/opt/a/b", 1), ("/opt/a", 1), ("/opt/ab", 2), ("/opt", 2)] {
        let mut pod = with_mount(path);
        offer(&mut pod, offered(), "/opt/a");
        assert_eq!(main_container(&pod)["volumeMounts"].as_array().unwrap().len(), mounts, "for `{path}`");
        assert_eq!(pod["spec"]["volumes"], json!([{ "name": "artifacts", "emptyDir": { "sizeLimit": "1Gi" } }]));
    }
    let mut pod = json!({});
    offer(&mut pod, offered(), "/opt/a");
    assert_eq!(pod["spec"]["volumes"], json!([offered()]));
}

#[test]
fn a_port_is_one_number() {
    for (text, expected) in [("9999", 9999), ("0", 6124), ("50100-50200", 6124), ("x", 6124), ("70000", 6124)] {
        assert_eq!(port(&told(&[("blob.server.port", text)]), "blob.server.port", 6124), expected, "for `{text}`");
    }
}
