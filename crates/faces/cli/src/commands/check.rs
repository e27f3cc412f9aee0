//! What can be said about a manifest before anything is sent: fields that nobody knows, values that are not allowed.
//!
//! Only what the manifest itself shows is looked at. Whether other objects are there, and what they set, the API says.
//! Each problem has the line of its field, where the layout of the document tells.

mod finding;
mod lines;
mod metadata;
mod steps;
pub(crate) mod twice;
mod wrong_type;

use kobel_kubernetes::kinds::Served;
use kobel_kubernetes::manifests::Manifest;
use kobel_model::{Error, nearest};
use kobel_resources::read::local_defaults;
use kobel_resources::{API_VERSION, Context, Problem, ProblemKind, crd, read};
use serde_json::Value;

use self::finding::Finding;

/// What begins the paths that depend on other objects.
const REFERENCES: [&str; 2] = ["spec.deploymentName", "spec.jobReference"];
/// What begins the paths of a session job that depend on what its session cluster sets.
const INHERITED: [&str; 4] = [
    "spec.flinkConfiguration",
    "spec.job.upgradeMode",
    "spec.job.savepointTriggerNonce",
    "spec.job.checkpointTriggerNonce",
];
/// What to write for a service account that is missing: on this machine nobody looks for the account itself.
const ACCOUNT_ADVICE: &str = "; add `serviceAccount: flink`, or `kobel.engine: flink` below `flinkConfiguration`";
/// How many fields are named where an unknown one stands.
const FIELDS_MAX: usize = 8;

/// Tells what is wrong with a manifest; `served` is the kind that the API has for it.
pub(crate) fn check(manifest: &Manifest, served: Option<&Served>) -> Vec<Error> {
    let (place, kind, name) = (&manifest.place, manifest.kind.as_str(), manifest.name.as_str());
    if kind == "CustomResourceDefinition" && !served.is_some_and(|served| served.can("patch")) {
        let message = format!("{place}: the definition `{name}` cannot be applied to this API");
        let hint = "its definitions are built in and need not be applied: leave the document out";
        return vec![Error::unsupported(message).with_hint(hint)];
    }
    let mut found = metadata::findings(&manifest.value);
    if manifest.api_version == API_VERSION && crd::openapi(kind).is_object() {
        found.extend(problems(kind, &manifest.value));
    }
    if found.is_empty() {
        return Vec::new();
    }
    let placed = placed(manifest, found);
    let first = placed.iter().find_map(|(line, _)| *line).unwrap_or(place.line);
    let listed: String = placed
        .iter()
        .map(|(line, finding)| {
            let line = line.map_or_else(String::new, |line| format!("line {line}: "));
            format!("\n  {line}{}: {}", finding.path, finding.message)
        })
        .collect();
    let kind = match manifest.api_version.split_once('/') {
        Some((group, _)) => format!("{kind}.{group}"),
        None => kind.to_owned(),
    };
    vec![Error::invalid(format!("{}:{first}: {kind} \"{name}\" is invalid:{listed}", place.file))]
}

/// The findings with the lines of the file, in the order of lines; those of what is absent have none and come last.
fn placed(manifest: &Manifest, found: Vec<Finding>) -> Vec<(Option<usize>, Finding)> {
    let mut placed: Vec<(Option<usize>, Finding)> =
        found.into_iter().map(|finding| (line_in(manifest, &finding.path), finding)).collect();
    placed.sort_by_key(|(line, _)| line.unwrap_or(usize::MAX));
    placed
}

/// The line of the file on which the field of a path stands; what is absent has none.
fn line_in(manifest: &Manifest, path: &str) -> Option<usize> {
    let (steps, value) = steps::walk(&manifest.value, path);
    let line = value.and_then(|_| lines::line_of(&manifest.text, &steps))?;
    Some(manifest.place.line + line - 1)
}

/// A warning of the API about a manifest, with its file and the line of the field that it begins with.
pub(crate) fn warning(manifest: &Manifest, warning: &str) -> String {
    let place = &manifest.place;
    let path = warning.split_once(": ").map(|(path, _)| path).filter(|path| path.contains('.'));
    let line = path.and_then(|path| line_in(manifest, path));
    format!("{}:{}: {warning}", place.file, line.unwrap_or(place.line))
}

