//! Constants as SQL literals.

use jiff::civil::{Date, Time, date};
use jiff::{Span, ToSpan};

use crate::plan::Scalar;
use crate::types::{TypeKind, time_unit};

/// Prints a constant of type `kind`.
pub(super) fn text(value: &Scalar, kind: TypeKind) -> String {
    match value {
        Scalar::Null => format!("CAST(NULL AS {kind})"),
        Scalar::Boolean(true) => "TRUE".to_owned(),
        Scalar::Boolean(false) => "FALSE".to_owned(),
        Scalar::Integer(value) => value.to_string(),
        Scalar::Float(value) => format!("{value:e}").to_uppercase(),
        Scalar::Decimal(unscaled) => decimal(*unscaled, kind),
        Scalar::String(text) => format!("'{}'", text.replace('\'', "''")),
        Scalar::Binary(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            format!("X'{digits}'")
        }
        Scalar::Date(days) => format!("DATE '{}'", day(*days).map_or_else(|| "?".to_owned(), |day| day.to_string())),
        Scalar::Time(millis) => format!("TIME '{}'", time_of_day(i64::from(*millis) * 1_000_000)),
        Scalar::Timestamp(units) => timestamp(*units, kind),
        Scalar::Months(months) => format!("INTERVAL '{months}' MONTH"),
        Scalar::Millis(millis) => {
            let sign = if *millis < 0 { "-" } else { "" };
            let (seconds, rest) = (millis.unsigned_abs() / 1_000, millis.unsigned_abs() % 1_000);
            let fraction = if rest == 0 { String::new() } else { format!(".{rest:03}") };
            format!("INTERVAL '{sign}{seconds}{fraction}' SECOND")
        }
    }
}

/// Prints a number of milliseconds in the largest unit that divides it: `1 h`.
pub(super) fn duration(millis: i64) -> String {
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)] {
        if millis % size == 0 {
            return format!("{} {unit}", millis / size);
        }
    }
    format!("{millis} ms")
}

fn decimal(unscaled: i128, kind: TypeKind) -> String {
    let scale = match kind {
        TypeKind::Decimal(_, scale) => usize::from(scale),
        _ => 0,
    };
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (integral, fraction) = digits.split_at(digits.len() - scale);
    if scale == 0 { format!("{sign}{integral}") } else { format!("{sign}{integral}.{fraction}") }
}

fn day(days: i32) -> Option<Date> {
    let span = Span::new().try_days(days).ok()?;
    date(1970, 1, 1).checked_add(span).ok()
}

fn timestamp(units: i64, kind: TypeKind) -> String {
    let precision = match kind {
        TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision) => precision,
        _ => 3,
    };
    let nanos_per_unit = match time_unit(precision) {
        arrow_schema::TimeUnit::Microsecond => 1_000,
        arrow_schema::TimeUnit::Nanosecond => 1,
        _ => 1_000_000,
    };
    let per_day = 86_400_000_000_000 / nanos_per_unit;
    let (days, rest) = (units.div_euclid(per_day), units.rem_euclid(per_day));
    let date = i32::try_from(days).ok().and_then(day).map_or_else(|| "?".to_owned(), |day| day.to_string());
    let name = if matches!(kind, TypeKind::TimestampLtz(_)) { "TIMESTAMP_LTZ" } else { "TIMESTAMP" };
    format!("{name} '{date} {}'", time_of_day(rest * nanos_per_unit))
}

fn time_of_day(nanos: i64) -> String {
    Time::midnight().wrapping_add(nanos.nanoseconds()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_printed_as_literals() {
        for (value, kind, expected) in [
            (Scalar::Decimal(-5), TypeKind::Decimal(3, 2), "-0.05"),
            (Scalar::Decimal(1250), TypeKind::Decimal(4, 2), "12.50"),
            (Scalar::Decimal(7), TypeKind::Decimal(1, 0), "7"),
            (Scalar::Float(1.5), TypeKind::Double, "1.5E0"),
            (Scalar::String("it's".into()), TypeKind::Char(4), "'it''s'"),
            (Scalar::Date(15_706), TypeKind::Date, "DATE '2013-01-01'"),
            (Scalar::Timestamp(-1), TypeKind::Timestamp(3), "TIMESTAMP '1969-12-31 23:59:59.999'"),
            (Scalar::Timestamp(1_000), TypeKind::Timestamp(0), "TIMESTAMP '1970-01-01 00:00:01'"),
            (Scalar::Millis(-1_500), TypeKind::IntervalMillis, "INTERVAL '-1.500' SECOND"),
            (Scalar::Null, TypeKind::Int, "CAST(NULL AS INT)"),
        ] {
            assert_eq!(text(&value, kind), expected);
        }
        assert_eq!(duration(7_200_000), "2 h");
        assert_eq!(duration(90_000), "90 s");
        assert_eq!(duration(-5), "-5 ms");
    }
}
