//! What stands in FROM: tables, views, CTEs, subqueries; table functions go to `window`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ast::{Hint, Ident, ObjectName, TableAlias, TableRef};
use crate::catalog::{OptionProblem, OptionValue, Table, TableColumn, TableOptions, TableSpec, Usage, View};
use crate::error::{Span, SqlError, SqlResult};
use crate::plan::{Column, Expr, ExprKind, Rel, RelKind, Scan, Schema};

use super::namespace::CatalogObject;
use super::relation::{project, rename};
use super::scope::{Qualifier, Scope};
use super::{Binder, bare_name};

/// How deep views may refer to views.
const MAX_VIEW_DEPTH: usize = 64;

impl Binder<'_> {
    /// Binds what stands in FROM; the scope has its columns under its alias.
    pub(super) fn bind_from(&mut self, from: &TableRef) -> SqlResult<(Rel, Scope)> {
        let (rel, qualifier, alias) = match from {
            TableRef::Named { name, hints, alias } => {
                let (rel, qualifier) = self.bind_named(name, hints)?;
                (rel, qualifier, alias)
            }
            TableRef::Derived { query, lateral: true, .. } => {
                return Err(SqlError::unsupported(query.span, "`LATERAL`"));
            }
            TableRef::Derived { query, alias, .. } => (self.bind_query(query)?, Qualifier::None, alias),
            TableRef::Function { name, args, alias, span } => {
                (self.bind_table_function(name, args, *span)?, Qualifier::None, alias)
            }
            TableRef::Join { operator, span, .. } if operator == "," => {
                return Err(SqlError::unsupported(*span, "a join (`,` between tables)"));
            }
            TableRef::Join { operator, span, .. } => {
                return Err(SqlError::unsupported(*span, format!("`{operator}`")));
            }
            TableRef::Refused(name, span) => return Err(SqlError::unsupported(*span, format!("`{name}`"))),
        };
        let (rel, qualifier) = match alias {
            Some(alias) => (rename_columns(rel, alias)?, Qualifier::Alias(alias.name.name.clone())),
            None => (rel, qualifier),
        };
        let scope = Scope::new(qualifier, Arc::clone(&rel.schema));
        Ok((rel, scope))
    }

    fn bind_named(&mut self, name: &ObjectName, hints: &[Hint]) -> SqlResult<(Rel, Qualifier)> {
        self.budget.spend_relations(1, name.span)?;
        if let [only] = name.parts.as_slice()
            && let Some((_, rel)) = self.ctes.iter().rev().find(|(cte, _)| *cte == only.name)
        {
            let rel = self.budget.copy_relation(rel, name.span)?;
            refuse_hints(hints, "a `WITH` query")?;
            return Ok((rel, Qualifier::Alias(only.name.clone())));
        }
        let namespace = self.namespace;
        let object = match namespace.find(name)? {
            Some(object) => object,
            None => return Err(self.unknown_table(name)),
        };
        let qualifier = Qualifier::Object(bare_name(name)?.to_owned());
        let rel = match object {
            CatalogObject::Table(table) => self.bind_scan(table, hints, name.span)?,
            CatalogObject::View(view) => {
                refuse_hints(hints, "a view")?;
                self.expand_view(view, name.span)?
            }
        };
        Ok((rel, qualifier))
    }

    fn unknown_table(&self, name: &ObjectName) -> SqlError {
        let Some(part) = name.parts.last() else {
            return self.namespace.missing("table", name);
        };
        let ctes = self.ctes.iter().map(|(name, _)| name.as_str());
        let message = format!("table `{}` does not exist", name.dotted());
        let error = SqlError::invalid(part.span, message);
        self.namespace.uncreated(error.with_suggestion(&part.name, self.namespace.names().chain(ctes)), name)
    }

    fn expand_view(&mut self, view: &View, span: Span) -> SqlResult<Rel> {
        if self.expanding.contains(&view.name) {
            return Err(SqlError::invalid(span, format!("view `{}` refers to itself", view.name)));
        }
        if self.expanding.len() >= MAX_VIEW_DEPTH {
            return Err(SqlError::invalid(
                span,
                format!("views refer to views more than {MAX_VIEW_DEPTH} levels deep"),
            ));
        }
        let ctes = std::mem::take(&mut self.ctes);
        self.expanding.push(view.name.clone());
        let bound = self.bind_query(&view.query);
        self.expanding.pop();
        self.ctes = ctes;
        // What is wrong is a table that changed since; the view itself was right when it was made.
        let rel = bound.map_err(|error| {
            let message = format!("view `{}` cannot be used: {}", view.name, error.message);
            SqlError { message, span, ..error }
        })?;
        Ok(if view.columns.is_empty() { rel } else { rename(rel, view.columns.clone()) })
    }

    fn bind_scan(&self, table: &Arc<Table>, hints: &[Hint], span: Span) -> SqlResult<Rel> {
        let options = with_hints(table, hints)?;
        self.check(table, &options, Usage::Source, span)?;
        let columns: Vec<_> = table
            .physical
            .iter()
            .map(|column| Column { name: column.name.clone(), ty: column.ty, time: None })
            .collect();
        let scan = Scan { table: Arc::clone(table), columns: (0..columns.len()).collect(), options };
        let mut rel = Rel { kind: RelKind::Scan(scan), schema: Arc::new(Schema { columns }), span };
        if table.columns.iter().any(|column| matches!(column, TableColumn::Computed { .. })) {
            let exprs = table.columns.iter().zip(&table.schema.columns).map(|(column, declared)| match column {
                TableColumn::Physical(index) => Expr { kind: ExprKind::Column(*index), ty: declared.ty, span },
                TableColumn::Computed { expr, .. } => expr.clone(),
            });
            let names = table.schema.columns.iter().map(|column| column.name.clone()).collect();
            rel = project(rel, exprs.collect(), names, span);
        }
        if let Some(watermark) = &table.watermark {
            let (rowtime, expr) = (watermark.column, watermark.expr.clone());
            let kind = RelKind::Watermark { input: Box::new(rel), rowtime, expr };
            rel = Rel { kind, schema: Arc::clone(&table.schema), span };
        }
        Ok(rel)
    }

    /// Asks the connectors whether a table can be used so; `span` is where it is used.
    pub(super) fn check(&self, table: &Table, options: &TableOptions, usage: Usage, span: Span) -> SqlResult<()> {
        self.connectors.check(&table_spec(table, options), usage).map_err(|problem| located(problem, options, span))
    }
}

