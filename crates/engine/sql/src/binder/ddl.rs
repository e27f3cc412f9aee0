//! CREATE TABLE and CREATE VIEW: declarations checked and bound, nothing opened.
//!
//! Whether the options make sense is asked when the table is used, as in Flink.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::ast::{ColumnDef, ColumnKind, CreateTable, CreateView, PrimaryKeyDef, PropertyAssignment, WatermarkDef};
use crate::catalog::{OptionValue, PhysicalColumn, Table, TableColumn, TableOptions, TableWatermark, View};
use crate::error::{SqlError, SqlResult};
use crate::plan::{Column, Schema, TimeAttribute};
use crate::types::{SqlType, TypeKind};

use super::coercion::cast;
use super::expression::ExprBinder;
use super::relation::column;
use super::scope::{Qualifier, Scope};
use super::table::column_names;
use super::{Binder, bare_name};

impl Binder<'_> {
    /// Binds `CREATE TABLE`.
    pub(super) fn bind_create_table(&self, create: &CreateTable) -> SqlResult<Table> {
        let name = bare_name(&create.name)?.to_owned();
        unique_columns(&create.columns)?;
        let key_names = primary_key(create)?;
        let physical = physical_columns(create, &key_names)?;
        let (mut schema, columns) = self.declared_columns(create, &physical)?;
        let watermark = self.watermark(create, &schema)?;
        if let Some(watermark) = &watermark {
            schema.columns[watermark.column].time = Some(TimeAttribute::Rowtime);
        }
        let primary_key = places_of(&schema, &key_names);
        Ok(Table {
            name,
            temporary: create.temporary,
            partitioned_by: partition_columns(create)?,
            schema: Arc::new(schema),
            physical,
            columns,
            watermark,
            primary_key,
            comment: create.comment.clone(),
            options: options(&create.options)?,
            span: create.name.span,
        })
    }

    /// All columns in declared order; computed ones are bound over the physical ones.
    fn declared_columns(
        &self,
        create: &CreateTable,
        physical: &[PhysicalColumn],
    ) -> SqlResult<(Schema, Vec<TableColumn>)> {
        let columns = physical.iter().map(|column| Column { name: column.name.clone(), ty: column.ty, time: None });
        let stored = Arc::new(Schema { columns: columns.collect() });
        let scope = Scope::new(Qualifier::None, Arc::clone(&stored));
        let (mut schema, mut columns) = (Schema::default(), Vec::new());
        let mut stored_columns = 0..stored.columns.len();
        for declared in &create.columns {
            let ColumnKind::Computed(written) = &declared.kind else {
                if let Some(index) = stored_columns.next() {
                    columns.push(TableColumn::Physical(index));
                    schema.columns.push(stored.columns[index].clone());
                }
                continue;
            };
            let mut binder = ExprBinder::scalar(&scope, &self.budget, "a computed column");
            let expr = binder.bind_typed(written).map_err(|error| computed_hint(error, create))?;
            schema.columns.push(column(&stored, &expr, declared.name.name.clone()));
            columns.push(TableColumn::Computed { expr, text: self.text(written.span) });
        }
        Ok((schema, columns))
    }

    fn watermark(&self, create: &CreateTable, schema: &Schema) -> SqlResult<Option<TableWatermark>> {
        let written = match create.watermarks.as_slice() {
            [] => return Ok(None),
            [written] => written,
            [_, second, ..] => {
                return Err(SqlError::invalid(second.span, "a table can have only one `WATERMARK`"));
            }
        };
        let scope = Scope::new(Qualifier::None, Arc::new(schema.clone()));
        let column = match written.column.parts.as_slice() {
            [only] => scope.index_of(only)?,
            _ => return Err(SqlError::unsupported(written.column.span, "a `WATERMARK` for a nested field")),
        };
        if schema.columns[column].time == Some(TimeAttribute::Proctime) {
            let message = "a `WATERMARK` cannot be for a processing-time column";
            return Err(SqlError::invalid(written.column.span, message));
        }
        let kind = schema.columns[column].ty.kind;
        if !is_rowtime_type(kind) {
            return Err(wrong_rowtime(written, kind));
        }
        let expr = ExprBinder::scalar(&scope, &self.budget, "a watermark strategy").bind_typed(&written.expr)?;
        let is_same_root = std::mem::discriminant(&kind) == std::mem::discriminant(&expr.ty.kind);
        if !is_same_root || !is_rowtime_type(expr.ty.kind) {
            let message = format!("the watermark strategy is of type `{}`, its column of type `{kind}`", expr.ty.kind);
            return Err(SqlError::invalid(written.expr.span, message));
        }
        Ok(Some(TableWatermark { column, expr: cast(expr, kind), text: self.text(written.expr.span) }))
    }

    /// Binds `CREATE VIEW`.
    pub(super) fn bind_create_view(&mut self, create: &CreateView) -> SqlResult<View> {
        let name = bare_name(&create.name)?.to_owned();
        let rel = self.bind_query(&create.query)?;
        let mut schema = Schema::clone(&rel.schema);
        let columns = if create.columns.is_empty() {
            let mut seen = HashSet::new();
            if let Some(again) = schema.columns.iter().find(|column| !seen.insert(column.name.as_str())) {
                let message = format!("view `{name}` has two columns `{}`", again.name);
                return Err(SqlError::invalid(create.query.span, message).with_hint("give one of them an alias"));
            }
            Vec::new()
        } else {
            let names = column_names(&create.columns, schema.columns.len(), create.name.span)?;
            for (column, name) in schema.columns.iter_mut().zip(&names) {
                column.name.clone_from(name);
            }
            names
        };
        Ok(View {
            name,
            temporary: create.temporary,
            columns,
            query: create.query.clone(),
            text: self.text(create.query.span),
            schema: Arc::new(schema),
        })
    }
}

