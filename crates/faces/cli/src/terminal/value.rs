//! A value of a result as text, as Flink's SQL client prints it.

use std::fmt::Write;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalYearMonthType, Time32MillisecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use arrow_schema::TimeUnit;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kobel_model::{Error, Result};
use kobel_sql::functions::cast::java_double::{push_f32, push_f64};
use kobel_sql::functions::temporal::civil::civil;
use kobel_sql::types::{TypeKind, time_unit};

use super::escape::push_escaped;

/// How NULL is printed.
pub(crate) const NULL: &str = "<NULL>";

const SECONDS_PER_DAY: i64 = 86_400;

/// Appends the value of a row; a TIMESTAMP_LTZ is shown in `zone`.
///
/// # Errors
/// Bug if the array does not carry `kind`.
pub(crate) fn push_value(
    out: &mut String,
    array: &dyn Array,
    row: usize,
    kind: TypeKind,
    zone: &TimeZone,
) -> Result<()> {
    if kind == TypeKind::Null || array.is_null(row) {
        out.push_str(NULL);
        return Ok(());
    }
    match kind {
        TypeKind::Null => {}
        TypeKind::Boolean => {
            let values = array.as_boolean_opt().ok_or_else(|| mismatch(array, kind))?;
            out.push_str(if values.value(row) { "TRUE" } else { "FALSE" });
        }
        TypeKind::TinyInt => push_display(out, native::<Int8Type>(array, row, kind)?),
        TypeKind::SmallInt => push_display(out, native::<Int16Type>(array, row, kind)?),
        TypeKind::Int => push_display(out, native::<Int32Type>(array, row, kind)?),
        TypeKind::BigInt => push_display(out, native::<Int64Type>(array, row, kind)?),
        TypeKind::Float => push_f32(out, native::<Float32Type>(array, row, kind)?),
        TypeKind::Double => push_f64(out, native::<Float64Type>(array, row, kind)?),
        TypeKind::Decimal(..) => {
            let values = array.as_primitive_opt::<Decimal128Type>().ok_or_else(|| mismatch(array, kind))?;
            out.push_str(&values.value_as_string(row));
        }
        TypeKind::Char(_) | TypeKind::Varchar(_) => {
            let values = array.as_string_opt::<i32>().ok_or_else(|| mismatch(array, kind))?;
            push_escaped(out, values.value(row));
        }
        TypeKind::Binary(_) | TypeKind::Varbinary(_) => {
            let values = array.as_binary_opt::<i32>().ok_or_else(|| mismatch(array, kind))?;
            push_bytes(out, values.value(row));
        }
        TypeKind::Date => push_date(out, native::<Date32Type>(array, row, kind)?),
        TypeKind::Time(precision) => {
            push_time(out, native::<Time32MillisecondType>(array, row, kind)?, precision);
        }
        TypeKind::Timestamp(precision) => {
            push_timestamp(out, nanoseconds(array, row, precision, kind)?, precision, &TimeZone::UTC);
        }
        TypeKind::TimestampLtz(precision) => {
            push_timestamp(out, nanoseconds(array, row, precision, kind)?, precision, zone);
        }
        TypeKind::IntervalMonths => push_months(out, native::<IntervalYearMonthType>(array, row, kind)?),
        TypeKind::IntervalMillis => push_millis(out, native::<DurationMillisecondType>(array, row, kind)?),
    }
    Ok(())
}

fn native<T: ArrowPrimitiveType>(array: &dyn Array, row: usize, kind: TypeKind) -> Result<T::Native> {
    array.as_primitive_opt::<T>().map(|values| values.value(row)).ok_or_else(|| mismatch(array, kind))
}

fn mismatch(array: &dyn Array, kind: TypeKind) -> Error {
    Error::bug(format!("a result column of type `{kind}` is carried by `{}`", array.data_type()))
}

fn push_display(out: &mut String, value: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{value}");
}

fn push_bytes(out: &mut String, bytes: &[u8]) {
    out.push_str("x'");
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out.push('\'');
}

/// Nanoseconds since the epoch of a timestamp in the unit of its precision.
fn nanoseconds(array: &dyn Array, row: usize, precision: u8, kind: TypeKind) -> Result<i128> {
    Ok(match time_unit(precision) {
        TimeUnit::Microsecond => i128::from(native::<TimestampMicrosecondType>(array, row, kind)?) * 1_000,
        TimeUnit::Nanosecond => i128::from(native::<TimestampNanosecondType>(array, row, kind)?),
        _ => i128::from(native::<TimestampMillisecondType>(array, row, kind)?) * 1_000_000,
    })
}

