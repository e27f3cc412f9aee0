//! What can be said about a manifest before anything is sent: fields that nobody knows, values that are not allowed.
//!
//! Only what the manifest itself shows is looked at. Whether other objects are there, and what they set, the API says.

use kobel_kubernetes::kinds::Served;
use kobel_kubernetes::manifests::Manifest;
use kobel_model::{Error, nearest};
use kobel_resources::read::local_defaults;
use kobel_resources::{API_VERSION, Context, GROUP, crd, read};
use serde_json::{Map, Value};

/// What begins the paths that depend on other objects.
const REFERENCES: [&str; 2] = ["spec.deploymentName", "spec.jobReference"];
/// What begins the paths of a session job that depend on what its session cluster sets.
const INHERITED: [&str; 4] = [
    "spec.flinkConfiguration",
    "spec.job.upgradeMode",
    "spec.job.savepointTriggerNonce",
    "spec.job.checkpointTriggerNonce",
];

/// Tells what is wrong with a manifest; `served` is the kind that the API has for it.
pub(crate) fn check(manifest: &Manifest, served: Option<&Served>) -> Vec<Error> {
    let (place, kind, name) = (&manifest.place, manifest.kind.as_str(), manifest.name.as_str());
    if kind == "CustomResourceDefinition" && !served.is_some_and(|served| served.can("patch")) {
        let message = format!("{place}: the definition `{name}` cannot be applied to this API");
        let hint = "its definitions are built in and need not be applied: leave the document out";
        return vec![Error::unsupported(message).with_hint(hint)];
    }
    if manifest.api_version != API_VERSION || !crd::openapi(kind).is_object() {
        return Vec::new();
    }
    let found = problems(kind, &manifest.value);
    if found.is_empty() {
        return Vec::new();
    }
    let listed: String = found.iter().map(|problem| format!("\n  {problem}")).collect();
    vec![Error::invalid(format!("{place}: {kind}.{GROUP} \"{name}\" is invalid:{listed}"))]
}

/// Every problem of an object of one of our kinds, each with the path of its field.
fn problems(kind: &str, object: &Value) -> Vec<String> {
    let unknown = crd::root_schema(kind).prune(&mut object.clone());
    let mut found: Vec<String> = unknown.iter().map(|path| unknown_field(kind, path)).collect();
    let context = Context { previous: None, find: &|_, _| None, defaults: local_defaults() };
    if let Err(problems) = read(object, &context) {
        let own = problems.iter().filter(|problem| !depends_on_others(kind, &problem.path));
        found.extend(own.map(ToString::to_string));
    }
    found
}

/// Whether only the API can say what is wrong at `path`.
fn depends_on_others(kind: &str, path: &str) -> bool {
    let begins = |beginning: &&str| path.starts_with(*beginning);
    REFERENCES.iter().any(begins) || (kind == "FlinkSessionJob" && INHERITED.iter().any(begins))
}

fn unknown_field(kind: &str, path: &str) -> String {
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    let siblings = properties(crd::openapi(kind), parent);
    match siblings.and_then(|siblings| nearest(name, siblings.keys().map(String::as_str))) {
        Some(near) if parent.is_empty() => format!("{path}: unknown field; did you mean `{near}`?"),
        Some(near) => format!("{path}: unknown field; did you mean `{parent}.{near}`?"),
        None => format!("{path}: unknown field"),
    }
}

/// The fields that a schema has at `path`.
fn properties<'a>(schema: &'a Value, path: &str) -> Option<&'a Map<String, Value>> {
    let mut node = schema;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let mut parts = step.split('[');
        node = node.get("properties")?.get(parts.next()?)?;
        for _ in parts {
            node = node.get("items")?;
        }
    }
    node.get("properties")?.as_object()
}

#[cfg(test)]
mod tests {
    use kobel_kubernetes::manifests::parse;

    use super::*;

    const BASIC: &str = "
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: {name: basic}
spec:
  flinkVersion: v2_2
";

    fn told(text: &str) -> Vec<String> {
        let (manifests, problems) = parse("a.yaml", text);
        assert!(problems.is_empty(), "{problems:?}");
        manifests.iter().flat_map(|manifest| check(manifest, None)).map(|error| error.to_string()).collect()
    }

    #[test]
    fn all_problems_of_a_document_come_at_once() {
        let text =
            format!("{BASIC}  jobb: {{}}\n  job: {{jarURI: 'local:///srv/a.sql', paralelism: 2, parallelism: 0}}\n");
        let errors = told(&text);
        assert_eq!(errors.len(), 1, "{errors:?}");
        for part in [
            "a.yaml:1: FlinkDeployment.flink.apache.org \"basic\" is invalid:\n",
            "\n  spec.job.paralelism: unknown field; did you mean `spec.job.parallelism`?",
            "\n  spec.jobb: unknown field; did you mean `spec.job`?",
            "\n  spec.job.parallelism: Invalid value: 0: ",
        ] {
            assert!(errors.iter().all(|error| error.contains(part)), "{part} in {errors:?}");
        }
    }

    #[test]
    fn what_other_objects_decide_is_left_to_the_api() {
        let job = "
apiVersion: flink.apache.org/v1beta1
kind: FlinkSessionJob
metadata: {name: job}
spec: {deploymentName: session, job: {jarURI: 'https://example.com/a.jar', parallelism: 1, upgradeMode: savepoint}}
";
        let snapshot = "
apiVersion: flink.apache.org/v1beta1
kind: FlinkStateSnapshot
metadata: {name: snapshot}
spec: {jobReference: {kind: FlinkDeployment, name: basic}, checkpoint: {}}
";
        let foreign = "{apiVersion: v1, kind: Secret, metadata: {name: a}, nonsense: 1}\n";
        let sound = format!("{BASIC}  job: {{jarURI: 'local:///srv/a.sql'}}\n");
        for text in [job, snapshot, foreign, sound.as_str()] {
            assert_eq!(told(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn definitions_need_not_be_applied() {
        let text = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a.b}}\n";
        assert_eq!(told(text), ["a.yaml:1: the definition `a.b` cannot be applied to this API"]);
    }
}
