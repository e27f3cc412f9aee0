//! Connectors and formats of the native engine, behind the port that the SQL front end owns.
//!
//! Connectors: [`filesystem`] (csv and json files), [`datagen`], [`mod@print`], [`blackhole`]. All options stand in
//! [`options::catalogue`]; an option that is not there is an error with a suggestion, and one that Flink has and this
//! engine does not honour is refused by name. Nothing is opened before a source or sink is asked for.

pub mod blackhole;
mod constraint;
pub mod datagen;
pub mod filesystem;
mod formats;
pub mod options;
pub mod print;
mod terminal;

use std::sync::Arc;

use kobel_dataflow::ports::{Sink, Source};
use kobel_model::Error;
use kobel_sql::catalog::{Connectors, OptionProblem, TableSpec, Usage};
use kobel_sql::plan::ChangelogMode;
use kobel_sql::types::TypeKind;

use crate::options::{Checked, invalid};

pub use self::terminal::{RowOutput, Terminal};

/// The connectors of this crate.
pub struct StandardConnectors {
    terminal: Terminal,
}

impl StandardConnectors {
    /// Connectors whose `print` writes to `terminal`.
    pub fn new(terminal: Terminal) -> Self {
        Self { terminal }
    }
}

impl Connectors for StandardConnectors {
    fn check(&self, table: &TableSpec, usage: Usage) -> Result<(), OptionProblem> {
        let connector = Connector::of(table)?;
        check_columns(table)?;
        check_usage(table, connector, usage)?;
        match connector {
            Connector::Filesystem => filesystem::check(table),
            Connector::Datagen => datagen::check(table),
            Connector::Print => print::check(table),
            Connector::Blackhole => blackhole::check(table),
        }
    }

    fn source(&self, table: &TableSpec, columns: &[usize]) -> kobel_model::Result<Arc<dyn Source>> {
        self.check(table, Usage::Source).map_err(|problem| invalid(table, problem))?;
        match Connector::of(table).map_err(|problem| invalid(table, problem))? {
            Connector::Filesystem => filesystem::source(table, columns),
            Connector::Datagen => datagen::source(table, columns),
            Connector::Print | Connector::Blackhole => Err(Error::bug("a table that can only be written is read")),
        }
    }

    fn sink(&self, table: &TableSpec) -> kobel_model::Result<Arc<dyn Sink>> {
        let usage = Usage::Sink(ChangelogMode::InsertOnly);
        self.check(table, usage).map_err(|problem| invalid(table, problem))?;
        match Connector::of(table).map_err(|problem| invalid(table, problem))? {
            Connector::Filesystem => filesystem::sink(table),
            Connector::Print => print::sink(table, &self.terminal),
            Connector::Blackhole => Ok(blackhole::sink(table)),
            Connector::Datagen => Err(Error::bug("a table that can only be read is written")),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Connector {
    Filesystem,
    Datagen,
    Print,
    Blackhole,
}

/// The values of option `connector`.
pub const CONNECTORS: [&str; 4] = ["blackhole", "datagen", "filesystem", "print"];

/// Connectors that exist for Flink; a table with one of them is no mistake, only not for this engine.
const CONNECTORS_OF_FLINK: &[&str] = &[
    "delta",
    "dynamodb",
    "elasticsearch-6",
    "elasticsearch-7",
    "elasticsearch-8",
    "faker",
    "firehose",
    "fluss",
    "hbase-1.4",
    "hbase-2.2",
    "hive",
    "hudi",
    "iceberg",
    "jdbc",
    "kafka",
    "kinesis",
    "mongodb",
    "mysql-cdc",
    "nexmark",
    "opensearch",
    "oracle-cdc",
    "paimon",
    "postgres-cdc",
    "pulsar",
    "python-input-format",
    "redis",
    "sqlserver-cdc",
    "upsert-kafka",
];

impl Connector {
    fn of(table: &TableSpec) -> Checked<Self> {
        match table.options.get("connector").map(String::as_str) {
            Some("filesystem") => Ok(Self::Filesystem),
            Some("datagen") => Ok(Self::Datagen),
            Some("print") => Ok(Self::Print),
            Some("blackhole") => Ok(Self::Blackhole),
            Some(name) => Err(no_connector(name)),
            None => Err(missing_connector(table)),
        }
    }
}

fn no_connector(name: &str) -> OptionProblem {
    let (message, hint) = if CONNECTORS_OF_FLINK.contains(&name) {
        (
            format!("connector `{name}` is not supported by the native engine"),
            format!("run this script with Apache Flink, or use one of {}", listed_connectors()),
        )
    } else {
        let hint = match kobel_model::nearest(name, CONNECTORS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("connectors of the native engine: {}", listed_connectors()),
        };
        (format!("unknown connector `{name}`"), hint)
    };
    OptionProblem { key: Some("connector".to_owned()), concerns_value: true, message, hint: Some(hint) }
}

/// The key is written wrong, or not at all.
fn missing_connector(table: &TableSpec) -> OptionProblem {
    match kobel_model::nearest("connector", table.options.keys().map(String::as_str)) {
        Some(wrong) => OptionProblem {
            key: Some(wrong.to_owned()),
            concerns_value: false,
            message: format!("unknown option `{wrong}`"),
            hint: Some("did you mean `connector`?".to_owned()),
        },
        None => OptionProblem {
            key: None,
            concerns_value: false,
            message: format!("option `connector` of table `{}` is missing", table.name),
            hint: Some(format!("connectors of the native engine: {}", listed_connectors())),
        },
    }
}

fn listed_connectors() -> String {
    CONNECTORS.map(|name| format!("`{name}`")).join(", ")
}

fn check_columns(table: &TableSpec) -> Checked<()> {
    let problem = |message: String, hint: &str| {
        Err(OptionProblem { key: None, concerns_value: false, message, hint: Some(hint.to_owned()) })
    };
    if !table.partitioned_by.is_empty() {
        return problem(
            "`PARTITIONED BY` is not supported by the native engine".to_owned(),
            "leave it out, or run this script with Apache Flink",
        );
    }
    let unusable =
        table.physical.iter().find(|column| column.ty.kind.is_interval() || column.ty.kind == TypeKind::Null);
    match unusable {
        None => Ok(()),
        Some(column) => problem(
            format!("column `{}` has type `{}`, which no connector can carry", column.name, column.ty.kind),
            "store an interval as a number of months or milliseconds",
        ),
    }
}

fn check_usage(table: &TableSpec, connector: Connector, usage: Usage) -> Checked<()> {
    let refuse = |message: String, hint: &str| {
        Err(OptionProblem {
            key: Some("connector".to_owned()),
            concerns_value: true,
            message,
            hint: Some(hint.to_owned()),
        })
    };
    match (connector, usage) {
        (Connector::Datagen, Usage::Sink(_)) => {
            refuse("connector `datagen` can only be used as a source".to_owned(), "write to another table")
        }
        (Connector::Print, Usage::Source) => {
            refuse("connector `print` can only be used as a sink".to_owned(), "read another table")
        }
        (Connector::Blackhole, Usage::Source) => {
            refuse("connector `blackhole` can only be used as a sink".to_owned(), "read another table")
        }
        (Connector::Filesystem, Usage::Sink(ChangelogMode::Updating)) => refuse(
            format!("table sink `{}` doesn't support consuming update changes", table.name),
            "rows that were written to a file cannot be taken back: aggregate in a window, or write to a `print` table",
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
