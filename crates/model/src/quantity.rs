//! Durations and memory sizes in Flink's spellings in, one spelling out.
//!
//! What [`show_duration`] and [`show_memory`] print, the parsers read back to the same value.
//!
//! # Source
//! Apache Flink 2.3, `TimeUtils.parseDuration` and `MemorySize.parse`: a whole number, blanks allowed, a unit in any
//! case; a number alone is milliseconds or bytes.

use std::time::Duration;

use crate::error::{Error, Result};

/// The longest duration: Flink keeps milliseconds in a signed 64-bit integer.
const MILLIS_MAX: u128 = i64::MAX as u128;
/// The largest size: Flink keeps bytes in a signed 64-bit integer.
const BYTES_MAX: u128 = i64::MAX as u128;

/// How a duration may be written, for error messages and documentation.
pub const DURATION_FORMS: &str = "a whole number and a unit of `d`, `h`, `min`, `s`, `ms`, `µs` or `ns`, such as `10 s`; \
                                  a number alone is milliseconds";
/// How a memory size may be written, for error messages and documentation.
pub const MEMORY_FORMS: &str = "a whole number and a unit of `b`, `kb`, `mb`, `gb` or `tb`, such as `64 mb`; \
                                a number alone is bytes";

/// One unit: what it is worth, the spelling that is printed, the others that are read.
struct Unit {
    worth: u128,
    symbol: &'static str,
    labels: &'static [&'static str],
}

/// From the longest to the shortest; worth in nanoseconds.
const DURATION_UNITS: [Unit; 7] = [
    Unit { worth: 86_400_000_000_000, symbol: "d", labels: &["day", "days"] },
    Unit { worth: 3_600_000_000_000, symbol: "h", labels: &["hour", "hours"] },
    Unit { worth: 60_000_000_000, symbol: "min", labels: &["m", "minute", "minutes"] },
    Unit { worth: 1_000_000_000, symbol: "s", labels: &["sec", "secs", "second", "seconds"] },
    Unit { worth: 1_000_000, symbol: "ms", labels: &["milli", "millis", "millisecond", "milliseconds"] },
    Unit { worth: 1_000, symbol: "µs", labels: &["micro", "micros", "microsecond", "microseconds"] },
    Unit { worth: 1, symbol: "ns", labels: &["nano", "nanos", "nanosecond", "nanoseconds"] },
];

/// From the largest to the smallest; worth in bytes.
const MEMORY_UNITS: [Unit; 5] = [
    Unit { worth: 1 << 40, symbol: "tb", labels: &["t", "tebibytes"] },
    Unit { worth: 1 << 30, symbol: "gb", labels: &["g", "gibibytes"] },
    Unit { worth: 1 << 20, symbol: "mb", labels: &["m", "mebibytes"] },
    Unit { worth: 1 << 10, symbol: "kb", labels: &["k", "kibibytes"] },
    Unit { worth: 1, symbol: "b", labels: &["bytes"] },
];

/// Reads a duration as Flink writes it: `10 s`, `1min`, `500 ms`, `250`.
///
/// # Errors
/// `Invalid` if the text has another form or the duration exceeds 2⁶³ − 1 milliseconds.
pub fn parse_duration(text: &str) -> Result<Duration> {
    let milli = 1_000_000;
    let nanos = parse(text, &DURATION_UNITS, milli).map_err(|fault| fault.explain(text, "duration", DURATION_FORMS))?;
    let too_long = || Fault::TooLarge.explain(text, "duration", DURATION_FORMS);
    if nanos / milli > MILLIS_MAX {
        return Err(too_long());
    }
    let seconds = u64::try_from(nanos / 1_000_000_000).map_err(|_| too_long())?;
    let rest = u32::try_from(nanos % 1_000_000_000).map_err(|_| too_long())?;
    Ok(Duration::new(seconds, rest))
}

/// Prints a duration in the longest unit that holds it exactly: `90 s`, `2 h`, `0 ms`.
pub fn show_duration(duration: Duration) -> String {
    if duration.is_zero() {
        return "0 ms".to_owned();
    }
    show(duration.as_nanos(), &DURATION_UNITS)
}

/// Reads a memory size as Flink writes it, in bytes: `64mb`, `1 gb`, `128 k`, `4096`.
///
/// # Errors
/// `Invalid` if the text has another form or the size exceeds 2⁶³ − 1 bytes.
pub fn parse_memory(text: &str) -> Result<u64> {
    let bytes = parse(text, &MEMORY_UNITS, 1).map_err(|fault| fault.explain(text, "memory size", MEMORY_FORMS))?;
    let too_large = || Fault::TooLarge.explain(text, "memory size", MEMORY_FORMS);
    if bytes > BYTES_MAX {
        return Err(too_large());
    }
    u64::try_from(bytes).map_err(|_| too_large())
}

