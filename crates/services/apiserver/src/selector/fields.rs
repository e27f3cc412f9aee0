//! Field selectors: `metadata.name=web,involvedObject.kind!=Pod`.
//!
//! Each kind knows few fields; a field that it does not know is refused, never ignored.

use serde_json::Value;

use crate::kind::Kind;
use crate::object;
use crate::status::{Answer, Status};
use crate::store::Stored;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    field: String,
    value: String,
    is_equal: bool,
}

/// A field selector; an empty one selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSelector {
    requirements: Vec<Requirement>,
}

/// Fields of core events.
const EVENT_FIELDS: [&str; 11] = [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
];

impl FieldSelector {
    /// Reads a selector for objects of a kind; 400 if it is malformed or the kind does not know a field.
    pub fn parse(text: &str, kind: &Kind) -> Answer<Self> {
        let mut requirements = Vec::new();
        for term in terms(text).filter(|term| !term.is_empty()) {
            let malformed = || Status::bad_request(format!("invalid selector: '{text}'; can't understand '{term}'"));
            let (field, operator, value) = split(term).ok_or_else(malformed)?;
            let value = unescape(value).ok_or_else(|| {
                Status::bad_request(format!("invalid field selector: invalid escape sequence: {value}"))
            })?;
            let field = stored_name(field, kind)?;
            requirements.push(Requirement { field, value, is_equal: operator != "!=" });
        }
        Ok(Self { requirements })
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// The one name that is asked for, if it is.
    pub fn name(&self) -> Option<&str> {
        let is_name = |found: &&Requirement| found.is_equal && found.field == "metadata.name";
        self.requirements.iter().find(is_name).map(|found| found.value.as_str())
    }

    /// Whether an object's fields are as required.
    pub fn matches(&self, object: &Stored) -> bool {
        let mut body: Option<Value> = None;
        self.requirements.iter().all(|requirement| {
            let is_equal = match requirement.field.as_str() {
                "metadata.name" => *object.key.name == *requirement.value,
                "metadata.namespace" => *object.key.namespace == *requirement.value,
                field => {
                    let body = body.get_or_insert_with(|| object.value());
                    field_of(body, field) == requirement.value
                }
            };
            is_equal == requirement.is_equal
        })
    }
}

/// Cuts at commas that are not escaped.
fn terms(text: &str) -> impl Iterator<Item = &str> {
    let mut is_escaped = false;
    text.split(move |c: char| {
        let is_cut = c == ',' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_cut
    })
}

fn split(term: &str) -> Option<(&str, &str, &str)> {
    let at = term.find(['=', '!'])?;
    let (field, rest) = term.split_at(at);
    let operator = ["!=", "==", "="].into_iter().find(|operator| rest.starts_with(operator))?;
    Some((field, operator, rest.strip_prefix(operator)?))
}

fn unescape(value: &str) -> Option<String> {
    let mut plain = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.push(chars.next().filter(|next| matches!(next, '\\' | ',' | '='))?),
            ',' | '=' => return None,
            c => plain.push(c),
        }
    }
    Some(plain)
}

/// The name of a field in the form that is stored; 400 if the kind does not know it.
fn stored_name(field: &str, kind: &Kind) -> Answer<String> {
    let is_known = match (kind.group.as_str(), kind.plural.as_str()) {
        _ if field == "metadata.name" => true,
        _ if field == "metadata.namespace" => kind.is_namespaced() || kind.is_custom,
        ("", "events") => EVENT_FIELDS.contains(&field),
        ("events.k8s.io", "events") => return event_name(field),
        ("", "secrets") => field == "type",
        ("", "namespaces") => field == "status.phase",
        _ => false,
    };
    if is_known {
        return Ok(field.to_owned());
    }
    let has_own = kind.is_custom || matches!(kind.plural.as_str(), "events" | "secrets" | "namespaces");
    Err(Status::bad_request(if has_own {
        format!("field label not supported: {field}")
    } else {
        format!("\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
    }))
}

/// Fields of the newer view of events, which are stored under their older names.
fn event_name(field: &str) -> Answer<String> {
    if let Some(rest) = field.strip_prefix("regarding.") {
        let older = format!("involvedObject.{rest}");
        if EVENT_FIELDS.contains(&older.as_str()) {
            return Ok(older);
        }
    }
    match field {
        "reason" | "type" => Ok(field.to_owned()),
        "reportingController" => Ok("reportingComponent".to_owned()),
        _ => Err(Status::bad_request(format!("field label not supported: {field}"))),
    }
}

fn field_of<'a>(object: &'a Value, field: &str) -> &'a str {
    let text = |path: &str| object::at(object, path).and_then(Value::as_str).unwrap_or_default();
    match field {
        "source" if text("source.component").is_empty() => text("reportingComponent"),
        "source" => text("source.component"),
        path => text(path),
    }
}