/// Every problem of an object of one of our kinds.
fn problems(kind: &str, object: &Value) -> Vec<Finding> {
    let context = Context { previous: None, find: &|_, _| None, defaults: local_defaults() };
    let mut problems = read(object, &context).err().unwrap_or_default();
    problems.retain(|problem| !depends_on_others(kind, &problem.path));
    // What is said of the type says all of a value.
    let wrong: Vec<String> = problems.iter().filter(|one| is_of_type(one)).map(|one| one.path.clone()).collect();
    let is_inside =
        |path: &str, outer: &String| path.strip_prefix(outer.as_str()).is_some_and(|rest| rest.starts_with(['.', '[']));
    let unknown = crd::root_schema(kind).prune(&mut object.clone());
    let unknown = unknown.iter().filter(|path| !wrong.iter().any(|outer| is_inside(path, outer)));
    let mut found: Vec<Finding> = unknown.map(|path| unknown_field(kind, object, path)).collect();
    let told = problems.iter().filter(|one| is_of_type(one) || !wrong.contains(&one.path));
    found.extend(told.map(|problem| Finding::new(&problem.path, said(kind, object, problem))));
    found
}

fn is_of_type(problem: &Problem) -> bool {
    problem.kind == ProblemKind::TypeInvalid
}

/// What is said of a problem: the text of the API server, but for a wrong type, of which that does not tell the value.
fn said(kind: &str, object: &Value, problem: &Problem) -> String {
    let (steps, value) = steps::walk(object, &problem.path);
    match (problem.kind, value, steps::node(crd::openapi(kind), &steps)) {
        (ProblemKind::TypeInvalid, Some(value), Some(schema)) => wrong_type::told(&steps, schema, value),
        (ProblemKind::NotSupported, Some(value), Some(schema)) => {
            let choices = schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            problem.message() + &question(value, choices)
        }
        (ProblemKind::Invalid, Some(value), _) => {
            // An option with a closed list of values is a text to the schema; the list is in the words.
            let listed = problem.detail.split_once("one of `").map(|(_, listed)| listed.trim_end_matches('`'));
            problem.message() + &question(value, listed.into_iter().flat_map(|listed| listed.split("`, `")))
        }
        (ProblemKind::Required, _, _) if problem.path.ends_with(".serviceAccount") => {
            problem.message() + ACCOUNT_ADVICE
        }
        _ => problem.message(),
    }
}

