//! What is made of the manifests that the Apache operator and EMR document, and they themselves, as a real API server
//! takes it when nothing is stored: without a refusal, and without a word but for what a template asks for.

use std::collections::{BTreeMap, BTreeSet};

use kobel_conformance::acceptance::{Manifest, Way, manifests, objects, ways};
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::client::Body;
use kube::core::Request;
use kube::{Client, Resource as _};
use serde_json::{Value, json};

use crate::client::{resource, text};
use crate::stage::{Stage, on_stage};

/// Who the operator says that it is when it applies something.
const OPERATOR: &str = "kobel-operator";
/// Who the checks say that they are.
const PERSON: &str = "conformance";
/// Kinds of the manifests whose objects lie in no namespace.
const CLUSTER_WIDE: [&str; 3] = ["ClusterRoleBinding", "IngressClass", "StorageClass"];
/// What no API server of Kubernetes takes, by its group, and why.
const NOT_SERVED: [(&str, &str); 2] = [
    ("cert-manager.io/", "its kinds are defined by who makes certificates"),
    ("kustomize.config.k8s.io/", "it is told to a program of the command line"),
];
/// Files with parts of objects that somebody else has made.
const PARTS: [&str; 2] =
    ["apache/examples/kustomize/conf-override/patch.yaml", "apache/examples/kustomize/sidecar/patch.yaml"];
/// What a warning of Pod Security begins with.
const VIOLATION: &str = "would violate PodSecurity";
/// A folder of the node is shared with everything on it. The examples have nothing else that outlives their pods.
const FOLDER_OF_NODE: &str = "restricted volume types";
/// The images of a release of EMR name their user by a word, and by which number is not public.
const USER_UNKNOWN: &str = "runAsNonRoot != true";
/// What pods ask for that the restricted Pod Security Standard does not admit, and the manifests that ask for it.
const UNRESTRICTED: [(&str, &[&str]); 2] = [
    (
        FOLDER_OF_NODE,
        &[
            "apache/examples/basic-checkpoint-ha.yaml",
            "apache/examples/basic-reactive.yaml",
            "apache/examples/hpa/basic-hpa.yaml",
            "apache/examples/snapshot/job-from-savepoint.yaml",
        ],
    ),
    (
        USER_UNKNOWN,
        &[
            "emr/a01-application-ha-cloudwatch.yaml",
            "emr/a02-session-cluster.yaml",
            "emr/a04-pyflink-from-s3.yaml",
            "emr/a05-pyflink-custom-image.yaml",
            "emr/a06-presto-checkpoints.yaml",
            "emr/a07-hadoop-s3.yaml",
            "emr/a08-job-ha.yaml",
            "emr/a10-task-local-recovery.yaml",
            "emr/a11-ebs-local-recovery.yaml",
            "emr/a12-changelog.yaml",
            "emr/a13-fine-grained-recovery.yaml",
            "emr/a14-spot-decommission-in-full.yaml",
            "emr/a15-autoscaler.yaml",
            "emr/a16-restart-time-tracking.yaml",
            "emr/a17-autotuning.yaml",
            "emr/a18-log-archiving.yaml",
            "emr/a22-glue-sql.yaml",
            "emr/a23-hudi-sql.yaml",
            "emr/a24-opt-in-region.yaml",
            "emr/a26-log-block-with-key.yaml",
            "emr/demo-autoscaler.yaml",
            "emr/demo-cdc-pipeline.yaml",
            "emr/doeks-compute-optimized.yaml",
            "emr/doeks-graviton-memory-optimized.yaml",
        ],
    ),
];

#[test]
fn what_is_made_of_documented_manifests_is_taken_without_a_word() {
    on_stage("made", async |stage: &mut Stage| {
        let mut door = Door::of(stage);
        let mut unrestricted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for manifest in all().iter().filter(|manifest| !manifest.is_refused()) {
            for document in manifest.deployments() {
                for way in ways(&document) {
                    let found = door.made(&manifest.name, &document, way).await;
                    unrestricted.entry(manifest.name.clone()).or_default().extend(found);
                }
            }
        }
        assert!(door.asked > 500, "only {} objects", door.asked);
        assert!(door.wrong.is_empty(), "{}", door.wrong.join("\n"));
        unrestricted.retain(|_, found| !found.is_empty());
        let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (reason, names) in UNRESTRICTED {
            for name in names {
                expected.entry((*name).to_owned()).or_default().insert(reason.to_owned());
            }
        }
        assert_eq!(unrestricted, expected, "what Pod Security warns of");
    });
}

#[test]
fn documented_manifests_are_taken_without_a_word() {
    on_stage("written", async |stage: &mut Stage| {
        let mut door = Door::of(stage);
        let (mut unserved, mut parts) = (BTreeSet::new(), BTreeSet::new());
        for manifest in all().iter().filter(|manifest| !manifest.is_refused()) {
            for document in manifest.documents.iter().filter(|document| document.get("kind").is_some()) {
                let group = NOT_SERVED.iter().find(|(group, _)| text(document, "/apiVersion").starts_with(group));
                if let Some((group, _)) = group {
                    unserved.insert(*group);
                } else if PARTS.contains(&manifest.name.as_str()) {
                    parts.insert(manifest.name.clone());
                } else {
                    let warnings = door.ask(&manifest.name, document.clone(), PERSON).await;
                    door.wrong.extend(warnings.iter().map(|warning| format!("{}: {warning}", manifest.name)));
                }
            }
        }
        assert!(door.asked > 70, "only {} objects", door.asked);
        assert!(door.wrong.is_empty(), "{}", door.wrong.join("\n"));
        assert_eq!(unserved, BTreeSet::from(NOT_SERVED.map(|(group, _)| group)), "what is not served");
        assert_eq!(parts, BTreeSet::from(PARTS.map(str::to_owned)), "parts of objects");
    });
}

