//! The columns that an expression can name, and the table names that can stand before them.
//!
//! FROM has one relation, so a scope has one qualifier.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::ast::{Ident, ObjectName};
use crate::catalog::{DEFAULT_CATALOG, DEFAULT_DATABASE};
use crate::error::{Span, SqlError, SqlResult};
use crate::plan::{Expr, ExprKind, Schema};

/// What can stand before a column's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Qualifier {
    /// Nothing: a subquery or table function without alias.
    None,
    /// An alias or a CTE.
    Alias(String),
    /// A table of the catalog, with or without catalog and database.
    Object(String),
}

/// Where the columns of a name stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Only(usize),
    Several,
}

/// Columns by name.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    qualifier: Qualifier,
    schema: Arc<Schema>,
    /// Made when the first name is looked up.
    places: OnceCell<HashMap<String, Place>>,
}

impl Scope {
    /// The columns of a relation.
    pub(super) fn new(qualifier: Qualifier, schema: Arc<Schema>) -> Self {
        Self { qualifier, schema, places: OnceCell::new() }
    }

    /// No columns at all: VALUES, and SELECT without FROM.
    pub(super) fn empty() -> Self {
        Self::new(Qualifier::None, Arc::default())
    }

    /// The columns.
    pub(super) fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// A column by its name, perhaps with the table's before it.
    pub(super) fn resolve(&self, name: &ObjectName) -> SqlResult<Expr> {
        let Some((column, qualifier)) = name.parts.split_last() else {
            return Err(SqlError::invalid(name.span, "the name of a column is empty"));
        };
        self.check_qualifier(qualifier, column)?;
        let index = self.index_of(column)?;
        Ok(self.column(index, name.span))
    }

    /// The index of a column by its bare name.
    pub(super) fn index_of(&self, column: &Ident) -> SqlResult<usize> {
        let places = self.places.get_or_init(|| places(&self.schema));
        match places.get(&column.name) {
            Some(Place::Only(index)) => Ok(*index),
            Some(Place::Several) => {
                let message = format!("column `{}` is ambiguous", column.name);
                Err(SqlError::invalid(column.span, message)
                    .with_hint("give the columns of the subquery different names"))
            }
            None => {
                let message = format!("column `{}` does not exist", column.name);
                let names = self.schema.columns.iter().map(|column| column.name.as_str());
                Err(SqlError::invalid(column.span, message).with_suggestion(&column.name, names))
            }
        }
    }

    /// The column at `index` as an expression.
    pub(super) fn column(&self, index: usize, span: Span) -> Expr {
        Expr { kind: ExprKind::Column(index), ty: self.schema.columns[index].ty, span }
    }

    /// All columns, for `*`.
    pub(super) fn all(&self, span: Span) -> SqlResult<Vec<Expr>> {
        let mut seen = HashSet::new();
        if let Some(column) = self.schema.columns.iter().find(|column| !seen.insert(column.name.as_str())) {
            let error = SqlError::invalid(span, format!("column `{}` is ambiguous", column.name));
            return Err(error.with_hint("give the columns of the subquery different names"));
        }
        Ok((0..self.schema.columns.len()).map(|index| self.column(index, span)).collect())
    }

    /// Checks the `t` of `t.*`.
    pub(super) fn check_table(&self, name: &ObjectName) -> SqlResult<()> {
        if self.accepts(&name.parts) { Ok(()) } else { Err(self.unknown_table(&name.parts)) }
    }

    fn check_qualifier(&self, qualifier: &[Ident], column: &Ident) -> SqlResult<()> {
        if qualifier.is_empty() || self.accepts(qualifier) {
            return Ok(());
        }
        let is_column = |ident: &Ident| self.schema.columns.iter().any(|column| column.name == ident.name);
        if let Some(first) = qualifier.first().filter(|first| is_column(first)) {
            let message = format!("column `{}` has no field `{}`", first.name, column.name);
            return Err(SqlError::invalid(first.span.to(column.span), message));
        }
        Err(self.unknown_table(qualifier))
    }

    fn accepts(&self, qualifier: &[Ident]) -> bool {
        match &self.qualifier {
            Qualifier::None => false,
            Qualifier::Alias(alias) => matches!(qualifier, [only] if only.name == *alias),
            Qualifier::Object(table) => {
                let path = [DEFAULT_CATALOG, DEFAULT_DATABASE, table.as_str()];
                path.len() >= qualifier.len()
                    && path[path.len() - qualifier.len()..]
                        .iter()
                        .zip(qualifier)
                        .all(|(expected, written)| *expected == written.name)
            }
        }
    }

    fn unknown_table(&self, qualifier: &[Ident]) -> SqlError {
        let dotted = qualifier.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(".");
        let span = match (qualifier.first(), qualifier.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => Span::default(),
        };
        let error = SqlError::invalid(span, format!("table `{dotted}` is not in the FROM clause"));
        match &self.qualifier {
            Qualifier::None => error,
            Qualifier::Alias(name) | Qualifier::Object(name) => error.with_suggestion(&dotted, [name.as_str()]),
        }
    }
}

fn places(schema: &Schema) -> HashMap<String, Place> {
    let mut places = HashMap::with_capacity(schema.columns.len());
    for (index, column) in schema.columns.iter().enumerate() {
        places.entry(column.name.clone()).and_modify(|place| *place = Place::Several).or_insert(Place::Only(index));
    }
    places
}
