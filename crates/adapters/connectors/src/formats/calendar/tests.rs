//! Laws of dates and times: what is written is read back, and days follow each other.

use proptest::prelude::*;

use super::*;

#[test]
fn the_epoch_and_its_neighbours_have_their_dates() {
    for (days, expected) in [
        (0, "1970-01-01"),
        (-1, "1969-12-31"),
        (11_016, "2000-02-29"),
        (-719_528, "0000-01-01"),
        (-719_529, "-0001-12-31"),
        (2_932_897, "+10000-01-01"),
    ] {
        let mut text = String::new();
        write_date(&mut text, days);
        assert_eq!(text, expected);
    }
}

#[test]
fn ticks_are_cut_towards_the_past() {
    let moment = Moment::of(-1, 1_000_000_000);
    assert_eq!(moment, Moment { seconds: -1, nanos: 999_999_999 });
    assert_eq!((moment.ticks(1_000), moment.ticks(1_000_000_000)), (Some(-1), Some(-1)));
    assert_eq!(Moment { seconds: i64::MAX / 500, nanos: 0 }.ticks(1_000), None);
}

proptest! {
    #[test]
    fn dates_are_read_back(days in -719_162_i32..2_932_896) {
        let mut text = String::new();
        write_date(&mut text, i64::from(days));
        prop_assert_eq!(date(&text, Style::Csv), Some(days));
        prop_assert_eq!(date(&text, Style::JsonSql), Some(days));
    }

    #[test]
    fn timestamps_are_read_back(ticks in any::<i64>(), is_iso in any::<bool>()) {
        let moment = Moment::of(ticks, 1_000_000_000);
        let (separator, style) = if is_iso { ('T', Style::JsonIso) } else { (' ', Style::Csv) };
        let mut text = String::new();
        write_timestamp(&mut text, moment, separator, Fraction::Trimmed);
        prop_assert_eq!(timestamp(&text, style), Some(moment));
        text.push('Z');
        prop_assert_eq!(instant(&text, style), Some(moment));
        prop_assert_eq!(moment.ticks(1_000_000_000), Some(ticks));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[-+0-9TZ:. ]{0,32}") {
        for style in [Style::Csv, Style::JsonSql, Style::JsonIso] {
            let _ = (date(&text, style), time(&text, style, 3), timestamp(&text, style), instant(&text, style));
        }
    }
}
