//! Amounts of resources in Kubernetes' spelling, and memory in the spelling of Flink or of Kubernetes.
//!
//! An amount is exact in billionths of its unit, never negative, and at most 2⁶³ − 1 units; a finer fraction is rounded
//! up, as Kubernetes does. A memory size is read as Flink reads it first: `2048m` is 2048 MiB, even where Kubernetes
//! would read thousandths of a byte.
//!
//! # Source
//! Kubernetes `apimachinery`, `pkg/api/resource` (grammar of a quantity); Flink Kubernetes operator 1.15,
//! `FlinkConfigBuilder` (Flink's spelling first).

use crate::error::{Error, Result};
use crate::quantity::parse_memory;

/// How an amount may be written, for error messages and documentation.
pub const QUANTITY_FORMS: &str = "a number that is not negative with an optional suffix of `m`, `k`, `M`, `G`, `T`, \
                                  `P`, `E`, `Ki`, `Mi`, `Gi`, `Ti`, `Pi` or `Ei`, such as `500m` or `1Gi`";
/// How a memory size may be written where both spellings are read.
pub const MEMORY_AMOUNT_FORMS: &str = "a size of at least 1 byte and at most 1024 Ti, in Flink's spelling such as \
                                       `2048m` or in Kubernetes' such as `2Gi`";
/// How an amount of CPU may be written.
pub const CPU_FORMS: &str = "a number of CPUs above 0 and at most 65536, such as `0.5`, `2` or `500m`";

/// Billionths in one.
const NANOS: u128 = 1_000_000_000;
/// The most units of an amount, as in Kubernetes.
const UNITS_MAX: u128 = i64::MAX as u128;
/// The most bytes of memory that one process may be given: 1 PiB.
const MEMORY_MAX: u64 = 1 << 50;
/// The most thousandths of a CPU that one process may be given.
const CPU_MILLIS_MAX: u64 = 65_536_000;
/// The most digits of a number; more would only be read to be refused or rounded.
const DIGITS_MAX: usize = 60;
/// The largest power of ten that an exponent may name.
const EXPONENT_MAX: i32 = 18;

/// An amount of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity {
    nanos: u128,
}

impl Quantity {
    /// Whole units, rounded up.
    pub fn units(self) -> u64 {
        saturated(self.nanos.div_ceil(NANOS))
    }

    /// Thousandths of a unit, rounded up.
    pub fn millis(self) -> u64 {
        saturated(self.nanos.div_ceil(NANOS / 1000))
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }
}

/// Reads an amount in Kubernetes' spelling: `500m`, `1Gi`, `1e3`, `1.5`.
///
/// # Errors
/// `Invalid` if the text has another form, is negative or exceeds 2⁶³ − 1.
pub fn parse_quantity(text: &str) -> Result<Quantity> {
    let nanos =
        parse(text).ok_or_else(|| Error::invalid(format!("`{text}` is no amount: expected {QUANTITY_FORMS}")))?;
    Ok(Quantity { nanos })
}

/// Reads a memory size in bytes, in Flink's spelling or else in Kubernetes': `2048m`, `2 gb`, `1Gi`, `1e9`.
///
/// # Errors
/// `Invalid` if the text has another form, is zero or negative, or exceeds 1 PiB.
pub fn parse_memory_amount(text: &str) -> Result<u64> {
    let bytes = parse_memory(text).or_else(|_| parse_quantity(text.trim()).map(Quantity::units));
    bytes
        .ok()
        .filter(|bytes| (1..=MEMORY_MAX).contains(bytes))
        .ok_or_else(|| Error::invalid(format!("`{text}` is no memory size: expected {MEMORY_AMOUNT_FORMS}")))
}

/// Reads an amount of CPU in thousandths: `500m`, `0.5`, `2`.
///
/// # Errors
/// `Invalid` if the text has another form, is zero or negative, or exceeds 65,536 CPUs.
pub fn parse_cpu(text: &str) -> Result<u32> {
    let millis = parse_quantity(text).ok().map(Quantity::millis).filter(|millis| (1..=CPU_MILLIS_MAX).contains(millis));
    millis
        .and_then(|millis| u32::try_from(millis).ok())
        .ok_or_else(|| Error::invalid(format!("`{text}` is no amount of CPU: expected {CPU_FORMS}")))
}

