//! Whether the store can save, as the writer saw it last.

use std::sync::{Arc, Mutex, PoisonError};

/// What ails the store, shared between the writer and those who ask.
#[derive(Debug, Clone, Default)]
pub struct Health {
    trouble: Arc<Mutex<Option<String>>>,
}

impl Health {
    /// Notes how the last save went: what failed, or nothing.
    pub fn note(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Tells what ails the store.
    pub fn check(&self) -> Result<(), String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
    }
}
