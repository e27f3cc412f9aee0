//! The rules of `metadata`, which are the same for every kind.

use kobel_resources::{Problem, ProblemKind};
use serde_json::{Value, json};

use super::names;
use crate::kind::Kind;
use crate::object;

/// The finalizer that keeps an object until its dependents are gone.
pub const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer that keeps an object until its dependents forgot it.
pub const ORPHAN: &str = "orphan";

/// The most bytes that all annotations of an object have together.
const ANNOTATIONS_MAX: usize = 262_144;

/// Whether garbage collection sets and removes this finalizer.
pub fn is_own_finalizer(name: &str) -> bool {
    name == FOREGROUND || name == ORPHAN
}

/// Checks the metadata of an object that is created; its name has been made already.
pub fn check_new(kind: &Kind, object: &Value) -> Vec<Problem> {
    let of_kind = |text: &str| {
        if kind.group.is_empty() && kind.kind == "Namespace" { names::label(text) } else { names::subdomain(text) }
    };
    let mut problems = Vec::new();
    let base = object::meta(object, "generateName");
    if !base.is_empty() {
        // The random part follows, so a hyphen may stand at the end.
        let begun = base.strip_suffix('-').map(|base| format!("{base}a")).unwrap_or_else(|| base.to_owned());
        problems.extend(invalid("metadata.generateName", base, of_kind(&begun)));
    }
    match object::name(object) {
        "" => problems.push(Problem::required("metadata.name", "name or generateName is required")),
        name => problems.extend(invalid("metadata.name", name, of_kind(name))),
    }
    problems.extend(check_maps(object));
    problems.extend(check_owners(object));
    problems.extend(check_finalizers(object));
    problems
}

/// Checks the metadata of an object that replaces another.
pub fn check_update(old: &Value, new: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let before = object::finalizers(old);
    let mut fresh: Vec<&str> = object::finalizers(new).into_iter().filter(|name| !before.contains(name)).collect();
    if object::is_deleting(old) && !fresh.is_empty() {
        fresh.sort_unstable();
        fresh.dedup();
        let listed: Vec<String> = fresh.iter().map(|name| format!("{name:?}")).collect();
        let listed = listed.join(", ");
        let rule = "no new finalizers can be added if the object is being deleted, found new finalizers";
        problems.push(Problem::forbidden("metadata.finalizers", format!("{rule} []string{{{listed}}}")));
    }
    for field in ["name", "namespace", "uid"] {
        let given = object::meta(new, field);
        if given != object::meta(old, field) {
            problems.push(Problem::invalid(format!("metadata.{field}"), given, "field is immutable"));
        }
    }
    problems.extend(check_maps(new));
    problems.extend(check_owners(new));
    problems.extend(check_finalizers(new));
    problems
}

fn check_maps(object: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, value) in object::text_map(object, "labels") {
        problems.extend(invalid("metadata.labels", key, names::qualified(key)));
        problems.extend(invalid("metadata.labels", value, names::label_value(value)));
    }
    let mut bytes = 0;
    for (key, value) in object::text_map(object, "annotations") {
        problems.extend(invalid("metadata.annotations", key, names::qualified(&key.to_lowercase())));
        bytes += key.len() + value.len();
    }
    if bytes > ANNOTATIONS_MAX {
        problems.push(Problem {
            path: "metadata.annotations".to_owned(),
            kind: ProblemKind::TooLong,
            value: None,
            detail: format!("may not be more than {ANNOTATIONS_MAX} bytes"),
        });
    }
    problems
}

fn check_owners(object: &Value) -> Vec<Problem> {
    const PATH: &str = "metadata.ownerReferences";
    let listed = object.get("metadata").and_then(|meta| meta.get("ownerReferences")).and_then(Value::as_array);
    let mut problems = Vec::new();
    let mut controller: Option<String> = None;
    for owner in listed.into_iter().flatten() {
        let text = |field: &str| owner.get(field).and_then(Value::as_str).unwrap_or_default();
        let version = match text("apiVersion").split_once('/') {
            Some((_, version)) if version.contains('/') => "",
            Some((_, version)) => version,
            None => text("apiVersion"),
        };
        if version.is_empty() {
            let path = format!("{PATH}.apiVersion");
            problems.push(Problem::invalid(path, text("apiVersion"), "version must not be empty"));
        }
        for field in ["kind", "name", "uid"] {
            if text(field).is_empty() {
                problems.push(Problem::invalid(format!("{PATH}.{field}"), "", "must not be empty"));
            }
        }
        if text("apiVersion") == "v1" && text("kind") == "Event" {
            let detail = "/v1, Kind=Event is disallowed from being an owner";
            problems.push(Problem::invalid(PATH, owner.clone(), detail));
        }
        if owner.get("controller") == Some(&Value::Bool(true)) {
            let name = format!("{}/{}", text("kind"), text("name"));
            match &controller {
                Some(first) => {
                    let rule = "Only one reference can have Controller set to true. Found \"true\" in references for";
                    problems.push(Problem::invalid(PATH, json!(listed), format!("{rule} {first} and {name}")));
                }
                None => controller = Some(name),
            }
        }
    }
    problems
}

fn check_finalizers(object: &Value) -> Vec<Problem> {
    let listed = object::finalizers(object);
    let mut problems: Vec<Problem> =
        listed.iter().flat_map(|name| invalid("metadata.finalizers", name, names::qualified(name))).collect();
    if listed.contains(&ORPHAN) && listed.contains(&FOREGROUND) {
        let detail = format!("finalizer {ORPHAN} and {FOREGROUND} cannot be both set");
        problems.push(Problem::invalid("metadata.finalizers", json!(listed), detail));
    }
    problems
}

fn invalid(path: &str, value: &str, faults: Vec<String>) -> Vec<Problem> {
    faults.into_iter().map(|fault| Problem::invalid(path, value, fault)).collect()
}
