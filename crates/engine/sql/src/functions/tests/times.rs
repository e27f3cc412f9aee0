//! Functions of times; expectations were computed with Flink's `DateTimeUtils`.

use super::{Typed, bigint, check, check_fails, check_in, int, null, text};
use crate::plan::{Function, Scalar, TimeUnit};
use crate::types::{STRING, TypeKind};

/// 2020-03-15 13:14:15.123 UTC, a Sunday.
const INSTANT: i64 = 1_584_278_055_123;

fn timestamp(millis: i64) -> Typed {
    (TypeKind::Timestamp(3), Scalar::Timestamp(millis))
}

fn instant(millis: i64) -> Typed {
    (TypeKind::TimestampLtz(3), Scalar::Timestamp(millis))
}

fn date(days: i32) -> Typed {
    (TypeKind::Date, Scalar::Date(days))
}

fn months(value: i32) -> Typed {
    (TypeKind::IntervalMonths, Scalar::Months(value))
}

fn millis(value: i64) -> Typed {
    (TypeKind::IntervalMillis, Scalar::Millis(value))
}

#[test]
fn parts_of_dates() {
    use TimeUnit::{Century, Day, Decade, Dow, Doy, Epoch, IsoDow, IsoYear, Millennium, Month, Quarter, Week, Year};
    let units = [Millennium, Century, Decade, Year, Quarter, Month, Day, Week, Dow, IsoDow, Doy, IsoYear, Epoch];
    let cases = [
        (-200_000, [2, 15, 142, 1422, 2, 6, 3, 23, 2, 1, 154, 1422, -17_280_000_000]),
        (18_335, [3, 21, 202, 2020, 1, 3, 14, 11, 7, 6, 74, 2020, 1_584_144_000]),
        (0, [2, 20, 197, 1970, 1, 1, 1, 1, 5, 4, 1, 1970, 0]),
        (-1, [2, 20, 196, 1969, 4, 12, 31, 1, 4, 3, 365, 1970, -86_400]),
        (11_016, [2, 20, 200, 2000, 1, 2, 29, 9, 3, 2, 60, 2000, 951_782_400]),
        (18_627, [3, 21, 202, 2020, 4, 12, 31, 53, 5, 4, 366, 2020, 1_609_372_800]),
        (18_628, [3, 21, 202, 2021, 1, 1, 1, 53, 6, 5, 1, 2020, 1_609_459_200]),
    ];
    for (day, expected) in cases {
        for (unit, expected) in units.into_iter().zip(expected) {
            check(Function::Extract(unit), &[date(day)], bigint(expected));
        }
    }
}

#[test]
fn parts_of_timestamps_and_intervals() {
    use TimeUnit::{Day, Dow, Epoch, Hour, Microsecond, Millisecond, Minute, Month, Second, Year};
    for (unit, expected) in
        [(Year, 2020), (Month, 3), (Day, 15), (Hour, 13), (Minute, 14), (Second, 15), (Millisecond, 123), (Dow, 1)]
    {
        check(Function::Extract(unit), &[timestamp(INSTANT)], bigint(expected));
    }
    let fine = (TypeKind::Timestamp(6), Scalar::Timestamp(INSTANT * 1_000 + 456));
    check(Function::Extract(Microsecond), &[fine], bigint(123_456));
    // Flink divides towards zero, so the last millisecond of 1969 is a part of 1970.
    let new_york = [(Year, 1970), (Day, 1), (Hour, -5), (Second, 0), (Millisecond, -1), (Epoch, -18_000), (Dow, 5)];
    for (unit, expected) in new_york {
        check_in("America/New_York", Function::Extract(unit), &[instant(-1)], bigint(expected));
    }
    check_in("America/New_York", Function::Extract(Hour), &[instant(INSTANT)], bigint(9));
    check(Function::Extract(Hour), &[(TypeKind::Time(0), Scalar::Time(45_296_000))], bigint(12));
    check(Function::Extract(Month), &[months(14)], bigint(2));
    check(Function::Extract(Year), &[months(-14)], bigint(-1));
    check(Function::Extract(Hour), &[millis(93_784_567)], bigint(2));
    check(Function::Extract(Year), &[null(TypeKind::Date)], null(TypeKind::BigInt));
}

