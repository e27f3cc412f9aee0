//! Casts to CHAR, VARCHAR and STRING.
//!
//! Numbers and times are written as Java and Flink write them; then CHAR(n) is cut or filled with blanks to n code
//! points, VARCHAR(n) is cut.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::types::{
    Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalYearMonthType,
};
use arrow_array::{ArrayRef, ArrowPrimitiveType};
use datafusion_common::Result;

use crate::functions::argument::{Argument, TextSink};
use crate::functions::call::Call;
use crate::functions::decimal::power;
use crate::functions::fault::internal;
use crate::functions::temporal::civil::{Civil, MILLIS_PER_DAY, civil};
use crate::functions::temporal::ticks::Ticks;
use crate::functions::temporal::zone::zone_of;
use crate::types::{STRING_LENGTH, TypeKind};

use super::java_double::{push_f32, push_f64};
use super::outcome::buffer_length;

/// A cast to a character type.
pub fn evaluate(call: &Call<'_>, arg: &Argument, from: TypeKind) -> Result<ArrayRef> {
    let mut texts = Texts::new(call)?;
    match from {
        TypeKind::Char(length) | TypeKind::Varchar(length) => {
            let fits = match call.returns.kind {
                TypeKind::Varchar(limit) => limit == STRING_LENGTH || length <= limit,
                _ => false,
            };
            if fits || from == call.returns.kind {
                return Ok(Arc::clone(arg.array()));
            }
            let values = arg.text()?;
            texts.fill(|row| values.get(row), |text, out| out.push_str(text))
        }
        TypeKind::Binary(_) | TypeKind::Varbinary(_) => {
            let values = arg.binary()?;
            texts.fill(|row| values.get(row), |bytes, out| out.push_str(&String::from_utf8_lossy(bytes)))
        }
        TypeKind::Boolean => {
            let values = arg.boolean()?;
            texts.fill(|row| values.get(row), |value, out| out.push_str(if value { "TRUE" } else { "FALSE" }))
        }
        TypeKind::TinyInt => texts.fill_numbers::<Int8Type>(arg, write_integer),
        TypeKind::SmallInt => texts.fill_numbers::<Int16Type>(arg, write_integer),
        TypeKind::Int => texts.fill_numbers::<Int32Type>(arg, write_integer),
        TypeKind::BigInt => texts.fill_numbers::<Int64Type>(arg, write_integer),
        TypeKind::Float => texts.fill_numbers::<Float32Type>(arg, |value, out| push_f32(out, value)),
        TypeKind::Double => texts.fill_numbers::<Float64Type>(arg, |value, out| push_f64(out, value)),
        TypeKind::Decimal(_, scale) => {
            texts.fill_numbers::<Decimal128Type>(arg, |value, out| write_decimal(value, scale, out))
        }
        TypeKind::Date => {
            let days = Ticks::read(arg)?;
            texts.fill(|row| days.get(row), write_date)
        }
        TypeKind::Time(precision) => {
            let times = Ticks::read(arg)?;
            texts.fill(|row| times.get(row), |time, out| write_time(time, precision, out))
        }
        TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision) => {
            let (ticks, zone) = (Ticks::read(arg)?, zone_of(from, call));
            texts.fill(
                |row| ticks.get(row),
                |value, out| {
                    let millis = zone.wall_at(value.div_euclid(ticks.per_ms));
                    write_timestamp(millis, ticks.nanos_of_milli(value), precision, out);
                },
            )
        }
        TypeKind::IntervalMonths => texts.fill_numbers::<IntervalYearMonthType>(arg, write_months),
        TypeKind::IntervalMillis => texts.fill_numbers::<DurationMillisecondType>(arg, write_millis),
        TypeKind::Null => Err(internal("NULL has no text")),
    }
}

/// The column of texts while it is made.
struct Texts {
    rows: usize,
    /// The most code points of a value.
    most: usize,
    /// The least, reached with blanks.
    least: usize,
    sink: TextSink,
}

impl Texts {
    fn new(call: &Call<'_>) -> Result<Self> {
        let (most, least) = match call.returns.kind {
            TypeKind::Char(length) => (buffer_length(length)?, buffer_length(length)?),
            TypeKind::Varchar(STRING_LENGTH) => (usize::MAX, 0),
            TypeKind::Varchar(length) => (usize::try_from(length).unwrap_or(usize::MAX), 0),
            kind => return Err(internal(format!("{kind} is no character type"))),
        };
        Ok(Self { rows: call.rows, most, least, sink: TextSink::new(call.rows) })
    }

