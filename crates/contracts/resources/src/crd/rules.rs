//! Rules that the API server of a cluster checks by itself, where no webhook is asked: CEL in the definitions.
//!
//! Only what is certain from the object alone stands here, in the words of the door: whatever may also be said by the
//! configuration, which CEL cannot look into, or by the operator's defaults is left to the door. The door measures a
//! change by what was deployed last, which is a text here; so these rules say nothing of a change where the status
//! tells an error: it may be the way back.
//!
//! The embedded API has the door itself, and definitions without these rules.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, ValidationRule,
};

/// A broken rule is told as a value that is missing.
const REQUIRED: &str = "FieldValueRequired";
/// A broken rule is told as a field that must not stand there.
const FORBIDDEN: &str = "FieldValueForbidden";
/// A broken rule is told as a wrong value.
const INVALID: &str = "FieldValueInvalid";

/// One rule.
struct Rule {
    kind: &'static str,
    /// Where the rule stands: the fields that lead from the whole object to what it calls `self`.
    at: &'static [&'static str],
    /// The field that it complains of, from there.
    field: &'static str,
    reason: &'static str,
    /// What must be true.
    holds: &'static str,
    /// What is told if it is not.
    told: Told,
}

/// What is told of a broken rule.
enum Told {
    /// These words.
    Words(&'static str),
    /// What this expression says, or these words.
    Expression(&'static str, &'static str),
}

/// What is true of an update of both specs of which there is nothing to say.
macro_rules! change {
    ($holds:literal) => {
        concat!(
            "!has(self.spec) || !has(oldSelf.spec) || (has(oldSelf.status) && has(oldSelf.status.error)) || ",
            $holds
        )
    };
}

/// The rule that a job has a program, below the fields that lead to it.
const fn program(kind: &'static str, at: &'static [&'static str], words: &'static str) -> Rule {
    Rule {
        kind,
        at,
        field: ".jarURI",
        reason: REQUIRED,
        holds: "has(self.jarURI) || has(self.entryClass)",
        told: Told::Words(words),
    }
}

/// The rule that something stands in a spec.
const fn required(kind: &'static str, field: &'static str, holds: &'static str, words: &'static str) -> Rule {
    Rule { kind, at: &["spec"], field, reason: REQUIRED, holds, told: Told::Words(words) }
}

/// Every rule.
const RULES: [Rule; 15] = [
    Rule {
        kind: "FlinkDeployment",
        at: &[],
        field: ".spec.job",
        reason: REQUIRED,
        holds: change!("has(self.spec.job) || !has(oldSelf.spec.job)"),
        told: Told::Words("a job cannot be taken away: it would become a session"),
    },
    Rule {
        kind: "FlinkDeployment",
        at: &[],
        field: ".spec.job",
        reason: FORBIDDEN,
        holds: change!("!has(self.spec.job) || has(oldSelf.spec.job)"),
        told: Told::Words("a session cluster cannot become one with a job"),
    },
    Rule {
        kind: "FlinkDeployment",
        at: &[],
        field: ".spec.mode",
        reason: INVALID,
        holds: change!(
            "(has(self.spec.mode) ? self.spec.mode : 'native') == \
             (has(oldSelf.spec.mode) ? oldSelf.spec.mode : 'native')"
        ),
        told: Told::Expression(
            "'cannot change: must stay `' + (has(oldSelf.spec.mode) ? oldSelf.spec.mode : 'native') + '`'",
            "cannot change",
        ),
    },
    program(
        "FlinkDeployment",
        &["spec", "job"],
        "the address of a `.jar`, `.py` or `.sql`, unless spec.job.entryClass is set",
    ),
    Rule {
        kind: "FlinkSessionJob",
        at: &[],
        field: ".spec.deploymentName",
        reason: INVALID,
        holds: change!(
            "!has(self.spec.deploymentName) || !has(oldSelf.spec.deploymentName) || self.spec.deploymentName == \
             oldSelf.spec.deploymentName"
        ),
        told: Told::Expression("'cannot change: must stay `' + oldSelf.spec.deploymentName + '`'", "cannot change"),
    },
    program(
        "FlinkSessionJob",
        &["spec", "job"],
        "the address of a `.jar`, `.py` or `.sql`, unless spec.job.entryClass is set",
    ),
    Rule {
        kind: "FlinkStateSnapshot",
        at: &["spec"],
        field: ".checkpoint",
        reason: FORBIDDEN,
        holds: "!has(self.savepoint) || !has(self.checkpoint)",
        told: Told::Words("must not stand beside spec.savepoint: exactly one of the two"),
    },
    required(
        "FlinkStateSnapshot",
        ".savepoint",
        "has(self.savepoint) || has(self.checkpoint)",
        "exactly one of this and spec.checkpoint",
    ),
    required(
        "FlinkStateSnapshot",
        ".savepoint.path",
        "!has(self.savepoint) || !has(self.savepoint.alreadyExists) || !self.savepoint.alreadyExists || \
         has(self.savepoint.path)",
        "where the savepoint lies that exists already",
    ),
    required(
        "FlinkStateSnapshot",
        ".jobReference",
        "has(self.jobReference) || (has(self.savepoint) && has(self.savepoint.alreadyExists) && \
         self.savepoint.alreadyExists)",
        "the kind (`FlinkDeployment` or `FlinkSessionJob`) and the name of what declares the job",
    ),
    required(
        "FlinkStateSnapshot",
        ".jobReference.kind",
        "!has(self.jobReference) || has(self.jobReference.kind)",
        "`FlinkDeployment` or `FlinkSessionJob`",
    ),
    required(
        "FlinkStateSnapshot",
        ".jobReference.name",
        "!has(self.jobReference) || (has(self.jobReference.name) && self.jobReference.name != '')",
        "the name of what declares the job",
    ),
    required(
        "FlinkBlueGreenDeployment",
        ".template.spec",
        "has(self.template) && has(self.template.spec)",
        "the spec of each of the two deployments",
    ),
    required(
        "FlinkBlueGreenDeployment",
        ".template.spec.job",
        "!has(self.template) || !has(self.template.spec) || has(self.template.spec.job)",
        "a pair of deployments runs a job",
    ),
    program(
        "FlinkBlueGreenDeployment",
        &["spec", "template", "spec", "job"],
        "the address of a `.jar`, `.py` or `.sql`, unless spec.template.spec.job.entryClass is set",
    ),
];

/// Writes the rules of its kind into a definition.
pub(super) fn add(definition: &mut CustomResourceDefinition) {
    let kind = definition.spec.names.kind.clone();
    for version in &mut definition.spec.versions {
        let Some(root) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut()) else {
            continue;
        };
        for rule in RULES.iter().filter(|rule| rule.kind == kind) {
            // That each has its place is tested; none depends on input.
            if let Some(place) = below(root, rule.at) {
                place.x_kubernetes_validations.get_or_insert_default().push(rule.written());
            }
        }
    }
}

/// What stands below the fields that `steps` name.
fn below<'a>(root: &'a mut JSONSchemaProps, steps: &[&str]) -> Option<&'a mut JSONSchemaProps> {
    let mut schema = root;
    for step in steps {
        schema = schema.properties.as_mut()?.get_mut(*step)?;
    }
    Some(schema)
}