#[test]
fn floor_and_ceil_of_dates() {
    use TimeUnit::{Century, Decade, Millennium, Month, Quarter, Week, Year};
    let units = [Millennium, Century, Decade, Year, Quarter, Month, Week];
    let cases = [
        (
            -141_428,
            [-353_920, -171_299, -142_445, -141_714, -141_441, -141_441, -141_442],
            [11_323, -134_774, -138_792, -141_349, -141_349, -141_410, -141_435],
        ),
        (
            -719_162,
            [-719_162, -719_162, -719_528, -719_162, -719_162, -719_162, -719_161],
            [-353_920, -682_638, -715_875, -718_797, -719_072, -719_131, -719_154],
        ),
        (
            18_335,
            [11_323, 11_323, 18_262, 18_262, 18_262, 18_322, 18_329],
            [376_565, 47_847, 21_915, 18_628, 18_353, 18_353, 18_336],
        ),
        (0, [-353_920, -25_202, 0, 0, 0, 0, -4], [11_323, 11_323, 3_652, 0, 0, 0, 3]),
        (-1, [-353_920, -25_202, -3_653, -365, -92, -31, -4], [11_323, 11_323, 0, 0, 0, 0, 3]),
    ];
    for (day, floors, ceils) in cases {
        for ((unit, floor), ceil) in units.into_iter().zip(floors).zip(ceils) {
            check(Function::FloorTo(unit), &[date(day)], date(floor));
            check(Function::CeilTo(unit), &[date(day)], date(ceil));
        }
    }
}

#[test]
fn floor_and_ceil_of_timestamps() {
    use TimeUnit::{Day, Hour, Minute, Month, Second, Week, Year};
    let plain = [
        (Second, 1_584_278_055_000, 1_584_278_056_000),
        (Minute, 1_584_278_040_000, 1_584_278_100_000),
        (Hour, 1_584_277_200_000, 1_584_280_800_000),
        (Day, 1_584_230_400_000, 1_584_316_800_000),
        (Week, 1_584_230_400_000, 1_584_230_400_000),
        (Month, 1_583_020_800_000, 1_585_699_200_000),
        (Year, 1_577_836_800_000, 1_609_459_200_000),
    ];
    for (unit, floor, ceil) in plain {
        check(Function::FloorTo(unit), &[timestamp(INSTANT)], timestamp(floor));
        check(Function::CeilTo(unit), &[timestamp(INSTANT)], timestamp(ceil));
    }
    let new_york = [
        (INSTANT, Year, 1_577_851_200_000, 1_609_473_600_000),
        (INSTANT, Day, 1_584_244_800_000, 1_584_331_200_000),
        (INSTANT, Hour, 1_584_277_200_000, 1_584_280_800_000),
        (-1, Month, 18_000_000, 18_000_000),
        (-1, Day, -68_400_000, 18_000_000),
        (-1, Week, -327_600_000, 277_200_000),
    ];
    for (value, unit, floor, ceil) in new_york {
        check_in("America/New_York", Function::FloorTo(unit), &[instant(value)], instant(floor));
        check_in("America/New_York", Function::CeilTo(unit), &[instant(value)], instant(ceil));
    }
}

#[test]
fn intervals_shift_times() {
    use Function::{AddInterval, SubtractInterval};
    let end_of_january = 18_292;
    check(AddInterval, &[date(end_of_january), months(1)], date(18_321));
    check(SubtractInterval, &[date(end_of_january), months(2)], date(18_230));
    check(AddInterval, &[date(end_of_january), millis(86_400_000)], date(18_293));
    let midnight = i64::from(end_of_january) * 86_400_000;
    check(AddInterval, &[timestamp(midnight + 5), months(1)], timestamp(18_321 * 86_400_000 + 5));
    check(SubtractInterval, &[timestamp(midnight), millis(7_200_000)], timestamp(midnight - 7_200_000));
    let time = |millis| (TypeKind::Time(0), Scalar::Time(millis));
    check(AddInterval, &[time(82_800_000), millis(7_200_000)], time(3_600_000));
    check(SubtractInterval, &[time(3_600_000), millis(7_200_000)], time(82_800_000));
    check(Function::Add, &[millis(1), millis(2)], millis(3));
    check(Function::Negate, &[months(3)], months(-3));
    check(AddInterval, &[timestamp(0), null(TypeKind::IntervalMillis)], null(TypeKind::Timestamp(3)));
}

