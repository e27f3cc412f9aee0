//! The registry of every kind that is served: the Flink kinds of the custom resource definitions and the few core kinds
//! that manifests and `kubectl` need.
//!
//! It never changes while the process runs; whoever asks twice is told the same.

pub mod builtin;
pub mod custom;
pub mod events;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::kind::Kind;

/// Every kind, by its names.
#[derive(Debug)]
pub struct Kinds {
    kinds: Vec<Arc<Kind>>,
    by_resource: BTreeMap<String, usize>,
}

impl Kinds {
    /// The registry, made at the first call.
    pub fn all() -> Arc<Self> {
        static ALL: OnceLock<Arc<Kinds>> = OnceLock::new();
        Arc::clone(ALL.get_or_init(|| {
            let mut kinds = builtin::kinds();
            kinds.extend(custom::kinds());
            Arc::new(Self::of(kinds))
        }))
    }

    /// Makes a registry of these kinds.
    pub fn of(kinds: Vec<Kind>) -> Self {
        let kinds: Vec<Arc<Kind>> = kinds.into_iter().map(Arc::new).collect();
        let by_resource = kinds.iter().enumerate().map(|(at, kind)| (kind.resource().qualified(), at)).collect();
        Self { kinds, by_resource }
    }

    /// The kind under `/apis/GROUP/VERSION/…/PLURAL`; the core group is empty.
    pub fn by_path(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        self.find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
    }

    /// The kind of this name in a group and version.
    pub fn by_kind(&self, group: &str, version: &str, kind: &str) -> Option<Arc<Kind>> {
        self.find(|known| known.group == group && known.version == version && known.kind == kind)
    }

    /// The kind of a resource: `plural.group`, or the plural alone in the core group.
    pub fn by_resource(&self, qualified: &str) -> Option<Arc<Kind>> {
        let at = self.by_resource.get(qualified)?;
        self.kinds.get(*at).cloned()
    }

    /// Every kind, core kinds first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.kinds.iter()
    }

    fn find(&self, is_meant: impl Fn(&Kind) -> bool) -> Option<Arc<Kind>> {
        self.kinds.iter().find(|kind| is_meant(kind)).cloned()
    }
}
