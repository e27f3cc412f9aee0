//! Dropping what the schema does not know.

use serde_json::Value;

use super::node::Schema;
use super::path::Path;

/// Fields of every Kubernetes object; a resource's own schema need not name them.
const METADATA_FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];

impl Schema {
    /// Drops the fields that the schema does not know and returns their paths in order.
    ///
    /// `apiVersion`, `kind` and `metadata` at the root are known and left alone.
    pub fn prune(&self, value: &mut Value) -> Vec<String> {
        let mut unknown = Vec::new();
        prune(value, Some(self), Path::Root, &mut unknown);
        unknown.sort();
        unknown
    }
}

/// Prunes the value at `path`; without a schema nothing below is known.
fn prune(value: &mut Value, schema: Option<&Schema>, path: Path<'_>, unknown: &mut Vec<String>) {
    let preserves = schema.is_some_and(|schema| schema.preserves);
    match value {
        Value::Object(members) => {
            let embedded = matches!(path, Path::Root) || schema.is_some_and(|schema| schema.embedded);
            members.retain(|name, member| {
                if embedded && METADATA_FIELDS.contains(&name.as_str()) {
                    return true;
                }
                if let Some(inner) = schema.and_then(|schema| schema.property(name)) {
                    prune(member, Some(inner), Path::Field(&path, name), unknown);
                    return true;
                }
                if !preserves {
                    unknown.push(Path::Field(&path, name).into());
                }
                preserves
            });
        }
        Value::Array(entries) => {
            let items = schema.and_then(Schema::items);
            if items.is_none() && preserves {
                return;
            }
            for (index, value) in entries.iter_mut().enumerate() {
                prune(value, items, Path::Entry(&path, index), unknown);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