fn unique_columns(columns: &[ColumnDef]) -> SqlResult<()> {
    let mut seen = HashSet::new();
    match columns.iter().find(|column| !seen.insert(column.name.name.as_str())) {
        Some(again) => {
            let message = format!("column `{}` is declared twice", again.name.name);
            Err(SqlError::invalid(again.name.span, message))
        }
        None => Ok(()),
    }
}

/// The physical columns; those of the primary key are NOT NULL.
fn physical_columns(create: &CreateTable, key: &[String]) -> SqlResult<Vec<PhysicalColumn>> {
    let mut physical = Vec::new();
    let key: HashSet<&String> = key.iter().collect();
    for declared in &create.columns {
        let name = &declared.name.name;
        match &declared.kind {
            ColumnKind::Computed(_) => {}
            ColumnKind::Metadata(..) => {
                return Err(SqlError::unsupported(declared.name.span, format!("`METADATA` column `{name}`")));
            }
            ColumnKind::Physical(written) => {
                let ty = match &written.ty {
                    Ok(ty) => *ty,
                    Err(constructed) => {
                        return Err(SqlError::unsupported(written.span, format!("type `{constructed}`")));
                    }
                };
                let nullable = ty.nullable && !key.contains(name);
                physical.push(PhysicalColumn { name: name.clone(), ty: SqlType { nullable, ..ty } });
            }
        }
    }
    Ok(physical)
}

/// Says that computed columns do not see each other, if that is what went wrong.
fn computed_hint(error: SqlError, create: &CreateTable) -> SqlError {
    let is_computed = create.columns.iter().any(|column| {
        matches!(column.kind, ColumnKind::Computed(_))
            && error.message == format!("column `{}` does not exist", column.name.name)
    });
    if !is_computed {
        return error;
    }
    error.with_hint("a computed column can only refer to physical columns")
}

