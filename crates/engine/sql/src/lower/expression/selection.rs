//! Evaluation of an expression for some rows of a batch only, and which expressions need no such care.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBuffer};
use arrow_select::filter::filter_record_batch;
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{Column, Literal};

use crate::functions::fault::internal;

use super::branch::BranchExpr;
use super::connective::ConnectiveExpr;
use super::kernel::KernelExpr;

/// Values of an expression for the selected rows of a batch.
#[derive(Debug)]
pub(super) enum Values {
    /// One value for all rows.
    Single(ArrayRef),
    /// A value per row of the batch; those of rows that are not selected mean nothing.
    PerRow(ArrayRef),
    /// A value per selected row, in order.
    PerSelected(ArrayRef),
}

/// Whether an expression is cheap and has a value for every row, so that it may be evaluated where it is not needed.
pub(super) fn is_total(expr: &Arc<dyn PhysicalExpr>) -> bool {
    if expr.is::<Column>() || expr.is::<Literal>() {
        return true;
    }
    let is_ours = match expr.downcast_ref::<KernelExpr>() {
        Some(kernel) => kernel.is_total(),
        None => expr.is::<ConnectiveExpr>() || expr.is::<BranchExpr>(),
    };
    is_ours && expr.children().into_iter().all(is_total)
}

/// Evaluates `expr` so that rows outside `selected` can neither fail nor cost much.
pub(super) fn evaluate_selected(
    expr: &Arc<dyn PhysicalExpr>,
    batch: &RecordBatch,
    selected: &BooleanBuffer,
) -> Result<Values> {
    if !selected.has_false() || is_total(expr) {
        return Ok(match expr.evaluate(batch)? {
            ColumnarValue::Array(array) => Values::PerRow(array),
            ColumnarValue::Scalar(value) => Values::Single(value.to_array()?),
        });
    }
    let filtered = filter_record_batch(batch, &BooleanArray::new(selected.clone(), None))?;
    Ok(match expr.evaluate(&filtered)? {
        ColumnarValue::Array(array) => Values::PerSelected(array),
        ColumnarValue::Scalar(value) => Values::Single(value.to_array()?),
    })
}

/// Evaluates a BOOLEAN expression for the selected rows; the other rows of the result are FALSE.
pub(super) fn evaluate_truth(
    expr: &Arc<dyn PhysicalExpr>,
    batch: &RecordBatch,
    selected: &BooleanBuffer,
) -> Result<BooleanArray> {
    let rows = batch.num_rows();
    match evaluate_selected(expr, batch, selected)? {
        Values::Single(array) => {
            let value = booleans(&array)?;
            if value.is_null(0) {
                return Ok(BooleanArray::new_null(rows));
            }
            let values = if value.value(0) { BooleanBuffer::new_set(rows) } else { BooleanBuffer::new_unset(rows) };
            Ok(BooleanArray::new(values, None))
        }
        Values::PerRow(array) => Ok(booleans(&array)?.clone()),
        Values::PerSelected(array) => Ok(scattered(booleans(&array)?, selected)),
    }
}

fn scattered(dense: &BooleanArray, selected: &BooleanBuffer) -> BooleanArray {
    let rows = selected.len();
    let mut values = BooleanBufferBuilder::new(rows);
    values.append_n(rows, false);
    let mut valid = BooleanBufferBuilder::new(rows);
    valid.append_n(rows, true);
    for (position, row) in selected.set_indices().enumerate() {
        if dense.is_null(position) {
            valid.set_bit(row, false);
        } else if dense.value(position) {
            values.set_bit(row, true);
        }
    }
    let nulls = (dense.null_count() > 0).then(|| NullBuffer::new(valid.finish()));
    BooleanArray::new(values.finish(), nulls)
}

fn booleans(array: &ArrayRef) -> Result<&BooleanArray> {
    array.as_boolean_opt().ok_or_else(|| internal("a condition is not BOOLEAN"))
}
