//! Small key-value tables beside the objects, such as the digests of tokens.
//!
//! They are not API objects: they have no revision and nobody watches them.

use std::collections::BTreeMap;

/// A change of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// The table.
    pub table: &'static str,
    /// The key in the table.
    pub key: String,
    /// The new value; none removes the record.
    pub value: Option<String>,
}

/// All records, in memory.
#[derive(Debug, Default)]
pub struct Records {
    tables: BTreeMap<String, BTreeMap<String, String>>,
}

impl Records {
    /// Adds a record, or replaces it.
    pub fn insert(&mut self, table: &str, key: String, value: String) {
        match self.tables.get_mut(table) {
            Some(rows) => rows.insert(key, value),
            None => self.tables.entry(table.to_owned()).or_default().insert(key, value),
        };
    }

    /// Applies a change.
    pub fn apply(&mut self, change: RecordChange) {
        match change.value {
            Some(value) => self.insert(change.table, change.key, value),
            None => {
                self.tables.get_mut(change.table).and_then(|rows| rows.remove(&change.key));
            }
        }
    }

    /// The value of a record.
    pub fn get(&self, table: &str, key: &str) -> Option<&str> {
        self.tables.get(table)?.get(key).map(String::as_str)
    }

    /// The records of a table in the order of their keys.
    pub fn list(&self, table: &str) -> impl Iterator<Item = (&str, &str)> {
        self.tables.get(table).into_iter().flatten().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}
