//! Arguments of kernels: a column of values or one value for all rows, read with their type.
//!
//! Readers check the Arrow type once per batch; after that a row is an array access.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, BooleanBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayAccessor, ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, Datum, PrimitiveArray, StringArray,
};
use arrow_buffer::{NullBuffer, NullBufferBuilder};
use datafusion_common::Result;

use crate::functions::fault::{failure, internal};

/// An argument of a kernel.
#[derive(Debug, Clone)]
pub struct Argument {
    array: ArrayRef,
    scalar: bool,
}

impl Argument {
    /// One value per row.
    pub fn column(array: ArrayRef) -> Self {
        Self { array, scalar: false }
    }

    /// The only value of `array` for all rows.
    pub fn scalar(array: ArrayRef) -> Self {
        Self { array, scalar: true }
    }

    /// Whether there is one value for all rows.
    pub fn is_scalar(&self) -> bool {
        self.scalar
    }

    /// The values: one per row, or one for all rows.
    pub fn array(&self) -> &ArrayRef {
        &self.array
    }

    /// One value per row of `rows`.
    pub fn to_column(&self, rows: usize) -> Result<ArrayRef> {
        if !self.scalar || rows == 1 {
            return Ok(Arc::clone(&self.array));
        }
        let indices = arrow_array::UInt32Array::from_value(0, rows);
        Ok(arrow_select::take::take(&self.array, &indices, None)?)
    }

    /// Whether the value in `row` is NULL.
    pub fn is_null(&self, row: usize) -> bool {
        self.array.is_null(if self.scalar { 0 } else { row })
    }

    /// Reads values of a primitive type.
    pub fn primitive<T: ArrowPrimitiveType>(&self) -> Result<Reader<&PrimitiveArray<T>>> {
        self.reader(self.array.as_primitive_opt::<T>())
    }

    /// Reads character strings.
    pub fn text(&self) -> Result<Reader<&StringArray>> {
        self.reader(self.array.as_string_opt::<i32>())
    }

    /// Reads byte strings.
    pub fn binary(&self) -> Result<Reader<&BinaryArray>> {
        self.reader(self.array.as_binary_opt::<i32>())
    }

    /// Reads booleans.
    pub fn boolean(&self) -> Result<Reader<&BooleanArray>> {
        self.reader(self.array.as_boolean_opt())
    }

    fn reader<A>(&self, array: Option<A>) -> Result<Reader<A>> {
        match array {
            Some(array) => Ok(Reader { array, scalar: self.scalar }),
            None => Err(internal(format!("a kernel does not take values of type {}", self.array.data_type()))),
        }
    }
}

impl Datum for Argument {
    fn get(&self) -> (&dyn Array, bool) {
        (self.array.as_ref(), self.scalar)
    }
}

/// The argument at `index`.
///
/// # Errors
/// Internal if there are fewer.
pub fn at(args: &[Argument], index: usize) -> Result<&Argument> {
    args.get(index).ok_or_else(|| internal(format!("a kernel misses argument {index}")))
}

/// Typed access to the values of an [`Argument`].
#[derive(Debug, Clone, Copy)]
pub struct Reader<A> {
    array: A,
    scalar: bool,
}

impl<A: ArrayAccessor + Copy> Reader<A> {
    /// The value in `row`, `None` if it is NULL.
    pub fn get(&self, row: usize) -> Option<A::Item> {
        let index = if self.scalar { 0 } else { row };
        if self.array.is_null(index) { None } else { Some(self.array.value(index)) }
    }

    /// The array if there is one value per row.
    pub fn column(&self) -> Option<A> {
        (!self.scalar).then_some(self.array)
    }

    /// The value if there is one, not NULL, for all rows.
    pub fn constant(&self) -> Option<A::Item> {
        if self.scalar && !self.array.is_null(0) { Some(self.array.value(0)) } else { None }
    }
}

/// Which rows have a value in every argument.
pub fn common_nulls(args: &[Argument], rows: usize) -> Option<NullBuffer> {
    let mut nulls: Option<NullBuffer> = None;
    for arg in args {
        if arg.is_scalar() {
            if arg.is_null(0) {
                return Some(NullBuffer::new_null(rows));
            }
        } else {
            nulls = NullBuffer::union(nulls.as_ref(), arg.array().nulls());
        }
    }
    nulls
}

/// Makes a column of a primitive type, row by row.
pub fn collect_primitive<T: ArrowPrimitiveType>(
    rows: usize,
    mut value: impl FnMut(usize) -> Result<Option<T::Native>>,
) -> Result<PrimitiveArray<T>> {
    let mut values = Vec::with_capacity(rows);
    let mut nulls = NullBufferBuilder::new(rows);
    for row in 0..rows {
        let value = value(row)?;
        nulls.append(value.is_some());
        values.push(value.unwrap_or_default());
    }
    Ok(PrimitiveArray::try_new(values.into(), nulls.finish())?)
}

/// Makes a BOOLEAN column, row by row.
pub fn collect_boolean(rows: usize, mut value: impl FnMut(usize) -> Result<Option<bool>>) -> Result<ArrayRef> {
    let mut builder = BooleanBuilder::with_capacity(rows);
    for row in 0..rows {
        builder.append_option(value(row)?);
    }
    Ok(Arc::new(builder.finish()))
}

/// The most bytes that the values of one string column of a batch can have.
const COLUMN_BYTES_MAX: usize = i32::MAX as usize;

/// Builds a column of character strings and refuses what does not fit, where Arrow's builder would panic.
#[derive(Debug)]
pub struct TextSink {
    builder: StringBuilder,
    bytes: usize,
}

impl TextSink {
    /// A sink for about `rows` values.
    pub fn new(rows: usize) -> Self {
        Self { builder: StringBuilder::with_capacity(rows, rows.saturating_mul(16)), bytes: 0 }
    }

    /// Appends a value.
    ///
    /// # Errors
    /// Execution if the column becomes larger than 2 GiB.
    pub fn push(&mut self, value: &str) -> Result<()> {
        self.bytes = grown(self.bytes, value.len())?;
        self.builder.append_value(value);
        Ok(())
    }

    /// Appends a value or NULL.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn push_option(&mut self, value: Option<&str>) -> Result<()> {
        match value {
            Some(value) => self.push(value),
            None => {
                self.push_null();
                Ok(())
            }
        }
    }

    /// Appends NULL.
    pub fn push_null(&mut self) {
        self.builder.append_null();
    }

    /// The column.
    pub fn finish(mut self) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}

/// Makes a column of byte strings, row by row.
pub fn collect_binary(rows: usize, mut value: impl FnMut(usize) -> Result<Option<Vec<u8>>>) -> Result<ArrayRef> {
    let mut builder = BinaryBuilder::with_capacity(rows, rows.saturating_mul(16));
    let mut bytes = 0;
    for row in 0..rows {
        let value = value(row)?;
        bytes = grown(bytes, value.as_ref().map_or(0, Vec::len))?;
        builder.append_option(value);
    }
    Ok(Arc::new(builder.finish()))
}

fn grown(bytes: usize, more: usize) -> Result<usize> {
    match bytes.checked_add(more) {
        Some(sum) if sum <= COLUMN_BYTES_MAX => Ok(sum),
        _ => Err(failure(format!("the strings of one column in one batch are larger than {COLUMN_BYTES_MAX} bytes"))),
    }
}
