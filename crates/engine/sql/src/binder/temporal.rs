//! Functions of dates and times: EXTRACT, FLOOR and CEIL to a unit, TIMESTAMPADD, TIMESTAMPDIFF, DATE_FORMAT.
//!
//! The kernels take timestamps of precision 3 at most; where Flink looks at milliseconds only, more is cast away.

use crate::ast::{self, ExprKind as Ast, Ident};
use crate::error::{Span, SqlError, SqlResult};
use crate::plan::{Expr, ExprKind, Function, Scalar, TimeUnit};
use crate::types::{STRING, SqlType, TypeKind};

use super::arithmetic;
use super::coercion::{any_nullable, call, cast, literal};
use super::expression::ExprBinder;
use super::literal::MILLIS_PER_DAY;

/// The unit of a name in upper case.
fn time_unit(unit: &Ident) -> SqlResult<TimeUnit> {
    let name = unit.name.strip_prefix("SQL_TSI_").unwrap_or(&unit.name);
    Ok(match name {
        "MILLENNIUM" => TimeUnit::Millennium,
        "CENTURY" => TimeUnit::Century,
        "DECADE" => TimeUnit::Decade,
        "YEAR" => TimeUnit::Year,
        "QUARTER" => TimeUnit::Quarter,
        "MONTH" => TimeUnit::Month,
        "WEEK" => TimeUnit::Week,
        "DAY" => TimeUnit::Day,
        "HOUR" => TimeUnit::Hour,
        "MINUTE" => TimeUnit::Minute,
        "SECOND" => TimeUnit::Second,
        "MILLISECOND" => TimeUnit::Millisecond,
        "MICROSECOND" => TimeUnit::Microsecond,
        "NANOSECOND" => TimeUnit::Nanosecond,
        "DOW" | "DAYOFWEEK" => TimeUnit::Dow,
        "ISODOW" => TimeUnit::IsoDow,
        "DOY" | "DAYOFYEAR" => TimeUnit::Doy,
        "ISOYEAR" => TimeUnit::IsoYear,
        "EPOCH" => TimeUnit::Epoch,
        _ => return Err(SqlError::invalid(unit.span, format!("`{}` is not a unit of time", unit.name))),
    })
}

/// Whether a unit divides a day.
fn is_time_of_day(unit: TimeUnit) -> bool {
    matches!(
        unit,
        TimeUnit::Hour
            | TimeUnit::Minute
            | TimeUnit::Second
            | TimeUnit::Millisecond
            | TimeUnit::Microsecond
            | TimeUnit::Nanosecond
    )
}

/// The same type with milliseconds; other types stay.
fn in_millis(kind: TypeKind) -> TypeKind {
    match kind {
        TypeKind::Timestamp(precision) => TypeKind::Timestamp(precision.min(3)),
        TypeKind::TimestampLtz(precision) => TypeKind::TimestampLtz(precision.min(3)),
        other => other,
    }
}

/// `EXTRACT(unit FROM operand)`; `name` is the unit or function as written.
pub(super) fn extract(unit: TimeUnit, name: &str, operand: Expr, span: Span) -> SqlResult<Expr> {
    let kind = operand.ty.kind;
    let is_fine = matches!(unit, TimeUnit::Microsecond | TimeUnit::Nanosecond);
    let operand = match kind {
        TypeKind::Date if unit == TimeUnit::Epoch => cast(operand, TypeKind::Timestamp(3)),
        TypeKind::Date if !is_fine => operand,
        TypeKind::Time(_) if is_time_of_day(unit) && !is_fine => operand,
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) if in_millis(kind) != kind && is_fine => {
            return Err(SqlError::unsupported(span, format!("`{name}` of `{kind}`")));
        }
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => cast(operand, in_millis(kind)),
        TypeKind::IntervalMonths if matches!(unit, TimeUnit::Year | TimeUnit::Month) => operand,
        TypeKind::IntervalMillis if unit == TimeUnit::Day || is_time_of_day(unit) && !is_fine => operand,
        _ => return Err(SqlError::invalid(span, format!("cannot extract `{name}` from `{kind}`"))),
    };
    let ty = SqlType { kind: TypeKind::BigInt, nullable: operand.ty.nullable };
    Ok(call(Function::Extract(unit), vec![operand], ty, span))
}

