//! Times from and to text and numbers: DATE_FORMAT, TO_TIMESTAMP, TO_TIMESTAMP_LTZ, TO_DATE, FROM_UNIXTIME,
//! UNIX_TIMESTAMP.
//!
//! Text that is no time gives NULL, but UNIX_TIMESTAMP and TO_DATE with a format give the numbers that Flink gives.

use std::sync::Arc;

use arrow_array::types::{Date32Type, Int32Type, Int64Type};
use arrow_array::{ArrayRef, StringArray};
use arrow_schema::DataType;
use datafusion_common::Result;

use crate::functions::argument::{Argument, Reader, TextSink, at, collect_primitive};
use crate::functions::call::Call;
use crate::functions::cast::from_string::{parse_date, parse_timestamp};
use crate::functions::date_format::{DateFormat, Dialect, Wall};
use crate::functions::fault::{failure, internal};
use crate::functions::prepared::Prepared;
use crate::plan::Function;
use crate::types::{TypeKind, time_unit};

use super::civil::{MILLIS_PER_DAY, days};
use super::ticks::{Ticks, from_instants, of_wall, ticks_per_ms};
use super::zone::{Overlap, Zone, zone_of};

/// The format of FROM_UNIXTIME and UNIX_TIMESTAMP if none is given, and of text that DATE_FORMAT reads.
const DEFAULT_FORMAT: &str = "yyyy-MM-dd HH:mm:ss";
/// 0000-01-01 00:00:00.000 UTC, the first that TO_TIMESTAMP_LTZ makes.
const MILLIS_MIN: i64 = -62_167_219_200_000;
/// 9999-12-31 23:59:59.999 UTC, the last.
const MILLIS_MAX: i64 = 253_402_300_799_999;
/// The DATE that Flink makes of text which does not fit the format: the low bits of the day of its smallest instant.
const DAY_OF_NO_DATE: i32 = 622_191_233;

/// A function between times and text or numbers.
pub fn evaluate(function: Function, call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    match function {
        Function::DateFormat => date_format(call, args),
        Function::ToTimestamp => to_timestamp(call, args),
        Function::ToTimestampLtz => to_timestamp_ltz(call, args),
        Function::ToDate => to_date(call, args),
        Function::FromUnixtime => from_unixtime(call, args),
        Function::UnixTimestamp => unix_timestamp(call, args),
        _ => Err(internal(format!("`{function:?}` has no kernel"))),
    }
}

/// The format of each row: one that is ready, one per row, or a default.
struct Formats<'a> {
    ready: Option<Arc<DateFormat>>,
    patterns: Option<Reader<&'a StringArray>>,
    dialect: Dialect,
    last: Option<(&'a str, Arc<DateFormat>)>,
}

impl<'a> Formats<'a> {
    fn new(call: &Call<'_>, args: &'a [Argument], dialect: Dialect, default: Option<&str>) -> Result<Self> {
        let mut formats = Self { ready: None, patterns: None, dialect, last: None };
        match (call.prepared, args.get(1)) {
            (Prepared::Format(format), _) => formats.ready = Some(Arc::clone(format)),
            (_, Some(arg)) => formats.patterns = Some(arg.text()?),
            (_, None) => {
                formats.ready = default.map(|pattern| DateFormat::compile(pattern, dialect)).transpose()?.map(Arc::new);
            }
        }
        Ok(formats)
    }

    /// The format of `row`, `None` if it is NULL.
    fn get(&mut self, row: usize) -> Result<Option<Arc<DateFormat>>> {
        if let Some(format) = &self.ready {
            return Ok(Some(Arc::clone(format)));
        }
        let Some(pattern) = self.patterns.as_ref().and_then(|patterns| patterns.get(row)) else { return Ok(None) };
        if let Some((last, format)) = &self.last
            && *last == pattern
        {
            return Ok(Some(Arc::clone(format)));
        }
        let format = Arc::new(DateFormat::compile(pattern, self.dialect)?);
        self.last = Some((pattern, Arc::clone(&format)));
        Ok(Some(format))
    }
}