/// The column names of the primary key.
fn primary_key(create: &CreateTable) -> SqlResult<Vec<String>> {
    let key = match create.primary_keys.as_slice() {
        [] => return Ok(Vec::new()),
        [key] => key,
        [_, second, ..] => return Err(SqlError::invalid(second.span, "a table can have only one `PRIMARY KEY`")),
    };
    if !key.not_enforced {
        let error = SqlError::invalid(key.span, "`PRIMARY KEY` must be `NOT ENFORCED`: nothing checks it");
        return Err(error.with_hint("write PRIMARY KEY (…) NOT ENFORCED"));
    }
    check_key_columns(create, key)?;
    Ok(key.columns.iter().map(|column| column.name.clone()).collect())
}

fn check_key_columns(create: &CreateTable, key: &PrimaryKeyDef) -> SqlResult<()> {
    let mut seen = HashSet::new();
    let columns = by_name(create);
    for ident in &key.columns {
        let Some(declared) = columns.get(ident.name.as_str()) else {
            let names = create.columns.iter().map(|column| column.name.name.as_str());
            let message = format!("column `{}` of the primary key does not exist", ident.name);
            return Err(SqlError::invalid(ident.span, message).with_suggestion(&ident.name, names));
        };
        if !matches!(declared.kind, ColumnKind::Physical(_)) {
            let message = format!("column `{}` of the primary key is not a physical column", ident.name);
            return Err(SqlError::invalid(ident.span, message));
        }
        if !seen.insert(ident.name.as_str()) {
            let message = format!("column `{}` stands twice in the primary key", ident.name);
            return Err(SqlError::invalid(ident.span, message));
        }
    }
    Ok(())
}

/// Where the columns of these names stand.
fn places_of(schema: &Schema, names: &[String]) -> Vec<usize> {
    let columns = schema.columns.iter().enumerate();
    let places: HashMap<&str, usize> = columns.map(|(index, column)| (column.name.as_str(), index)).collect();
    names.iter().filter_map(|name| places.get(name.as_str()).copied()).collect()
}

/// The declared columns, whose names differ.
fn by_name(create: &CreateTable) -> HashMap<&str, &ColumnDef> {
    create.columns.iter().map(|column| (column.name.name.as_str(), column)).collect()
}

fn is_rowtime_type(kind: TypeKind) -> bool {
    matches!(kind, TypeKind::Timestamp(0..=3) | TypeKind::TimestampLtz(0..=3))
}

fn wrong_rowtime(written: &WatermarkDef, kind: TypeKind) -> SqlError {
    let message = format!(
        "a `WATERMARK` is for a column of type `TIMESTAMP(p)` or `TIMESTAMP_LTZ(p)` with p from 0 to 3, not `{kind}`"
    );
    SqlError::invalid(written.column.span, message)
}

fn partition_columns(create: &CreateTable) -> SqlResult<Vec<String>> {
    let columns = by_name(create);
    for ident in &create.partitioned_by {
        match columns.get(ident.name.as_str()).map(|declared| &declared.kind) {
            Some(ColumnKind::Physical(_)) => {}
            Some(_) => {
                let message = format!("partition column `{}` is not a physical column", ident.name);
                return Err(SqlError::invalid(ident.span, message));
            }
            None => {
                let names = create.columns.iter().map(|column| column.name.name.as_str());
                let message = format!("partition column `{}` does not exist", ident.name);
                return Err(SqlError::invalid(ident.span, message).with_suggestion(&ident.name, names));
            }
        }
    }
    Ok(create.partitioned_by.iter().map(|ident| ident.name.clone()).collect())
}

fn options(written: &[PropertyAssignment]) -> SqlResult<TableOptions> {
    let mut options = TableOptions::new();
    for option in written {
        let (key, value) = (option.key.name.clone(), option.value.name.clone());
        let value = OptionValue { value, key_span: option.key.span, value_span: option.value.span };
        if options.insert(key, value).is_some() {
            return Err(SqlError::invalid(option.key.span, format!("option `{}` is set twice", option.key.name)));
        }
    }
    Ok(options)
}
