//! The physical expression that evaluates all arguments and runs a kernel over them.
//!
//! Literal arguments become Arrow values once, when the expression is made; if every argument is constant the kernel
//! runs for one row. A batch without rows runs no kernel, so nothing can fail over it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::{Array, RecordBatch, new_empty_array};
use arrow_schema::{DataType, Field, FieldRef, Schema};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::Literal;
use kobel_model::Error;

use crate::functions::argument::Argument;
use crate::functions::call::{Call, Operation};
use crate::functions::fault::internal;
use crate::functions::prepared::Prepared;
use crate::functions::{cast, evaluate};
use crate::lower::ExprContext;
use crate::plan::{CastMode, Function};
use crate::types::SqlType;

/// The types of a kernel's arguments and of its result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Signature {
    /// Argument types.
    pub args: Vec<SqlType>,
    /// Result type.
    pub returns: SqlType,
}

/// A function or cast over physical expressions.
#[derive(Debug, Clone)]
pub struct KernelExpr {
    operation: Operation,
    children: Vec<Arc<dyn PhysicalExpr>>,
    literals: Vec<Option<Argument>>,
    signature: Signature,
    context: ExprContext,
    prepared: Prepared,
    arrow: DataType,
}

impl KernelExpr {
    /// Makes the expression; `children` have the types `signature.args`.
    ///
    /// # Errors
    /// Invalid if a literal pattern or format is malformed.
    pub fn try_new(
        operation: Operation,
        children: Vec<Arc<dyn PhysicalExpr>>,
        signature: Signature,
        context: ExprContext,
    ) -> kobel_model::Result<Self> {
        let literals = children
            .iter()
            .map(|child| match child.downcast_ref::<Literal>() {
                Some(literal) => Ok(Some(Argument::scalar(literal.value().to_array()?))),
                None => Ok(None),
            })
            .collect::<Result<Vec<_>>>()
            .map_err(|error| Error::bug("cannot make a value of a literal").with_source(error))?;
        let prepared = match operation {
            Operation::Function(function) => Prepared::new(function, &literals),
            Operation::Cast(_) => Ok(Prepared::Nothing),
        };
        let prepared = prepared.map_err(|error| match error {
            datafusion_common::DataFusionError::Execution(message) => Error::invalid(message),
            error => Error::bug("cannot prepare an expression").with_source(error),
        })?;
        let arrow = signature.returns.kind.arrow();
        Ok(Self { operation, children, literals, signature, context, prepared, arrow })
    }

    /// Whether the kernel has a value for all arguments, that is, whether no row can make it fail; and is cheap.
    pub(super) fn is_total(&self) -> bool {
        match self.operation {
            Operation::Cast(CastMode::Try) => false,
            Operation::Cast(CastMode::Strict) => {
                self.signature.args.iter().all(|ty| cast::is_total(ty.kind, self.signature.returns.kind))
            }
            Operation::Function(function) => is_total_function(function, self.signature.returns),
        }
    }
}

/// Whether a function's value changes while the job runs.
pub(super) fn depends_on_clock(function: Function) -> bool {
    matches!(
        function,
        Function::CurrentTimestamp | Function::LocalTimestamp | Function::CurrentDate | Function::Proctime
    )
}

fn is_total_function(function: Function, returns: SqlType) -> bool {
    use Function as F;
    match function {
        F::Add | F::Subtract | F::Multiply | F::Negate => returns.kind.is_integer() || returns.kind.is_approximate(),
        F::Divide | F::Modulo => returns.kind.is_approximate(),
        F::Equal | F::NotEqual | F::Less | F::LessOrEqual | F::Greater | F::GreaterOrEqual => true,
        F::IsDistinctFrom | F::IsNotDistinctFrom | F::Not | F::IsNull | F::IsNotNull => true,
        F::IsTrue | F::IsNotTrue | F::IsFalse | F::IsNotFalse => true,
        F::Extract(_) => true,
        _ => false,
    }
}

impl PhysicalExpr for KernelExpr {
    fn data_type(&self, _input_schema: &Schema) -> Result<DataType> {
        Ok(self.arrow.clone())
    }

    fn nullable(&self, _input_schema: &Schema) -> Result<bool> {
        Ok(self.signature.returns.nullable)
    }

    fn return_field(&self, _input_schema: &Schema) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.to_string(), self.arrow.clone(), self.signature.returns.nullable)))
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(ColumnarValue::Array(new_empty_array(&self.arrow)));
        }
        let mut args = Vec::with_capacity(self.children.len());
        for (child, literal) in self.children.iter().zip(&self.literals) {
            args.push(match literal {
                Some(value) => value.clone(),
                None => match child.evaluate(batch)? {
                    ColumnarValue::Array(array) => Argument::column(array),
                    ColumnarValue::Scalar(value) => Argument::scalar(value.to_array()?),
                },
            });
        }
        let constant = args.iter().all(Argument::is_scalar);
        if constant {
            args = args.into_iter().map(|arg| Argument::column(Arc::clone(arg.array()))).collect();
        }
        let call = Call {
            operation: self.operation,
            types: &self.signature.args,
            returns: self.signature.returns,
            rows: if constant { 1 } else { rows },
            context: &self.context,
            prepared: &self.prepared,
        };
        let result = evaluate(&call, &args)?;
        if result.len() != call.rows || result.data_type() != &self.arrow {
            let (length, found) = (result.len(), result.data_type());
            return Err(internal(format!("{self} gave {length} rows of {found} for {} of {}", call.rows, self.arrow)));
        }
        if constant {
            Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?))
        } else {
            Ok(ColumnarValue::Array(result))
        }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.children.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let (signature, context) = (self.signature.clone(), self.context.clone());
        let made = Self::try_new(self.operation, children, signature, context)
            .map_err(|error| datafusion_common::DataFusionError::External(Box::new(error)))?;
        Ok(Arc::new(made))
    }

    fn is_volatile_node(&self) -> bool {
        matches!(self.operation, Operation::Function(function) if depends_on_clock(function))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for KernelExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.operation {
            Operation::Function(function) => write!(f, "{function:?}(")?,
            Operation::Cast(CastMode::Strict) => f.write_str("CAST(")?,
            Operation::Cast(CastMode::Try) => f.write_str("TRY_CAST(")?,
        }
        for (index, child) in self.children.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{child}")?;
        }
        match self.operation {
            Operation::Function(_) => f.write_str(")"),
            Operation::Cast(_) => write!(f, " AS {})", self.signature.returns.kind),
        }
    }
}

impl PartialEq for KernelExpr {
    fn eq(&self, other: &Self) -> bool {
        self.operation == other.operation
            && self.signature == other.signature
            && self.children == other.children
            && self.context.time_zone == other.context.time_zone
    }
}

impl Eq for KernelExpr {}

impl Hash for KernelExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.operation.hash(state);
        self.signature.hash(state);
        self.children.hash(state);
    }
}
