//! From the syntax tree to the typed plan: names are resolved, types derived, conversions made explicit.
//!
//! What Flink refuses is refused as invalid, what only this engine cannot run is refused as unsupported; both point at
//! the construct. Nothing here opens a table: connectors are only asked whether they take the options.
//!
//! The flow: `query` → `select` → `expression` and `calls` → `aggregate` and `window`; `ddl` and `insert` bind the
//! statements that change the catalog or write.

mod aggregate;
mod arithmetic;
mod budget;
mod calls;
mod coercion;
mod comparison;
mod conditional;
mod ddl;
mod expression;
mod insert;
mod literal;
mod namespace;
mod query;
mod refused;
mod relation;
mod sameness;
mod scope;
mod select;
mod signature;
mod table;
mod temporal;
mod window;

#[cfg(test)]
pub(crate) mod tests;

use crate::ast;
use crate::catalog::{Connectors, Table, View};
use crate::error::{Span, SqlResult};
use crate::plan::{Rel, SinkPlan, Target};

pub use calls::function_names;
pub(crate) use namespace::bare_name;
pub use namespace::{CatalogObject, Namespace, object_path};

use budget::Budget;

/// Binds statements against what a session knows.
pub struct Binder<'a> {
    namespace: &'a Namespace,
    connectors: &'a dyn Connectors,
    script: &'a str,
    budget: Budget,
    /// CTEs that can be named here, innermost last.
    ctes: Vec<(String, Rel)>,
    /// Names of the views that are being expanded, outermost first.
    expanding: Vec<String>,
    /// How deep the query that is being bound stands in others.
    depth: usize,
}

impl<'a> Binder<'a> {
    /// A binder for one statement of `script`.
    pub fn new(namespace: &'a Namespace, connectors: &'a dyn Connectors, script: &'a str) -> Self {
        let budget = Budget::default();
        Self { namespace, connectors, script, budget, ctes: Vec::new(), expanding: Vec::new(), depth: 0 }
    }

    /// Binds a bare query, whose rows go to the terminal.
    ///
    /// # Errors
    /// Invalid or Unsupported, at the construct.
    pub fn collect(mut self, query: &ast::Query) -> SqlResult<SinkPlan> {
        Ok(SinkPlan { target: Target::Collect, input: self.bind_query(query)? })
    }

    /// Binds `INSERT INTO`.
    ///
    /// # Errors
    /// Invalid or Unsupported, at the construct.
    pub fn insert(mut self, insert: &ast::Insert) -> SqlResult<SinkPlan> {
        self.bind_insert(insert)
    }

    /// Binds `CREATE TABLE`.
    ///
    /// # Errors
    /// Invalid or Unsupported, at the construct.
    pub fn create_table(self, create: &ast::CreateTable) -> SqlResult<Table> {
        self.bind_create_table(create)
    }

    /// Binds `CREATE VIEW`.
    ///
    /// # Errors
    /// Invalid or Unsupported, at the construct.
    pub fn create_view(mut self, create: &ast::CreateView) -> SqlResult<View> {
        self.bind_create_view(create)
    }

    /// The text of a part of the script.
    fn text(&self, span: Span) -> String {
        self.script.get(span.start as usize..span.end as usize).unwrap_or_default().to_owned()
    }
}
