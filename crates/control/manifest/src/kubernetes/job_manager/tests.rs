//! How the image of a job manager is started, and what its Deployment is.

use kobel_model::deployment::HighAvailability;
use serde_json::json;

use super::*;
use crate::kubernetes::GENERATION;
use crate::kubernetes::tests::{Case, UID, main_container, told};

fn args(case: &Case, values: &[(&str, &str)]) -> Vec<String> {
    let object = object(&case.start(), &told(values));
    let args = main_container(&object)["args"].as_array().unwrap().clone();
    args.iter().map(|arg| arg.as_str().unwrap().to_owned()).collect()
}

fn standalone(case: Case) -> Case {
    case.with(|cluster| cluster.mode = Mode::Standalone)
}

#[test]
fn flink_is_started_as_its_own_client_starts_it() {
    for (case, values, command) in [
        (Case::application(), &[][..], "kubernetes-jobmanager.sh kubernetes-application"),
        (
            Case::session(),
            &[("kubernetes.jobmanager.entrypoint.args", "-D a=b")][..],
            "kubernetes-jobmanager.sh kubernetes-session -D a=b",
        ),
    ] {
        assert_eq!(args(&case, values), ["bash", "-c", command]);
    }
    let object = object(&Case::application().start(), &told(&[]));
    assert_eq!(main_container(&object)["command"], json!(["/docker-entrypoint.sh"]));
}

#[test]
fn in_standalone_mode_the_image_is_told_what_runs() {
    let address = ["-D", "jobmanager.rpc.address=$(_POD_IP_ADDRESS)"];
    assert_eq!(args(&standalone(Case::session()), &[]), ["jobmanager"]);
    let on = |case: Case| case.with(|cluster| cluster.high_availability = HighAvailability::On { storage_dir: None });
    assert_eq!(args(&on(standalone(Case::session())), &[]), ["jobmanager", address[0], address[1]]);
    let job = ["standalone-job", "--job-classname", "com.example.Flights"];
    let program = ["--", "--gate", "B 12"];
    assert_eq!(args(&standalone(Case::application()), &[]), [&job[..], &program[..]].concat());
    let values = [
        ("execution.state-recovery.path", "s3://b/savepoint-1"),
        ("execution.state-recovery.ignore-unclaimed-state", "true"),
        ("execution.state-recovery.claim-mode", "CLAIM"),
    ];
    let restore = ["--allowNonRestoredState", "--fromSavepoint", "s3://b/savepoint-1", "--claimMode", "CLAIM"];
    let expected = [&job[..], &restore[..], &address[..], &program[..]].concat();
    assert_eq!(args(&on(standalone(Case::application())), &values), expected);
    let values = [("$internal.application.main", "Runner"), ("$internal.application.program-args", "'a;b';c")];
    let expected = ["standalone-job", "--job-classname", "Runner", "--", "a;b", "c"];
    assert_eq!(args(&standalone(Case::application()), &values), expected);
}

#[test]
fn the_deployment_is_owned_by_the_resource_and_tells_its_generation() {
    let case = Case::application().highly_available();
    let object = object(&case.start(), &told(&[]));
    let labels = json!({ "app": "flights", "component": "jobmanager", "type": "flink-native-kubernetes" });
    assert_eq!(object["metadata"]["name"], "flights");
    assert_eq!(object["metadata"]["namespace"], "team");
    assert_eq!(object["metadata"]["labels"], labels);
    assert_eq!(object["metadata"]["annotations"], json!({ GENERATION: "7" }));
    assert_eq!(object["metadata"]["ownerReferences"][0]["uid"], UID);
    assert_eq!(object["spec"]["replicas"], 2);
    assert_eq!(object["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(object["spec"]["template"]["metadata"]["labels"], labels);
    assert_eq!(object["spec"]["template"]["metadata"]["annotations"], json!({ GENERATION: "7" }));
    let address = json!({ "fieldRef": { "apiVersion": "v1", "fieldPath": "status.podIP" } });
    assert_eq!(main_container(&object)["env"], json!([{ "name": "_POD_IP_ADDRESS", "valueFrom": address }]));
}

#[test]
fn a_job_manager_has_started_when_its_rest_api_answers() {
    let probe = |case: &Case, values: &[(&str, &str)]| {
        main_container(&object(&case.start(), &told(values)))["startupProbe"].clone()
    };
    let case = Case::application();
    let http = |get: Value| json!({ "periodSeconds": 1, "failureThreshold": 2_147_483_647, "httpGet": get });
    assert_eq!(probe(&case, &[]), http(json!({ "path": "/config", "port": "rest" })));
    let values =
        [("kubernetes.hostnetwork.enabled", "true"), ("rest.port", "9081"), ("security.ssl.rest.enabled", "true")];
    assert_eq!(probe(&case, &values), http(json!({ "path": "/config", "port": 9081, "scheme": "HTTPS" })));
    let https = http(json!({ "path": "/config", "port": "rest", "scheme": "HTTPS" }));
    let plain = http(json!({ "path": "/config", "port": "rest" }));
    let older = ("security.ssl.enabled", "true");
    assert_eq!(probe(&case, &[older]), https);
    assert_eq!(probe(&case, &[older, ("security.ssl.rest.enabled", "false")]), plain, "the newer key decides");
    let newer = Case::application().with(|cluster| cluster.flink_version = FlinkVersion::V2_0);
    assert_eq!(probe(&newer, &[older]), plain, "no line since 2.0 knows the older key");
    let authenticated = ("security.ssl.rest.authentication-enabled", "true");
    assert_eq!(probe(&case, &[authenticated, older])["tcpSocket"], json!({ "port": "rest" }));
    assert_eq!(probe(&case, &[authenticated]), plain, "what is not encrypted asks for no certificate");
    assert_eq!(probe(&case, &[(STARTUP_PROBE, "false")]), Value::Null);
    let containers = json!([{ "name": "flink-main-container", "startupProbe": { "exec": {} } }]);
    let own = json!({ "spec": { "containers": containers } });
    let case = Case::application().with(|cluster| cluster.job_manager.pod_template = Some(own));
    assert_eq!(probe(&case, &[]), json!({ "exec": {} }));
}

#[test]
fn what_is_mounted_depends_on_the_mode() {
    let volumes = |case: &Case, values: &[(&str, &str)]| {
        let object = object(&case.start(), &told(values));
        let volumes = object["spec"]["template"]["spec"]["volumes"].as_array().unwrap().clone();
        volumes.iter().filter_map(template::name).map(str::to_owned).collect::<Vec<_>>()
    };
    let case = Case::application();
    assert_eq!(volumes(&case, &[]), ["flink-config-volume", "user-artifacts-volume", "pod-template-volume"]);
    let case = standalone(case);
    assert_eq!(volumes(&case, &[("pipeline.classpaths", "file:///a.jar")]), ["flink-config-volume"]);
    let init = json!([{ "name": "fetch", "volumeMounts": [{ "name": "user-lib-dir", "mountPath": "/jars" }] }]);
    let template = json!({ "spec": { "initContainers": init } });
    let case = case.with(|cluster| cluster.job_manager.pod_template = Some(template));
    assert_eq!(volumes(&case, &[]), ["flink-config-volume", "user-lib-dir"]);
}