/// Prints a number of bytes in the largest unit that holds it exactly: `64 mb`, `1500 b`, `0 b`.
pub fn show_memory(bytes: u64) -> String {
    if bytes == 0 {
        return "0 b".to_owned();
    }
    show(u128::from(bytes), &MEMORY_UNITS)
}

/// Why a text is no quantity.
enum Fault {
    Form,
    Unit(String),
    TooLarge,
}

impl Fault {
    fn explain(self, text: &str, what: &str, forms: &str) -> Error {
        Error::invalid(match self {
            Self::Form => format!("`{text}` is no {what}: expected {forms}"),
            Self::Unit(unit) => format!("`{text}` is no {what}: unknown unit `{unit}`, expected {forms}"),
            Self::TooLarge => format!("`{text}` is too large for a {what}"),
        })
    }
}

/// Reads `number unit`; the result is in the smallest unit of `units`.
fn parse(text: &str, units: &[Unit], worth_without_unit: u128) -> Result<u128, Fault> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, label) = text.split_at(end);
    if digits.is_empty() {
        return Err(Fault::Form);
    }
    let number: u64 = digits.parse().map_err(|_| Fault::TooLarge)?;
    let label = label.trim().to_lowercase();
    let worth = if label.is_empty() {
        worth_without_unit
    } else {
        let unit = units.iter().find(|unit| unit.symbol == label || unit.labels.contains(&label.as_str()));
        unit.ok_or(Fault::Unit(label))?.worth
    };
    u128::from(number).checked_mul(worth).ok_or(Fault::TooLarge)
}

/// Prints in the first unit that divides `amount`; the last one is worth 1 and always does.
fn show(amount: u128, units: &[Unit]) -> String {
    let exact = units.iter().find(|unit| amount.is_multiple_of(unit.worth));
    exact.map_or_else(|| amount.to_string(), |unit| format!("{} {}", amount / unit.worth, unit.symbol))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_in_every_spelling_of_flink() {
        for (text, millis) in [
            ("10 s", 10_000),
            ("1min", 60_000),
            ("1 m", 60_000),
            ("2 MINUTES", 120_000),
            ("500 ms", 500),
            ("500", 500),
            (" 1 d ", 86_400_000),
            ("3 hours", 10_800_000),
            ("7 secs", 7_000),
            ("4 milliseconds", 4),
            ("5000 µs", 5),
            ("6000000 nanos", 6),
            ("0", 0),
        ] {
            assert_eq!(parse_duration(text).unwrap(), Duration::from_millis(millis), "for `{text}`");
        }
    }

    #[test]
    fn memory_sizes_are_read_in_every_spelling_of_flink() {
        for (text, bytes) in [
            ("64mb", 64 << 20),
            ("1 gb", 1 << 30),
            ("128 k", 128 << 10),
            ("2 KibiBytes", 2 << 10),
            ("3T", 3 << 40),
            ("4096", 4096),
            ("12 b", 12),
            ("12 bytes", 12),
        ] {
            assert_eq!(parse_memory(text).unwrap(), bytes, "for `{text}`");
        }
    }

    #[test]
    fn what_is_no_quantity_is_named_with_the_allowed_forms() {
        for text in
            ["", "s", "-1 s", "1.5 s", "10 parsec", "1 s 2 ms", "99999999999999999999 s", "9223372036854775807 s"]
        {
            let error = parse_duration(text).unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
        assert_eq!(
            parse_memory("5 pb").unwrap_err().to_string(),
            format!("`5 pb` is no memory size: unknown unit `pb`, expected {MEMORY_FORMS}")
        );
        assert_eq!(
            parse_memory("9007199254740992 kb").unwrap_err().to_string(),
            "`9007199254740992 kb` is too large for a memory size"
        );
    }

    #[test]
    fn quantities_are_printed_in_the_largest_exact_unit() {
        assert_eq!(show_duration(Duration::ZERO), "0 ms");
        assert_eq!(show_duration(Duration::from_secs(90)), "90 s");
        assert_eq!(show_duration(Duration::from_secs(7200)), "2 h");
        assert_eq!(show_duration(Duration::from_micros(1_500)), "1500 µs");
        assert_eq!(show_memory(0), "0 b");
        assert_eq!(show_memory(1500), "1500 b");
        assert_eq!(show_memory(3 << 29), "1536 mb");
    }

    proptest! {
        #[test]
        fn printed_durations_are_read_back(nanos in any::<u64>()) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(parse_duration(&show_duration(duration)).unwrap(), duration);
        }

        #[test]
        fn printed_memory_sizes_are_read_back(bytes in 0..=u64::MAX >> 1) {
            prop_assert_eq!(parse_memory(&show_memory(bytes)).unwrap(), bytes);
        }
    }
}
