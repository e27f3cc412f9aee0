//! Flink's SQL types with nullability, and the Arrow type that carries each.
//!
//! A type here is what Flink's `LogicalType` is; nothing in this file coerces or converts, see `binder::coercion`.

use std::fmt;

use arrow_schema::{DataType, Field, IntervalUnit, TimeUnit};

/// A SQL type with its nullability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SqlType {
    /// The type without nullability.
    pub kind: TypeKind,
    /// Whether NULL is a value of it.
    pub nullable: bool,
}

/// A SQL type without nullability.
///
/// # Source
/// Flink `org.apache.flink.table.types.logical.LogicalTypeRoot`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// The type of an untyped NULL; never the type of a table column.
    Null,
    /// BOOLEAN
    Boolean,
    /// TINYINT
    TinyInt,
    /// SMALLINT
    SmallInt,
    /// INT
    Int,
    /// BIGINT
    BigInt,
    /// FLOAT (32 bit)
    Float,
    /// DOUBLE
    Double,
    /// DECIMAL(precision, scale), 1 ≤ precision ≤ 38, 0 ≤ scale ≤ precision
    Decimal(u8, u8),
    /// CHAR(length)
    Char(u32),
    /// VARCHAR(length); [`STRING_LENGTH`] is STRING
    Varchar(u32),
    /// BINARY(length)
    Binary(u32),
    /// VARBINARY(length); [`STRING_LENGTH`] is BYTES
    Varbinary(u32),
    /// DATE
    Date,
    /// TIME(precision), carried in milliseconds as Flink does
    Time(u8),
    /// TIMESTAMP(precision) WITHOUT TIME ZONE
    Timestamp(u8),
    /// TIMESTAMP_LTZ(precision)
    TimestampLtz(u8),
    /// INTERVAL YEAR TO MONTH and its parts: months
    IntervalMonths,
    /// INTERVAL DAY TO SECOND and its parts: milliseconds
    IntervalMillis,
}

/// The length that makes VARCHAR a STRING and VARBINARY a BYTES.
pub const STRING_LENGTH: u32 = i32::MAX as u32;
/// STRING
pub const STRING: TypeKind = TypeKind::Varchar(STRING_LENGTH);

impl TypeKind {
    /// This type, nullable.
    pub fn nullable(self) -> SqlType {
        SqlType { kind: self, nullable: true }
    }

    /// This type, NOT NULL.
    pub fn not_null(self) -> SqlType {
        SqlType { kind: self, nullable: false }
    }

    /// Whether it is TINYINT, SMALLINT, INT or BIGINT.
    pub fn is_integer(self) -> bool {
        matches!(self, Self::TinyInt | Self::SmallInt | Self::Int | Self::BigInt)
    }

    /// Whether it is FLOAT or DOUBLE.
    pub fn is_approximate(self) -> bool {
        matches!(self, Self::Float | Self::Double)
    }

    /// Whether it is any number, DECIMAL included.
    pub fn is_numeric(self) -> bool {
        self.is_integer() || self.is_approximate() || matches!(self, Self::Decimal(..))
    }

    /// Whether it is CHAR or VARCHAR.
    pub fn is_character(self) -> bool {
        matches!(self, Self::Char(_) | Self::Varchar(_))
    }

    /// Whether it is BINARY or VARBINARY.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Binary(_) | Self::Varbinary(_))
    }

    /// Whether it is TIMESTAMP or TIMESTAMP_LTZ.
    pub fn is_timestamp(self) -> bool {
        matches!(self, Self::Timestamp(_) | Self::TimestampLtz(_))
    }

    /// Whether it is an interval.
    pub fn is_interval(self) -> bool {
        matches!(self, Self::IntervalMonths | Self::IntervalMillis)
    }

    /// The Arrow type that carries values of this type.
    ///
    /// # Shape
    /// Character types are `Utf8`, binary types `Binary`, TIME is `Time32(Millisecond)`, timestamps use the coarsest
    /// of milli-, micro- and nanoseconds that holds their precision, TIMESTAMP_LTZ has the zone `UTC`, intervals are
    /// `Interval(YearMonth)` and `Duration(Millisecond)`.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Boolean => DataType::Boolean,
            Self::TinyInt => DataType::Int8,
            Self::SmallInt => DataType::Int16,
            Self::Int => DataType::Int32,
            Self::BigInt => DataType::Int64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Decimal(precision, scale) => DataType::Decimal128(precision, scale as i8),
            Self::Char(_) | Self::Varchar(_) => DataType::Utf8,
            Self::Binary(_) | Self::Varbinary(_) => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time(_) => DataType::Time32(TimeUnit::Millisecond),
            Self::Timestamp(precision) => DataType::Timestamp(time_unit(precision), None),
            Self::TimestampLtz(precision) => DataType::Timestamp(time_unit(precision), Some("UTC".into())),
            Self::IntervalMonths => DataType::Interval(IntervalUnit::YearMonth),
            Self::IntervalMillis => DataType::Duration(TimeUnit::Millisecond),
        }
    }
}

/// The Arrow unit that carries a timestamp of `precision` fractional digits.
pub fn time_unit(precision: u8) -> TimeUnit {
    match precision {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

impl SqlType {
    /// An Arrow field of this type.
    pub fn field(self, name: &str) -> Field {
        Field::new(name, self.kind.arrow(), self.nullable)
    }
}

impl fmt::Display for TypeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Boolean => f.write_str("BOOLEAN"),
            Self::TinyInt => f.write_str("TINYINT"),
            Self::SmallInt => f.write_str("SMALLINT"),
            Self::Int => f.write_str("INT"),
            Self::BigInt => f.write_str("BIGINT"),
            Self::Float => f.write_str("FLOAT"),
            Self::Double => f.write_str("DOUBLE"),
            Self::Decimal(precision, scale) => write!(f, "DECIMAL({precision}, {scale})"),
            Self::Char(length) => write!(f, "CHAR({length})"),
            Self::Varchar(STRING_LENGTH) => f.write_str("STRING"),
            Self::Varchar(length) => write!(f, "VARCHAR({length})"),
            Self::Binary(length) => write!(f, "BINARY({length})"),
            Self::Varbinary(STRING_LENGTH) => f.write_str("BYTES"),
            Self::Varbinary(length) => write!(f, "VARBINARY({length})"),
            Self::Date => f.write_str("DATE"),
            Self::Time(precision) => write!(f, "TIME({precision})"),
            Self::Timestamp(precision) => write!(f, "TIMESTAMP({precision})"),
            Self::TimestampLtz(precision) => write!(f, "TIMESTAMP_LTZ({precision})"),
            Self::IntervalMonths => f.write_str("INTERVAL YEAR TO MONTH"),
            Self::IntervalMillis => f.write_str("INTERVAL DAY TO SECOND"),
        }
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if self.nullable { Ok(()) } else { f.write_str(" NOT NULL") }
    }
}
