//! DESCRIBE, SHOW COLUMNS, SHOW CREATE: tables and views as text.
//!
//! # Source
//! Flink 2.3 `DescribeTableOperation`, `ShowCreateUtil`.

use std::fmt::Write;

use kobel_model::settings::redact;

use crate::binder::CatalogObject;
use crate::catalog::{DEFAULT_CATALOG, DEFAULT_DATABASE, Table, TableColumn, View};
use crate::plan::{Schema, TimeAttribute};

use super::Outcome;

/// The columns of a table or view, in the form of Flink's DESCRIBE.
pub(super) fn describe(object: &CatalogObject) -> Outcome {
    let header = ["name", "type", "null", "key", "extras", "watermark"].map(str::to_owned).to_vec();
    let rows = match object {
        CatalogObject::Table(table) => (0..table.schema.columns.len()).map(|index| table_row(table, index)).collect(),
        CatalogObject::View(view) => {
            (0..view.schema.columns.len()).map(|index| column_row(&view.schema, index)).collect()
        }
    };
    Outcome::Table { header, rows }
}

fn column_row(schema: &Schema, index: usize) -> Vec<String> {
    let column = &schema.columns[index];
    let time = match column.time {
        Some(TimeAttribute::Rowtime) => " *ROWTIME*",
        Some(TimeAttribute::Proctime) => " *PROCTIME*",
        None => "",
    };
    let null = if column.ty.nullable { "TRUE" } else { "FALSE" };
    let mut row = vec![column.name.clone(), format!("{}{time}", column.ty.kind), null.to_owned()];
    row.resize(6, String::new());
    row
}

fn table_row(table: &Table, index: usize) -> Vec<String> {
    let mut row = column_row(&table.schema, index);
    if table.primary_key.contains(&index) {
        row[3] = format!("PRI({})", key_columns(table).join(", "));
    }
    if let Some(TableColumn::Computed { text, .. }) = table.columns.get(index) {
        row[4] = format!("AS {text}");
    }
    if let Some(watermark) = table.watermark.as_ref().filter(|watermark| watermark.column == index) {
        row[5].clone_from(&watermark.text);
    }
    row
}

fn key_columns(table: &Table) -> Vec<&str> {
    table.primary_key.iter().map(|index| table.schema.columns[*index].name.as_str()).collect()
}

/// The statement that makes a table or view.
pub(super) fn create(object: &CatalogObject) -> String {
    match object {
        CatalogObject::Table(table) => create_table(table),
        CatalogObject::View(view) => create_view(view),
    }
}

fn create_table(table: &Table) -> String {
    let mut parts = Vec::new();
    for (declared, source) in table.schema.columns.iter().zip(&table.columns) {
        parts.push(match source {
            TableColumn::Physical(index) => {
                let ty = table.physical.get(*index).map_or(declared.ty, |physical| physical.ty);
                format!("{} {ty}", quoted(&declared.name))
            }
            TableColumn::Computed { text, .. } => format!("{} AS {text}", quoted(&declared.name)),
        });
    }
    if let Some(watermark) = &table.watermark {
        let name = quoted(&table.schema.columns[watermark.column].name);
        parts.push(format!("WATERMARK FOR {name} AS {}", watermark.text));
    }
    if !table.primary_key.is_empty() {
        let keys: Vec<_> = key_columns(table).into_iter().map(quoted).collect();
        parts.push(format!("PRIMARY KEY ({}) NOT ENFORCED", keys.join(", ")));
    }
    let mut text = format!(
        "{} (\n  {}\n)",
        head(if table.temporary { "TEMPORARY TABLE" } else { "TABLE" }, &table.name),
        parts.join(",\n  ")
    );
    // Writing to a String cannot fail.
    if let Some(comment) = &table.comment {
        let _ = write!(text, "\nCOMMENT {}", string(comment));
    }
    if !table.partitioned_by.is_empty() {
        let columns: Vec<_> = table.partitioned_by.iter().map(|column| quoted(column)).collect();
        let _ = write!(text, "\nPARTITIONED BY ({})", columns.join(", "));
    }
    if !table.options.is_empty() {
        let options: Vec<_> = table
            .options
            .iter()
            .map(|(key, option)| format!("{} = {}", string(key), string(redact(key, &option.value))))
            .collect();
        let _ = write!(text, "\nWITH (\n  {}\n)", options.join(",\n  "));
    }
    text.push('\n');
    text
}

fn create_view(view: &View) -> String {
    let columns: Vec<_> = view.schema.columns.iter().map(|column| quoted(&column.name)).collect();
    let head = head(if view.temporary { "TEMPORARY VIEW" } else { "VIEW" }, &view.name);
    format!("{head} (\n  {}\n)\nAS {}\n", columns.join(",\n  "), view.text)
}

fn head(kind: &str, name: &str) -> String {
    format!("CREATE {kind} {}", [DEFAULT_CATALOG, DEFAULT_DATABASE, name].map(quoted).join("."))
}

/// An identifier in backticks.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A string literal.
fn string(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