fn push_timestamp(out: &mut String, nanoseconds: i128, precision: u8, zone: &TimeZone) {
    let Ok(timestamp) = Timestamp::from_nanosecond(nanoseconds) else {
        // Instants end a day before the year 9999 does; what is beyond has no zone.
        push_far_timestamp(out, nanoseconds, precision);
        return;
    };
    let at = zone.to_datetime(timestamp);
    let _ = write!(out, "{:04}-{:02}-{:02} ", at.year(), at.month(), at.day());
    let _ = write!(out, "{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second());
    push_fraction(out, at.subsec_nanosecond(), precision);
}

/// The first `precision` digits of a fraction of a second, with the point.
fn push_fraction(out: &mut String, nanosecond: i32, precision: u8) {
    let digits = usize::from(precision.min(9));
    if digits > 0 {
        let text = format!("{nanosecond:09}");
        out.push('.');
        out.push_str(text.get(..digits).unwrap_or(&text));
    }
}

fn push_date(out: &mut String, days: i32) {
    let date = civil(i64::from(days));
    let _ = write!(out, "{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

fn push_far_timestamp(out: &mut String, nanoseconds: i128, precision: u8) {
    let seconds = nanoseconds.div_euclid(1_000_000_000);
    let fraction = i32::try_from(nanoseconds.rem_euclid(1_000_000_000)).unwrap_or_default();
    let days = seconds.div_euclid(i128::from(SECONDS_PER_DAY));
    let of_day = seconds.rem_euclid(i128::from(SECONDS_PER_DAY));
    let date = civil(i64::try_from(days).unwrap_or(i64::MAX / SECONDS_PER_DAY));
    let _ = write!(out, "{:04}-{:02}-{:02} ", date.year, date.month, date.day);
    let _ = write!(out, "{:02}:{:02}:{:02}", of_day / 3_600, of_day / 60 % 60, of_day % 60);
    push_fraction(out, fraction, precision);
}

fn push_time(out: &mut String, millis: i32, precision: u8) {
    let seconds = millis / 1_000;
    let _ = write!(out, "{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    push_fraction(out, millis % 1_000 * 1_000_000, precision);
}

/// `+1-02`: years and months.
fn push_months(out: &mut String, months: i32) {
    let sign = if months < 0 { '-' } else { '+' };
    let months = months.unsigned_abs();
    let _ = write!(out, "{sign}{}-{:02}", months / 12, months % 12);
}

/// `+1 02:03:04.005`: days and a time.
fn push_millis(out: &mut String, millis: i64) {
    let sign = if millis < 0 { '-' } else { '+' };
    let (seconds, rest) = (millis.unsigned_abs() / 1_000, millis.unsigned_abs() % 1_000);
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let _ = write!(out, "{sign}{days} {hours:02}:{:02}:{:02}.{rest:03}", seconds / 60 % 60, seconds % 60);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DurationMillisecondArray, Float64Array,
        Int64Array, IntervalYearMonthArray, StringArray, Time32MillisecondArray, TimestampMicrosecondArray,
        TimestampMillisecondArray,
    };

    use super::*;

    fn shown(array: ArrayRef, kind: TypeKind) -> String {
        let zone = TimeZone::get("America/New_York").expect("a zone of the bundled database");
        let mut out = String::new();
        push_value(&mut out, array.as_ref(), 0, kind, &zone).expect("the array carries the type");
        out
    }

    #[test]
    fn values_are_printed_as_flink_prints_them() {
        let decimal = Decimal128Array::from(vec![-5]).with_precision_and_scale(10, 2).expect("in bounds");
        let utc = TimestampMillisecondArray::from(vec![1_357_016_400_123]).with_timezone("UTC");
        let table: Vec<(ArrayRef, TypeKind, &str)> = vec![
            (Arc::new(BooleanArray::from(vec![true])), TypeKind::Boolean, "TRUE"),
            (Arc::new(BooleanArray::from(vec![None::<bool>])), TypeKind::Boolean, "<NULL>"),
            (Arc::new(Int64Array::from(vec![-42])), TypeKind::BigInt, "-42"),
            (Arc::new(Float64Array::from(vec![1e10])), TypeKind::Double, "1.0E10"),
            (Arc::new(decimal), TypeKind::Decimal(10, 2), "-0.05"),
            (Arc::new(StringArray::from(vec!["a\nb"])), TypeKind::Varchar(9), "a\\nb"),
            (Arc::new(BinaryArray::from(vec![&[0xca_u8, 0xfe][..]])), TypeKind::Varbinary(9), "x'cafe'"),
            (Arc::new(Date32Array::from(vec![15_706])), TypeKind::Date, "2013-01-01"),
            (Arc::new(Date32Array::from(vec![-1])), TypeKind::Date, "1969-12-31"),
            (Arc::new(Time32MillisecondArray::from(vec![3_661_500])), TypeKind::Time(0), "01:01:01"),
            (Arc::new(Time32MillisecondArray::from(vec![3_661_500])), TypeKind::Time(3), "01:01:01.500"),
            (Arc::new(utc.clone()), TypeKind::Timestamp(3), "2013-01-01 05:00:00.123"),
            (Arc::new(utc.clone()), TypeKind::Timestamp(0), "2013-01-01 05:00:00"),
            (Arc::new(utc), TypeKind::TimestampLtz(3), "2013-01-01 00:00:00.123"),
            (Arc::new(TimestampMicrosecondArray::from(vec![-1])), TypeKind::Timestamp(6), "1969-12-31 23:59:59.999999"),
            (Arc::new(IntervalYearMonthArray::from(vec![-14])), TypeKind::IntervalMonths, "-1-02"),
            (Arc::new(DurationMillisecondArray::from(vec![90_061_001])), TypeKind::IntervalMillis, "+1 01:01:01.001"),
        ];
        for (array, kind, expected) in table {
            assert_eq!(shown(array, kind), expected, "{kind}");
        }
    }

    #[test]
    fn an_array_of_another_type_is_a_bug_and_no_panic() {
        let mut out = String::new();
        let array = Int64Array::from(vec![1]);
        assert!(push_value(&mut out, &array, 0, TypeKind::Boolean, &TimeZone::UTC).is_err());
    }
}
