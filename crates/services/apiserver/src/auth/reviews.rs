//! Access reviews: what a caller, or somebody else, may do, and who the caller is. Nothing is stored.

use kobel_resources::Problem;
use serde_json::{Map, Value, json};

use crate::auth::access::Access;
use crate::auth::attributes::Attributes;
use crate::auth::caller::Caller;
use crate::auth::rules::PolicyRule;
use crate::status::{Answer, Status};

/// The API group of reviews about access.
const AUTHORIZATION: &str = "authorization.k8s.io";

/// Answers a review by its plural, such as `selfsubjectaccessreviews`; absent if there is no such review.
pub fn answer(plural: &str, body: Value, caller: &Caller, access: &Access) -> Option<Answer<Value>> {
    Some(match plural {
        "selfsubjectaccessreviews" => self_subject_access(body, caller, access),
        "selfsubjectrulesreviews" => self_subject_rules(&body, caller, access),
        "selfsubjectreviews" => Ok(self_subject(caller, access)),
        "subjectaccessreviews" => subject_access(body, access),
        _ => return None,
    })
}

/// `SelfSubjectAccessReview`: whether the caller may do something.
pub fn self_subject_access(body: Value, caller: &Caller, access: &Access) -> Answer<Value> {
    review_access("SelfSubjectAccessReview", body, caller, access)
}

/// `SubjectAccessReview`: whether somebody may do something.
pub fn subject_access(body: Value, access: &Access) -> Answer<Value> {
    let spec = body.get("spec").unwrap_or(&Value::Null);
    let groups = spec.get("groups").and_then(Value::as_array).into_iter().flatten();
    let groups = groups.filter_map(Value::as_str).map(str::to_owned).collect();
    let caller = Caller { user: text(spec, "user").to_owned(), groups };
    if caller.user.is_empty() && caller.groups.is_empty() {
        let detail = "at least one of user or group must be specified";
        return Err(invalid(Problem::invalid("spec.user", "", detail)));
    }
    review_access("SubjectAccessReview", body, &caller, access)
}

fn review_access(kind: &str, body: Value, caller: &Caller, access: &Access) -> Answer<Value> {
    let spec = body.get("spec").cloned().unwrap_or_else(|| json!({}));
    let part = |field: &str| spec.get(field).filter(|part| part.is_object());
    let reason = match (part("resourceAttributes"), part("nonResourceAttributes")) {
        (Some(asked), None) => decide(asked, caller, access),
        (None, Some(asked)) => access.decide_path(caller, text(asked, "verb"), text(asked, "path")),
        (None, None) => {
            let detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            return Err(invalid(Problem::invalid("spec.resourceAttributes", Value::Null, detail)));
        }
        (Some(_), Some(path)) => {
            let shown = json!({"Path": text(path, "path"), "Verb": text(path, "verb")});
            let detail = "cannot be specified in combination with resourceAttributes";
            return Err(invalid(Problem::invalid("spec.nonResourceAttributes", shown, detail)));
        }
    };
    let mut status = json!({"allowed": reason.is_some()});
    if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
        status["reason"] = Value::String(reason);
    }
    Ok(json!({
        "kind": kind, "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": spec, "status": status,
    }))
}

fn decide(asked: &Value, caller: &Caller, access: &Access) -> Option<String> {
    let (plural, subresource) = (text(asked, "resource"), text(asked, "subresource"));
    let resource = if subresource.is_empty() { plural.to_owned() } else { format!("{plural}/{subresource}") };
    let given = |field: &'static str| Some(text(asked, field)).filter(|word| !word.is_empty());
    let asked = Attributes {
        verb: text(asked, "verb"),
        group: text(asked, "group"),
        resource: &resource,
        namespace: given("namespace"),
        name: given("name"),
    };
    access.decide(caller, &asked)
}

fn invalid(problem: Problem) -> Box<Status> {
    Status::invalid("", AUTHORIZATION, "", &[problem])
}

/// `SelfSubjectRulesReview`: every rule that allows the caller something in a namespace.
pub fn self_subject_rules(body: &Value, caller: &Caller, access: &Access) -> Answer<Value> {
    let namespace = body.get("spec").map(|spec| text(spec, "namespace")).unwrap_or_default();
    if namespace.is_empty() {
        return Err(Status::bad_request("no namespace on request"));
    }
    let rules = access.rules(caller, namespace);
    let (on_paths, on_resources): (Vec<&PolicyRule>, Vec<&PolicyRule>) =
        rules.into_iter().partition(|rule| !rule.non_resource_urls.is_empty());
    Ok(json!({
        "kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": {},
        "status": {"resourceRules": listed(&on_resources), "nonResourceRules": listed(&on_paths), "incomplete": false},
    }))
}

/// Rules with their verbs first, as reviews show them.
fn listed(rules: &[&PolicyRule]) -> Vec<Value> {
    let verbs_first = |rule: &&PolicyRule| {
        let mut shown = Map::new();
        shown.insert("verbs".to_owned(), json!(rule.verbs));
        if let Value::Object(fields) = rule.to_json() {
            shown.extend(fields);
        }
        Value::Object(shown)
    };
    rules.iter().map(verbs_first).collect()
}

/// `SelfSubjectReview`: who the caller is.
pub fn self_subject(caller: &Caller, access: &Access) -> Value {
    let mut user = json!({"username": caller.user});
    if let Some(uid) = access.uid_of(caller) {
        user["uid"] = Value::String(uid);
    }
    user["groups"] = json!(caller.groups);
    json!({
        "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"creationTimestamp": access.now()}, "status": {"userInfo": user},
    })
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
