//! CASE and COALESCE: each row takes the value of one branch, and no branch is evaluated for rows that do not take it.

use std::fmt;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, new_empty_array, new_null_array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, FieldRef, Schema};
use arrow_select::interleave::interleave;
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;

use crate::functions::fault::internal;
use crate::functions::logic::true_rows;
use crate::types::SqlType;

use super::selection::{Values, evaluate_selected, evaluate_truth};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Choice {
    /// Pairs of condition and value, then ELSE; the number is that of the pairs.
    Case(usize),
    /// The first value that is not NULL.
    Coalesce,
}

/// A choice between expressions of one type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BranchExpr {
    choice: Choice,
    children: Vec<Arc<dyn PhysicalExpr>>,
    ty: SqlType,
}

impl BranchExpr {
    /// `CASE WHEN … THEN … ELSE otherwise END`.
    pub fn case(
        branches: Vec<(Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>)>,
        otherwise: Arc<dyn PhysicalExpr>,
        ty: SqlType,
    ) -> Self {
        let choice = Choice::Case(branches.len());
        let mut children: Vec<_> = branches.into_iter().flat_map(|(when, then)| [when, then]).collect();
        children.push(otherwise);
        Self { choice, children, ty }
    }

    /// `COALESCE(…)`.
    pub fn coalesce(children: Vec<Arc<dyn PhysicalExpr>>, ty: SqlType) -> Self {
        Self { choice: Choice::Coalesce, children, ty }
    }

    fn evaluate_case(&self, pairs: usize, batch: &RecordBatch, assembly: &mut Assembly) -> Result<()> {
        let mut open = BooleanBuffer::new_set(batch.num_rows());
        for pair in self.children.chunks_exact(2).take(pairs) {
            let condition = evaluate_truth(&pair[0], batch, &open)?;
            let chosen = &true_rows(&condition) & &open;
            if !chosen.has_true() {
                continue;
            }
            assembly.place(evaluate_selected(&pair[1], batch, &chosen)?, &chosen);
            open = &open & &!&chosen;
            if !open.has_true() {
                return Ok(());
            }
        }
        let otherwise = self.children.last().ok_or_else(|| internal("CASE has no ELSE"))?;
        assembly.place(evaluate_selected(otherwise, batch, &open)?, &open);
        Ok(())
    }

    fn evaluate_coalesce(&self, batch: &RecordBatch, assembly: &mut Assembly) -> Result<()> {
        let mut open = BooleanBuffer::new_set(batch.num_rows());
        for child in &self.children {
            let values = evaluate_selected(child, batch, &open)?;
            let chosen = &present_rows(&values, &open) & &open;
            // Values per selected row must be placed with the rows that they were evaluated for.
            match values {
                Values::PerSelected(_) => assembly.place(values, &open),
                values => assembly.place(values, &chosen),
            }
            open = &open & &!&chosen;
            if !open.has_true() {
                break;
            }
        }
        Ok(())
    }
}

/// The rows of `open` that have a value.
fn present_rows(values: &Values, open: &BooleanBuffer) -> BooleanBuffer {
    match values {
        Values::Single(array) if array.logical_null_count() > 0 => BooleanBuffer::new_unset(open.len()),
        Values::Single(_) => open.clone(),
        Values::PerRow(array) => match array.logical_nulls() {
            Some(nulls) => nulls.inner().clone(),
            None => open.clone(),
        },
        Values::PerSelected(array) => match array.logical_nulls() {
            Some(nulls) => {
                let mut present = vec![false; open.len()];
                for (position, row) in open.set_indices().enumerate() {
                    present[row] = nulls.is_valid(position);
                }
                BooleanBuffer::from(present)
            }
            None => open.clone(),
        },
    }
}

/// The result while branches are placed into it; rows that no branch takes are NULL.
struct Assembly {
    arrays: Vec<ArrayRef>,
    indices: Vec<(usize, usize)>,
    /// The array that is the result as it is, if one branch gave all rows.
    whole: Option<ArrayRef>,
}

impl Assembly {
    fn new(rows: usize, arrow: &DataType) -> Self {
        Self { arrays: vec![new_null_array(arrow, 1)], indices: vec![(0, 0); rows], whole: None }
    }

    fn place(&mut self, values: Values, rows: &BooleanBuffer) {
        let source = self.arrays.len();
        match values {
            Values::Single(array) => {
                for row in rows.set_indices() {
                    self.indices[row] = (source, 0);
                }
                self.arrays.push(array);
            }
            Values::PerRow(array) => {
                if !rows.has_false() {
                    self.whole = Some(Arc::clone(&array));
                }
                for row in rows.set_indices() {
                    self.indices[row] = (source, row);
                }
                self.arrays.push(array);
            }
            Values::PerSelected(array) => {
                for (position, row) in rows.set_indices().enumerate() {
                    self.indices[row] = (source, position);
                }
                self.arrays.push(array);
            }
        }
    }

    fn finish(self) -> Result<ArrayRef> {
        if let Some(array) = self.whole {
            return Ok(array);
        }
        let arrays: Vec<&dyn Array> = self.arrays.iter().map(|array| array.as_ref()).collect();
        Ok(interleave(&arrays, &self.indices)?)
    }
}

impl PhysicalExpr for BranchExpr {
    fn data_type(&self, _input_schema: &Schema) -> Result<DataType> {
        Ok(self.ty.kind.arrow())
    }

    fn nullable(&self, _input_schema: &Schema) -> Result<bool> {
        Ok(self.ty.nullable)
    }

    fn return_field(&self, _input_schema: &Schema) -> Result<FieldRef> {
        Ok(Arc::new(self.ty.field(&self.to_string())))
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let arrow = self.ty.kind.arrow();
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(ColumnarValue::Array(new_empty_array(&arrow)));
        }
        let mut assembly = Assembly::new(rows, &arrow);
        match self.choice {
            Choice::Case(pairs) => self.evaluate_case(pairs, batch, &mut assembly)?,
            Choice::Coalesce => self.evaluate_coalesce(batch, &mut assembly)?,
        }
        Ok(ColumnarValue::Array(assembly.finish()?))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.children.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Self { choice: self.choice.clone(), children, ty: self.ty }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for BranchExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Choice::Case(pairs) = self.choice else {
            f.write_str("COALESCE(")?;
            for (index, child) in self.children.iter().enumerate() {
                write!(f, "{}{child}", if index > 0 { ", " } else { "" })?;
            }
            return f.write_str(")");
        };
        f.write_str("CASE")?;
        for pair in self.children.chunks_exact(2).take(pairs) {
            write!(f, " WHEN {} THEN {}", pair[0], pair[1])?;
        }
        match self.children.last() {
            Some(otherwise) => write!(f, " ELSE {otherwise} END"),
            None => f.write_str(" END"),
        }
    }
}
