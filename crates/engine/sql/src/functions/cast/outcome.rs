//! What becomes of a converted value: it is cut or filled to its length, or it has failed.

use datafusion_common::Result;

use crate::functions::fault::{failure, quoted};
use crate::functions::string::size::TEXT_BYTES_MAX;
use crate::plan::CastMode;
use crate::types::{STRING_LENGTH, TypeKind};

/// BINARY is cut or filled with zeros to its length, VARBINARY is cut.
pub(super) fn fitted(mut bytes: Vec<u8>, to: TypeKind) -> Result<Vec<u8>> {
    match to {
        TypeKind::Binary(length) => bytes.resize(buffer_length(length)?, 0),
        TypeKind::Varbinary(length) if length < STRING_LENGTH => {
            bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        }
        _ => {}
    }
    Ok(bytes)
}

/// The length of a value that is filled up, refused if one row could exhaust the memory with it.
pub(super) fn buffer_length(length: u32) -> Result<usize> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > TEXT_BYTES_MAX {
        return Err(failure(format!("cannot fill a value up to a length of {length}")));
    }
    Ok(length)
}

/// The value of a conversion that succeeded; one that failed is an error or, for TRY_CAST, NULL.
pub(super) fn settled<T>(value: Option<T>, mode: CastMode, text: &str, to: TypeKind) -> Result<Option<T>> {
    match (value, mode) {
        (Some(value), _) => Ok(Some(value)),
        (None, CastMode::Try) => Ok(None),
        (None, CastMode::Strict) => Err(failure(format!("cannot cast {} to {to}", quoted(text)))),
    }
}
