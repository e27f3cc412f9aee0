//! CAST and TRY_CAST.

use super::{
    Typed, bigint, boolean, cast, check_cast, check_no_cast, columns, decimal, double, evaluate, expr, int, literal,
    null, text,
};
use crate::functions::cast::is_supported;
use crate::lower::expression::scalar_value;
use crate::plan::{CastMode, ExprKind, Scalar};
use crate::types::{STRING, STRING_LENGTH, TypeKind};

fn float(value: f64) -> Typed {
    (TypeKind::Float, Scalar::Float(value))
}

fn small(kind: TypeKind, value: i64) -> Typed {
    (kind, Scalar::Integer(value))
}

fn bytes(kind: TypeKind, value: &[u8]) -> Typed {
    (kind, Scalar::Binary(value.to_vec()))
}

fn timestamp(precision: u8, ticks: i64) -> Typed {
    (TypeKind::Timestamp(precision), Scalar::Timestamp(ticks))
}

fn instant(precision: u8, ticks: i64) -> Typed {
    (TypeKind::TimestampLtz(precision), Scalar::Timestamp(ticks))
}

fn date(days: i32) -> Typed {
    (TypeKind::Date, Scalar::Date(days))
}

fn time(precision: u8, millis: i32) -> Typed {
    (TypeKind::Time(precision), Scalar::Time(millis))
}

#[test]
fn numbers_convert_as_java_converts_them() {
    let cases = [
        (bigint(3_000_000_000), int(-1_294_967_296)),
        (double(1e10), int(i32::MAX.into())),
        (double(-1e30), bigint(i64::MIN)),
        (double(f64::NAN), int(0)),
        (double(300.7), small(TypeKind::TinyInt, 44)),
        (double(1e10), small(TypeKind::SmallInt, -1)),
        (int(16_777_217), float(16_777_216.0)),
        (int(3), double(3.0)),
        (float(0.5), double(0.5)),
        (decimal(-127, 3, 1), int(-12)),
        (decimal(125, 3, 2), double(1.25)),
        (decimal(3_000_000_000, 10, 0), int(-1_294_967_296)),
        (int(12_345), null(TypeKind::Decimal(3, 0))),
        (int(12), decimal(1_200, 5, 2)),
        (decimal(15, 2, 1), decimal(1_500, 10, 3)),
        (decimal(1_255, 4, 3), decimal(126, 10, 2)),
        (double(0.1), decimal(10, 10, 2)),
        (double(1e10), decimal(10_i128.pow(28), 38, 18)),
        (float(0.1), (TypeKind::Decimal(20, 18), Scalar::Decimal(100_000_001_490_116_120))),
        (int(2), boolean(true)),
        (decimal(0, 2, 1), boolean(false)),
        (boolean(true), int(1)),
        (boolean(true), decimal(100, 5, 2)),
        ((TypeKind::IntervalMillis, Scalar::Millis(90_000)), bigint(90_000)),
        (int(14), (TypeKind::IntervalMonths, Scalar::Months(14))),
    ];
    for (from, to) in cases {
        check_cast(from, to);
    }
    check_no_cast(double(f64::NAN), TypeKind::Decimal(10, 2));
}

#[test]
fn strings_become_numbers_if_they_are_numbers() {
    let cases = [
        (" 12 ", int(12)),
        ("12.9", int(12)),
        ("-12.9", int(-12)),
        (".5", int(0)),
        ("+5", int(5)),
        ("-2147483648", int(i32::MIN.into())),
        ("9223372036854775807", bigint(i64::MAX)),
        (" 1.5 ", double(1.5)),
        ("1e400", double(f64::INFINITY)),
        ("1.5d", double(1.5)),
        ("-Infinity", double(f64::NEG_INFINITY)),
        ("1.255", decimal(126, 10, 2)),
        ("-0.005", decimal(-1, 10, 2)),
        ("1E-2", decimal(1, 10, 2)),
        (" 1e3\n", decimal(100_000, 10, 2)),
        ("99999.999", decimal(10_000_000, 10, 2)),
        ("0.000000000000000000000000000000000000000000001", decimal(0, 10, 2)),
        // Flink's reader of short decimals takes any last character.
        ("x", decimal(0, 10, 2)),
        ("1.5a", decimal(150, 10, 2)),
        ("0x1p3", double(8.0)),
        ("yes", boolean(true)),
        ("F", boolean(false)),
    ];
    for (value, expected) in cases {
        check_cast(text(value), expected);
    }
}