/// `DATE_FORMAT(moment, format)`; `None` if the arguments do not fit.
pub(super) fn date_format(moment: Expr, format: Expr, span: Span) -> SqlResult<Option<Expr>> {
    let kind = moment.ty.kind;
    if kind.is_character() && format.ty.kind.is_character() {
        return Err(SqlError::unsupported(span, "`DATE_FORMAT` of a character string")
            .with_hint("convert it first: DATE_FORMAT(TO_TIMESTAMP(x), format)"));
    }
    if !kind.is_timestamp() || !format.ty.kind.is_character() {
        return Ok(None);
    }
    let shows_fraction = !matches!(&format.kind, ExprKind::Literal(Scalar::String(text)) if !text.contains('S'));
    if in_millis(kind) != kind && shows_fraction {
        let error = SqlError::unsupported(span, format!("`DATE_FORMAT` of `{kind}` with a fraction of a second"));
        return Err(error.with_hint("cast it to precision 3"));
    }
    let args = vec![cast(moment, in_millis(kind)), format];
    Ok(Some(call(Function::DateFormat, args, STRING.nullable(), span)))
}

/// `TO_TIMESTAMP_LTZ(number [, precision])`; `None` if the arguments do not fit.
pub(super) fn to_timestamp_ltz(number: Expr, precision: Option<&Expr>, span: Span) -> SqlResult<Option<Expr>> {
    let kind = number.ty.kind;
    if !kind.is_integer() {
        return if kind.is_numeric() || kind.is_character() {
            Err(SqlError::unsupported(span, format!("`TO_TIMESTAMP_LTZ` of `{kind}`")))
        } else {
            Ok(None)
        };
    }
    let digits = match precision.map(|precision| &precision.kind) {
        None => 3,
        Some(ExprKind::Literal(Scalar::Integer(digits @ (0 | 3)))) => *digits,
        Some(_) => {
            return Err(SqlError::unsupported(span, "`TO_TIMESTAMP_LTZ` with a precision other than 0 and 3"));
        }
    };
    let args = vec![cast(number, TypeKind::BigInt), literal(Scalar::Integer(digits), TypeKind::Int, span)];
    Ok(Some(call(Function::ToTimestampLtz, args, TypeKind::TimestampLtz(3).nullable(), span)))
}

