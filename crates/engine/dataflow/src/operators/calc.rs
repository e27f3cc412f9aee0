//! Filter and projection: stateless, one batch in, at most one out.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion_common::DataFusionError;
use datafusion_physical_expr::PhysicalExpr;
use kobel_model::{Error, Result};

use crate::batch::{Batch, arrow_bug};
use crate::graph::Calc;
use crate::operator::{Element, Operator};

impl Calc {
    /// Filters and projects a batch.
    ///
    /// # Errors
    /// Invalid if an expression fails on a row.
    pub fn apply(&self, mut batch: Batch) -> Result<Batch> {
        if let Some(predicate) = &self.predicate {
            let keep = evaluate(predicate, batch.records())?;
            let keep = keep.as_boolean();
            if keep.true_count() < batch.num_rows() {
                batch = batch.filter(keep)?;
            }
        }
        let Some(projection) = &self.projection else { return Ok(batch) };
        let columns: Vec<ArrayRef> =
            projection.iter().map(|expr| evaluate(expr, batch.records())).collect::<Result<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let records =
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map_err(arrow_bug)?;
        batch.with_records(records)
    }
}

/// Evaluates an expression over a batch.
///
/// # Errors
/// Invalid with the expression's own words if it fails on a row.
pub fn evaluate(expr: &Arc<dyn PhysicalExpr>, records: &RecordBatch) -> Result<ArrayRef> {
    let failed = |error: DataFusionError| match error {
        DataFusionError::Execution(message) => Error::invalid(message),
        other => Error::invalid(format!("cannot evaluate {expr}")).with_source(other.strip_backtrace()),
    };
    expr.evaluate(records).and_then(|value| value.into_array(records.num_rows())).map_err(failed)
}

/// [`Calc`] as an operator.
pub struct CalcOperator {
    calc: Calc,
}

impl CalcOperator {
    /// An operator that applies `calc`.
    pub fn new(calc: Calc) -> Self {
        Self { calc }
    }
}

impl Operator for CalcOperator {
    fn process(&mut self, batch: Batch, out: &mut Vec<Element>) -> Result<()> {
        let batch = self.calc.apply(batch)?;
        if batch.num_rows() > 0 {
            out.push(Element::Batch(batch));
        }
        Ok(())
    }
}