fn date_format(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let arg = at(args, 0)?;
    if arg.array().data_type() == &DataType::Utf8 {
        return reformat(call, args);
    }
    let kind = call.types.first().map_or(TypeKind::Null, |ty| ty.kind);
    let (ticks, zone) = (Ticks::read(arg)?, zone_of(kind, call));
    let mut formats = Formats::new(call, args, Dialect::Formatter, None)?;
    let mut sink = TextSink::new(call.rows);
    let mut scratch = String::new();
    for row in 0..call.rows {
        match (ticks.get(row), formats.get(row)?) {
            (Some(value), Some(format)) => {
                let (millis, nanos) = match kind {
                    TypeKind::Date => (value.wrapping_mul(MILLIS_PER_DAY), 0),
                    _ => (value.div_euclid(ticks.per_ms), ticks.nanos_of_milli(value)),
                };
                scratch.clear();
                format.print(Wall { millis: zone.wall_at(millis), nanos }, &mut scratch);
                sink.push(&scratch)?;
            }
            _ => sink.push_null(),
        }
    }
    Ok(sink.finish())
}

/// DATE_FORMAT of text, which is read in the default format.
fn reformat(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let texts = at(args, 0)?.text()?;
    let input = DateFormat::compile(DEFAULT_FORMAT, Dialect::Simple)?;
    let patterns = at(args, 1)?.text()?;
    let mut sink = TextSink::new(call.rows);
    let mut scratch = String::new();
    for row in 0..call.rows {
        let wall = texts.get(row).and_then(|text| input.parse(text));
        match (wall, patterns.get(row)) {
            (Some(wall), Some(pattern)) => {
                scratch.clear();
                DateFormat::compile(pattern, Dialect::Simple)?.print(wall, &mut scratch);
                sink.push(&scratch)?;
            }
            _ => sink.push_null(),
        }
    }
    Ok(sink.finish())
}

fn to_timestamp(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let TypeKind::Timestamp(precision) = call.returns.kind else {
        return Err(internal(format!("TO_TIMESTAMP does not make {}", call.returns.kind)));
    };
    let texts = at(args, 0)?.text()?;
    let per_ms = ticks_per_ms(time_unit(precision));
    let has_format = args.len() > 1;
    let mut formats = Formats::new(call, args, Dialect::Parser, None)?;
    let result = collect_primitive::<Int64Type>(call.rows, |row| {
        let Some(text) = texts.get(row) else { return Ok(None) };
        let wall = if has_format {
            let Some(format) = formats.get(row)? else { return Ok(None) };
            if format.is_malformed() {
                return Ok(None);
            }
            format.parse(text).or_else(|| parse_sql(text.trim()))
        } else {
            parse_timestamp(text)
        };
        Ok(wall.and_then(|wall| of_wall(wall, precision, per_ms)))
    })?;
    from_instants(call.returns.kind, result, per_ms)
}

