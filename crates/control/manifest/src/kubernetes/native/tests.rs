//! What a pod of a native application is, what its process is told, and which applications would lose their state.

use expect_test::{expect, expect_file};
use kobel_model::deployment::{Artifact, ArtifactKind, Scheme};

use super::*;
use crate::kubernetes::tests::{Case, main_container};
use crate::kubernetes::{owned_by_manager, owned_by_resource};

/// A script of the image on the native engine.
fn application() -> Case {
    let case = Case::application().configured(&[("kobel.engine", "native")]);
    case.with(|cluster| {
        cluster.image = None;
        let job = cluster.job.as_mut().unwrap();
        let uri = "local:///opt/scripts/flights.sql".to_owned();
        job.artifact = Some(Artifact { kind: ArtifactKind::Sql, scheme: Scheme::Local, uri });
    })
}

/// The same with a template that mounts a volume of this kind at `/state`.
fn with_volume(kind: &str, source: Value) -> Case {
    let mounts = json!([{ "name": "state", "mountPath": "/state" }]);
    let spec = json!({
        "containers": [{ "name": MAIN_CONTAINER, "volumeMounts": mounts }],
        "volumes": [{ "name": "state", kind: source }],
    });
    application().with(|cluster| cluster.pod_template = Some(json!({ "spec": spec })))
}

fn stateful(case: Case) -> Case {
    case.with(|cluster| cluster.job.as_mut().unwrap().upgrade_mode = UpgradeMode::Savepoint)
}

const ON_VOLUME: [(&str, &str); 2] =
    [("execution.checkpointing.dir", "file:///state/checkpoints"), ("state.savepoints.dir", "/state/savepoints")];

fn objects(case: &Case) -> Vec<Value> {
    let start = case.start();
    let configuration = configuration::effective(&start);
    let mut objects = owned_by_resource(&start, &configuration);
    objects.extend(owned_by_manager(&start, &configuration, "m-1"));
    objects
}

fn deployed(case: &Case) -> Value {
    objects(case).into_iter().find(|object| object["kind"] == "Deployment").unwrap()
}

fn told_to(case: &Case) -> Value {
    let map = objects(case).into_iter().find(|object| object["kind"] == "ConfigMap").unwrap();
    serde_json::from_str(map["data"][FILE].as_str().unwrap()).unwrap()
}

fn lacking(case: &Case) -> Option<&'static str> {
    lacks(&case.deployment, &case.defaults)
}

#[test]
fn an_application_is_one_pod_a_service_and_a_configuration() {
    let all = objects(&application());
    let titles: Vec<String> = all
        .iter()
        .map(|object| format!("{} {}", object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap()))
        .collect();
    assert_eq!(titles, ["Deployment flights", "Service flights-rest", "ConfigMap flink-config-flights"]);
    for object in &all {
        assert_eq!(object["metadata"]["labels"]["app"], "flights");
        assert_eq!(object["metadata"]["labels"]["type"], "flink-native-kubernetes");
    }
    let deployment = deployed(&application());
    assert_eq!(
        (&deployment["spec"]["replicas"], &deployment["spec"]["strategy"]["type"]),
        (&json!(1), &json!("Recreate"))
    );
    assert_eq!(deployment["spec"]["selector"]["matchLabels"]["component"], "jobmanager");
    assert_eq!(all[1]["spec"]["selector"], deployment["spec"]["selector"]["matchLabels"]);
}

#[test]
fn the_pod_of_an_application() {
    let pod = &deployed(&application())["spec"]["template"];
    expect_file!["tests/pod.json"].assert_eq(&format!("{pod:#}\n"));
}

