//! The tables and views of a session by name; a temporary one hides the permanent one of the same name.
//!
//! There is one catalog with one database. Names keep their case.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ast::{self, ObjectName};
use crate::catalog::{DEFAULT_CATALOG, DEFAULT_DATABASE, Table, View};
use crate::error::{SqlError, SqlResult};

/// What a name stands for.
#[derive(Debug, Clone)]
pub enum CatalogObject {
    /// A table.
    Table(Arc<Table>),
    /// A view.
    View(Arc<View>),
}

impl CatalogObject {
    /// Whether it was made by `CREATE TEMPORARY`.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Table(table) => table.temporary,
            Self::View(view) => view.temporary,
        }
    }

    /// Whether it is a view.
    pub fn is_view(&self) -> bool {
        matches!(self, Self::View(_))
    }

    /// Name without catalog and database.
    pub fn name(&self) -> &str {
        match self {
            Self::Table(table) => &table.name,
            Self::View(view) => &view.name,
        }
    }
}

/// The tables and views of a session.
#[derive(Debug, Clone, Default)]
pub struct Namespace {
    permanent: BTreeMap<String, CatalogObject>,
    temporary: BTreeMap<String, CatalogObject>,
}

impl Namespace {
    /// What a name stands for, if anything.
    ///
    /// # Errors
    /// Invalid if the name names another catalog or database.
    pub fn find(&self, name: &ObjectName) -> SqlResult<Option<&CatalogObject>> {
        let bare = bare_name(name)?;
        Ok(self.temporary.get(bare).or_else(|| self.permanent.get(bare)))
    }

    /// What a name stands for.
    ///
    /// # Errors
    /// Invalid, with a suggestion, if there is no such table or view.
    pub fn get(&self, name: &ObjectName) -> SqlResult<&CatalogObject> {
        match self.find(name)? {
            Some(object) => Ok(object),
            None => Err(self.uncreated(self.missing("table", name), name)),
        }
    }

    /// The error that there is no such `what`.
    pub(crate) fn missing(&self, what: &str, name: &ObjectName) -> SqlError {
        let (span, bare) = match name.parts.last() {
            Some(part) => (part.span, part.name.as_str()),
            None => (name.span, ""),
        };
        SqlError::invalid(span, format!("{what} `{}` does not exist", name.dotted()))
            .with_suggestion(bare, self.names())
    }

    /// The error that there is no such table, with how to create it unless it says what was meant.
    pub(crate) fn uncreated(&self, error: SqlError, name: &ObjectName) -> SqlError {
        /// So many names are told.
        const TOLD_MAX: usize = 8;
        if error.hint.is_some() {
            return error;
        }
        let names: Vec<&str> = self.names().collect();
        let known = match names.len() {
            1..=TOLD_MAX => format!("; there are `{}`", names.join("`, `")),
            _ => String::new(),
        };
        error.with_hint(format!("create it first: `CREATE TABLE {} (…) WITH ('connector' = …);`{known}", name.dotted()))
    }

    /// Whether there is a table or view of the same name and permanence.
    pub fn collides(&self, object: &CatalogObject) -> bool {
        let objects = if object.is_temporary() { &self.temporary } else { &self.permanent };
        objects.contains_key(object.name())
    }

    /// Adds a table or view; one of the same name and permanence is replaced.
    pub fn add(&mut self, object: CatalogObject) {
        let name = object.name().to_owned();
        let objects = if object.is_temporary() { &mut self.temporary } else { &mut self.permanent };
        objects.insert(name, object);
    }

    /// Removes a table or view; the answer is whether there was one of that kind and permanence.
    ///
    /// # Errors
    /// Invalid if the name names another catalog or database.
    pub fn remove(&mut self, drop: &ast::Drop) -> SqlResult<bool> {
        let bare = bare_name(&drop.name)?;
        let objects = if drop.temporary { &mut self.temporary } else { &mut self.permanent };
        let is_there = objects.get(bare).is_some_and(|object| object.is_view() == drop.is_view);
        if is_there {
            objects.remove(bare);
        }
        Ok(is_there)
    }

    /// All names that can be resolved, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.objects().map(|(name, _)| name)
    }

    /// All tables and views that can be resolved, in order of name.
    pub fn objects(&self) -> impl Iterator<Item = (&str, &CatalogObject)> {
        let mut visible: BTreeMap<&str, &CatalogObject> =
            self.permanent.iter().map(|(name, object)| (name.as_str(), object)).collect();
        visible.extend(self.temporary.iter().map(|(name, object)| (name.as_str(), object)));
        visible.into_iter()
    }
}

/// The name without catalog and database.
///
/// # Errors
/// Invalid if the name names another catalog or database than the only ones.
pub(crate) fn bare_name(name: &ObjectName) -> SqlResult<&str> {
    let (bare, database, catalog) = match name.parts.as_slice() {
        [bare] => (bare, None, None),
        [database, bare] => (bare, Some(database), None),
        [catalog, database, bare] => (bare, Some(database), Some(catalog)),
        _ => {
            let message = format!("`{}` is not the name of a table: it has more than three parts", name.dotted());
            return Err(SqlError::invalid(name.span, message));
        }
    };
    if let Some(catalog) = catalog.filter(|catalog| catalog.name != DEFAULT_CATALOG) {
        let message = format!("catalog `{}` does not exist", catalog.name);
        return Err(SqlError::invalid(catalog.span, message).with_hint(format!("the only one is `{DEFAULT_CATALOG}`")));
    }
    if let Some(database) = database.filter(|database| database.name != DEFAULT_DATABASE) {
        let message = format!("database `{}` does not exist", database.name);
        return Err(
            SqlError::invalid(database.span, message).with_hint(format!("the only one is `{DEFAULT_DATABASE}`"))
        );
    }
    Ok(&bare.name)
}

/// The full name of a table: `default_catalog.default_database.t`.
pub fn object_path(bare: &str) -> String {
    format!("{DEFAULT_CATALOG}.{DEFAULT_DATABASE}.{bare}")
}