/// The way of `java.sql.Timestamp.valueOf` and `Date.valueOf`: one or two digits, days count on into the next month.
fn parse_sql(text: &str) -> Option<Wall> {
    let (date, time) = match text.split_once(' ') {
        Some((date, time)) => (date, Some(time.trim())),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || month.len() > 2 || day.len() > 2 {
        return None;
    }
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let mut wall = Wall { millis: days(year, month, day) * MILLIS_PER_DAY, nanos: 0 };
    let Some(time) = time else { return Some(wall) };
    let mut parts = time.splitn(3, ':');
    let (hour, minute, second) = (number(parts.next()?)?, number(parts.next()?)?, parts.next()?);
    let (second, fraction) = match second.split_once('.') {
        Some((second, fraction)) => (number(second)?, Some(fraction)),
        None => (number(second)?, None),
    };
    let nanos = match fraction {
        None => 0,
        Some(fraction) if fraction.len() > 9 => return None,
        Some(fraction) => number(fraction)? * 10_i64.pow(u32::try_from(9 - fraction.len()).ok()?),
    };
    wall.millis += ((hour * 60 + minute) * 60 + second) * 1_000 + nanos / 1_000_000;
    wall.nanos = nanos % 1_000_000;
    Some(wall)
}

/// A number of up to nine digits and nothing else.
fn number(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

fn to_timestamp_ltz(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let TypeKind::TimestampLtz(precision) = call.returns.kind else {
        return Err(internal(format!("TO_TIMESTAMP_LTZ does not make {}", call.returns.kind)));
    };
    let values = at(args, 0)?.primitive::<Int64Type>()?;
    let precisions = args.get(1).map(Argument::primitive::<Int32Type>).transpose()?;
    let per_ms = ticks_per_ms(time_unit(precision));
    let result = collect_primitive::<Int64Type>(call.rows, |row| {
        let unit = match &precisions {
            None => Some(3),
            Some(precisions) => precisions.get(row),
        };
        let (Some(value), Some(unit)) = (values.get(row), unit) else { return Ok(None) };
        let digits = match u32::try_from(unit) {
            Ok(unit) if unit <= 9 => 9 - unit,
            _ => {
                let message = format!("TO_TIMESTAMP_LTZ does not take a precision of `{unit}`, it must be 0 to 9");
                return Err(failure(message));
            }
        };
        let nanos = i128::from(value) * 10_i128.pow(digits);
        let (millis, nanos) = (nanos.div_euclid(1_000_000), nanos.rem_euclid(1_000_000));
        let Ok(millis) = i64::try_from(millis) else { return Ok(None) };
        if !(MILLIS_MIN..=MILLIS_MAX).contains(&millis) {
            return Ok(None);
        }
        let nanos = i64::try_from(nanos).unwrap_or(0);
        Ok(of_wall(Wall { millis, nanos }, precision, per_ms))
    })?;
    from_instants(call.returns.kind, result, per_ms)
}

fn to_date(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let texts = at(args, 0)?.text()?;
    let has_format = args.len() > 1;
    let mut formats = Formats::new(call, args, Dialect::Simple, None)?;
    let result = collect_primitive::<Date32Type>(call.rows, |row| {
        let Some(text) = texts.get(row) else { return Ok(None) };
        if !has_format {
            return Ok(parse_date(text));
        }
        let Some(format) = formats.get(row)? else { return Ok(None) };
        let Some(wall) = format.parse(text) else { return Ok(Some(DAY_OF_NO_DATE)) };
        Ok(i32::try_from(wall.millis.div_euclid(MILLIS_PER_DAY)).ok())
    })?;
    Ok(Arc::new(result))
}

fn from_unixtime(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let seconds = at(args, 0)?.primitive::<Int64Type>()?;
    let zone = Zone::new(&call.context.time_zone);
    let mut formats = Formats::new(call, args, Dialect::Simple, Some(DEFAULT_FORMAT))?;
    let mut sink = TextSink::new(call.rows);
    let mut scratch = String::new();
    for row in 0..call.rows {
        match (seconds.get(row), formats.get(row)?) {
            (Some(seconds), Some(format)) => {
                scratch.clear();
                let millis = zone.wall_at(seconds.wrapping_mul(1_000));
                format.print(Wall { millis, nanos: 0 }, &mut scratch);
                sink.push(&scratch)?;
            }
            _ => sink.push_null(),
        }
    }
    Ok(sink.finish())
}

fn unix_timestamp(call: &Call<'_>, args: &[Argument]) -> Result<ArrayRef> {
    let texts = at(args, 0)?.text()?;
    let zone = Zone::new(&call.context.time_zone);
    let mut formats = Formats::new(call, args, Dialect::Simple, Some(DEFAULT_FORMAT))?;
    let result = collect_primitive::<Int64Type>(call.rows, |row| {
        let (Some(text), Some(format)) = (texts.get(row), formats.get(row)?) else { return Ok(None) };
        Ok(Some(match format.parse(text) {
            Some(wall) => zone.instant_of(wall.millis, Overlap::Later) / 1_000,
            None => i64::MIN,
        }))
    })?;
    Ok(Arc::new(result))
}