/// The nearest number that fits.
fn saturated(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// What a suffix multiplies by: a factor, and a power of ten.
struct Scale {
    factor: u128,
    exponent: i32,
}

/// Reads an amount in billionths; `None` if the text is none or the amount is too large.
fn parse(text: &str) -> Option<u128> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = whole.len() + fraction.len() > 0 && !fraction.contains('.');
    if !is_number || number.len() > DIGITS_MAX {
        return None;
    }
    let scale = scale(suffix)?;
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("{whole}{fraction}");
    let digits: u128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let places = i32::try_from(fraction.len()).ok()?;
    scaled(digits.checked_mul(scale.factor)?, scale.exponent - places + 9)
}

/// `number` times a power of ten, rounded up; `None` if it is too large.
fn scaled(number: u128, exponent: i32) -> Option<u128> {
    let power = 10_u128.checked_pow(exponent.unsigned_abs());
    let nanos = match power {
        Some(power) if exponent >= 0 => number.checked_mul(power)?,
        Some(power) => number.div_ceil(power),
        None if number == 0 => 0,
        None if exponent > 0 => return None,
        None => 1,
    };
    (nanos <= UNITS_MAX * NANOS).then_some(nanos)
}

/// What a suffix means; `None` if it is unknown.
fn scale(suffix: &str) -> Option<Scale> {
    let binary = |power: u32| Scale { factor: 1 << (10 * power), exponent: 0 };
    let decimal = |exponent: i32| Scale { factor: 1, exponent };
    Some(match suffix {
        "" => decimal(0),
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        _ => decimal(exponent(suffix)?),
    })
}

/// Reads `e3`, `E-3`, `e+3`.
fn exponent(suffix: &str) -> Option<i32> {
    let digits = suffix.strip_prefix(['e', 'E'])?;
    let exponent: i32 = digits.parse().ok()?;
    (exponent.unsigned_abs() <= EXPONENT_MAX.unsigned_abs()).then_some(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_in_every_spelling_of_kubernetes() {
        for (text, units, millis) in [
            ("500m", 1, 500),
            ("1", 1, 1000),
            ("1.5", 2, 1500),
            (".5", 1, 500),
            ("5.", 5, 5000),
            ("+2", 2, 2000),
            ("1e3", 1000, 1_000_000),
            ("1E3", 1000, 1_000_000),
            ("1E", 1_000_000_000_000_000_000, u64::MAX),
            ("1e-3", 1, 1),
            ("1Ki", 1024, 1_024_000),
            ("1.5Gi", 1_610_612_736, 1_610_612_736_000),
            ("2k", 2000, 2_000_000),
            ("0", 0, 0),
            ("100n", 1, 1),
            ("0.0000000001", 1, 1),
            ("9223372036854775807", 9_223_372_036_854_775_807, u64::MAX),
        ] {
            let quantity = parse_quantity(text).unwrap();
            assert_eq!(quantity.units(), units, "units of `{text}`");
            assert_eq!(quantity.millis(), millis, "thousandths of `{text}`");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        let endless = "9".repeat(100);
        for text in [
            "",
            ".",
            "NaN",
            "Infinity",
            "-1",
            "-1m",
            "1e3Gi",
            "1 Gi",
            "1gi",
            "1g",
            "1K",
            "1..2",
            "1.2.3",
            "1e",
            "1e99",
            "9223372036854775808",
            "8Ei",
            "１",
            &endless,
        ] {
            assert!(parse_quantity(text).is_err(), "for `{text}`");
        }
    }

    #[test]
    fn memory_is_read_as_flink_reads_it_and_else_as_kubernetes() {
        for (text, bytes) in [
            ("2048m", 2048 << 20),
            ("2G", 2 << 30),
            ("2 gb", 2 << 30),
            ("16Gi", 16 << 30),
            ("1e9", 1_000_000_000),
            ("1024Ti", 1 << 50),
            ("1", 1),
        ] {
            assert_eq!(parse_memory_amount(text).unwrap(), bytes, "for `{text}`");
        }
        for text in ["0", "-1m", "1e3Gi", "9999999999g", "1025Ti", "NaN", "", "2048x"] {
            let message = parse_memory_amount(text).unwrap_err().to_string();
            assert!(message.contains(MEMORY_AMOUNT_FORMS), "for `{text}`: {message}");
        }
    }

    #[test]
    fn cpu_has_limits() {
        for (text, millis) in [("500m", 500), ("0.5", 500), ("1.0", 1000), ("65536", 65_536_000), ("0.0001", 1)] {
            assert_eq!(parse_cpu(text).unwrap(), millis, "for `{text}`");
        }
        for text in ["0", "NaN", "-1", "65537", "1e300", "inf", "1 cpu"] {
            assert!(parse_cpu(text).is_err(), "for `{text}`");
        }
    }
}