/// The question which of the choices is meant by a value, if one is near.
fn question<'a>(value: &Value, choices: impl Iterator<Item = &'a str>) -> String {
    let near = value.as_str().and_then(|wrong| nearest(wrong, choices));
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// Whether only the API can say what is wrong at `path`.
fn depends_on_others(kind: &str, path: &str) -> bool {
    let begins = |beginning: &&str| path.starts_with(*beginning);
    REFERENCES.iter().any(begins) || (kind == "FlinkSessionJob" && INHERITED.iter().any(begins))
}

fn unknown_field(kind: &str, object: &Value, path: &str) -> Finding {
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    let schema = steps::node(crd::openapi(kind), &steps::walk(object, parent).0);
    let siblings = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    let names = || siblings.into_iter().flatten().map(|(name, _)| name.as_str());
    let advice = match nearest(name, names()) {
        Some(near) if parent.is_empty() => format!("; did you mean `{near}`?"),
        Some(near) => format!("; did you mean `{parent}.{near}`?"),
        None => {
            let mut known: Vec<String> = names().take(FIELDS_MAX).map(|name| format!("`{name}`")).collect();
            if names().nth(FIELDS_MAX).is_some() {
                known.push("…".to_owned());
            }
            if known.is_empty() { String::new() } else { format!("; leave it out; known here: {}", known.join(", ")) }
        }
    };
    Finding::new(path, format!("unknown field{advice}"))
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
            "a.yaml:7: FlinkDeployment.flink.apache.org \"basic\" is invalid:\n",
            "\n  line 8: spec.job.paralelism: unknown field; did you mean `spec.job.parallelism`?",
            "\n  line 7: spec.jobb: unknown field; did you mean `spec.job`?",
            "\n  line 8: spec.job.parallelism: Invalid value: 0: ",
        ] {
            assert!(errors.iter().all(|error| error.contains(part)), "{part} in {errors:?}");
        }
    }

    #[test]
    fn a_wrong_type_is_told_once_with_its_value() {
        let text = format!(
            "{BASIC}  jobManager: {{resource: {{memory: 1g, cpu: {{a: 1}}}}}}\n  job: {{jarURI: 'local:///srv/a.sql', \
             parallelism: two, upgradeMode: savepont}}\n"
        );
        let text = text.replace("v2_2", "2.2");
        let errors = told(&text);
        assert_eq!(errors.len(), 1, "{errors:?}");
        for part in [
            "\n  line 7: spec.jobManager.resource.cpu: `{a: …}` is an object, and a number is expected; write it like \
             `cpu: 1`",
            "\n  line 8: spec.job.parallelism: `\"two\"` is a text, and a whole number is expected; write it like `",
            "; write it like `flinkVersion: v2_2`",
            "\"stateless\"; did you mean `savepoint`?",
        ] {
            assert!(errors.iter().all(|error| error.contains(part)), "{part} in {errors:?}");
        }
        for doubled in ["cpu.a", "spec.flinkVersion: Unsupported", "must be of type"] {
            assert!(errors.iter().all(|error| !error.contains(doubled)), "{doubled} in {errors:?}");
        }
    }

    #[test]
    fn what_to_write_instead_is_told() {
        let jar = format!("{BASIC}  job: {{jarURI: 'local:///srv/a.jar', parallelism: 1}}\n");
        let script = format!(
            "{BASIC}  flinkConfiguration: {{kobel.engine: naitve}}\n  job: {{jarURI: 'local:///srv/a.sql', \
             parallelism: 1}}\n"
        );
        for (text, part) in [
            (jar, "option is set; add `serviceAccount: flink`, or `kobel.engine: flink` below `flinkConfiguration`"),
            (script, "must be one of `native`, `flink`; did you mean `native`?"),
        ] {
            let errors = told(&text);
            assert!(errors.len() == 1 && errors.iter().all(|error| error.contains(part)), "{part} in {errors:?}");
        }
    }

    #[test]
    fn a_warning_has_its_file_and_the_line_of_its_field() {
        let name = "standard input";
        let text = format!("# Orders.\n---{BASIC}  flinkConfiguration:\n    a.b: 1\n    state.bakend: x\n");
        let (manifests, problems) = parse(name, &text);
        let [manifest] = &manifests[..] else { panic!("{problems:?}") };
        for (words, line) in [
            ("spec.flinkConfiguration[state.bakend]: is no option that is known", 10),
            ("spec.serviceAccount: is absent", 3),
            ("something else", 3),
        ] {
            assert_eq!(warning(manifest, words), format!("{name}:{line}: {words}"));
        }
    }

    #[test]
    fn a_problem_has_the_line_of_its_field_and_the_error_that_of_the_first() {
        let sound = format!("{BASIC}  job: {{jarURI: 'local:///srv/a.sql'}}\n");
        let wrong = format!("{BASIC}  job:\n    jarURI: local:///srv/a.sql\n    parallelism: two\n    jobb: 1\n");
        let name = "orders.yaml";
        let (manifests, problems) = parse(name, &format!("---{sound}---{wrong}"));
        assert!(problems.is_empty(), "{problems:?}");
        let errors: Vec<Error> = manifests.iter().flat_map(|manifest| check(manifest, None)).collect();
        let [error] = &errors[..] else { panic!("{errors:?}") };
        let text = error.to_string();
        assert!(text.starts_with(&format!("{name}:16: FlinkDeployment.flink.apache.org ")), "{text}");
        for part in ["\n  line 16: spec.job.parallelism: `\"two\"`", "\n  line 17: spec.job.jobb: unknown field; "] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn metadata_is_checked_whatever_the_kind_is() {
        let errors = told("{apiVersion: v1, kind: Secret, metadata: {name: a, lables: {}, labels: {b: 1}}}\n");
        assert_eq!(
            errors,
            ["a.yaml:1: Secret \"a\" is invalid:\n  metadata.lables: unknown field; did you mean \
                 `metadata.labels`?\n  metadata.labels.b: `1` is a number, and a text \
                 is expected; write it like `b: \"1\"`"]
        );
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