#[test]
fn strings_that_are_no_values_fail_or_are_null() {
    let cases: [(&[&str], TypeKind); 9] = [
        (&["abc", "", "-", "1e3", "12.x", "2147483648", "1 2", "١"], TypeKind::Int),
        (&["128", "-129"], TypeKind::TinyInt),
        (&["inf", "nan", "1_0", "", "e", "Inf"], TypeKind::Double),
        (&["abc", "", "1.2.3", "1_0", "1e40", "123456789012345678901234567890"], TypeKind::Decimal(10, 2)),
        (&["x", "1.5a", ".", "1e", "1 2"], TypeKind::Decimal(20, 2)),
        (&[" true", "abc", ""], TypeKind::Boolean),
        (&["2020-13-01", "2020-02-30", "abc", "", "99999-1-1", "2020-01-01T"], TypeKind::Date),
        (&["25:00:00", "12:60:00", "-1", "", "24:00:00"], TypeKind::Time(3)),
        (&["2020-01-01 12:30", "2020-01-01T12:00:00", " 2020-01-01", "0000-01-01", "2020"], TypeKind::Timestamp(3)),
    ];
    for (values, kind) in cases {
        for value in values {
            check_no_cast(text(value), kind);
        }
    }
    let message = cast(&text(&"é".repeat(100)), TypeKind::Int, CastMode::Strict, "UTC").unwrap_err();
    assert_eq!(message, format!("cannot cast `{}…` to INT", "é".repeat(64)));
}

#[test]
fn values_are_written_as_flink_writes_them() {
    let cases = [
        (int(-12), "-12"),
        (double(1e10), "1.0E10"),
        (float(0.1), "0.1"),
        (decimal(150, 3, 2), "1.50"),
        (decimal(-5, 3, 2), "-0.05"),
        (boolean(true), "TRUE"),
        (date(18_321), "2020-02-29"),
        (date(-719_162), "0001-01-01"),
        (time(0, 45_296_000), "12:34:56"),
        (time(3, 45_296_120), "12:34:56.12"),
        (time(3, 45_296_000), "12:34:56.0"),
        (timestamp(0, 1_584_278_055_000), "2020-03-15 13:14:15"),
        (timestamp(3, 1_584_278_055_120), "2020-03-15 13:14:15.120"),
        (timestamp(6, 1_584_278_055_123_456), "2020-03-15 13:14:15.123456"),
        (timestamp(9, -1), "1969-12-31 23:59:59.999999999"),
        ((TypeKind::IntervalMonths, Scalar::Months(-14)), "-1-02"),
        ((TypeKind::IntervalMillis, Scalar::Millis(-93_784_567)), "-1 02:03:04.567"),
        (bytes(TypeKind::Varbinary(STRING_LENGTH), &[0xff, b'a', 0xe2, 0x82, b'b']), "\u{fffd}a\u{fffd}b"),
    ];
    for (value, expected) in cases {
        check_cast(value, text(expected));
    }
}

#[test]
fn lengths_are_cut_and_filled() {
    let characters = [
        ("abc", TypeKind::Char(5), "abc  "),
        ("abc", TypeKind::Char(2), "ab"),
        ("äöü", TypeKind::Varchar(2), "äö"),
        ("a", TypeKind::Varchar(2), "a"),
    ];
    for (value, kind, expected) in characters {
        check_cast(text(value), (kind, Scalar::String(expected.to_owned())));
    }
    check_cast(int(12_345), (TypeKind::Varchar(3), Scalar::String("123".to_owned())));
    check_cast(text("ab"), bytes(TypeKind::Varbinary(STRING_LENGTH), b"ab"));
    check_cast(text("ab"), bytes(TypeKind::Binary(3), b"ab\0"));
    check_cast(bytes(TypeKind::Varbinary(9), b"abc"), bytes(TypeKind::Varbinary(2), b"ab"));
}

