//! The init container that fetches the program of an application from S3 or from a web server, with this program.
//!
//! The program lands in a volume, and the main container sees it as one file below [`DIRECTORY`]. Only the file is
//! mounted, so what an image has in that directory stays to be seen: connectors, other jars.
//!
//! # Templates
//! * Init containers of a template stay, after ours. One that has our name is taken for ours and stays as it is; a
//!   volume with the name of ours is used in its place.
//! * Where a template mounts something on the directory or on the file, whoever wrote it brings the program, and
//!   nothing is fetched. The program is looked for at the same path.
//! * The fetcher has the variables that the template gives to the main container: credentials and endpoints of a store
//!   stand there. Those of an account of AWS are given to every container.
//!
//! A task manager needs the file in standalone mode, where Flink takes it from the class path on every machine. In
//! native mode the job manager hands the program on.
//!
//! # Source
//! Amazon EMR on EKS 7.13 Development Guide (`s3://` as `jarURI`); Apache Flink Kubernetes operator 1.15,
//! `UserLibMountDecorator`; Kubernetes, expansion of `$(…)` in arguments.

use serde_json::{Value, json};

use super::start::{MAIN_CONTAINER, Start};
use super::template::{edit_list, edit_main, name, put_by, slot};

/// Where Flink looks for programs in an image.
pub const DIRECTORY: &str = "/opt/flink/usrlib";
/// The volume with the program, under the name that the operator of Apache gives it.
pub const VOLUME: &str = "user-lib-dir";
/// The init container.
pub const CONTAINER: &str = "kobel-fetch";
/// The longest name of a fetched file; of a longer one the end is kept, which tells what kind of program it is.
const FILE_NAME_MAX: usize = 200;

/// Where the program of an application lies in the main container once it was fetched; nothing if it is not fetched.
pub fn local_path(start: &Start<'_>) -> Option<String> {
    uri(start).map(|uri| format!("{DIRECTORY}/{}", file_name(uri)))
}

/// Has the program fetched before the main container starts; nothing if it lies in the image or there is none.
pub fn add(pod: &mut Value, start: &Start<'_>) {
    let Some(uri) = uri(start) else {
        return;
    };
    let file = file_name(uri);
    let path = format!("{DIRECTORY}/{file}");
    if is_brought(pod, &path) {
        return;
    }
    let fetcher = container(pod, start, [uri, &path]);
    edit_list(slot(pod, &["spec", "volumes"]), |volumes| {
        if volumes.iter().all(|volume| name(volume) != Some(VOLUME)) {
            volumes.push(json!({ "name": VOLUME, "emptyDir": {} }));
        }
    });
    let mount = json!({ "name": VOLUME, "mountPath": path, "subPath": file });
    edit_main(pod, |main| put_by("mountPath", main, &["volumeMounts"], mount));
    edit_list(slot(pod, &["spec", "initContainers"]), |containers| {
        if containers.iter().all(|container| name(container) != Some(CONTAINER)) {
            containers.insert(0, fetcher);
        }
    });
}

/// The address of the program, if it is one that is fetched.
fn uri<'a>(start: &Start<'a>) -> Option<&'a str> {
    let artifact = start.deployment.cluster.job.as_ref()?.artifact.as_ref()?;
    (artifact.scheme.is_web() || artifact.scheme.is_s3()).then_some(artifact.uri.as_str())
}

/// The name of a fetched file: that of the address, with `_` for what would have to be spelled otherwise in a URI.
fn file_name(uri: &str) -> String {
    let path = uri.split(['?', '#']).next().unwrap_or(uri);
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    plain.get(plain.len().saturating_sub(FILE_NAME_MAX)..).unwrap_or_default().to_owned()
}

/// What the main container has in the list at `key`.
fn of_main<'a>(pod: &'a Value, key: &str) -> Option<&'a Vec<Value>> {
    let mut containers = pod.pointer("/spec/containers")?.as_array()?.iter();
    containers.find(|container| name(container) == Some(MAIN_CONTAINER))?.get(key)?.as_array()
}