#[test]
fn the_process_is_told_where_it_is_and_to_go_on_from_its_newest_checkpoint() {
    let defaults = [("execution.checkpointing.interval", "30 s"), ("pipeline.name", "of all")];
    let mut case = application().configured(&[("pipeline.name", "own"), ("kubernetes.jobmanager.labels", "a:b")]);
    case.defaults = defaults.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    expect![[r#"
        {
          "$internal.pipeline.job-id": "0a0b0c0d0e0f00000000000000000001",
          "env.log.dir": "/var/lib/kobel/log",
          "execution.checkpointing.dir": "file:///var/lib/kobel/checkpoints",
          "execution.checkpointing.interval": "30 s",
          "execution.checkpointing.savepoint-dir": "file:///var/lib/kobel/savepoints",
          "execution.shutdown-on-application-finish": "false",
          "execution.state-recovery.ignore-unclaimed-state": "false",
          "kobel.data-dir": "/var/lib/kobel",
          "kobel.engine": "native",
          "kobel.recovery": "newest",
          "kobel.rest.unprotected": "true",
          "parallelism.default": "3",
          "pipeline.name": "own",
          "rest.address": "flights-rest.team",
          "rest.bind-address": "0.0.0.0",
          "rest.bind-port": "8081",
          "rest.port": "8081",
          "restart-strategy.type": "exponential-delay",
          "taskmanager.numberOfTaskSlots": "2"
        }
    "#]]
    .assert_eq(&format!("{:#}\n", told_to(&case)));
    let main = main_container(&deployed(&case)).clone();
    let mounts = main["volumeMounts"].as_array().unwrap();
    let is_mounted = |mount: &Value| mount["name"] == "flink-config-volume" && mount["mountPath"] == "/opt/flink/conf";
    assert!(mounts.iter().any(is_mounted) && main["args"][4] == "/opt/flink/conf/config.json", "{main:#}");
}

#[test]
fn a_path_reaches_the_process_as_it_was_written() {
    let case = application().with(|cluster| {
        cluster.job.as_mut().unwrap().artifact.as_mut().unwrap().uri = "local:///opt/$(HOME)/a$.sql".to_owned();
    });
    assert_eq!(main_container(&deployed(&case))["args"][2], "/opt/$$(HOME)/a$$.sql");
}

#[test]
fn the_process_is_given_what_all_components_are_given_and_may_use_their_limits() {
    let case = application().with(|cluster| {
        cluster.task_manager.amounts.memory_limit = Some(2_000 << 20);
        cluster.job_manager.amounts.cpu_limit_millis = Some(1_500);
    });
    let expected = json!({
        // Three slots at two a task manager need two of them.
        "requests": { "cpu": "3000m", "memory": "5056Mi" },
        "limits": { "cpu": "3500m", "memory": "5600Mi" },
    });
    assert_eq!(main_container(&deployed(&case))["resources"], expected);
}

#[test]
fn the_image_is_that_of_the_resource_or_of_its_template_or_of_the_operator() {
    let of = |case: &Case| main_container(&deployed(case))["image"].clone();
    let templated = |case: Case| {
        let main = json!([{ "name": MAIN_CONTAINER, "image": "template:1" }]);
        case.with(|cluster| cluster.pod_template = Some(json!({ "spec": { "containers": main } })))
    };
    let mut of_flink = application();
    of_flink.defaults = [("kubernetes.container.image.ref".to_owned(), "flink:2.2".to_owned())].into();
    assert_eq!((of(&application()), of(&of_flink)), (json!("kobel:0.1.0"), json!("kobel:0.1.0")));
    assert_eq!(of(&templated(application())), "template:1");
    assert_eq!(of(&templated(application()).with(|cluster| cluster.image = Some("own:1".to_owned()))), "own:1");
}

#[test]
fn what_a_template_mounts_is_not_hidden() {
    let claim = || with_volume("persistentVolumeClaim", json!({ "claimName": "flights" }));
    let at = |path: &'static str| {
        claim().with(|cluster| {
            let template = cluster.pod_template.as_mut().unwrap();
            template["spec"]["containers"][0]["volumeMounts"][0]["mountPath"] = json!(path);
        })
    };
    for (path, volume) in [("/state", "kobel-data"), (DATA, "state"), ("/var/lib/kobel/checkpoints", "kobel-data")] {
        let deployment = deployed(&at(path));
        let mounts = main_container(&deployment)["volumeMounts"].as_array().unwrap();
        let found = |at: &str| mounts.iter().find(|mount| mount["mountPath"] == at).map(|mount| mount["name"].clone());
        assert_eq!((found(path), found(DATA)), (Some(json!("state")), Some(json!(volume))), "for `{path}`");
    }
}

#[test]
fn an_application_that_keeps_its_state_needs_a_volume_that_outlives_its_pod() {
    let claim = || with_volume("persistentVolumeClaim", json!({ "claimName": "flights" }));
    let elsewhere =
        [("execution.checkpointing.dir", "/elsewhere"), ("execution.checkpointing.savepoint-dir", "/state/s")];
    let above = [("execution.checkpointing.dir", "/state/../c"), ("execution.checkpointing.savepoint-dir", "/state/s")];
    for (what, case, expected) in [
        ("stateless", application(), None),
        ("no volume", stateful(application()), Some(FLEETING)),
        ("a volume that nobody writes to", stateful(claim()), Some(FLEETING)),
        ("a claim", stateful(claim()).configured(&ON_VOLUME), None),
        ("one directory elsewhere", stateful(claim()).configured(&elsewhere), Some(FLEETING)),
        ("a way out", stateful(claim()).configured(&above), Some(FLEETING)),
        ("gone with the pod", stateful(with_volume("emptyDir", json!({}))).configured(&ON_VOLUME), Some(FLEETING)),
        (
            "not to be written",
            stateful(with_volume("persistentVolumeClaim", json!({ "claimName": "a", "readOnly": true })))
                .configured(&ON_VOLUME),
            Some(FLEETING),
        ),
        (
            "a folder of the node",
            stateful(with_volume("hostPath", json!({ "path": "/a" }))).configured(&ON_VOLUME),
            None,
        ),
    ] {
        assert_eq!(lacking(&case), expected, "{what}");
    }
    let mut by_default = stateful(claim());
    by_default.defaults = ON_VOLUME.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    assert_eq!(lacking(&by_default), None, "the operator may say where they go");
}

#[test]
fn what_the_engine_cannot_do_in_a_pod_is_refused_by_name() {
    for (key, value, expected) in [
        ("execution.checkpointing.dir", "s3://bucket/c", Some(REMOTE)),
        ("state.savepoints.dir", "s3a://bucket/s", Some(REMOTE)),
        ("kobel.rest.token-file", "/etc/token", Some(PROTECTED)),
        ("kobel.rest.tls.certificate", "/etc/tls", Some(PROTECTED)),
        ("execution.checkpointing.dir", "file:///c", None),
    ] {
        assert_eq!(lacking(&application().configured(&[(key, value)])), expected, "{key}: {value}");
    }
    let from = |path: &str| {
        let path = path.to_owned();
        application().with(|cluster| cluster.job.as_mut().unwrap().initial_savepoint_path = Some(path))
    };
    assert_eq!((lacking(&from("s3://bucket/s")), lacking(&from("file:///s"))), (Some(REMOTE), None));
}
