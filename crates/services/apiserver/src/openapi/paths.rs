//! The calls on a kind: paths, parameters, and the kinds they are about.

use serde_json::{Map, Value, json};

use super::metadata::SCALE;
use super::names::{PREFIX_V2, PREFIX_V3, schema_name};
use crate::discovery::verbs;
use crate::kind::Kind;

/// An edition of OpenAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// Swagger 2.0.
    V2,
    /// OpenAPI 3.0.
    V3,
}

const DRY_RUN: (&str, &str, &str) = ("dryRun", "string", "`All` tries the call and keeps nothing.");
const MANAGER: (&str, &str, &str) = ("fieldManager", "string", "Who the written fields belong to afterwards.");
const VALIDATION: (&str, &str, &str) = (
    "fieldValidation",
    "string",
    "What happens to fields that are unknown or stand twice: `Ignore`, `Warn` or `Strict`.",
);
const FORCE: (&str, &str, &str) = ("force", "boolean", "Whether an apply takes fields from other managers.");

type Parameter = (&'static str, &'static str, &'static str);

const LIST: [Parameter; 9] = [
    ("allowWatchBookmarks", "boolean", "Whether a watch may tell how far it is."),
    ("continue", "string", "Where to go on with a list."),
    ("fieldSelector", "string", "Which objects, by their fields."),
    ("labelSelector", "string", "Which objects, by their labels."),
    ("limit", "integer", "The most objects of a page."),
    ("resourceVersion", "string", "Which version is wanted."),
    ("resourceVersionMatch", "string", "How the version is meant."),
    ("timeoutSeconds", "integer", "How long a watch lasts."),
    ("watch", "boolean", "Whether changes are wanted rather than a list."),
];
const DELETE: [Parameter; 4] = [
    DRY_RUN,
    ("gracePeriodSeconds", "integer", "Has no effect."),
    ("orphanDependents", "boolean", "Use propagationPolicy."),
    ("propagationPolicy", "string", "What becomes of dependents: `Background`, `Foreground` or `Orphan`."),
];

/// Describes the calls of one kind.
struct Calls<'a> {
    kind: &'a Kind,
    edition: Edition,
}

/// What is done, and what it is called in clients.
#[derive(Clone, Copy)]
struct Action {
    method: &'static str,
    verb: &'static str,
    action: &'static str,
    parameters: &'static [Parameter],
}

const ON_COLLECTION: [Action; 3] = [
    Action { method: "get", verb: "list", action: "list", parameters: &LIST },
    Action { method: "post", verb: "create", action: "post", parameters: &[DRY_RUN, MANAGER, VALIDATION] },
    Action { method: "delete", verb: "deletecollection", action: "deletecollection", parameters: &DELETE },
];
const ON_OBJECT: [Action; 4] = [
    Action { method: "get", verb: "get", action: "get", parameters: &[] },
    Action { method: "put", verb: "update", action: "put", parameters: &[DRY_RUN, MANAGER, VALIDATION] },
    Action { method: "patch", verb: "patch", action: "patch", parameters: &[DRY_RUN, MANAGER, VALIDATION, FORCE] },
    Action { method: "delete", verb: "delete", action: "delete", parameters: &DELETE },
];

/// The paths of a kind.
pub fn of_kind(kind: &Kind, edition: Edition) -> Map<String, Value> {
    let calls = Calls { kind, edition };
    let root = if kind.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", kind.group) };
    let root = format!("{root}/{}", kind.version);
    let (namespaced, plural) = (kind.is_namespaced(), &kind.plural);
    let collection =
        if namespaced { format!("{root}/namespaces/{{namespace}}/{plural}") } else { format!("{root}/{plural}") };
    let mut paths = Map::new();
    paths.insert(collection.clone(), calls.path(&collection, &ON_COLLECTION, None));
    if namespaced {
        let everywhere = format!("{root}/{plural}");
        let list = calls.path(&everywhere, ON_COLLECTION.get(..1).unwrap_or_default(), None);
        paths.insert(everywhere, list);
    }
    let object = format!("{collection}/{{name}}");
    paths.insert(object.clone(), calls.path(&object, &ON_OBJECT, None));
    let changing = ON_OBJECT.get(..3).unwrap_or_default();
    for (part, is_there) in [("status", kind.has_status), ("scale", kind.scale.is_some())] {
        if is_there {
            let path = format!("{object}/{part}");
            let described = calls.path(&path, changing, Some(part));
            paths.insert(path, described);
        }
    }
    paths
}

