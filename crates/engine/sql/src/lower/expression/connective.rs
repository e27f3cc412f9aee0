//! AND and OR with three-valued logic; an argument is evaluated for the rows that those before it left open.
//!
//! Arguments that are cheap and cannot fail are evaluated for all rows: that is faster than selecting rows for them.

use std::fmt;
use std::sync::Arc;

use arrow_arith::boolean::{and_kleene, or_kleene};
use arrow_array::{BooleanArray, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, FieldRef, Schema};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;

use crate::functions::logic::{false_rows, true_rows};
use crate::types::SqlType;

use super::selection::{evaluate_truth, is_total};

/// Which connective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Connective {
    /// FALSE decides.
    And,
    /// TRUE decides.
    Or,
}

/// AND or OR of several conditions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConnectiveExpr {
    connective: Connective,
    children: Vec<Arc<dyn PhysicalExpr>>,
    ty: SqlType,
}

impl ConnectiveExpr {
    /// Combines BOOLEAN expressions, evaluated from left to right; `ty` is BOOLEAN.
    pub fn new(connective: Connective, children: Vec<Arc<dyn PhysicalExpr>>, ty: SqlType) -> Self {
        Self { connective, children, ty }
    }

    fn undecided(&self, so_far: &BooleanArray) -> BooleanBuffer {
        match self.connective {
            Connective::And => !&false_rows(so_far),
            Connective::Or => !&true_rows(so_far),
        }
    }
}

impl PhysicalExpr for ConnectiveExpr {
    fn data_type(&self, _input_schema: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, _input_schema: &Schema) -> Result<bool> {
        Ok(self.ty.nullable)
    }

    fn return_field(&self, _input_schema: &Schema) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.to_string(), DataType::Boolean, self.ty.nullable)))
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let all = BooleanBuffer::new_set(batch.num_rows());
        let neutral = match self.connective {
            Connective::And => all.clone(),
            Connective::Or => BooleanBuffer::new_unset(batch.num_rows()),
        };
        let mut result: Option<BooleanArray> = None;
        for child in &self.children {
            let Some(so_far) = &result else {
                result = Some(evaluate_truth(child, batch, &all)?);
                continue;
            };
            let open = if is_total(child) { all.clone() } else { self.undecided(so_far) };
            if !open.has_true() {
                continue;
            }
            let more = evaluate_truth(child, batch, &open)?;
            result = Some(match self.connective {
                Connective::And => and_kleene(so_far, &more)?,
                Connective::Or => or_kleene(so_far, &more)?,
            });
        }
        Ok(ColumnarValue::Array(Arc::new(result.unwrap_or_else(|| BooleanArray::new(neutral, None)))))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.children.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Self::new(self.connective, children, self.ty)))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ConnectiveExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.connective {
            Connective::And => " AND ",
            Connective::Or => " OR ",
        };
        f.write_str("(")?;
        for (index, child) in self.children.iter().enumerate() {
            if index > 0 {
                f.write_str(word)?;
            }
            write!(f, "{child}")?;
        }
        f.write_str(")")
    }
}