fn all() -> Vec<Manifest> {
    manifests().expect("the manifests are read")
}

/// The API server, which is asked what it would say.
struct Door<'a> {
    client: &'a Client,
    namespace: String,
    /// What was sent already: of two manifests some objects are the same.
    known: BTreeSet<String>,
    /// How many objects it was asked about.
    asked: usize,
    /// What it refused, and what nobody should be warned of.
    wrong: Vec<String>,
}

impl<'a> Door<'a> {
    fn of(stage: &'a Stage) -> Self {
        let namespace = stage.deployments().namespace().expect("a namespace").to_owned();
        Self { client: stage.client(), namespace, known: BTreeSet::new(), asked: 0, wrong: Vec::new() }
    }

    /// Asks about everything that is made of a deployment; answers what of its pods is not restricted.
    async fn made(&mut self, name: &str, document: &Value, way: Way) -> BTreeSet<String> {
        let mut document = document.clone();
        document["metadata"]["namespace"] = json!(self.namespace);
        let made = objects(&document, way);
        let mut made = made.unwrap_or_else(|problems| panic!("{name}, {way}: {problems:?}"));
        made.extend(pods_of_flink(&made));
        let mut found = BTreeSet::new();
        for object in made {
            let what = format!("{name}, {way}");
            for warning in self.ask(&what, object, OPERATOR).await {
                match warning.split_once(VIOLATION) {
                    Some((_, told)) => found.extend(reasons(told)),
                    None => self.wrong.push(format!("{what}: {warning}")),
                }
            }
        }
        found
    }

    /// Asks about an object; answers what the API server warns of.
    async fn ask(&mut self, what: &str, mut object: Value, manager: &str) -> Vec<String> {
        let kind = resource(text(&object, "/apiVersion"), text(&object, "/kind"));
        let namespace = (!CLUSTER_WIDE.contains(&kind.kind.as_str())).then_some(self.namespace.as_str());
        if let Some(namespace) = namespace {
            object["metadata"]["namespace"] = json!(namespace);
        }
        if !self.known.insert(object.to_string()) {
            return Vec::new();
        }
        self.asked += 1;
        let path = DynamicObject::url_path(&kind, namespace);
        let params = PatchParams { dry_run: true, ..PatchParams::apply(manager).force() };
        let name = text(&object, "/metadata/name");
        let request = Request::new(path).patch(name, &params, &Patch::Apply(&object)).expect("a request");
        let answer = self.client.send(request.map(Body::from)).await.expect("an answer");
        let warnings = answer.headers().get_all("warning").iter();
        let warnings = warnings.map(|warning| String::from_utf8_lossy(warning.as_bytes()).into_owned()).collect();
        if !answer.status().is_success() {
            let why = answer.into_body().collect_bytes().await.expect("a body");
            let why = String::from_utf8_lossy(&why);
            self.wrong.push(format!("{what}: {} `{name}` is refused: {why}", kind.kind));
        }
        warnings
    }
}

/// The pods that Flink asks for by itself, as an object that makes none: their template with the image, which Flink
/// adds.
fn pods_of_flink(made: &[Value]) -> Option<Value> {
    let (map, file) = made.iter().find_map(|object| {
        let file = object.pointer("/data/taskmanager-pod-template.yaml")?.as_str()?;
        Some((object, file))
    })?;
    let manager = made.iter().find(|object| text(object, "/kind") == "Deployment")?;
    let mut template: Value = serde_json::from_str(file).expect("a template");
    let parts = template.as_object_mut().expect("an object");
    parts.retain(|part, _| ["metadata", "spec"].contains(&part.as_str()));
    for container in template["spec"]["containers"].as_array_mut().expect("containers") {
        if container["name"] == "flink-main-container" {
            container["image"] = main_image(manager).clone();
        }
    }
    let metadata = json!({"name": map["metadata"]["name"], "namespace": map["metadata"]["namespace"]});
    Some(json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": metadata, "template": template}))
}

fn main_image(manager: &Value) -> &Value {
    let containers = manager.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let mut containers = containers.into_iter().flatten();
    &containers.find(|container| container["name"] == "flink-main-container").expect("Flink runs in it")["image"]
}

/// What a warning of Pod Security speaks of, without the containers and volumes that it is about.
fn reasons(told: &str) -> BTreeSet<String> {
    let told = told.split_once(": ").map_or(told, |(_, reasons)| reasons);
    let (mut depth, mut plain) = (0_usize, String::new());
    for letter in told.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(letter),
            _ => {}
        }
    }
    plain.split(',').map(|reason| reason.trim_matches([' ', '"']).to_owned()).collect()
}

#[test]
fn a_warning_of_pod_security_is_taken_apart() {
    let told = concat!(
        r#" \"restricted:latest\": runAsNonRoot != true (pod or containers \"a\", \"b\" must set it), "#,
        r#"restricted volume types (volume \"c\" uses type \"hostPath\")""#
    );
    let expected = BTreeSet::from([USER_UNKNOWN, FOLDER_OF_NODE].map(str::to_owned));
    assert_eq!(reasons(told), expected);
}
