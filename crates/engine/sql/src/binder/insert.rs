//! INSERT INTO: the rows of a query in the columns of a table.
//!
//! Columns go by position, or by the list after the table's name. Values are converted where Flink does so without
//! being told; that a NULL goes into a NOT NULL column is found when the row is written.

use std::collections::{HashMap, HashSet};

use crate::ast::{Ident, Insert};
use crate::catalog::{PhysicalColumn, Table, Usage};
use crate::error::{Span, SqlError, SqlResult};
use crate::plan::{Expr, Rel, SinkPlan, Target};

use super::Binder;
use super::coercion::{cast, is_implicit, typed_null};
use super::namespace::{CatalogObject, object_path};
use super::relation::{columns, project};
use super::table::with_hints;

impl Binder<'_> {
    /// Binds `INSERT INTO`.
    pub(super) fn bind_insert(&mut self, insert: &Insert) -> SqlResult<SinkPlan> {
        if insert.overwrite {
            return Err(SqlError::unsupported(insert.span, "`INSERT OVERWRITE`"));
        }
        let namespace = self.namespace;
        let table = match namespace.get(&insert.target)? {
            CatalogObject::Table(table) => table,
            CatalogObject::View(view) => {
                let message = format!("cannot insert into `{}`: it is a view", view.name);
                return Err(SqlError::invalid(insert.target.span, message));
            }
        };
        let options = with_hints(table, &insert.hints)?;
        let query = self.bind_query(&insert.query)?;
        let sources = match_columns(table, insert, &query)?;
        let input = arranged(query, table, &sources, insert.query.span)?;
        let usage = Usage::Sink(input.changelog_mode());
        self.check(table, &options, usage, insert.target.span)?;
        Ok(SinkPlan { target: Target::Table { table: table.clone(), options }, input })
    }
}

/// For each physical column of the table the column of the query that goes there; `None` is NULL.
fn match_columns(table: &Table, insert: &Insert, query: &Rel) -> SqlResult<Vec<Option<usize>>> {
    let width = query.schema.columns.len();
    if insert.columns.is_empty() {
        if width != table.physical.len() {
            let error = mismatch(table, query, "Different number of columns.", insert.query.span);
            return Err(error.with_hint(fitting(table, width)));
        }
        return Ok((0..width).map(Some).collect());
    }
    let targets: HashMap<&str, usize> =
        table.physical.iter().enumerate().map(|(index, physical)| (physical.name.as_str(), index)).collect();
    let mut sources = vec![None; table.physical.len()];
    let mut seen = HashSet::new();
    for (position, column) in insert.columns.iter().enumerate() {
        let Some(target) = targets.get(column.name.as_str()).copied() else {
            return Err(no_target(table, column));
        };
        if !seen.insert(target) {
            return Err(SqlError::invalid(column.span, format!("column `{}` is assigned twice", column.name)));
        }
        sources[target] = Some(position);
    }
    if width != insert.columns.len() {
        let message = format!("the query has {width} columns, but {} are named", insert.columns.len());
        return Err(SqlError::invalid(insert.query.span, message));
    }
    let missing = table.physical.iter().zip(&sources).find(|(column, source)| source.is_none() && !column.ty.nullable);
    match missing {
        Some((column, _)) => {
            let message = format!("column `{}` has no value, but is declared `NOT NULL`", column.name);
            Err(SqlError::invalid(insert.target.span, message).with_hint("add it to the list of columns"))
        }
        None => Ok(sources),
    }
}

/// The error for a column that is none of those that are stored.
fn no_target(table: &Table, column: &Ident) -> SqlError {
    let is_computed = table.schema.columns.iter().any(|declared| declared.name == column.name);
    if is_computed {
        let message = format!("column `{}` is computed and cannot be written", column.name);
        return SqlError::invalid(column.span, message);
    }
    let names = table.physical.iter().map(|physical| physical.name.as_str());
    let message = format!("column `{}` does not exist in table `{}`", column.name, table.name);
    SqlError::invalid(column.span, message).with_suggestion(&column.name, names)
}

/// The rows of the query with the names and types of the table's physical columns.
fn arranged(query: Rel, table: &Table, sources: &[Option<usize>], span: Span) -> SqlResult<Rel> {
    let values = columns(&query);
    let mut exprs = Vec::with_capacity(sources.len());
    for (position, (physical, source)) in table.physical.iter().zip(sources).enumerate() {
        exprs.push(match source.and_then(|source| values.get(source)) {
            None => typed_null(physical.ty.kind, span),
            Some(value) => match converted(value, physical) {
                Some(value) => value,
                None => {
                    let cause =
                        format!("Incompatible types for sink column '{}' at position {}.", physical.name, position + 1);
                    let error = mismatch(table, &query, &cause, span);
                    let given = source.and_then(|source| query.schema.columns.get(source)).map(|column| &column.name);
                    // An expression without an alias has a name that nobody wrote.
                    let given = given.filter(|name| !name.starts_with("EXPR$")).map_or("…", String::as_str);
                    return Err(error.with_hint(format!("write `CAST({given} AS {})`", physical.ty.kind)));
                }
            },
        });
    }
    let names = table.physical.iter().map(|physical| physical.name.clone()).collect();
    Ok(project(query, exprs, names, span))
}

fn converted(value: &Expr, physical: &PhysicalColumn) -> Option<Expr> {
    is_implicit(value.ty.kind, physical.ty.kind).then(|| cast(value.clone(), physical.ty.kind))
}

/// Flink's message for a query that does not fit its sink.
fn mismatch(table: &Table, query: &Rel, cause: &str, span: Span) -> SqlError {
    let mut seen = HashSet::new();
    // How often a name was tried; what was tried before is taken.
    let mut tried: HashMap<&str, usize> = HashMap::new();
    let query_columns = query.schema.columns.iter().map(|column| {
        let next = tried.entry(&column.name).or_insert(0);
        let mut unique = (*next..).map(|count| match count {
            0 => column.name.clone(),
            _ => format!("{}{}", column.name, count - 1),
        });
        let name = unique.find(|name| {
            *next += 1;
            seen.insert(name.clone())
        });
        let name = name.unwrap_or_default();
        format!("{name}: {}", column.ty)
    });
    let query_schema = query_columns.collect::<Vec<_>>().join(", ");
    let sink_schema: Vec<_> =
        table.physical.iter().map(|column| format!("{}: {}", column.name, column.ty.kind)).collect();
    let message = format!(
        "column types of query result and sink for `{}` do not match\nCause: {cause}\n\nQuery schema: \
         [{query_schema}]\nSink schema:  [{}]",
        object_path(&table.name),
        sink_schema.join(", "),
    );
    SqlError::invalid(span, message)
}

/// What to do about a query that has more or fewer columns than its sink.
fn fitting(table: &Table, width: usize) -> String {
    let stored = table.physical.len();
    if width > stored {
        return format!("the query has {width} and the table {stored}: leave out {} of the query", width - stored);
    }
    let names = |columns: &[PhysicalColumn]| {
        let names = columns.iter().map(|column| column.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let (given, left) = table.physical.split_at(width);
    let mut advice = format!("the query has {width} and the table {stored}: select something for {}, too", names(left));
    if left.iter().all(|column| column.ty.nullable) {
        let named = names(given);
        advice.push_str(&format!(", or leave them NULL: `INSERT INTO {} ({named}) SELECT …`", table.name));
    }
    advice
}
