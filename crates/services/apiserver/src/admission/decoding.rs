//! From a body to an object of a kind: the type it claims, the types of its metadata, and what nobody knows in it.
//!
//! A body that is no object of the kind at all is refused with 400; rules about values come later and are 422.

use kobel_resources::Problem;
use serde_json::{Map, Value};

use crate::kind::Kind;
use crate::object::{self, go_type};
use crate::status::{Answer, Status};
use crate::verbs::request::{FieldValidation, WriteOptions};

/// What a field of the metadata holds.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Number,
    Time,
    Texts,
    TextMap,
    Owners,
    Opaque,
}

/// The fields of `ObjectMeta`.
const METADATA: [(&str, Shape); 15] = [
    ("name", Shape::Text),
    ("generateName", Shape::Text),
    ("namespace", Shape::Text),
    ("selfLink", Shape::Text),
    ("uid", Shape::Text),
    ("resourceVersion", Shape::Text),
    ("generation", Shape::Number),
    ("creationTimestamp", Shape::Time),
    ("deletionTimestamp", Shape::Time),
    ("deletionGracePeriodSeconds", Shape::Number),
    ("labels", Shape::TextMap),
    ("annotations", Shape::TextMap),
    ("ownerReferences", Shape::Owners),
    ("finalizers", Shape::Texts),
    ("managedFields", Shape::Opaque),
];

/// The fields of `OwnerReference`.
const OWNER: [&str; 6] = ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"];

/// How the body came to be, which decides how a refusal reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The caller sent it whole.
    Sent,
    /// It is a stored object with a patch applied.
    Patched,
}

/// Refuses a body that claims to be of another kind. Core kinds may leave the claim out; it is then filled in.
pub fn check_type(kind: &Kind, body: &mut Value, origin: Origin) -> Answer<()> {
    let Some(map) = body.as_object() else {
        let message = format!("the object provided is unrecognized (must be of type {}): not an object", kind.kind);
        return Err(Status::bad_request(message));
    };
    let claimed = |field: &str| map.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (version, name, expected) = (claimed("apiVersion"), claimed("kind"), kind.api_version());
    if !kind.is_custom {
        if (!name.is_empty() && name != kind.kind) || (!version.is_empty() && version != expected) {
            return Err(unregistered(kind, &name, &version));
        }
        fill_type(kind, body);
        return Ok(());
    }
    if name.is_empty() || version.is_empty() {
        let missing = if name.is_empty() { "Object 'Kind' is missing in" } else { "Object 'apiVersion' is missing in" };
        let text = body.to_string();
        let message =
            format!("the object provided is unrecognized (must be of type {}): {missing} '{text}' ({text})", kind.kind);
        return Err(Status::bad_request(message));
    }
    if version != expected {
        if origin == Origin::Patched {
            let problem = Problem::invalid("apiVersion", version, format!("must be {expected}"));
            return Err(Status::invalid(&kind.kind, "", object::name(body), &[problem]));
        }
        let rest = format!("does not match the expected API version ({expected})");
        return Err(Status::bad_request(format!("the API version in the data ({version}) {rest}")));
    }
    if name != kind.kind {
        let problem = Problem::invalid("kind", name.clone(), format!("must be {}", kind.kind));
        return Err(Status::invalid(&name, &kind.group, object::name(body), &[problem]));
    }
    Ok(())
}

fn unregistered(kind: &Kind, name: &str, version: &str) -> Box<Status> {
    let own = kind.kind.as_str();
    let name = if name.is_empty() { own } else { name };
    let version = if version.is_empty() { kind.version.as_str() } else { version };
    let cause = format!("no kind \"{name}\" is registered for version \"{version}\" in scheme");
    let message = format!("{name} in version \"{version}\" cannot be handled as a {own}: {cause}");
    Status::bad_request(format!("{message} \"pkg/runtime/scheme.go:111\""))
}

/// Puts `apiVersion` and `kind` in front of an object that does not tell them.
fn fill_type(kind: &Kind, body: &mut Value) {
    let Some(map) = body.as_object_mut() else { return };
    let mut whole = Map::new();
    whole.insert("apiVersion".to_owned(), Value::String(kind.api_version()));
    whole.insert("kind".to_owned(), Value::String(kind.kind.clone()));
    for (field, value) in std::mem::take(map) {
        if field != "apiVersion" && field != "kind" {
            whole.insert(field, value);
        }
    }
    *map = whole;
}

