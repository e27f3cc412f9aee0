//! What a manifest is read against: its previous state, its neighbours, the operator's defaults.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde_json::Value;

use super::artifact::ALLOWED_SCHEMES;

/// Finds another object of the same namespace by kind and name.
pub type Lookup<'a> = &'a dyn Fn(&str, &str) -> Option<Value>;

/// What surrounds a manifest.
pub struct Context<'a> {
    /// The whole object as it is stored; absent for a new one.
    pub previous: Option<&'a Value>,
    /// Finds another object of the same namespace by kind and name.
    pub find: Lookup<'a>,
    /// The operator's default configuration, flat; a manifest cannot set the keys of the operator itself.
    pub defaults: &'a BTreeMap<String, String>,
}

/// The defaults of one machine: each application has directories of its own there for what it keeps, and programs may
/// lie on it.
pub fn local_defaults() -> &'static BTreeMap<String, String> {
    static DEFAULTS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
        let defaults = [
            ("execution.checkpointing.dir", "its directory `checkpoints`"),
            ("execution.checkpointing.savepoint-dir", "its directory `savepoints`"),
            (ALLOWED_SCHEMES, "https,s3,s3a,s3p,local"),
        ];
        defaults.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    });
    &DEFAULTS
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("has_previous", &self.previous.is_some()).finish_non_exhaustive()
    }
}
