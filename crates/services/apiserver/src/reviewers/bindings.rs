//! What the schema cannot say of role bindings; texts are those of the Kubernetes API server.

use kobel_resources::{Lookup, Problem, ProblemKind, Review};
use serde_json::{Value, json};

/// The API group of roles, users and groups.
const RBAC: &str = "rbac.authorization.k8s.io";

/// Reviews a binding in a namespace.
pub fn role_binding(object: &Value, previous: Option<&Value>, _lookup: Lookup<'_>) -> Review {
    review(object, previous, &["Role", "ClusterRole"], |_, _| None)
}

/// Reviews a binding everywhere; a service account must say its namespace there.
pub fn cluster_role_binding(object: &Value, previous: Option<&Value>, _lookup: Lookup<'_>) -> Review {
    review(object, previous, &["ClusterRole"], |path, subject| {
        let is_missing = text(subject, "namespace").is_empty();
        is_missing.then(|| Problem::required(format!("{path}.namespace"), ""))
    })
}

fn review(
    object: &Value,
    previous: Option<&Value>,
    kinds: &[&str],
    account_rule: impl Fn(&str, &Value) -> Option<Problem>,
) -> Review {
    let mut problems = Vec::new();
    let role = object.get("roleRef").unwrap_or(&Value::Null);
    let group = text(role, "apiGroup");
    if !group.is_empty() && group != RBAC {
        problems.push(Problem::not_supported("roleRef.apiGroup", group, &[RBAC]));
    }
    if !kinds.contains(&text(role, "kind")) {
        problems.push(Problem::not_supported("roleRef.kind", text(role, "kind"), kinds));
    }
    if text(role, "name").is_empty() {
        problems.push(Problem::required("roleRef.name", ""));
    }
    if let Some(previous) = previous.and_then(|previous| previous.get("roleRef"))
        && ["kind", "name"].iter().any(|field| text(previous, field) != text(role, field))
    {
        let shown = json!({"APIGroup": RBAC, "Kind": text(role, "kind"), "Name": text(role, "name")});
        problems.push(Problem::new(ProblemKind::Invalid, "roleRef", shown, "cannot change roleRef"));
    }
    let subjects = object.get("subjects").and_then(Value::as_array);
    for (at, subject) in subjects.into_iter().flatten().enumerate() {
        problems.extend(review_subject(&format!("subjects[{at}]"), subject, &account_rule));
    }
    Review { problems, warnings: Vec::new() }
}

fn review_subject(path: &str, subject: &Value, account_rule: impl Fn(&str, &Value) -> Option<Problem>) -> Vec<Problem> {
    let mut problems = Vec::new();
    if text(subject, "name").is_empty() {
        problems.push(Problem::required(format!("{path}.name"), ""));
    }
    let group = text(subject, "apiGroup");
    match text(subject, "kind") {
        "ServiceAccount" => {
            if !group.is_empty() {
                problems.push(Problem::not_supported(format!("{path}.apiGroup"), group, &[""]));
            }
            problems.extend(account_rule(path, subject));
        }
        "User" | "Group" => {
            if !group.is_empty() && group != RBAC {
                problems.push(Problem::not_supported(format!("{path}.apiGroup"), group, &[RBAC]));
            }
        }
        other => {
            let known = ["ServiceAccount", "User", "Group"];
            problems.push(Problem::not_supported(format!("{path}.kind"), other, &known));
        }
    }
    problems
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
