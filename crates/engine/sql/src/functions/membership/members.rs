//! The constant list of IN, sorted so that it can be searched.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_schema::DataType;

use crate::functions::argument::Argument;

/// Lists up to this length are compared member by member, which vectorises.
const COMPARED_MAX: usize = 8;

/// A list of constants, sorted.
#[derive(Debug, Clone)]
pub struct Members {
    pub(super) set: Set,
    has_null: bool,
}

/// Sorted values, each once.
#[derive(Debug, Clone)]
pub(super) enum Set {
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

    /// What IN answers after a search of the set.
    pub(super) fn answer(&self, search: Result<usize, usize>) -> Option<bool> {
        match search {
            Ok(_) => Some(true),
            Err(_) if self.has_null => None,
            Err(_) => Some(false),
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
