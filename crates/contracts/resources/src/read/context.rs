//! What a manifest is read against: its previous state, its neighbours, the operator's defaults.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde_json::Value;

/// What surrounds a manifest.
pub struct Context<'a> {
    /// The whole object as it is stored; absent for a new one.
    pub previous: Option<&'a Value>,
    /// Finds another object of the same namespace by kind and name.
    pub find: &'a dyn Fn(&str, &str) -> Option<Value>,
    /// The operator's default configuration, flat; a manifest cannot set the keys of the operator itself.
    pub defaults: &'a BTreeMap<String, String>,
}

/// The defaults of one machine: each application has directories of its own there for what it keeps.
pub fn local_defaults() -> &'static BTreeMap<String, String> {
    static DEFAULTS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
        let own =
            [("checkpoints", "execution.checkpointing.dir"), ("savepoints", "execution.checkpointing.savepoint-dir")];
        own.into_iter().map(|(name, key)| (key.to_owned(), format!("its directory `{name}`"))).collect()
    });
    &DEFAULTS
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("has_previous", &self.previous.is_some()).finish_non_exhaustive()
    }
}
