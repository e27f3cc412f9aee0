//! NOT NULL of sink columns, checked in front of every sink as Flink's constraint enforcer does.

use arrow_array::{Array, RecordBatch};
use kobel_model::{Error, Result};
use kobel_sql::catalog::PhysicalColumn;

/// Checks that no NOT NULL column holds NULL.
///
/// # Errors
/// Invalid with the name of the column.
pub fn enforce_not_null(physical: &[PhysicalColumn], records: &RecordBatch) -> Result<()> {
    for (column, values) in physical.iter().zip(records.columns()) {
        if !column.ty.nullable && values.null_count() > 0 {
            let message =
                format!("Column '{}' is NOT NULL, however, a null value is being written into it", column.name);
            return Err(Error::invalid(message).with_hint("filter the rows with `IS NOT NULL`"));
        }
    }
    Ok(())
}
