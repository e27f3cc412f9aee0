//! An admission review: what an API server asks before it stores an object, and what it is answered.
//!
//! Pure. What is refused is refused in the words of the embedded API. An object that is being deleted is let through,
//! so that its finalizers can go; so is one that nobody changed, which may have been stored under milder rules.
//!
//! # Source
//! `admission.k8s.io/v1`; the label of session jobs is that of the mutating webhook of the Apache Flink Kubernetes
//! operator.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kobel_model::deployment::Substrate;
use kobel_resources::crd::{openapi, root_schema};
use kobel_resources::{API_VERSION, Context, GROUP, Refusal, Review, VERSION};
use serde_json::{Value, json};

/// The kind of what is asked and of what is answered.
const REVIEW: &str = "AdmissionReview";
/// Its group and version.
const REVIEW_VERSION: &str = "admission.k8s.io/v1";
/// The label of a session job that names its session cluster.
const TARGET_SESSION: &str = "target.session";
/// The longest value of a label.
const LABEL_MAX: usize = 63;
/// The longest name of an object.
const NAME_MAX: usize = 253;

/// Whether an object may take the place of another, or of none.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    uid: String,
    kind: String,
    namespace: String,
    name: String,
    /// What is to be stored; absent if it is not for us to judge.
    change: Option<Change>,
}

/// What is to be stored.
#[derive(Debug, Clone, PartialEq)]
struct Change {
    object: Value,
    /// What it replaces; absent for a new object.
    previous: Option<Value>,
}

/// Another object that a review looks at, of the same namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// `FlinkDeployment` or `FlinkSessionJob`.
    pub kind: &'static str,
    /// The namespace of both.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Question {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// What is wrong with the body; of the object in it nothing is said here.
    pub fn read(mut body: Value) -> Result<Self, String> {
        let (kind, version) = (text(&body, "kind"), text(&body, "apiVersion"));
        if kind != REVIEW {
            return Err(format!("the body must be an `{REVIEW}`, and its `kind` is `{}`", shown(kind)));
        }
        if version != REVIEW_VERSION {
            let version = shown(version);
            return Err(format!("an `{REVIEW}` of `{version}` is not answered: it must be of `{REVIEW_VERSION}`"));
        }
        let request = body.get_mut("request").map(Value::take).filter(Value::is_object);
        let mut request = request.ok_or_else(|| format!("the `{REVIEW}` has no `request`"))?;
        for part in ["uid", "operation"] {
            if text(&request, part).is_empty() {
                return Err(format!("`request.{part}` is missing"));
            }
        }
        let part = |part: &str| request.get("kind").map(|kind| text(kind, part)).unwrap_or_default();
        let (group, version, kind) = (part("group"), part("version"), part("kind").to_owned());
        if kind.is_empty() {
            return Err("`request.kind.kind` is missing".to_owned());
        }
        let is_ours = (group, version) == (GROUP, VERSION) && openapi(&kind).is_object();
        let is_judged = is_ours && text(&request, "subResource").is_empty();
        let operation = text(&request, "operation").to_owned();
        let change = match operation.as_str() {
            "CREATE" if is_judged => Some(Change { object: object(&mut request, &kind)?, previous: None }),
            "UPDATE" if is_judged => {
                let object = object(&mut request, &kind)?;
                let previous = request.get_mut("oldObject").map(Value::take).filter(Value::is_object);
                Some(Change { object, previous: Some(previous.ok_or("`request.oldObject` is missing")?) })
            }
            _ => None,
        };
        let change = change.filter(|change| !change.is_of_deletion());
        let said = |part: &str| {
            let of_object = change.as_ref().map(|change| meta(&change.object, part)).unwrap_or_default();
            if of_object.is_empty() { text(&request, part).to_owned() } else { of_object.to_owned() }
        };
        let (namespace, name) = (said("namespace"), said("name"));
        Ok(Self { uid: text(&request, "uid").to_owned(), kind, namespace, name, change })
    }

    /// The object that has to be looked up for [`Self::validate`], if there is one.
    pub fn neighbour(&self) -> Option<Neighbour> {
        let spec = self.judged()?.object.get("spec")?;
        let (kind, name) = match self.kind.as_str() {
            "FlinkSessionJob" => ("FlinkDeployment", text(spec, "deploymentName")),
            "FlinkStateSnapshot" => {
                let reference = spec.get("jobReference")?;
                (text(reference, "kind"), text(reference, "name"))
            }
            _ => return None,
        };
        let kind = ["FlinkDeployment", "FlinkSessionJob"].into_iter().find(|known| *known == kind)?;
        // There is no object of another name, and none that a path could name.
        let can_be = is_name(name) && is_name(&self.namespace);
        can_be.then(|| Neighbour { kind, namespace: self.namespace.clone(), name: name.to_owned() })
    }

    /// The answer of the validating webhook: the object is held to every rule. `neighbour` is what [`Self::neighbour`]
    /// names, if it is there, and `defaults` are those of the operator.
    pub fn validate(&self, neighbour: Option<&Value>, defaults: &BTreeMap<String, String>) -> Value {
        let Some(change) = self.judged() else { return self.allowed(&[]) };
        let named = self.neighbour();
        let find = |kind: &str, name: &str| {
            let is_it = named.as_ref().is_some_and(|named| named.kind == kind && named.name == name);
            neighbour.filter(|_| is_it).cloned()
        };
        let context = Context { previous: change.previous.as_ref(), find: &find, defaults };
        let of_schema = root_schema(&self.kind).validate(&change.object);
        let review = Review::on(Substrate::Kubernetes, &change.object, &context).after(of_schema);
        if review.problems.is_empty() {
            return self.allowed(&review.warnings);
        }
        let refusal = Refusal::of(&self.kind, GROUP, &self.name, &review.problems);
        answer(json!({"uid": self.uid, "allowed": false, "status": refusal.status()}))
    }

    /// The answer of the mutating webhook: a session job gets the label that names its session cluster.
    pub fn mutate(&self) -> Value {
        let Some(patch) = self.label() else { return self.allowed(&[]) };
        let patch = STANDARD.encode(patch.to_string());
        answer(json!({"uid": self.uid, "allowed": true, "patchType": "JSONPatch", "patch": patch}))
    }

    /// The JSON patch that sets the label, unless it is set already.
    fn label(&self) -> Option<Value> {
        let object = &self.change.as_ref().filter(|_| self.kind == "FlinkSessionJob")?.object;
        let session = object.get("spec").map(|spec| text(spec, "deploymentName"))?;
        let labels = object.get("metadata")?.as_object()?.get("labels");
        let set = labels.and_then(|labels| labels.get(TARGET_SESSION)).and_then(Value::as_str);
        // What can be no label is refused for its name, in better words than those for a label.
        if set == Some(session) || !is_name(session) || session.len() > LABEL_MAX {
            return None;
        }
        Some(match labels {
            Some(Value::Object(_)) => {
                json!([{"op": "add", "path": format!("/metadata/labels/{TARGET_SESSION}"), "value": session}])
            }
            _ => json!([{"op": "add", "path": "/metadata/labels", "value": {TARGET_SESSION: session}}]),
        })
    }

    /// The change, if somebody made one that is to be judged.
    fn judged(&self) -> Option<&Change> {
        self.change.as_ref().filter(|change| change.is_made())
    }

    fn allowed(&self, warnings: &[String]) -> Value {
        let mut response = json!({"uid": self.uid, "allowed": true});
        if !warnings.is_empty() {
            response["warnings"] = json!(warnings);
        }
        answer(response)
    }
}