impl ExprBinder<'_> {
    /// `EXTRACT(unit FROM operand)`
    pub(super) fn bind_extract(&mut self, unit: &Ident, operand: &ast::Expr, span: Span) -> SqlResult<Expr> {
        let operand = self.bind_typed(operand)?;
        extract(time_unit(unit)?, &unit.name, operand, span)
    }

    /// `FLOOR(operand TO unit)` and `CEIL(operand TO unit)`, which `function` makes.
    pub(super) fn bind_round_to(
        &mut self,
        function: fn(TimeUnit) -> Function,
        operand: &ast::Expr,
        unit: &Ident,
        span: Span,
    ) -> SqlResult<Expr> {
        let operand = self.bind_typed(operand)?;
        let (ty, unit_name) = (operand.ty, &unit.name);
        let unit = time_unit(unit)?;
        let is_calendar = matches!(
            unit,
            TimeUnit::Millennium
                | TimeUnit::Century
                | TimeUnit::Decade
                | TimeUnit::Year
                | TimeUnit::Quarter
                | TimeUnit::Month
                | TimeUnit::Week
                | TimeUnit::Day
        );
        let is_clock = is_time_of_day(unit) && !matches!(unit, TimeUnit::Microsecond | TimeUnit::Nanosecond);
        match ty.kind {
            // A date has nothing below a day to round.
            TypeKind::Date if is_clock => Ok(Expr { span, ..operand }),
            TypeKind::Date if is_calendar => Ok(call(function(unit), vec![operand], ty, span)),
            TypeKind::Time(_) if is_clock => Ok(call(function(unit), vec![operand], ty, span)),
            kind if kind.is_timestamp() && (is_calendar || is_clock) => {
                let coarse = in_millis(kind);
                let rounded = cast(operand, coarse);
                let rounded =
                    call(function(unit), vec![rounded], SqlType { kind: coarse, nullable: ty.nullable }, span);
                Ok(cast(rounded, kind))
            }
            kind if kind == TypeKind::Date || matches!(kind, TypeKind::Time(_)) || kind.is_timestamp() => {
                Err(SqlError::unsupported(span, format!("rounding `{kind}` to `{unit_name}`")))
            }
            kind => Err(SqlError::invalid(span, format!("cannot round `{kind}` to `{unit_name}`"))),
        }
    }

    /// `TIMESTAMPADD(unit, count, moment)`
    pub(super) fn bind_timestamp_add(
        &mut self,
        unit: &ast::Expr,
        count: &ast::Expr,
        moment: &ast::Expr,
        span: Span,
    ) -> SqlResult<Expr> {
        let unit = written_unit(unit)?;
        let (count, moment) = (self.bind_typed(count)?, self.bind_typed(moment)?);
        let (count_kind, kind) = (count.ty.kind, moment.ty.kind);
        let is_moment = matches!(kind, TypeKind::Date | TypeKind::Time(_)) || kind.is_timestamp();
        if !is_moment || !count_kind.is_integer() {
            let types = format!("{}, {count_kind}, {kind}", unit.name);
            let usage = "TIMESTAMPADD(unit, integer, DATE or TIMESTAMP)";
            return Err(super::calls::no_match("TIMESTAMPADD", &types, usage, span));
        }
        let ExprKind::Literal(Scalar::Integer(number)) = count.kind else {
            let construct = "`TIMESTAMPADD` with an amount that is not an integer literal";
            return Err(SqlError::unsupported(count.span, construct));
        };
        let unit = time_unit(&unit)?;
        let interval = interval_of(unit, number, count.span)?;
        if kind == TypeKind::Date && unit == TimeUnit::Millisecond {
            return Err(SqlError::invalid(span, "cannot add milliseconds to `DATE`"));
        }
        if kind == TypeKind::Date && is_time_of_day(unit) {
            let midnight = cast(moment, TypeKind::Timestamp(3));
            let moved = arithmetic::shift(Function::Add, midnight, interval, span)?;
            return Ok(cast(moved, TypeKind::Timestamp(6)));
        }
        let moment = match kind {
            TypeKind::Timestamp(0..=2) if unit == TimeUnit::Millisecond => cast(moment, TypeKind::Timestamp(3)),
            TypeKind::TimestampLtz(0..=2) if unit == TimeUnit::Millisecond => cast(moment, TypeKind::TimestampLtz(3)),
            _ => moment,
        };
        arithmetic::shift(Function::Add, moment, interval, span)
    }

    /// `TIMESTAMPDIFF(unit, from, to)`
    pub(super) fn bind_timestamp_diff(
        &mut self,
        unit: &ast::Expr,
        [from, to]: [&ast::Expr; 2],
        span: Span,
    ) -> SqlResult<Expr> {
        let written = written_unit(unit)?;
        let (from, to) = (self.bind_typed(from)?, self.bind_typed(to)?);
        let unit = time_unit(&written)?;
        let Some(kind) = difference_type(unit, from.ty.kind, to.ty.kind) else {
            let types = format!("{}, {}, {}", written.name, from.ty.kind, to.ty.kind);
            let usage = "TIMESTAMPDIFF(unit, TIMESTAMP, TIMESTAMP) with two of the same type";
            return Err(super::calls::no_match("TIMESTAMPDIFF", &types, usage, span));
        };
        let args = vec![cast(from, kind), cast(to, kind)];
        let ty = SqlType { kind: TypeKind::Int, nullable: any_nullable(&args) };
        let difference = |unit| call(Function::TimestampDiff(unit), args, ty, span);
        match unit {
            // Whole seconds, as many times as they have parts: Flink looks no closer.
            TimeUnit::Millisecond => arithmetic::numbers(
                Function::Multiply,
                difference(TimeUnit::Second),
                literal(Scalar::Integer(1_000), TypeKind::Int, span),
                span,
            ),
            TimeUnit::Microsecond => arithmetic::numbers(
                Function::Multiply,
                difference(TimeUnit::Second),
                literal(Scalar::Integer(1_000_000), TypeKind::Int, span),
                span,
            ),
            TimeUnit::Year
            | TimeUnit::Quarter
            | TimeUnit::Month
            | TimeUnit::Week
            | TimeUnit::Day
            | TimeUnit::Hour
            | TimeUnit::Minute
            | TimeUnit::Second => Ok(difference(unit)),
            _ => Err(SqlError::unsupported(span, format!("`TIMESTAMPDIFF` in `{}`", written.name))),
        }
    }
}