#[test]
fn differences_are_whole_units_towards_zero() {
    use TimeUnit::{Day, Hour, Minute, Month, Quarter, Second, Week, Year};
    let day = 86_400_000;
    let cases = [
        (Hour, 0, 25 * 3_600_000 + 59 * 60_000, 25),
        (Day, 0, -day + 1, 0),
        (Day, 0, -day, -1),
        (Minute, 0, 119_999, 1),
        (Second, 0, -1_999, -1),
        (Week, 0, 15 * day, 2),
        // From the 31st of January to the 29th of February.
        (Month, 18_292 * day, 18_321 * day, 1),
        (Month, 18_292 * day + 5, 18_321 * day, 0),
        (Month, 18_321 * day, 18_292 * day + 5, -1),
        (Year, 0, 365 * day - 1, 0),
        (Year, 0, 365 * day, 1),
        (Quarter, 0, 181 * day, 2),
    ];
    for (unit, from, to, expected) in cases {
        check(Function::TimestampDiff(unit), &[timestamp(from), timestamp(to)], int(expected));
    }
    check(Function::TimestampDiff(Day), &[date(0), date(3)], int(3));
    check(Function::TimestampDiff(Month), &[date(18_321), date(18_292)], int(-1));
}

#[test]
fn timestamps_are_printed_with_java_patterns() {
    let cases = [
        ("yyyy-MM-dd HH:mm", "2020-03-15 13:14"),
        (
            "yy M d H h k K m s S SS SSS SSSSSSSSS n a E EEEE MMM MMMM D DDD u Q QQQ G 'it''s' A",
            "20 3 15 13 1 13 1 14 15 1 12 123 123000000 123000000 PM Sun Sunday Mar March 75 075 2020 1 Q1 AD it's \
             47655123",
        ),
        ("y yyy yyyyy DD LLL", "2020 2020 02020 75 Mar"),
        ("yyyy[-MM]", "2020-03"),
        ("w ww YYYY YY e ee", "12 12 2020 20 1 01"),
        ("''yyyy/MM'T'", "'2020/03T"),
    ];
    for (pattern, expected) in cases {
        check(Function::DateFormat, &[timestamp(INSTANT), text(pattern)], text(expected));
    }
    let args = [instant(INSTANT), text("yyyy-MM-dd HH")];
    check_in("Asia/Shanghai", Function::DateFormat, &args, text("2020-03-15 21"));
    check(Function::DateFormat, &[text("2020-03-15 13:14:15"), text("yyyy/MM/dd HH")], text("2020/03/15 13"));
    check(Function::DateFormat, &[text("x"), text("yyyy")], null(STRING));
    for pattern in ["dddd", "VV", "aa", "'open", "]", "{", "bogus"] {
        check_fails(Function::DateFormat, &[timestamp(INSTANT), text(pattern)], STRING, "date pattern");
    }
}

