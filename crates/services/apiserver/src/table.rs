//! Tables: what `kubectl get` prints, computed here so that every client prints the same.
//!
//! A custom resource has its name, the columns of its definition, and its age; Kubernetes' own kinds have the columns
//! that the API server gives them.

pub mod age;
mod columns;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::kind::{Column, Kind};
use crate::object;
use crate::status::{Answer, Status};

/// What a row carries besides its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Include {
    /// The object's metadata.
    #[default]
    Metadata,
    /// The whole object.
    Object,
    /// Nothing.
    None,
}

impl Include {
    /// Reads the query parameter `includeObject`; 400 if it is none of the known words.
    pub fn parse(text: &str) -> Answer<Self> {
        match text {
            "" | "Metadata" => Ok(Self::Metadata),
            "Object" => Ok(Self::Object),
            "None" => Ok(Self::None),
            other => Err(Status::bad_request(format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: \"{other}\": must be \
                 'Metadata', 'Object', 'None', or empty"
            ))),
        }
    }
}

/// The columns of a kind as a table defines them.
pub fn definitions(kind: &Kind) -> Vec<Value> {
    all_columns(kind)
        .iter()
        .map(|column| {
            let description = match (&column.description, &column.json_path) {
                (text, path) if text.is_empty() && !path.is_empty() => {
                    format!("Custom resource definition column (in JSONPath format): {path}")
                }
                (text, _) => text.clone(),
            };
            json!({
                "name": column.name, "type": column.kind, "format": column.format,
                "description": description, "priority": column.priority,
            })
        })
        .collect()
}

/// The row of an object; `shown` is the object in the version that was asked for.
pub fn row(kind: &Kind, stored: &Value, shown: &Value, include: Include, now: Timestamp) -> Value {
    let cells = if kind.is_custom { custom_cells(kind, stored, now) } else { columns::cells(kind, stored, now) };
    let mut row = Map::from_iter([("cells".to_owned(), Value::Array(cells))]);
    let object = match include {
        Include::Metadata => partial(shown),
        Include::Object => shown.clone(),
        Include::None => Value::Null,
    };
    row.insert("object".to_owned(), object);
    Value::Object(row)
}

/// A table of rows; `definitions` is null in all but the first event of a watch.
pub fn table(meta: Value, definitions: Value, rows: Vec<Value>) -> Value {
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
        "columnDefinitions": definitions, "rows": rows,
    })
}

/// The table of the scale of an object.
pub fn of_scale(scale: &Value, now: Timestamp) -> Value {
    let column = |name: &str, kind: &str, format: &str, description: &str| json!({"name": name, "type": kind, "format": format, "description": description, "priority": 0});
    let definitions = json!([
        column("Name", "string", "name", columns::NAME_DOC),
        column("Desired", "integer", "", "How many replicas are wanted."),
        column("Available", "integer", "", "How many replicas there are."),
        column("Age", "string", "", columns::CREATION_DOC),
    ]);
    let replicas = |part: &str| object::at(scale, &format!(".{part}.replicas")).cloned().unwrap_or_else(|| json!(0));
    let age = age::since(object::meta(scale, "creationTimestamp"), now);
    let cells = json!([object::name(scale), replicas("spec"), replicas("status"), age]);
    let meta = json!({"resourceVersion": object::meta(scale, "resourceVersion")});
    table(meta, definitions, vec![json!({"cells": cells, "object": partial(scale)})])
}

/// The row that a bookmark has in a table: no cells, the bookmark's metadata.
pub fn bookmark_row(kind: &Kind, meta: &Value) -> Value {
    let width = all_columns(kind).len().saturating_sub(1);
    let mut cells = vec![json!("")];
    cells.extend(std::iter::repeat_n(Value::Null, width));
    json!({"cells": cells, "object": partial(&json!({"metadata": meta}))})
}

/// An object's metadata alone.
pub fn partial(object: &Value) -> Value {
    let meta = object.get("metadata").cloned().unwrap_or_else(|| json!({}));
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta})
}

fn all_columns(kind: &Kind) -> Vec<Column> {
    if !kind.is_custom {
        return columns::columns(kind);
    }
    let plain = |name: &str, kind: &str, format: &str, description: &str| Column {
        name: name.to_owned(),
        kind: kind.to_owned(),
        format: format.to_owned(),
        description: description.to_owned(),
        priority: 0,
        json_path: String::new(),
    };
    let mut all = vec![plain("Name", "string", "name", columns::NAME_DOC)];
    all.extend(kind.columns.iter().cloned());
    if !has_columns(kind) {
        all.push(plain("Age", "date", "", columns::CREATION_DOC));
    }
    all
}

/// Whether the definition says itself which columns there are; else the age is the only one.
fn has_columns(kind: &Kind) -> bool {
    !kind.columns.is_empty()
}

fn custom_cells(kind: &Kind, object: &Value, now: Timestamp) -> Vec<Value> {
    let mut cells = vec![json!(object::name(object))];
    let found = |column: &Column| {
        let value = object::at(object, &column.json_path).filter(|value| !value.is_null());
        value.map_or(Value::Null, |value| cell(&column.kind, value, now))
    };
    cells.extend(kind.columns.iter().map(found));
    if !has_columns(kind) {
        cells.push(json!(age::since(object::meta(object, "creationTimestamp"), now)));
    }
    cells
}

/// A value as its column's type shows it; null if it has another type.
fn cell(kind: &str, value: &Value, now: Timestamp) -> Value {
    match (kind, value) {
        ("string", Value::String(_)) | ("boolean", Value::Bool(_)) => value.clone(),
        ("string", other) => json!(other.to_string()),
        ("integer", Value::Number(number)) => {
            // A whole number may be written with a fraction of zero; the API server cuts it off too.
            number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)).map_or(Value::Null, |n| json!(n))
        }
        ("number", Value::Number(_)) => value.clone(),
        ("date", Value::String(text)) => json!(age::since(text, now)),
        _ => Value::Null,
    }
}