impl Rule {
    fn written(&self) -> ValidationRule {
        let (expression, words) = match self.told {
            Told::Words(words) => (None, words),
            Told::Expression(expression, words) => (Some(expression.to_owned()), words),
        };
        ValidationRule {
            field_path: Some(self.field.to_owned()),
            message: Some(words.to_owned()),
            message_expression: expression,
            optional_old_self: None,
            reason: Some(self.reason.to_owned()),
            rule: self.holds.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::{Value, json};

    use super::*;
    use crate::crd::{clusters, crds};
    use crate::problem::ProblemKind;
    use crate::read::{Context, read};

    fn object(kind: &str, spec: &Value) -> Value {
        json!({
            "apiVersion": "flink.apache.org/v1beta1", "kind": kind, "metadata": {"name": "x", "namespace": "ns"},
            "spec": spec,
        })
    }

    /// Manifests that break a rule each: the kind, the spec, and the one that it would replace.
    fn offences() -> Vec<(&'static str, Value, Option<Value>)> {
        let job = json!({"jarURI": "local:///srv/x.sql"});
        let application = json!({"flinkVersion": "v2_0", "job": job});
        let session = json!({"flinkVersion": "v2_0"});
        let standalone = json!({"flinkVersion": "v2_0", "mode": "standalone", "job": job});
        let exists = json!({"savepoint": {"path": "s3://b/s", "alreadyExists": true}, "checkpoint": {}});
        let reference = json!({"kind": "FlinkDeployment", "name": "x"});
        vec![
            ("FlinkDeployment", session.clone(), Some(application.clone())),
            ("FlinkDeployment", application.clone(), Some(session)),
            ("FlinkDeployment", standalone.clone(), Some(application.clone())),
            ("FlinkDeployment", application, Some(standalone)),
            ("FlinkDeployment", json!({"job": {"state": "running"}}), None),
            (
                "FlinkSessionJob",
                json!({"deploymentName": "b", "job": job}),
                Some(json!({"deploymentName": "a", "job": job})),
            ),
            ("FlinkSessionJob", json!({"job": {"state": "running"}}), None),
            ("FlinkStateSnapshot", exists, None),
            ("FlinkStateSnapshot", json!({"jobReference": reference}), None),
            ("FlinkStateSnapshot", json!({"savepoint": {"alreadyExists": true}}), None),
            ("FlinkStateSnapshot", json!({"checkpoint": {}}), None),
            ("FlinkStateSnapshot", json!({"checkpoint": {}, "jobReference": {"name": "x"}}), None),
            ("FlinkStateSnapshot", json!({"checkpoint": {}, "jobReference": {"kind": "FlinkDeployment"}}), None),
            ("FlinkBlueGreenDeployment", json!({"template": {}}), None),
            ("FlinkBlueGreenDeployment", json!({"template": {"spec": {"flinkVersion": "v2_0"}}}), None),
            ("FlinkBlueGreenDeployment", json!({"template": {"spec": {"job": {"state": "running"}}}}), None),
        ]
    }

    /// What a rule is told as: the path, and the kind and the words of the problem.
    fn told(rule: &Rule) -> (String, ProblemKind, &'static str) {
        let steps: String = rule.at.iter().map(|step| format!(".{step}")).collect();
        let kind = match rule.reason {
            REQUIRED => ProblemKind::Required,
            FORBIDDEN => ProblemKind::Forbidden,
            _ => ProblemKind::Invalid,
        };
        let (Told::Words(words) | Told::Expression(_, words)) = rule.told;
        (format!("{steps}{}", rule.field).trim_start_matches('.').to_owned(), kind, words)
    }

    #[test]
    fn each_rule_is_one_of_the_door_in_its_words() {
        let mut heard: BTreeSet<usize> = BTreeSet::new();
        for (kind, spec, previous) in offences() {
            let previous = previous.map(|spec| object(kind, &spec));
            let context =
                Context { previous: previous.as_ref(), find: &|_, _| Some(json!({})), defaults: &BTreeMap::new() };
            let problems = read(&object(kind, &spec), &context).unwrap_err();
            let of_kind = RULES.iter().enumerate().filter(|(_, rule)| rule.kind == kind);
            let broken = of_kind.filter(|(_, rule)| {
                let (path, kind, words) = told(rule);
                let is_it = |text: &str| if rule.reason == INVALID { text.starts_with(words) } else { text == words };
                problems.iter().any(|problem| problem.path == path && problem.kind == kind && is_it(&problem.detail))
            });
            let broken: Vec<usize> = broken.map(|(place, _)| place).collect();
            assert!(!broken.is_empty(), "{kind} {spec}: {problems:?}");
            heard.extend(broken);
        }
        assert_eq!(heard.len(), RULES.len(), "each rule has a manifest that breaks it: {heard:?}");
    }

    #[test]
    fn each_rule_stands_in_its_definition_and_complains_of_a_field_that_there_is() {
        let mut count = 0;
        for definition in clusters() {
            let kind = definition.spec.names.kind.clone();
            let value = serde_json::to_value(&definition).unwrap();
            let root = &value["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
            for rule in RULES.iter().filter(|rule| rule.kind == kind) {
                let at: String = rule.at.iter().map(|step| format!("/properties/{step}")).collect();
                let place = root.pointer(&at).unwrap();
                let written = serde_json::to_value(rule.written()).unwrap();
                assert!(place["x-kubernetes-validations"].as_array().unwrap().contains(&written), "{kind}{at}");
                let field = rule.field.replace('.', "/properties/");
                assert!(place.pointer(&field).is_some_and(Value::is_object), "{kind}{at}{field}");
                count += 1;
            }
        }
        assert_eq!(count, RULES.len());
    }

    #[test]
    fn the_embedded_api_has_definitions_without_rules() {
        let text = serde_json::to_string(&crds()).unwrap();
        assert!(!text.contains("x-kubernetes-validations"));
    }
}
