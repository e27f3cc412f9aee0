//! A session: settings, the tables and views that were created, and the execution of one statement after the other.
//!
//! Nothing runs here: a statement that moves rows becomes an optimized [`JobPlan`]. A statement that fails leaves the
//! session as it was. Secrets among settings and options are shown by nothing.

mod show;

use std::sync::Arc;

use kobel_model::Error;
use kobel_model::settings::{Notice, Settings, redact};

use crate::ast::{CreateTable, CreateView, Drop, Insert, PropertyAssignment, Show, Statement, StatementKind};
use crate::binder::{Binder, CatalogObject, Namespace, function_names, object_path};
use crate::catalog::{Connectors, DEFAULT_CATALOG, DEFAULT_DATABASE};
use crate::error::{Span, SqlError, SqlResult};
use crate::explain::explain;
use crate::optimizer::optimize;
use crate::plan::{JobPlan, SinkPlan, Target};

/// What a statement came to.
#[derive(Debug)]
pub enum Outcome {
    /// It changed the session.
    Done {
        /// What happened, for a person.
        message: String,
        /// What a person should know about settings.
        notices: Vec<Notice>,
    },
    /// It answers with a table.
    Table {
        /// Column names.
        header: Vec<String>,
        /// Rows, each as wide as the header.
        rows: Vec<Vec<String>>,
    },
    /// It answers with text.
    Text(String),
    /// It is to be run.
    Job(JobPlan),
}

/// What the statements of a script share.
pub struct Session {
    connectors: Arc<dyn Connectors>,
    settings: Settings,
    namespace: Namespace,
}

impl Session {
    /// A session without tables.
    pub fn new(connectors: Arc<dyn Connectors>, settings: Settings) -> Self {
        Self { connectors, settings, namespace: Namespace::default() }
    }

    /// What is set.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is set, to be changed.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// The connectors that tables are checked with.
    pub fn connectors(&self) -> &Arc<dyn Connectors> {
        &self.connectors
    }

    /// Executes a statement of `script`, into which its spans point; `ordinal` is its position, from 0.
    ///
    /// # Errors
    /// Invalid for wrong SQL, Unsupported for SQL that the native engine does not run.
    pub fn execute(&mut self, statement: &Statement, script: &str, ordinal: usize) -> SqlResult<Outcome> {
        match &statement.kind {
            StatementKind::Set(None) => Ok(self.list_settings()),
            StatementKind::Set(Some(assignment)) => self.set(assignment),
            StatementKind::Reset(key) => Ok(self.reset(key.as_ref().map(|key| key.name.as_str()))),
            StatementKind::CreateTable(create) => self.create_table(create, script),
            StatementKind::CreateView(create) => self.create_view(create, script),
            StatementKind::Drop(drop) => self.drop_object(drop),
            StatementKind::Show(show) => self.show(show),
            StatementKind::Describe(name) => Ok(show::describe(self.namespace.get(name)?)),
            StatementKind::Explain(inner) => {
                let plan = self.plan(inner, script, ordinal)?;
                let plan = plan.ok_or_else(|| {
                    SqlError::invalid(inner.span, "`EXPLAIN` takes a query, an `INSERT` or a statement set")
                })?;
                Ok(Outcome::Text(explain(&plan)))
            }
            StatementKind::Insert(_) | StatementKind::StatementSet(_) | StatementKind::Query(_) => {
                match self.plan(statement, script, ordinal)? {
                    Some(plan) => Ok(Outcome::Job(plan)),
                    None => Err(SqlError::invalid(statement.span, "the statement moves no rows")),
                }
            }
        }
    }

    /// The optimized plan of a statement that moves rows; `None` for any other.
    fn plan(&self, statement: &Statement, script: &str, ordinal: usize) -> SqlResult<Option<JobPlan>> {
        let binder = || Binder::new(&self.namespace, self.connectors.as_ref(), script);
        let sinks = match &statement.kind {
            StatementKind::Query(query) => vec![binder().collect(query)?],
            StatementKind::Insert(insert) => vec![binder().insert(insert)?],
            StatementKind::StatementSet(inserts) => {
                let bind = |insert: &Insert| binder().insert(insert);
                inserts.iter().map(bind).collect::<SqlResult<Vec<_>>>()?
            }
            _ => return Ok(None),
        };
        if sinks.is_empty() {
            return Err(SqlError::invalid(statement.span, "the statement set has no `INSERT`"));
        }
        let name = self.settings.raw("pipeline.name").map_or_else(|| job_name(&sinks), str::to_owned);
        Ok(Some(optimize(JobPlan { name, statement: ordinal, sinks })))
    }

    fn list_settings(&self) -> Outcome {
        let rows = self.settings.iter().map(|(key, value)| vec![key.to_owned(), redact(key, value).to_owned()]);
        Outcome::Table { header: vec!["key".to_owned(), "value".to_owned()], rows: rows.collect() }
    }