    fn fill<V>(&mut self, value: impl Fn(usize) -> Option<V>, write: impl Fn(V, &mut String)) -> Result<ArrayRef> {
        let mut text = String::new();
        for row in 0..self.rows {
            let Some(value) = value(row) else {
                self.sink.push_null();
                continue;
            };
            text.clear();
            write(value, &mut text);
            self.fit(&mut text);
            self.sink.push(&text)?;
        }
        Ok(std::mem::replace(&mut self.sink, TextSink::new(0)).finish())
    }

    fn fill_numbers<T: ArrowPrimitiveType>(
        &mut self,
        arg: &Argument,
        write: impl Fn(T::Native, &mut String),
    ) -> Result<ArrayRef> {
        let values = arg.primitive::<T>()?;
        self.fill(|row| values.get(row), write)
    }

    fn fit(&self, text: &mut String) {
        if self.most == usize::MAX {
            return;
        }
        let length = if text.is_ascii() { text.len() } else { text.chars().count() };
        if length > self.most {
            let end = text.char_indices().nth(self.most).map_or(text.len(), |(end, _)| end);
            text.truncate(end);
        }
        for _ in length..self.least {
            text.push(' ');
        }
    }
}

fn write_integer(value: impl std::fmt::Display, out: &mut String) {
    // Writing to a string cannot fail, here and below.
    let _ = write!(out, "{value}");
}

fn write_decimal(value: i128, scale: u8, out: &mut String) {
    if value < 0 {
        out.push('-');
    }
    let unit = power(scale).unsigned_abs();
    let magnitude = value.unsigned_abs();
    let _ = write!(out, "{}", magnitude / unit);
    if scale > 0 {
        let width = usize::from(scale);
        let _ = write!(out, ".{:0width$}", magnitude % unit);
    }
}

/// A date with the last four digits of its year, which is what Flink writes.
fn write_date(day: i64, out: &mut String) {
    let Civil { year, month, day } = civil(day);
    let _ = write!(out, "{:04}-{month:02}-{day:02}", year.rem_euclid(10_000));
}

fn write_clock(millis_of_day: i64, out: &mut String) {
    let (hour, minute, second) = (millis_of_day / 3_600_000, millis_of_day / 60_000 % 60, millis_of_day / 1_000 % 60);
    let _ = write!(out, "{hour:02}:{minute:02}:{second:02}");
}

/// A TIME; the fraction ends with its last digit that is not zero, but has one digit if the type has any.
fn write_time(time: i64, precision: u8, out: &mut String) {
    let time = if time < 0 { time.rem_euclid(MILLIS_PER_DAY) } else { time };
    write_clock(time, out);
    if precision == 0 {
        return;
    }
    out.push('.');
    let mut millis = time % 1_000;
    for _ in 0..precision {
        let _ = write!(out, "{}", millis / 100);
        millis = millis % 100 * 10;
        if millis == 0 {
            break;
        }
    }
}

/// A TIMESTAMP with exactly `precision` digits of the second.
fn write_timestamp(millis: i64, nanos: i64, precision: u8, out: &mut String) {
    write_date(millis.div_euclid(MILLIS_PER_DAY), out);
    out.push(' ');
    let time = millis.rem_euclid(MILLIS_PER_DAY);
    write_clock(time, out);
    if precision > 0 {
        let digits = usize::from(precision.min(9));
        let fraction = format!("{:09}", time % 1_000 * 1_000_000 + nanos);
        out.push('.');
        out.push_str(fraction.get(..digits).unwrap_or(&fraction));
    }
}

fn write_months(months: i32, out: &mut String) {
    let magnitude = months.unsigned_abs();
    let _ = write!(out, "{}{}-{:02}", if months < 0 { '-' } else { '+' }, magnitude / 12, magnitude % 12);
}

fn write_millis(millis: i64, out: &mut String) {
    let magnitude = millis.unsigned_abs();
    let seconds = magnitude / 1_000;
    let _ = write!(
        out,
        "{}{} {:02}:{:02}:{:02}.{:03}",
        if millis < 0 { '-' } else { '+' },
        seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        magnitude % 1_000
    );
}