/// Whether the template brings the program.
fn is_brought(pod: &Value, path: &str) -> bool {
    let is_there = |mount: &Value| {
        let at = mount.get("mountPath").and_then(Value::as_str).map(|at| at.trim_end_matches('/'));
        at == Some(DIRECTORY) || at == Some(path)
    };
    of_main(pod, "volumeMounts").is_some_and(|mounts| mounts.iter().any(is_there))
}

/// The init container, which fetches from an address to a path.
fn container(pod: &Value, start: &Start<'_>, [uri, path]: [&str; 2]) -> Value {
    let mut container = json!({
        "name": CONTAINER,
        "image": start.kobel_image,
        "command": ["kobel"],
        // Kubernetes would take `$(NAME)` in an address for a variable.
        "args": ["fetch", uri.replace('$', "$$"), path],
        "resources": {
            "requests": { "cpu": "100m", "memory": "64Mi" },
            "limits": { "cpu": "1", "memory": "256Mi" },
        },
        "securityContext": { "readOnlyRootFilesystem": true },
        "volumeMounts": [{ "name": VOLUME, "mountPath": DIRECTORY }],
    });
    for key in ["env", "envFrom"] {
        if let Some(entries) = of_main(pod, key) {
            *slot(&mut container, &[key]) = json!(entries);
        }
    }
    container
}

#[cfg(test)]
mod tests {
    use kobel_model::deployment::{Artifact, ArtifactKind, Scheme};

    use super::super::tests::Case;
    use super::*;

    const S3: &str = "s3://bucket/jobs/flights.jar";

    fn application(uri: &str) -> Case {
        let scheme = Scheme::parse(uri.split(':').next().unwrap()).unwrap();
        let artifact = Artifact { kind: ArtifactKind::Jar, scheme, uri: uri.to_owned() };
        Case::application().with(|cluster| {
            cluster.job = cluster.job.take().map(|mut job| {
                job.artifact = Some(artifact);
                job
            });
        })
    }

    fn fetched(uri: &str, template: &Value) -> Value {
        let mut pod = template.clone();
        add(&mut pod, &application(uri).start());
        pod
    }

    fn main_with(mounts: &Value) -> Value {
        json!({ "spec": { "containers": [{ "name": MAIN_CONTAINER, "volumeMounts": mounts }] } })
    }

    #[test]
    fn a_program_lies_where_flink_looks_for_programs_under_a_plain_name() {
        let long = format!("https://example.org/{}.jar", "a".repeat(300));
        for (uri, expected) in [
            (S3, Some("/opt/flink/usrlib/flights.jar")),
            ("s3a://b/x.py", Some("/opt/flink/usrlib/x.py")),
            ("https://example.org/a/b.jar?X-Amz-Signature=a/b.jar#c", Some("/opt/flink/usrlib/b.jar")),
            ("https://example.org/a%20b%2F$(HOME).jar", Some("/opt/flink/usrlib/a_20b_2F__HOME_.jar")),
            ("local:///opt/flink/usrlib/a.jar", None),
            ("gs://bucket/a.jar", None),
        ] {
            assert_eq!(local_path(&application(uri).start()).as_deref(), expected, "for `{uri}`");
        }
        let path = local_path(&application(&long).start()).unwrap();
        assert_eq!(path.len(), DIRECTORY.len() + 1 + FILE_NAME_MAX);
        assert!(path.ends_with("a.jar"), "{path}");
        assert_eq!(local_path(&Case::session().start()), None, "a session cluster has no program");
    }

