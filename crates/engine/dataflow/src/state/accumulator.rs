//! The aggregate functions. They follow Flink's result rules: SUM and AVG of integers stay integers and wrap, NULLs are
//! skipped, an aggregate over no values is NULL. Each can take rows back as far as its input needs it.
//!
//! # Source
//! Flink `org.apache.flink.table.planner.functions.aggfunctions`.

mod average;
mod count;
mod decimal;
mod distinct;
mod extreme;
mod multiset;
mod sum;

use arrow_schema::DataType;
use kobel_model::{Error, Result};

use super::aggregate::Accumulator;
use crate::graph::{AggregateCall, AggregateFunction};

/// Whether rows are taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// Rows are only added.
    InsertOnly,
    /// Rows may be taken back.
    Retracting,
}

/// Makes the accumulator of a call over an argument of type `argument`.
///
/// # Errors
/// Unsupported if the function does not exist for the type.
pub fn accumulator(
    call: &AggregateCall,
    argument: Option<&DataType>,
    input: InputKind,
) -> Result<Box<dyn Accumulator>> {
    if call.distinct && !matches!(call.function, AggregateFunction::Min | AggregateFunction::Max) {
        let argument = argument.ok_or_else(|| Error::bug("DISTINCT without an argument"))?;
        let inner = AggregateCall { distinct: false, filter: None, ..call.clone() };
        return Ok(Box::new(distinct::Distinct::new(
            accumulator(&inner, Some(argument), InputKind::Retracting)?,
            argument,
        )?));
    }
    let unsupported = || {
        let argument = argument.map_or("nothing".to_owned(), ToString::to_string);
        Error::unsupported(format!("{:?} over {argument} is not supported by the native engine", call.function))
    };
    match call.function {
        AggregateFunction::Count => Ok(Box::new(count::Count::default())),
        AggregateFunction::Sum => {
            sum::accumulator(argument.ok_or_else(unsupported)?, &call.result).ok_or_else(unsupported)
        }
        AggregateFunction::Avg => {
            average::accumulator(argument.ok_or_else(unsupported)?, &call.result).ok_or_else(unsupported)
        }
        AggregateFunction::Min | AggregateFunction::Max => {
            let end =
                if call.function == AggregateFunction::Min { extreme::End::Least } else { extreme::End::Greatest };
            let argument = argument.ok_or_else(unsupported)?;
            match input {
                InputKind::Retracting => multiset::accumulator(argument, end),
                InputKind::InsertOnly => extreme::accumulator(argument, end),
            }
        }
    }
}
