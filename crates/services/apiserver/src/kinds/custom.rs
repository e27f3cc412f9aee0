//! The kinds of the custom resource definitions: names, columns and paths are read from the definition, never written
//! down twice.

use kobel_resources::crd::{crds, root_schema};
use serde_json::{Map, Value, json};

use crate::kind::{Column, Kind, ScalePaths, Scope};
use crate::reviewers;

/// One kind for each definition that we have.
pub fn kinds() -> Vec<Kind> {
    let definitions = crds();
    definitions.iter().filter_map(|definition| kind(&serde_json::to_value(definition).ok()?)).collect()
}

/// Reads a kind from its definition; none is missing, which a test proves.
fn kind(definition: &Value) -> Option<Kind> {
    let spec = definition.get("spec")?;
    let names = spec.get("names")?;
    let version = spec.get("versions")?.get(0)?;
    let name = text(names, "kind");
    let subresources = version.get("subresources");
    Some(Kind {
        group: text(spec, "group"),
        version: text(version, "name"),
        plural: text(names, "plural"),
        singular: text(names, "singular"),
        short_names: texts(names, "shortNames"),
        categories: texts(names, "categories"),
        scope: if text(spec, "scope") == "Cluster" { Scope::Cluster } else { Scope::Namespaced },
        columns: list(version, "additionalPrinterColumns").iter().map(column).collect(),
        schema: root_schema(&name).clone(),
        openapi: whole(version.get("schema")?.get("openAPIV3Schema")?),
        has_status: subresources.is_some_and(|subresources| subresources.get("status").is_some()),
        scale: subresources.and_then(|subresources| subresources.get("scale")).map(scale),
        is_custom: true,
        reviewer: Some(reviewers::flink),
        kind: name,
    })
}

fn column(column: &Value) -> Column {
    let priority = column.get("priority").and_then(Value::as_i64).unwrap_or_default();
    Column {
        name: text(column, "name"),
        kind: text(column, "type"),
        format: text(column, "format"),
        description: text(column, "description"),
        priority: i32::try_from(priority).unwrap_or_default(),
        json_path: text(column, "jsonPath"),
    }
}

fn scale(paths: &Value) -> ScalePaths {
    ScalePaths {
        spec_replicas: text(paths, "specReplicasPath"),
        status_replicas: text(paths, "statusReplicasPath"),
        label_selector: paths.get("labelSelectorPath").and_then(Value::as_str).map(str::to_owned),
    }
}

/// Adds to a definition's schema what it does not say: that an object has a version, a kind and metadata.
fn whole(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let Some(root) = schema.as_object_mut() else { return schema };
    let given = root.shift_remove("properties").unwrap_or_default();
    let mut properties = Map::new();
    properties.insert("apiVersion".to_owned(), described("string", "The group and version of this object."));
    properties.insert("kind".to_owned(), described("string", "The kind of this object."));
    let metadata = "The object's name, namespace, labels and the rest of its metadata.";
    properties.insert("metadata".to_owned(), described("object", metadata));
    if let Value::Object(given) = given {
        properties.extend(given);
    }
    root.insert("properties".to_owned(), Value::Object(properties));
    schema
}

fn described(kind: &str, description: &str) -> Value {
    json!({"description": description, "type": kind})
}

fn text(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn texts(value: &Value, field: &str) -> Vec<String> {
    list(value, field).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