impl Change {
    /// Whether the object goes.
    fn is_of_deletion(&self) -> bool {
        let is_going = |object: &Value| !meta(object, "deletionTimestamp").is_empty();
        is_going(&self.object) || self.previous.as_ref().is_some_and(is_going)
    }

    /// Whether something is said that was not said before: metadata besides labels and annotations says nothing.
    fn is_made(&self) -> bool {
        let Some(previous) = &self.previous else { return true };
        let part = |object: &Value, part: &str| {
            let found = object.get("metadata").and_then(|metadata| metadata.get(part)).filter(|part| !part.is_null());
            found.cloned()
        };
        let is_same = |name: &str| part(previous, name) == part(&self.object, name);
        wish(previous) != wish(&self.object) || !is_same("labels") || !is_same("annotations")
    }
}

fn answer(response: Value) -> Value {
    json!({"apiVersion": REVIEW_VERSION, "kind": REVIEW, "response": response})
}

/// The object that is to be stored, with its kind.
fn object(request: &mut Value, kind: &str) -> Result<Value, String> {
    let object = request.get_mut("object").map(Value::take).filter(Value::is_object);
    let mut object = object.ok_or("`request.object` is missing")?;
    for (field, value) in [("apiVersion", API_VERSION), ("kind", kind)] {
        if text(&object, field).is_empty() {
            object[field] = json!(value);
        }
    }
    Ok(object)
}

/// What a person says of an object.
fn wish(object: &Value) -> BTreeMap<&str, &Value> {
    let fields = object.as_object().into_iter().flatten();
    // A version is that of the request, however it is written.
    let is_wish = |name: &str| !matches!(name, "apiVersion" | "kind" | "metadata" | "status");
    fields.map(|(name, value)| (name.as_str(), value)).filter(|(name, _)| is_wish(name)).collect()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn meta<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get("metadata").map(|metadata| text(metadata, field)).unwrap_or_default()
}

/// The beginning of a text that somebody sent.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LABEL_MAX).collect()
}

/// Whether an object can have this name.
fn is_name(name: &str) -> bool {
    let is_edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let edges = [name.bytes().next(), name.bytes().next_back()];
    edges.into_iter().all(|edge| edge.is_some_and(is_edge))
        && name.len() <= NAME_MAX
        && name.bytes().all(|byte| is_edge(byte) || matches!(byte, b'-' | b'.'))
}