/// The type in which two moments are subtracted.
fn difference_type(unit: TimeUnit, from: TypeKind, to: TypeKind) -> Option<TypeKind> {
    use TypeKind as T;
    match (from, to) {
        (T::Date, T::Date) if is_time_of_day(unit) => Some(T::Timestamp(3)),
        (T::Date, T::Date) => Some(T::Date),
        (T::Date, T::Timestamp(_)) | (T::Timestamp(_), T::Date) => Some(T::Timestamp(3)),
        (T::Timestamp(a), T::Timestamp(b)) => Some(T::Timestamp(a.max(b).min(3))),
        (T::TimestampLtz(a), T::TimestampLtz(b)) => Some(T::TimestampLtz(a.max(b).min(3))),
        (T::Time(a), T::Time(b)) if is_time_of_day(unit) => Some(T::Time(a.max(b))),
        _ => None,
    }
}

/// The unit that stands in the place of the first argument.
fn written_unit(unit: &ast::Expr) -> SqlResult<Ident> {
    if let Ast::Column(name) = &unit.kind
        && let [part] = name.parts.as_slice()
    {
        return Ok(Ident { name: part.name.to_uppercase(), span: part.span });
    }
    Err(SqlError::invalid(unit.span, "the first argument is not a unit of time, such as `MINUTE`"))
}

/// `number` units as an interval.
fn interval_of(unit: TimeUnit, number: i64, span: Span) -> SqlResult<Expr> {
    let months = match unit {
        TimeUnit::Year => Some(12),
        TimeUnit::Quarter => Some(3),
        TimeUnit::Month => Some(1),
        _ => None,
    };
    let millis = match unit {
        TimeUnit::Week => 7 * MILLIS_PER_DAY,
        TimeUnit::Day => MILLIS_PER_DAY,
        TimeUnit::Hour => 3_600_000,
        TimeUnit::Minute => 60_000,
        TimeUnit::Second => 1_000,
        TimeUnit::Millisecond => 1,
        _ if months.is_some() => 0,
        _ => return Err(SqlError::unsupported(span, "`TIMESTAMPADD` in this unit")),
    };
    let out_of_range = || SqlError::invalid(span, "the amount is out of range");
    match months {
        Some(months) => {
            let months = number.checked_mul(months).and_then(|months| i32::try_from(months).ok());
            Ok(literal(Scalar::Months(months.ok_or_else(out_of_range)?), TypeKind::IntervalMonths, span))
        }
        None => {
            let millis = number.checked_mul(millis).ok_or_else(out_of_range)?;
            Ok(literal(Scalar::Millis(millis), TypeKind::IntervalMillis, span))
        }
    }
}
