//! IN with a list: TRUE if the value is in it, else NULL if the value or any member is NULL, else FALSE.
//!
//! Lists of constant integers or strings are sorted once and searched; others are compared member by member.

use std::sync::Arc;

use arrow_arith::boolean::or_kleene;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray};
use arrow_schema::DataType;
use datafusion_common::Result;

use crate::functions::Call;
use crate::functions::argument::{Argument, at, collect_boolean};
use crate::functions::compare::compare;
use crate::functions::prepared::Prepared;
use crate::plan::Function;

/// Lists up to this length are compared member by member, which vectorises.
const COMPARED_MAX: usize = 8;

/// A list of constants, sorted.
#[derive(Debug, Clone)]
pub struct Members {
    set: Set,
    has_null: bool,
}

#[derive(Debug, Clone)]
enum Set {
    Integers(Vec<i64>),
    Strings(Vec<String>),
}

impl Members {
    /// Sorts a list; `None` if it is short or of a type that is not searched.
    pub fn new(list: &[&Argument]) -> Option<Self> {
        if list.len() <= COMPARED_MAX {
            return None;
        }
        let has_null = list.iter().any(|member| member.is_null(0));
        let present = list.iter().filter(|member| !member.is_null(0));
        let set = match list.first()?.array().data_type() {
            DataType::Utf8 => {
                let strings = present.map(|member| Some(member.text().ok()?.get(0)?.to_owned()));
                Set::Strings(sorted(strings.collect::<Option<Vec<String>>>()?))
            }
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 | DataType::Date32 => {
                Set::Integers(sorted(present.map(|member| integer(member)).collect::<Option<Vec<i64>>>()?))
            }
            _ => return None,
        };
        Some(Self { set, has_null })
    }

    fn answer(&self, found: bool) -> Option<bool> {
        if found {
            Some(true)
        } else if self.has_null {
            None
        } else {
            Some(false)
        }
    }
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

fn integer(member: &Argument) -> Option<i64> {
    let array = member.array();
    match array.data_type() {
        DataType::Int8 => Some(array.as_primitive_opt::<Int8Type>()?.value(0).into()),
        DataType::Int16 => Some(array.as_primitive_opt::<Int16Type>()?.value(0).into()),
        DataType::Int32 => Some(array.as_primitive_opt::<Int32Type>()?.value(0).into()),
        DataType::Int64 => Some(array.as_primitive_opt::<Int64Type>()?.value(0)),
        DataType::Date32 => Some(array.as_primitive_opt::<Date32Type>()?.value(0).into()),
        _ => None,
    }
}

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
                    Ok(members.answer(set.binary_search_by(|member| member.as_str().cmp(text)).is_ok()))
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
        Some(value) => Ok(members.answer(set.binary_search(&value.into()).is_ok())),
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
