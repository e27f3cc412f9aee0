//! What a pod template must not open, and what documented manifests have in one.

#![cfg(test)]

use serde_json::{Value, json};

use super::{deployment, problems, read_alone, with};

fn found(pod: Value) -> Vec<String> {
    problems(read_alone(&with(&deployment(), "podTemplate", &json!({"spec": pod}))))
}

#[test]
fn templates_that_open_the_machine_are_refused() {
    let volume = |path: &str| json!({"volumes": [{"name": "v", "hostPath": {"path": path}}]});
    for path in [
        "/",
        "//",
        "/.",
        "/tmp/..",
        "tmp",
        "",
        "/etc",
        "/etc/",
        "/etc/kubernetes",
        "//etc",
        "/proc",
        "/root",
        "/var/run",
        "/var/run/docker.sock",
        "/tmp/containerd.sock",
        "/var/lib/kubelet/pods",
        "/var",
    ] {
        let found = found(volume(path));
        assert_eq!(found.len(), 1, "for `{path}`: {found:?}");
        let expected =
            format!("spec.podTemplate.spec.volumes[0].hostPath.path: Invalid value: \"{path}\": must be an abs");
        assert!(found[0].starts_with(&expected), "for `{path}`: {found:?}");
    }
    for name in ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"] {
        let expected = format!("spec.podTemplate.spec.{name}: Invalid value: true: must be `false` or absent");
        assert_eq!(found(json!({name: true})), [expected]);
    }
    for list in ["containers", "initContainers"] {
        let expected = format!(
            "spec.podTemplate.spec.{list}[0].securityContext.privileged: Invalid value: true: must be `false` or absent"
        );
        assert_eq!(found(json!({list: [{"name": "a", "securityContext": {"privileged": true}}]})), [expected]);
    }
    let added = json!({"containers": [{"name": "a", "securityContext": {"capabilities": {"add": ["CAP_SYS_ADMIN"]}}}]});
    assert_eq!(found(added).len(), 1);
}

#[test]
fn a_template_names_no_other_account() {
    assert_eq!(found(json!({"serviceAccountName": "flink"})), Vec::<String>::new());
    assert_eq!(
        found(json!({"serviceAccountName": "admin"})),
        ["spec.podTemplate.spec.serviceAccountName: Invalid value: \"admin\": must be `flink`, the service account \
             of the deployment, or absent"]
    );
}

#[test]
fn templates_of_documented_manifests_are_accepted() {
    for pod in [
        json!({"volumes": [{"name": "flink-volume", "hostPath": {"path": "/tmp/flink", "type": "Directory"}}]}),
        json!({"volumes": [{"name": "v", "emptyDir": {}}, {"name": "p", "persistentVolumeClaim": {"claimName": "p"}}]}),
        json!({"initContainers": [{"name": "fetch", "image": "amazon/aws-cli", "command": ["aws", "s3", "cp"]}]}),
        json!({"containers": [{"name": "flink-main-container"}, {"name": "fluent-bit", "image": "fluent-bit:1"}]}),
        json!({"nodeSelector": {"a": "b"}, "tolerations": [{"operator": "Exists"}], "hostNetwork": false}),
        json!({"containers": [{"name": "a", "securityContext": {"privileged": false, "runAsUser": 9999}}]}),
    ] {
        assert_eq!(found(pod.clone()), Vec::<String>::new(), "for {pod}");
    }
}
