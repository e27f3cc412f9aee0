//! IN with a list: TRUE if the value is in it, else NULL if the value or any member is NULL, else FALSE.
//!
//! Lists of constant integers or strings are sorted once and searched; others are compared member by member.

pub mod members;

use std::sync::Arc;

use arrow_arith::boolean::or_kleene;
use arrow_array::types::{Date32Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{ArrayRef, ArrowPrimitiveType, BooleanArray};
use arrow_schema::DataType;
use datafusion_common::Result;

use crate::functions::argument::{Argument, at, collect_boolean};
use crate::functions::call::Call;
use crate::functions::compare::compare;
use crate::functions::prepared::Prepared;
use crate::plan::Function;

use self::members::{Members, Set};

/// IN: the first argument is the value, the others are the list.
pub fn evaluate(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let value = at(args, 0)?;
    if let Prepared::Members(members) = call.prepared {
        return match (&members.set, value.array().data_type()) {
            (Set::Integers(set), DataType::Int8) => search::<Int8Type>(members, set, value, call.rows),
            (Set::Integers(set), DataType::Int16) => search::<Int16Type>(members, set, value, call.rows),
            (Set::Integers(set), DataType::Int32) => search::<Int32Type>(members, set, value, call.rows),
            (Set::Integers(set), DataType::Int64) => search::<Int64Type>(members, set, value, call.rows),
            (Set::Integers(set), DataType::Date32) => search::<Date32Type>(members, set, value, call.rows),
            (Set::Strings(set), _) => {
                let text = value.text()?;
                collect_boolean(call.rows, |row| {
                    let Some(text) = text.get(row) else { return Ok(None) };
                    Ok(members.answer(set.binary_search_by(|member| member.as_str().cmp(text))))
                })
            }
            _ => compare_each(call, args),
        };
    }
    compare_each(call, args)
}

fn search<T>(members: &Members, set: &[i64], value: &Argument, rows: usize) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i64>,
{
    let values = value.primitive::<T>()?;
    collect_boolean(rows, |row| match values.get(row) {
        Some(value) => Ok(members.answer(set.binary_search(&value.into()))),
        None => Ok(None),
    })
}

fn compare_each(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let value = Argument::column(at(args, 0)?.to_column(call.rows)?);
    let mut result: Option<BooleanArray> = None;
    for member in args.iter().skip(1) {
        let equal = compare(Function::Equal, &value, member)?;
        result = Some(match result {
            Some(so_far) => or_kleene(&so_far, &equal)?,
            None => equal,
        });
    }
    // An empty list has no member that is NULL, so nothing is unknown about it.
    Ok(Arc::new(result.unwrap_or_else(|| BooleanArray::from(vec![false; call.rows]))))
}