impl Calls<'_> {
    fn path(&self, path: &str, actions: &[Action], part: Option<&str>) -> Value {
        let mut described = Map::new();
        for action in actions.iter().filter(|action| verbs(self.kind).contains(&action.verb)) {
            described.insert(action.method.to_owned(), self.operation(path, action, part));
        }
        let inner = [("namespace", "The namespace."), ("name", "The object's name.")];
        let inner = inner.into_iter().filter(|(name, _)| path.contains(&format!("{{{name}}}")));
        let parameters: Vec<Value> = inner
            .map(|(name, description)| {
                let mut parameter = self.parameter((name, "string", description), "path");
                parameter["required"] = json!(true);
                parameter
            })
            .collect();
        described.insert("parameters".to_owned(), Value::Array(parameters));
        Value::Object(described)
    }

    fn parameter(&self, (name, kind, description): (&str, &str, &str), place: &str) -> Value {
        let mut parameter = json!({"name": name, "in": place, "description": description});
        match self.edition {
            Edition::V2 => parameter["type"] = json!(kind),
            Edition::V3 => parameter["schema"] = json!({"type": kind}),
        }
        parameter
    }

    fn operation(&self, path: &str, action: &Action, part: Option<&str>) -> Value {
        let kind = self.kind;
        let is_scale = part == Some("scale");
        let gvk = if is_scale {
            json!({"group": "autoscaling", "kind": "Scale", "version": "v1"})
        } else {
            json!({"group": kind.group, "kind": kind.kind, "version": kind.version})
        };
        let mut schema = if is_scale { SCALE.to_owned() } else { schema_name(kind) };
        if action.action == "list" {
            schema.push_str("List");
        }
        let mut parameters: Vec<Value> =
            action.parameters.iter().map(|parameter| self.parameter(*parameter, "query")).collect();
        let mut operation = json!({
            "description": format!("{} {}", action.verb, kind.kind),
            "operationId": operation_id(path, action.method),
        });
        let reference = |prefix: &str| json!({"$ref": format!("{prefix}{schema}")});
        let sends = matches!(action.method, "post" | "put" | "patch");
        match self.edition {
            Edition::V2 => {
                if sends {
                    parameters
                        .push(json!({"name": "body", "in": "body", "required": true, "schema": {"type": "object"}}));
                }
                operation["consumes"] = json!(self.media_types(action));
                operation["produces"] = json!(["application/json", "application/yaml"]);
                operation["responses"] = json!({"200": {"description": "OK", "schema": reference(PREFIX_V2)}});
            }
            Edition::V3 => {
                if sends {
                    let of = |media: &&str| ((*media).to_owned(), json!({"schema": {"type": "object"}}));
                    let content: Map<String, Value> = self.media_types(action).iter().map(of).collect();
                    operation["requestBody"] = json!({"content": content, "required": true});
                }
                let content = json!({"application/json": {"schema": reference(PREFIX_V3)}});
                operation["responses"] = json!({"200": {"description": "OK", "content": content}});
            }
        }
        operation["parameters"] = Value::Array(parameters);
        operation["x-kubernetes-action"] = json!(action.action);
        operation["x-kubernetes-group-version-kind"] = gvk;
        operation
    }

    fn media_types(&self, action: &Action) -> &'static [&'static str] {
        match action.method {
            "patch" if self.kind.is_custom => {
                &["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]
            }
            "patch" => &[
                "application/json-patch+json",
                "application/merge-patch+json",
                "application/strategic-merge-patch+json",
                "application/apply-patch+yaml",
            ],
            _ => &["application/json", "application/yaml"],
        }
    }
}

/// A name of a call that no other has: its method and the words of its path.
fn operation_id(path: &str, method: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let capitalised = words.map(|word| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    format!("{method}{}", capitalised.collect::<String>())
}
