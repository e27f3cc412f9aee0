//! Tables as the API makes them: columns with a priority, rows of cells, the metadata of each row's object.

use serde_json::Value;

use crate::cluster::Call;

/// What the rows of a table carry besides their cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// The metadata of their objects.
    Metadata,
    /// Their whole objects.
    Objects,
}

impl Rows {
    /// Adds what the rows are to carry to a call; metadata comes unasked.
    pub(crate) fn asked(self, call: Call) -> Call {
        match self {
            Self::Metadata => call,
            Self::Objects => call.with("includeObject", "Object"),
        }
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Title, in capitals.
    pub name: String,
    /// Whether it is shown only where there is room.
    pub is_wide: bool,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The namespace of the row's object, empty if it has none.
    pub namespace: String,
    /// The texts, one for each column.
    pub cells: Vec<String>,
    /// What the row carries of its object: [`Rows`].
    pub object: Value,
}

/// A table, or a part of one that a watch delivers; later parts name no columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
    /// The version of the collection.
    pub resource_version: String,
}

impl Table {
    /// Reads a `Table` object; any other object or list becomes a table of names.
    pub fn read(value: &Value) -> Self {
        let resource_version = metadata_text(value, "resourceVersion").to_owned();
        if value.get("kind").and_then(Value::as_str) != Some("Table") {
            let rows = match value.get("items").and_then(Value::as_array) {
                Some(items) => items.iter().map(named_row).collect(),
                None => vec![named_row(value)],
            };
            return Self { columns: vec![Column { name: "NAME".to_owned(), is_wide: false }], rows, resource_version };
        }
        let columns = list(value, "columnDefinitions").map(|column| Column {
            name: column.get("name").and_then(Value::as_str).unwrap_or_default().to_uppercase(),
            is_wide: column.get("priority").and_then(Value::as_i64).unwrap_or_default() != 0,
        });
        let rows = list(value, "rows").map(|row| Row {
            namespace: row
                .get("object")
                .map(|object| metadata_text(object, "namespace"))
                .unwrap_or_default()
                .to_owned(),
            cells: list(row, "cells").map(cell).collect(),
            object: row.get("object").cloned().unwrap_or_default(),
        });
        Self { columns: columns.collect(), rows: rows.collect(), resource_version }
    }
}

fn named_row(object: &Value) -> Row {
    Row {
        namespace: metadata_text(object, "namespace").to_owned(),
        cells: vec![metadata_text(object, "name").to_owned()],
        object: object.clone(),
    }
}

/// A text stands for itself, nothing for nothing, anything else for its JSON.
fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}

fn metadata_text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get("metadata").and_then(|metadata| metadata.get(field)).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_keeps_its_cells_and_namespaces() {
        let table = Table::read(&json!({
            "kind": "Table", "metadata": {"resourceVersion": "7"},
            "columnDefinitions": [{"name": "Name", "priority": 0}, {"name": "Info", "priority": 1}],
            "rows": [{"cells": ["a", 3], "object": {"metadata": {"namespace": "ns"}}}, {"cells": ["b", null]}],
        }));
        assert_eq!(table.resource_version, "7");
        assert_eq!(table.columns.iter().map(|column| column.is_wide).collect::<Vec<_>>(), [false, true]);
        let first = &table.rows[0];
        assert_eq!((first.namespace.as_str(), first.cells.join(" ").as_str()), ("ns", "a 3"));
        assert_eq!(first.object, json!({"metadata": {"namespace": "ns"}}));
        assert_eq!(table.rows[1].cells, ["b", ""]);
    }

    #[test]
    fn what_is_no_table_becomes_a_table_of_names() {
        let list = json!({"kind": "List", "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]});
        let names: Vec<String> = Table::read(&list).rows.into_iter().flat_map(|row| row.cells).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