#[test]
fn timestamps_are_read_with_java_patterns() {
    let cases = [
        ("15.03.2020", "dd.MM.yyyy", Some(1_584_230_400_000)),
        ("20200315131415", "yyyyMMddHHmmss", Some(1_584_278_055_000)),
        ("20200315131415123", "yyyyMMddHHmmssSSS", Some(INSTANT)),
        ("2020-3-5", "yyyy-MM-dd", Some(1_583_366_400_000)),
        ("2020-3-5 1:2:3", "yyyy-MM-dd HH:mm:ss", Some(1_583_370_123_000)),
        ("03/15/20", "MM/dd/yy", Some(1_584_230_400_000)),
        ("Mar 5, 2020", "MMM d, yyyy", Some(1_583_366_400_000)),
        ("5 March 2020 01:30 PM", "d MMMM yyyy hh:mm a", Some(1_583_415_000_000)),
        ("2020-02-31", "yyyy-MM-dd", Some(1_582_934_400_000)),
        ("2020-02-30", "yyyy/MM/dd", Some(1_583_020_800_000)),
        ("13:05", "HH:mm", Some(47_100_000)),
        ("2020-03-15T13:14:15", "yyyy-MM-dd'T'HH:mm:ss", Some(1_584_278_055_000)),
        ("2020-060", "yyyy-DDD", Some(1_582_934_400_000)),
        ("Sun 2020-03-15", "EEE yyyy-MM-dd", Some(1_584_230_400_000)),
        ("Mon 2020-03-15", "EEE yyyy-MM-dd", None),
        ("2020-03", "yyyy-MM[-dd]", Some(1_583_020_800_000)),
        ("10 pm", "h a", None),
        ("x", "yyyy-MM-dd", None),
        ("2020", "bogus", None),
        ("2020", "'yyyy", None),
    ];
    for (value, pattern, expected) in cases {
        let expected = (TypeKind::Timestamp(3), expected.map_or(Scalar::Null, Scalar::Timestamp));
        check(Function::ToTimestamp, &[text(value), text(pattern)], expected);
    }
    check_fails(Function::ToTimestamp, &[text("2020"), text("ww")], TypeKind::Timestamp(3), "`ww` is not supported");
    check(Function::ToTimestamp, &[text("2020-03-15 13:14:15.1239")], timestamp(INSTANT));
    check(Function::ToTimestamp, &[text("2020-03-15 13:14")], null(TypeKind::Timestamp(3)));
}

#[test]
fn dates_and_seconds_are_read_leniently() {
    let dates = [
        ("2020-13-01", "yyyy-MM-dd", 18_628),
        ("15/03/2020", "dd/MM/yyyy", 18_336),
        ("2020-03-15xyz", "yyyy-MM-dd", 18_336),
        ("20200315", "yyyyMMdd", 18_336),
        ("15 Mar 20", "dd MMM yy", 18_336),
        // What Flink makes of text that does not fit.
        ("abc", "yyyy-MM-dd", 622_191_233),
    ];
    for (value, pattern, expected) in dates {
        check(Function::ToDate, &[text(value), text(pattern)], date(expected));
    }
    check(Function::ToDate, &[text("2020-13-01")], null(TypeKind::Date));
    let seconds = [
        ("1970-01-02 00:00:00", 86_400, 104_400),
        ("2020-11-01 01:30:00", 1_604_194_200, 1_604_212_200),
        ("2020-03-08 02:30:00", 1_583_634_600, 1_583_652_600),
        ("abc", i64::MIN, i64::MIN),
        ("1969-12-31 23:59:59", -1, 17_999),
    ];
    for (value, utc, new_york) in seconds {
        check(Function::UnixTimestamp, &[text(value)], bigint(utc));
        check_in("America/New_York", Function::UnixTimestamp, &[text(value)], bigint(new_york));
    }
}

#[test]
fn seconds_become_text_and_instants() {
    check(Function::FromUnixtime, &[bigint(0)], text("1970-01-01 00:00:00"));
    check_in("America/New_York", Function::FromUnixtime, &[bigint(0)], text("1969-12-31 19:00:00"));
    let pattern = text("yy/M/d h:m:s a EEE EEEE MMM MMMM D u SSS S 'x' G k K");
    let expected = text("20/3/15 1:14:15 PM Sun Sunday Mar March 75 7 000 0 x AD 13 1");
    check(Function::FromUnixtime, &[bigint(1_584_278_055), pattern], expected);
    for (value, precision, expected) in [
        (5, 0, Some(5_000)),
        (INSTANT, 3, Some(INSTANT)),
        (253_402_300_800, 0, None),
        (-62_167_219_201, 0, None),
        (5_999, 6, Some(5)),
    ] {
        let expected = (TypeKind::TimestampLtz(3), expected.map_or(Scalar::Null, Scalar::Timestamp));
        check(Function::ToTimestampLtz, &[bigint(value), int(precision)], expected);
    }
}

#[test]
fn the_clock_is_shown_in_the_session_zone() {
    check(Function::CurrentTimestamp, &[], instant(INSTANT));
    check(Function::Proctime, &[], instant(INSTANT));
    check_in("Asia/Shanghai", Function::LocalTimestamp, &[], timestamp(INSTANT + 8 * 3_600_000));
    check_in("Pacific/Auckland", Function::CurrentDate, &[], date(18_337));
}
