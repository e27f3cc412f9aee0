//! A call of a kernel: what to compute, for which types, and what the kernel knows beside the values.

use crate::functions::prepared::Prepared;
use crate::lower::ExprContext;
use crate::plan::{CastMode, Function};
use crate::types::SqlType;

/// What a kernel computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A function or operator.
    Function(Function),
    /// A conversion of the only argument to the result type.
    Cast(CastMode),
}

/// Everything that a kernel knows beside the values of its arguments.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// What to compute.
    pub operation: Operation,
    /// Types of the arguments.
    pub types: &'a [SqlType],
    /// Type of the result.
    pub returns: SqlType,
    /// Number of rows of the result.
    pub rows: usize,
    /// Time zone and clock.
    pub context: &'a ExprContext,
    /// What was made ready from literal arguments.
    pub prepared: &'a Prepared,
}