    #[test]
    fn the_program_is_fetched_before_the_main_container_sees_it() {
        let pod = fetched(S3, &json!({}));
        let container = &pod["spec"]["initContainers"][0];
        assert_eq!(container["image"], "kobel:0.1.0");
        assert_eq!(container["command"], json!(["kobel"]));
        assert_eq!(container["args"], json!(["fetch", S3, "/opt/flink/usrlib/flights.jar"]));
        assert_eq!(container["volumeMounts"], json!([{ "name": VOLUME, "mountPath": DIRECTORY }]));
        assert_eq!(pod["spec"]["volumes"], json!([{ "name": VOLUME, "emptyDir": {} }]));
        let mount = &pod["spec"]["containers"][0]["volumeMounts"][0];
        let path = local_path(&application(S3).start()).unwrap();
        assert_eq!(mount, &json!({ "name": VOLUME, "mountPath": path, "subPath": "flights.jar" }));
        assert_eq!(fetched("local:///a.jar", &json!({})), json!({}), "a program of the image is not fetched");
        assert_eq!(fetched(S3, &pod), pod, "nothing is fetched twice");
    }

    #[test]
    fn an_address_reaches_the_fetcher_as_it_was_written() {
        let pod = fetched("https://example.org/$(SECRET)/a.jar?b=$$", &json!({}));
        let address = &pod["spec"]["initContainers"][0]["args"][1];
        assert_eq!(address, "https://example.org/$$(SECRET)/a.jar?b=$$$$");
    }

    #[test]
    fn init_containers_of_the_template_stay_after_ours() {
        let own = json!([{ "name": "first" }, { "name": "second" }]);
        let pod = fetched(S3, &json!({ "spec": { "initContainers": own } }));
        let names: Vec<&str> = pod["spec"]["initContainers"].as_array().unwrap().iter().filter_map(name).collect();
        assert_eq!(names, [CONTAINER, "first", "second"]);
        let ours = json!([{ "name": CONTAINER, "image": "mine" }]);
        let pod = fetched(S3, &json!({ "spec": { "initContainers": ours } }));
        assert_eq!(pod["spec"]["initContainers"], ours);
    }

    #[test]
    fn whoever_mounts_something_there_brings_the_program() {
        for (path, is_fetched) in [
            ("/opt/flink/usrlib", false),
            ("/opt/flink/usrlib/", false),
            ("/opt/flink/usrlib/flights.jar", false),
            ("/opt/flink/usrlib/connectors", true),
            ("/opt/flink/usrlibs", true),
            ("/opt/flink", true),
        ] {
            let template = main_with(&json!([{ "name": "mine", "mountPath": path }]));
            let pod = fetched(S3, &template);
            assert_eq!(pod != template, is_fetched, "for `{path}`");
            assert_eq!(pod["spec"]["containers"][0]["volumeMounts"][0]["name"], "mine", "for `{path}`");
        }
    }

    #[test]
    fn a_volume_of_the_template_and_its_variables_are_used() {
        let volume = json!({ "name": VOLUME, "emptyDir": { "sizeLimit": "1Gi" } });
        let env = json!([{ "name": "AWS_ENDPOINT_URL", "value": "http://store:9000" }]);
        let from = json!([{ "secretRef": { "name": "keys" } }]);
        let main = json!([{ "name": MAIN_CONTAINER, "env": env, "envFrom": from }]);
        let pod = fetched(S3, &json!({ "spec": { "volumes": [volume], "containers": main } }));
        assert_eq!(pod["spec"]["volumes"], json!([volume]));
        let container = &pod["spec"]["initContainers"][0];
        assert_eq!((&container["env"], &container["envFrom"]), (&env, &from));
    }

    #[test]
    fn a_template_of_another_shape_does_no_harm() {
        for template in [json!(null), json!({ "spec": 3 }), json!({ "spec": { "initContainers": {}, "volumes": "a" } })]
        {
            let pod = fetched(S3, &template);
            assert_eq!(pod["spec"]["initContainers"][0]["name"], CONTAINER, "{template}");
        }
    }
}
