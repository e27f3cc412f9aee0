//! Who does a write, in which way, and what it made.

use std::sync::Arc;

use bytes::Bytes;
use kobel_apiserver::verbs::WriteOptions;
use serde_json::Value;

use super::store::Stored;
use crate::entry::Who;

/// How a write is done, and by whom.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    /// How.
    pub(crate) options: WriteOptions,
    /// By whom.
    pub(crate) by: Who,
}

impl Act {
    /// A write.
    pub(crate) fn new(options: WriteOptions, by: Who) -> Self {
        Self { options, by }
    }
}

/// What a write made.
#[derive(Debug)]
pub(crate) struct Made {
    /// The code of the answer.
    pub(crate) code: u16,
    /// The object.
    pub(crate) value: Arc<Value>,
    /// The same as JSON.
    pub(crate) body: Bytes,
}

impl Made {
    /// An answer with a stored object.
    pub(crate) fn stored(code: u16, object: &Stored) -> Self {
        Self { code, value: Arc::clone(&object.value), body: object.body.clone() }
    }
}