#[test]
fn strings_become_times() {
    let cases = [
        (text("2020-01-01"), date(18_262)),
        (text("2020"), date(18_262)),
        (text(" 2020 - 5 - 6 "), date(18_388)),
        (text("2020-01-01 abc"), date(18_262)),
        (text("12:34:56.7896"), time(3, 45_296_790)),
        (text("12:34:56.789"), time(0, 45_296_000)),
        (text(" 12 : 34 : 56 "), time(3, 45_296_000)),
        (text("12:34:56+01:00"), time(3, 48_896_000)),
        (text("12"), time(0, 43_200_000)),
        (text("2020-01-01 12:00:00.123456"), timestamp(3, 1_577_880_000_123)),
        (text("2020-1-2 3:4:5.6"), timestamp(6, 1_577_934_245_600_000)),
        (text("2020-02-30"), timestamp(3, 1_582_934_400_000)),
        (text("2020-01-01 24:00:00"), timestamp(0, 1_577_923_200_000)),
        (text("2020-01-01 12:00:00."), timestamp(3, 1_577_880_000_000)),
    ];
    for (from, to) in cases {
        check_cast(from, to);
    }
}

#[test]
fn times_convert_to_each_other() {
    let cases = [
        (timestamp(3, 1_584_278_055_678), date(18_336)),
        (timestamp(3, 1_584_278_055_678), time(0, 47_655_000)),
        (date(18_262), timestamp(6, 1_577_836_800_000_000)),
        (time(3, 45_296_789), time(1, 45_296_700)),
        (time(3, 45_296_789), timestamp(3, 45_296_789)),
        (timestamp(9, 1_584_278_055_123_456_789), timestamp(6, 1_584_278_055_123_456)),
        (timestamp(6, 1_584_278_055_123_456), timestamp(4, 1_584_278_055_123_400)),
        (timestamp(3, 1_584_278_055_123), timestamp(1, 1_584_278_055_100)),
        (timestamp(3, -1), timestamp(0, -1_000)),
        (timestamp(3, -1), date(0)),
        (timestamp(3, -1), time(0, 0)),
        (timestamp(3, 1_584_278_055_123), timestamp(9, 1_584_278_055_123_000_000)),
    ];
    for (from, to) in cases {
        check_cast(from, to);
    }
}

#[test]
fn instants_are_shown_in_the_session_zone() {
    let cases = [
        ("Asia/Shanghai", instant(3, 0), text("1970-01-01 08:00:00.000")),
        ("Asia/Shanghai", instant(3, 0), timestamp(3, 28_800_000)),
        ("Asia/Shanghai", timestamp(3, 28_800_000), instant(3, 0)),
        ("Asia/Shanghai", text("1970-01-01 08:00:00"), instant(3, 0)),
        ("America/New_York", instant(3, 0), date(-1)),
        ("America/New_York", instant(3, 0), time(0, 68_400_000)),
        ("America/New_York", date(0), instant(3, 18_000_000)),
        // Half past two is skipped, half past one comes twice.
        ("America/New_York", text("2020-03-08 02:30:00"), instant(0, 1_583_652_600_000)),
        ("America/New_York", text("2020-11-01 01:30:00"), instant(0, 1_604_208_600_000)),
        ("America/New_York", instant(6, 1_604_208_600_000_001), timestamp(6, 1_604_194_200_000_001)),
    ];
    for (zone, from, (kind, value)) in cases {
        let expected = Ok(scalar_value(&value, kind).unwrap());
        assert_eq!(cast(&from, kind, CastMode::Strict, zone), expected, "{from:?} as {kind} in {zone}");
    }
}

#[test]
fn casts_that_flink_lacks_are_refused() {
    let pairs = [
        (TypeKind::Date, TypeKind::Int),
        (TypeKind::Int, TypeKind::Date),
        (TypeKind::Date, TypeKind::Time(0)),
        (TypeKind::Int, TypeKind::Varbinary(STRING_LENGTH)),
        (TypeKind::Boolean, TypeKind::Date),
        (STRING, TypeKind::IntervalMillis),
    ];
    for (from, to) in pairs {
        assert!(!is_supported(from, to), "{from} to {to}");
    }
    let refused = expr(ExprKind::Cast(Box::new(literal(&date(0))), CastMode::Strict), TypeKind::Int);
    let message = evaluate(&refused, &columns(&[], 1), "UTC").unwrap_err();
    assert_eq!(message, "cast from DATE to INT is not supported");
}
