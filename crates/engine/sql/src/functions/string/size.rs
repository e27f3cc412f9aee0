//! How large a string a function may make: a small row must not be able to exhaust the memory.

use datafusion_common::Result;

use crate::functions::fault::failure;

/// The most bytes of a value that REPEAT, REPLACE, LPAD or RPAD make.
pub const TEXT_BYTES_MAX: usize = 64 << 20;

/// Refuses to make a value that is too large.
pub(super) fn check_size(name: &str, bytes: usize) -> Result<()> {
    if bytes > TEXT_BYTES_MAX {
        return Err(failure(format!("{name} would make a string of {bytes} bytes, the most is {TEXT_BYTES_MAX}")));
    }
    Ok(())
}
