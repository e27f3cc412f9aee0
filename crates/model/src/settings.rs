//! What a user may set, and what was set: the option catalogue as data, raw settings, typed reads of them.
//!
//! The default, the bounds and the description of an option stand in `settings/catalogue.toml` and nowhere else; the
//! reference page is generated from it. A key that is not in the catalogue is kept and reported, never dropped; a
//! known key with a wrong value is refused when it is set, so reading a typed option cannot fail.

mod catalogue;
pub mod options;
mod secret;
mod value;

use std::collections::BTreeMap;
use std::fmt;

pub use catalogue::{Engine, OptionEntry, ValueKind, catalogue, entry};
pub use options::TypedOption;
pub use secret::{is_secret, redact};
pub use value::{OptionValue, Value};

use crate::error::Result;
use crate::suggestion::nearest;

/// The raw values that the user set, in order of key; defaults are not among them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings {
    values: BTreeMap<String, String>,
}

/// Something to tell a person about a key that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The key is in no catalogue; it is kept, and nothing reads it.
    Unknown {
        /// The key as it was written.
        key: String,
        /// The known key it may stand for.
        suggestion: Option<String>,
    },
    /// The key is an old spelling; the value was stored under the new one.
    Deprecated {
        /// The key as it was written.
        key: String,
        /// The key that replaces it.
        replacement: String,
    },
    /// The native engine does not honour the key, or not with this value.
    NoEffect {
        /// The key, in its new spelling.
        key: String,
    },
}

impl Settings {
    /// Makes settings in which every option has its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `key`; the notices say what a person should know about it.
    ///
    /// # Errors
    /// `Invalid` if the key is known and the value is not allowed; the settings then stay as they were.
    pub fn set(&mut self, key: &str, value: &str) -> Result<Vec<Notice>> {
        let (key, value) = (key.trim(), value.trim());
        let Some(entry) = entry(key) else {
            self.values.insert(key.to_owned(), value.to_owned());
            let suggestion = nearest(key, catalogue::spellings()).map(str::to_owned);
            return Ok(vec![Notice::Unknown { key: key.to_owned(), suggestion }]);
        };
        let parsed = entry.parse(value)?;
        let mut notices = Vec::new();
        if key != entry.key {
            notices.push(Notice::Deprecated { key: key.to_owned(), replacement: entry.key.clone() });
        }
        if !entry.native_honours(&parsed) {
            notices.push(Notice::NoEffect { key: entry.key.clone() });
        }
        self.values.insert(entry.key.clone(), value.to_owned());
        Ok(notices)
    }

    /// Puts `key` back to its default; the answer is whether it was set.
    pub fn reset(&mut self, key: &str) -> bool {
        self.values.remove(canonical(key)).is_some()
    }

    /// Puts every option back to its default.
    pub fn reset_all(&mut self) {
        self.values.clear();
    }

    /// What the user set for `key`, in either spelling; defaults do not show here.
    pub fn raw(&self, key: &str) -> Option<&str> {
        self.values.get(canonical(key)).map(String::as_str)
    }

    /// What the user set, in order of key; secrets are not redacted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Reads a typed option: what the user set, else the catalogue's default.
    ///
    /// # Panics
    /// If the handle and the catalogue disagree about the option's type, which a test over all handles excludes.
    pub fn get<T: OptionValue>(&self, option: &TypedOption<T>) -> T {
        let entry = entry(option.key()).expect("every typed option stands in the catalogue");
        let set = self.values.get(&entry.key).and_then(|raw| entry.parse(raw).ok());
        let value = set.or_else(|| entry.default_value());
        T::from_value(value.as_ref()).expect("every typed option has the type that the catalogue says")
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(key, value)| (key, redact(key, value)))).finish()
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { key, suggestion: Some(near) } => {
                write!(f, "unknown option `{key}` is kept but read by nothing; did you mean `{near}`?")
            }
            Self::Unknown { key, suggestion: None } => {
                write!(f, "unknown option `{key}` is kept but read by nothing")
            }
            Self::Deprecated { key, replacement } => {
                write!(f, "option `{key}` is deprecated; use `{replacement}`")
            }
            Self::NoEffect { key } => {
                let honoured = entry(key).map(|entry| entry.native_values.as_slice()).unwrap_or_default();
                match honoured {
                    [] => write!(f, "option `{key}` has no effect in the native engine"),
                    values => write!(f, "the native engine honours only `{}` for option `{key}`", values.join("`, `")),
                }
            }
        }
    }
}

/// The key under which a value is stored: the new spelling of a known key, any other key as it is.
fn canonical(key: &str) -> &str {
    let key = key.trim();
    entry(key).map_or(key, |entry| entry.key.as_str())
}

#[cfg(test)]
mod tests;
