//! Values of Arrow columns by row, as the objects that Flink would print.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use arrow_array::{
    Array, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, StringArray, Time32MillisecondArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray,
};
use arrow_schema::{DataType, TimeUnit};
use kobel_model::{Error, Result};

use super::calendar::Moment;

/// A value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f32),
    Double(f64),
    /// Unscaled value and scale.
    Decimal(i128, u8),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// Days since the epoch.
    Date(i32),
    /// Milliseconds of the day.
    Time(i32),
    Timestamp(Moment),
    Instant(Moment),
}

/// A column whose type has been found out once.
pub(crate) enum Cells<'a> {
    Boolean(&'a BooleanArray),
    TinyInt(&'a Int8Array),
    SmallInt(&'a Int16Array),
    Int(&'a Int32Array),
    BigInt(&'a Int64Array),
    Float(&'a Float32Array),
    Double(&'a Float64Array),
    Decimal(&'a Decimal128Array, u8),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
    Date(&'a Date32Array),
    Time(&'a Time32MillisecondArray),
    Moments(Moments<'a>, Zone),
}

/// A timestamp column by its unit.
pub(crate) enum Moments<'a> {
    Millis(&'a TimestampMillisecondArray),
    Micros(&'a TimestampMicrosecondArray),
    Nanos(&'a TimestampNanosecondArray),
}

/// Whether timestamps are wall clock or instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    Local,
    Utc,
}

impl<'a> Cells<'a> {
    /// Looks at a column.
    ///
    /// # Errors
    /// Bug if no SQL type of a table column is carried by its Arrow type.
    pub fn of(array: &'a dyn Array) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Boolean => Self::Boolean(array.as_boolean()),
            DataType::Int8 => Self::TinyInt(array.as_primitive::<Int8Type>()),
            DataType::Int16 => Self::SmallInt(array.as_primitive::<Int16Type>()),
            DataType::Int32 => Self::Int(array.as_primitive::<Int32Type>()),
            DataType::Int64 => Self::BigInt(array.as_primitive::<Int64Type>()),
            DataType::Float32 => Self::Float(array.as_primitive::<Float32Type>()),
            DataType::Float64 => Self::Double(array.as_primitive::<Float64Type>()),
            DataType::Decimal128(_, scale) => {
                Self::Decimal(array.as_primitive::<Decimal128Type>(), scale.unsigned_abs())
            }
            DataType::Utf8 => Self::Text(array.as_string::<i32>()),
            DataType::Binary => Self::Bytes(array.as_binary::<i32>()),
            DataType::Date32 => Self::Date(array.as_primitive::<Date32Type>()),
            DataType::Time32(TimeUnit::Millisecond) => Self::Time(array.as_primitive::<Time32MillisecondType>()),
            DataType::Timestamp(unit, zone) => {
                let zone = if zone.is_some() { Zone::Utc } else { Zone::Local };
                Self::Moments(Moments::of(array, *unit)?, zone)
            }
            other => return Err(unprintable(other)),
        })
    }

    /// The value of a row.
    pub fn get(&self, row: usize) -> Cell<'a> {
        if self.is_null(row) {
            return Cell::Null;
        }
        match self {
            Self::Boolean(array) => Cell::Boolean(array.value(row)),
            Self::TinyInt(array) => Cell::Integer(array.value(row).into()),
            Self::SmallInt(array) => Cell::Integer(array.value(row).into()),
            Self::Int(array) => Cell::Integer(array.value(row).into()),
            Self::BigInt(array) => Cell::Integer(array.value(row)),
            Self::Float(array) => Cell::Float(array.value(row)),
            Self::Double(array) => Cell::Double(array.value(row)),
            Self::Decimal(array, scale) => Cell::Decimal(array.value(row), *scale),
            Self::Text(array) => Cell::Text(array.value(row)),
            Self::Bytes(array) => Cell::Bytes(array.value(row)),
            Self::Date(array) => Cell::Date(array.value(row)),
            Self::Time(array) => Cell::Time(array.value(row)),
            Self::Moments(moments, Zone::Local) => Cell::Timestamp(moments.get(row)),
            Self::Moments(moments, Zone::Utc) => Cell::Instant(moments.get(row)),
        }
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Boolean(array) => array.is_null(row),
            Self::TinyInt(array) => array.is_null(row),
            Self::SmallInt(array) => array.is_null(row),
            Self::Int(array) => array.is_null(row),
            Self::BigInt(array) => array.is_null(row),
            Self::Float(array) => array.is_null(row),
            Self::Double(array) => array.is_null(row),
            Self::Decimal(array, _) => array.is_null(row),
            Self::Text(array) => array.is_null(row),
            Self::Bytes(array) => array.is_null(row),
            Self::Date(array) => array.is_null(row),
            Self::Time(array) => array.is_null(row),
            Self::Moments(moments, _) => moments.is_null(row),
        }
    }
}

impl<'a> Moments<'a> {
    fn of(array: &'a dyn Array, unit: TimeUnit) -> Result<Self> {
        Ok(match unit {
            TimeUnit::Millisecond => Self::Millis(array.as_primitive::<TimestampMillisecondType>()),
            TimeUnit::Microsecond => Self::Micros(array.as_primitive::<TimestampMicrosecondType>()),
            TimeUnit::Nanosecond => Self::Nanos(array.as_primitive::<TimestampNanosecondType>()),
            TimeUnit::Second => return Err(unprintable(array.data_type())),
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Millis(array) => array.is_null(row),
            Self::Micros(array) => array.is_null(row),
            Self::Nanos(array) => array.is_null(row),
        }
    }

    fn get(&self, row: usize) -> Moment {
        match self {
            Self::Millis(array) => Moment::of(array.value(row), 1_000),
            Self::Micros(array) => Moment::of(array.value(row), 1_000_000),
            Self::Nanos(array) => Moment::of(array.value(row), 1_000_000_000),
        }
    }
}

fn unprintable(data_type: &DataType) -> Error {
    Error::bug(format!("no table column has the Arrow type `{data_type}`"))
}