/// Checks the types of the metadata, drops what the kind does not know, and fills in defaults. Answers what the caller
/// should be warned of.
pub fn decode(kind: &Kind, body: &mut Value, options: &WriteOptions, origin: Origin) -> Answer<Vec<String>> {
    check_shape(kind, body)?;
    let mut unknown = prune_metadata(body);
    let mut pruned = kind.schema.prune(body);
    if kind.is_custom {
        pruned.sort();
    }
    unknown.extend(pruned);
    let unknown = unknown.into_iter().map(|path| format!("unknown field \"{path}\""));
    let faults: Vec<String> = options.body_faults.iter().cloned().chain(unknown).collect();
    kind.schema.fill_defaults(body);
    match options.validation {
        FieldValidation::Ignore => Ok(Vec::new()),
        FieldValidation::Warn => Ok(faults),
        FieldValidation::Strict if faults.is_empty() => Ok(Vec::new()),
        FieldValidation::Strict => {
            let why = format!("strict decoding error: {}", faults.join(", "));
            match origin {
                Origin::Sent => Err(refuse(kind, &why)),
                Origin::Patched => {
                    Err(Status::invalid("", "", "", &[Problem::invalid("patch", body.to_string(), why)]))
                }
            }
        }
    }
}

/// Refuses metadata of wrong types.
pub fn check_shape(kind: &Kind, body: &Value) -> Answer<()> {
    check_metadata(body).map_err(|why| refuse(kind, &why))
}

fn refuse(kind: &Kind, why: &str) -> Box<Status> {
    let (name, version) = (&kind.kind, &kind.version);
    Status::bad_request(format!("{name} in version \"{version}\" cannot be handled as a {name}: {why}"))
}

/// Says which part of the metadata has a wrong type, as the JSON decoder of the API server does.
fn check_metadata(body: &Value) -> Result<(), String> {
    let meta = match body.get("metadata") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(meta)) => meta,
        Some(other) => {
            return Err(format!("json: cannot unmarshal {} into Go value of type v1.ObjectMeta", go_type(other)));
        }
    };
    for (field, shape) in METADATA {
        let Some(value) = meta.get(field).filter(|value| !value.is_null()) else { continue };
        if let Some((found, wanted)) = mismatch(value, shape) {
            let found = go_type(found);
            return Err(format!(
                "json: cannot unmarshal {found} into Go struct field ObjectMeta.{field} of type {wanted}"
            ));
        }
        if let (Shape::Time, Some(text)) = (shape, value.as_str())
            && text.parse::<jiff::Timestamp>().is_err()
        {
            let layout = "2006-01-02T15:04:05Z07:00";
            return Err(format!("parsing time \"{text}\" as \"{layout}\": cannot parse \"{text}\" as \"2006\""));
        }
    }
    Ok(())
}

/// The part of a value that does not have the shape, and the Go type that is wanted there.
fn mismatch(value: &Value, shape: Shape) -> Option<(&Value, &'static str)> {
    match shape {
        Shape::Text | Shape::Time => (!value.is_string()).then_some((value, "string")),
        Shape::Number => (!value.is_i64()).then_some((value, "int64")),
        Shape::Texts => match value.as_array() {
            None => Some((value, "[]string")),
            Some(items) => items.iter().find(|item| !item.is_string()).map(|item| (item, "string")),
        },
        Shape::TextMap => match value.as_object() {
            None => Some((value, "map[string]string")),
            Some(map) => map.values().find(|item| !item.is_string()).map(|item| (item, "string")),
        },
        Shape::Owners => match value.as_array() {
            None => Some((value, "[]v1.OwnerReference")),
            Some(items) => items.iter().find(|item| !item.is_object()).map(|item| (item, "v1.OwnerReference")),
        },
        Shape::Opaque => (!value.is_array()).then_some((value, "[]v1.ManagedFieldsEntry")),
    }
}

/// Drops unknown and empty fields of the metadata; answers the paths of the unknown ones.
fn prune_metadata(body: &mut Value) -> Vec<String> {
    let meta = object::meta_mut(body);
    let mut unknown = Vec::new();
    meta.retain(|field, value| {
        let known = METADATA.iter().any(|(name, _)| name == field);
        if !known {
            unknown.push(format!("metadata.{field}"));
        }
        let is_empty = match value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            // An empty list of managers is the wish to forget them all.
            Value::Array(items) => items.is_empty() && field != "managedFields",
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        known && !is_empty
    });
    meta.shift_remove("selfLink");
    let owners = meta.get_mut("ownerReferences").and_then(Value::as_array_mut);
    for (at, owner) in owners.into_iter().flatten().enumerate() {
        let Some(owner) = owner.as_object_mut() else { continue };
        owner.retain(|field, _| {
            let known = OWNER.contains(&field.as_str());
            if !known {
                unknown.push(format!("metadata.ownerReferences[{at}].{field}"));
            }
            known
        });
    }
    unknown
}
