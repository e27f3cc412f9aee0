//! What schedules are read, and when they are due.

use jiff::Timestamp;

use super::*;

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn shown(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap().to_string()
}

#[test]
fn an_interval_is_counted_from_the_last_time() {
    for (text, last, expected) in [
        ("10 min", 1_000, Some(601_000)),
        ("1500", 0, Some(1_500)),
        ("0", 5, None),
        ("900 ns", 5, None),
        ("1 s", i64::MAX, None),
    ] {
        assert_eq!(Schedule::parse(text).unwrap().next_after(last), expected, "for `{text}`");
    }
}

#[test]
fn an_expression_names_the_next_time_in_utc() {
    for (text, last, expected) in [
        ("0 0 * * * ?", "2026-03-01T10:15:00Z", "2026-03-01T11:00:00Z"),
        ("0 0 0 * * ?", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("0 0 0 * * *", "2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00Z"),
        ("*/15 * * * * ?", "2026-03-01T10:15:00Z", "2026-03-01T10:15:15Z"),
        ("/15 * * * * ?", "2026-03-01T10:15:50Z", "2026-03-01T10:16:00Z"),
        ("0 5/20 * * * ?", "2026-03-01T10:46:00Z", "2026-03-01T11:05:00Z"),
        ("30 10-12 3 * * ?", "2026-03-01T03:12:30Z", "2026-03-02T03:10:30Z"),
        ("0 0 22-2/2 * * ?", "2026-03-01T22:00:00Z", "2026-03-02T00:00:00Z"),
        ("0 0 12 ? * MON-FRI", "2026-03-06T12:00:00Z", "2026-03-09T12:00:00Z"),
        ("0 0 12 ? * 1", "2026-03-06T12:00:00Z", "2026-03-08T12:00:00Z"),
        ("0 0 12 ? * fri-sun", "2026-03-09T00:00:00Z", "2026-03-13T12:00:00Z"),
        ("0 0 12 ? * L", "2026-03-09T00:00:00Z", "2026-03-14T12:00:00Z"),
        ("0 0 12 ? * 6L", "2026-03-01T00:00:00Z", "2026-03-27T12:00:00Z"),
        ("0 0 12 ? * FRI#3", "2026-03-01T00:00:00Z", "2026-03-20T12:00:00Z"),
        ("0 0 12 ? * FRI#5", "2026-02-01T00:00:00Z", "2026-05-29T12:00:00Z"),
        ("0 0 0 L * ?", "2028-02-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 0 L-2 * ?", "2026-02-01T00:00:00Z", "2026-02-26T00:00:00Z"),
        ("0 0 0 LW * ?", "2026-05-01T00:00:00Z", "2026-05-29T00:00:00Z"),
        ("0 0 0 L-1W * ?", "2026-05-01T00:00:00Z", "2026-05-29T00:00:00Z"),
        ("0 0 0 15W * ?", "2026-03-01T00:00:00Z", "2026-03-16T00:00:00Z"),
        ("0 0 0 1W * ?", "2026-08-01T00:00:00Z", "2026-08-03T00:00:00Z"),
        ("0 0 0 31 * ?", "2026-04-01T00:00:00Z", "2026-05-31T00:00:00Z"),
        ("0 0 0 1,15 JAN,JUL ?", "2026-01-15T00:00:00Z", "2026-07-01T00:00:00Z"),
        ("0 0 0 29 2 ?", "2096-03-01T00:00:00Z", ""),
        ("0 0 0 29 FEB ?", "2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 0 1 1 ? 2030-2032/2", "2030-06-01T00:00:00Z", "2032-01-01T00:00:00Z"),
        ("0 0 0 1 1 ? 2030", "2030-01-01T00:00:00Z", ""),
        ("59 59 23 31 12 ? 2099", "2099-12-31T23:59:58.999Z", "2099-12-31T23:59:59Z"),
    ] {
        let next = Schedule::parse(text).unwrap().next_after(at(last));
        assert_eq!(next.map(shown).unwrap_or_default(), expected, "for `{text}` after {last}");
    }
}

#[test]
fn any_number_may_be_the_last_time() {
    let schedule = Schedule::parse("0 0 0 * * ?").unwrap();
    assert_eq!(schedule.next_after(i64::MIN), schedule.next_after(0));
    assert_eq!(schedule.next_after(0), Some(86_400_000));
    assert_eq!(schedule.next_after(i64::MAX), None);
}

#[test]
fn what_is_no_schedule_is_refused_with_what_is_allowed() {
    for (text, part) in [
        ("", "no schedule"),
        ("often", "no schedule"),
        ("* * * * *", "no schedule"),
        ("* * * * * ? * *", "8 fields"),
        ("60 * * * * ?", "seconds"),
        ("* 60 * * * ?", "minutes"),
        ("* * 24 * * ?", "hours"),
        ("* * * 0 * ?", "days of the month"),
        ("* * * 32W * ?", "days of the month"),
        ("* * * L-31 * ?", "days of the month"),
        ("* * * ? 13 *", "months"),
        ("* * * ? FOO *", "months"),
        ("* * * ? * 8", "days of the week"),
        ("* * * ? * 2#6", "days of the week"),
        ("* * * ? * * 1969", "years"),
        ("* * * ? * * 2030-2029", "years"),
        ("*/0 * * * * ?", "seconds"),
        ("*/60 * * * * ?", "seconds"),
        ("1, * * * * ?", "seconds"),
        ("-5 * * * * ?", "seconds"),
        ("? * * * * ?", "seconds"),
        ("0 0 0 1 * MON", "one of the two must be `?`"),
        ("0 0 0 30 2 ?", "matches no time"),
    ] {
        let error = Schedule::parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "for `{text}`: {error}");
    }
}
