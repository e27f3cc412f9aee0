//! Tables and views by name, and the port through which connectors are reached.
//!
//! The session catalog keeps what `CREATE TABLE` and `CREATE VIEW` made; it never opens a table.

use std::collections::BTreeMap;
use std::sync::Arc;

use kobel_dataflow::ports::{Sink, Source};

use crate::ast;
use crate::error::Span;
use crate::plan::{ChangelogMode, Expr, Schema};
use crate::types::SqlType;

/// The catalog and database that a bare name stands in.
pub const DEFAULT_CATALOG: &str = "default_catalog";
/// See [`DEFAULT_CATALOG`].
pub const DEFAULT_DATABASE: &str = "default_database";

/// A value of a `WITH (…)` option and the place of its key and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionValue {
    /// Text.
    pub value: String,
    /// Place of the key.
    pub key_span: Span,
    /// Place of the value.
    pub value_span: Span,
}

/// Options of a table by key.
pub type TableOptions = BTreeMap<String, OptionValue>;

/// A physical column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct PhysicalColumn {
    /// Name.
    pub name: String,
    /// Type.
    pub ty: SqlType,
}

/// A table as `CREATE TABLE` made it, bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Name without catalog and database.
    pub name: String,
    /// TEMPORARY was written.
    pub temporary: bool,
    /// All columns that a query sees, in declared order, with time attributes.
    pub schema: Arc<Schema>,
    /// What connector and format read and write: the physical columns in declared order.
    pub physical: Vec<PhysicalColumn>,
    /// For each column of `schema`, where it comes from.
    pub columns: Vec<TableColumn>,
    /// Watermark of the table.
    pub watermark: Option<TableWatermark>,
    /// Columns of PRIMARY KEY … NOT ENFORCED, indexes into `schema`.
    pub primary_key: Vec<usize>,
    /// COMMENT
    pub comment: Option<String>,
    /// PARTITIONED BY columns
    pub partitioned_by: Vec<String>,
    /// WITH (…)
    pub options: TableOptions,
    /// Place of the table's name in its CREATE TABLE.
    pub span: Span,
}

/// Where a column of a table comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum TableColumn {
    /// Index into [`Table::physical`].
    Physical(usize),
    /// An expression over the physical columns.
    Computed {
        /// Bound over the physical columns.
        expr: Expr,
        /// As written, for DESCRIBE and SHOW CREATE TABLE.
        text: String,
    },
}

/// `WATERMARK FOR column AS expr`, bound over the table's columns.
#[derive(Debug, Clone, PartialEq)]
pub struct TableWatermark {
    /// Index into the table's schema.
    pub column: usize,
    /// Strategy over the columns of the schema.
    pub expr: Expr,
    /// As written.
    pub text: String,
}

/// A view: its text is bound anew at each use.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Name.
    pub name: String,
    /// TEMPORARY was written.
    pub temporary: bool,
    /// Column names, empty if not written.
    pub columns: Vec<String>,
    /// The query.
    pub query: ast::Query,
    /// The query as written.
    pub text: String,
    /// Its columns, bound when it was created.
    pub schema: Arc<Schema>,
}

/// How a table is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// It is read.
    Source,
    /// It is written with rows of these kinds.
    Sink(ChangelogMode),
}

/// What is wrong with an option of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionProblem {
    /// The key it concerns; `None` for the table as a whole (e.g. a required option is missing).
    pub key: Option<String>,
    /// The value is wrong, not the key.
    pub concerns_value: bool,
    /// Lower-case fragment.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// What a connector needs to open a table.
#[derive(Debug, Clone)]
pub struct TableSpec {
    /// Name of the table, for messages.
    pub name: String,
    /// Options as plain text.
    pub options: BTreeMap<String, String>,
    /// The physical columns, all of them, in declared order.
    pub physical: Vec<PhysicalColumn>,
    /// PARTITIONED BY
    pub partitioned_by: Vec<String>,
}

/// The port to the connectors; implemented by `kobel-connectors`.
pub trait Connectors: Send + Sync {
    /// Checks connector, format and options of a table without opening anything.
    ///
    /// # Errors
    /// The first problem, with the key it concerns, so that the binder can point at it.
    fn check(&self, table: &TableSpec, usage: Usage) -> Result<(), OptionProblem>;

    /// Makes the source of a table that yields `columns` (indexes into `table.physical`) in that order.
    ///
    /// # Errors
    /// Invalid if an option is wrong (see `check`), Missing or Denied if what it names cannot be opened.
    fn source(&self, table: &TableSpec, columns: &[usize]) -> kobel_model::Result<Arc<dyn Source>>;

    /// Makes the sink of a table; batches have all physical columns in order.
    ///
    /// # Errors
    /// As for [`Connectors::source`].
    fn sink(&self, table: &TableSpec) -> kobel_model::Result<Arc<dyn Sink>>;
}
