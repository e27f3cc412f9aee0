//! Errors of kernels: those that a row causes, and those that only a wrong plan can cause.

use datafusion_common::DataFusionError;

/// An error that the values of a row cause.
pub(crate) fn failure(message: impl Into<String>) -> DataFusionError {
    DataFusionError::Execution(message.into())
}

/// An error that only a wrong plan can cause.
pub(crate) fn internal(message: impl Into<String>) -> DataFusionError {
    DataFusionError::Internal(message.into())
}

/// A value as error messages show it: in backticks, cut to 64 characters.
pub(crate) fn quoted(value: &str) -> String {
    const SHOWN: usize = 64;
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("`{}…`", &value[..end]),
        None => format!("`{value}`"),
    }
}
