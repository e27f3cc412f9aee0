//! The Flink configuration of a resource: flat keys and their values as text.
//!
//! What is printed for a person hides the values of secret keys.

use std::collections::BTreeMap;
use std::fmt;

use crate::settings::redact;

/// Flat keys and their values, in order of key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FlinkConfiguration {
    values: BTreeMap<String, String>,
}

impl FlinkConfiguration {
    /// Wraps flat keys and values.
    pub fn new(values: BTreeMap<String, String>) -> Self {
        Self { values }
    }

    /// The value of `key`, exactly as it is spelled.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// Keys and values in order of key; secrets are not redacted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The map itself; secrets are not redacted.
    pub fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }
}

impl fmt::Debug for FlinkConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(key, value)| (key, redact(key, value)))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_hides_secrets() {
        let values = [("s3.secret-key", "hunter2"), ("parallelism.default", "4")];
        let values = values.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let configuration = FlinkConfiguration::new(values.into());
        let printed = format!("{configuration:?}");
        assert!(!printed.contains("hunter2"), "{printed}");
        assert!(printed.contains("\"parallelism.default\": \"4\""), "{printed}");
        assert_eq!(configuration.get("s3.secret-key"), Some("hunter2"));
    }
}