/// What a connector needs of a table.
fn table_spec(table: &Table, options: &TableOptions) -> TableSpec {
    TableSpec {
        name: table.name.clone(),
        options: options.iter().map(|(key, option)| (key.clone(), option.value.clone())).collect::<BTreeMap<_, _>>(),
        physical: table.physical.clone(),
        partitioned_by: table.partitioned_by.clone(),
    }
}

/// A problem at the option that it concerns, else where the table is used.
fn located(problem: OptionProblem, options: &TableOptions, span: Span) -> SqlError {
    let option = problem.key.as_ref().and_then(|key| options.get(key));
    let place = match option {
        Some(option) if problem.concerns_value => option.value_span,
        Some(option) => option.key_span,
        None => span,
    };
    let error = SqlError::invalid(place, problem.message);
    match problem.hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// The options of a table with those of its `OPTIONS` hints laid over them.
pub(super) fn with_hints(table: &Table, hints: &[Hint]) -> SqlResult<TableOptions> {
    let mut options = table.options.clone();
    for hint in hints {
        if !hint.name.name.eq_ignore_ascii_case("OPTIONS") {
            return Err(refused_hint(&hint.name));
        }
        for option in &hint.options {
            if option.key.name.is_empty() {
                let error = SqlError::invalid(option.value.span, "`OPTIONS` takes pairs of key and value");
                return Err(error.with_hint("write them as OPTIONS('key' = 'value')"));
            }
            let value = OptionValue {
                value: option.value.name.clone(),
                key_span: option.key.span,
                value_span: option.value.span,
            };
            options.insert(option.key.name.clone(), value);
        }
    }
    Ok(options)
}

/// Refuses hints where there is nothing that they can act on.
pub(super) fn refuse_hints(hints: &[Hint], what: &str) -> SqlResult<()> {
    match hints.first() {
        None => Ok(()),
        Some(hint) if hint.name.name.eq_ignore_ascii_case("OPTIONS") => {
            Err(SqlError::invalid(hint.name.span, format!("the hint `OPTIONS` does not apply to {what}")))
        }
        Some(hint) => Err(refused_hint(&hint.name)),
    }
}

fn refused_hint(name: &Ident) -> SqlError {
    SqlError::unsupported(name.span, format!("hint `{}`", name.name.to_uppercase()))
}

/// Applies the column names of an alias.
fn rename_columns(rel: Rel, alias: &TableAlias) -> SqlResult<Rel> {
    if alias.columns.is_empty() {
        return Ok(rel);
    }
    let names = column_names(&alias.columns, rel.schema.columns.len(), alias.name.span)?;
    Ok(rename(rel, names))
}

/// Column names that are as many as there are columns, each once.
pub(super) fn column_names(written: &[Ident], columns: usize, span: Span) -> SqlResult<Vec<String>> {
    if written.len() != columns {
        let message = format!("the list has {} column names, but there are {columns} columns", written.len());
        return Err(SqlError::invalid(span, message));
    }
    let mut seen = std::collections::HashSet::new();
    if let Some(again) = written.iter().find(|ident| !seen.insert(ident.name.as_str())) {
        return Err(SqlError::invalid(again.span, format!("column `{}` is named twice", again.name)));
    }
    Ok(written.iter().map(|ident| ident.name.clone()).collect())
}