    fn set(&mut self, assignment: &PropertyAssignment) -> SqlResult<Outcome> {
        let (key, value) = (&assignment.key.name, &assignment.value.name);
        let notices = self.settings.set(key, value).map_err(|error| at(assignment.value.span, &error))?;
        Ok(Outcome::Done { message: format!("`{key}` is set to `{}`", redact(key, value)), notices })
    }

    fn reset(&mut self, key: Option<&str>) -> Outcome {
        match key {
            None => {
                self.settings.reset_all();
                done("all settings have their defaults")
            }
            Some(key) if self.settings.reset(key) => done(format!("`{key}` has its default")),
            Some(key) => done(format!("`{key}` was not set")),
        }
    }

    fn create_table(&mut self, create: &CreateTable, script: &str) -> SqlResult<Outcome> {
        let table = Binder::new(&self.namespace, self.connectors.as_ref(), script).create_table(create)?;
        let object = CatalogObject::Table(Arc::new(table));
        if create.if_not_exists && self.namespace.collides(&object) {
            return Ok(done(format!("`{}` already exists", object.name())));
        }
        self.add(object, create.name.span)
    }

    fn create_view(&mut self, create: &CreateView, script: &str) -> SqlResult<Outcome> {
        let view = Binder::new(&self.namespace, self.connectors.as_ref(), script).create_view(create)?;
        let object = CatalogObject::View(Arc::new(view));
        if create.if_not_exists && self.namespace.collides(&object) {
            return Ok(done(format!("`{}` already exists", object.name())));
        }
        self.add(object, create.name.span)
    }

    fn add(&mut self, object: CatalogObject, span: Span) -> SqlResult<Outcome> {
        if self.namespace.collides(&object) {
            let error = SqlError::invalid(span, format!("`{}` already exists", object.name()));
            return Err(error.with_hint("drop it first, or use another name"));
        }
        let what = if object.is_view() { "view" } else { "table" };
        let message = format!("{what} `{}` is created", object.name());
        self.namespace.add(object);
        Ok(done(message))
    }

    fn drop_object(&mut self, drop: &Drop) -> SqlResult<Outcome> {
        let what = if drop.is_view { "view" } else { "table" };
        let name = drop.name.dotted();
        let hidden = self.namespace.find(&drop.name)?.is_some_and(|object| object.is_temporary() && !drop.temporary);
        if hidden {
            let message = format!("a temporary table or view `{name}` hides the permanent one");
            return Err(
                SqlError::invalid(drop.name.span, message).with_hint(format!("use DROP TEMPORARY {what} first"))
            );
        }
        if self.namespace.remove(drop)? {
            return Ok(done(format!("{what} `{name}` is dropped")));
        }
        if drop.if_exists {
            return Ok(done(format!("{what} `{name}` does not exist")));
        }
        Err(match self.namespace.find(&drop.name)? {
            Some(object) if object.is_view() != drop.is_view => {
                let other = if object.is_view() { "view" } else { "table" };
                let error = SqlError::invalid(drop.name.span, format!("`{name}` is not a {what}, but a {other}"));
                error.with_hint(format!("use DROP {}", other.to_uppercase()))
            }
            _ if drop.temporary => self.namespace.missing(&format!("temporary {what}"), &drop.name),
            _ => self.namespace.missing(what, &drop.name),
        })
    }

    fn show(&self, show: &Show) -> SqlResult<Outcome> {
        Ok(match show {
            Show::Tables => list("table name", self.namespace.names()),
            Show::Views => {
                let views = self.namespace.objects().filter(|(_, object)| object.is_view());
                list("view name", views.map(|(name, _)| name))
            }
            Show::Functions => list("function name", function_names()),
            Show::Catalogs => list("catalog name", [DEFAULT_CATALOG]),
            Show::Databases => list("database name", [DEFAULT_DATABASE]),
            Show::Create(name) => Outcome::Text(show::create(self.namespace.get(name)?)),
            Show::Columns(name) => show::describe(self.namespace.get(name)?),
        })
    }
}

/// The name of a job whose sinks are these, as Flink makes it.
fn job_name(sinks: &[SinkPlan]) -> String {
    let tables: Vec<_> = sinks
        .iter()
        .filter_map(|sink| match &sink.target {
            Target::Table { table, .. } => Some(object_path(&table.name)),
            Target::Collect => None,
        })
        .collect();
    if tables.is_empty() { "collect".to_owned() } else { format!("insert-into_{}", tables.join(",")) }
}

fn done(message: impl Into<String>) -> Outcome {
    Outcome::Done { message: message.into(), notices: Vec::new() }
}

/// A table of one column.
fn list<'a>(header: &str, names: impl IntoIterator<Item = &'a str>) -> Outcome {
    let rows = names.into_iter().map(|name| vec![name.to_owned()]).collect();
    Outcome::Table { header: vec![header.to_owned()], rows }
}

/// An error of the settings at its place.
fn at(span: Span, error: &Error) -> SqlError {
    let hint = error.hint().map(str::to_owned);
    SqlError { kind: error.kind(), message: error.to_string(), span, hint }
}

#[cfg(test)]
mod tests;
