//! Floating-point numbers as Flink prints them: the values that JSON has no number for stand as words.
//!
//! Invariant: every `f64` prints, and what was printed reads back as the same value.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A floating-point number that may be `NaN` or infinite.
#[derive(Debug, Clone, Copy, Default)]
pub struct Number(pub f64);

impl Number {
    /// The value of something that was not measured.
    pub const NAN: Self = Self(f64::NAN);
}

impl PartialEq for Number {
    /// Holds `NaN` equal to itself: two answers that say the same are the same.
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || (self.0.is_nan() && other.0.is_nan())
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self(value)
    }
}

impl fmt::Display for Number {
    /// Prints what Java prints for a double, which is what the value of a metric is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(word) = word(self.0) {
            return f.write_str(word);
        }
        let size = self.0.abs();
        if size == 0.0 || (1e-3..1e7).contains(&size) {
            return write!(f, "{:?}", self.0);
        }
        let text = format!("{:e}", self.0);
        let (digits, exponent) = text.split_once('e').unwrap_or((text.as_str(), "0"));
        let point = if digits.contains('.') { "" } else { ".0" };
        write!(f, "{digits}{point}E{exponent}")
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match word(self.0) {
            Some(word) => serializer.serialize_str(word),
            None => serializer.serialize_f64(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor).map(Self)
    }
}

/// Returns the word for a value that JSON has no number for.
fn word(value: f64) -> Option<&'static str> {
    if value.is_finite() {
        None
    } else if value.is_nan() {
        Some("NaN")
    } else if value > 0.0 {
        Some("Infinity")
    } else {
        Some("-Infinity")
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, `NaN`, `Infinity` or `-Infinity`")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<f64, E> {
        match value {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            _ => Err(E::invalid_value(Unexpected::Str(value), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn numbers_print_with_a_fraction_and_oddities_as_words() {
        let cases = [
            (139.0, "139.0"),
            (-0.25, "-0.25"),
            (f64::NAN, r#""NaN""#),
            (f64::INFINITY, r#""Infinity""#),
            (f64::NEG_INFINITY, r#""-Infinity""#),
        ];
        for (value, json) in cases {
            assert_eq!(serde_json::to_string(&Number(value)).unwrap(), json);
            assert_eq!(serde_json::from_str::<Number>(json).unwrap(), Number(value));
            assert_eq!(Number(value).to_string(), json.trim_matches('"'));
        }
    }

    #[test]
    fn very_large_and_very_small_numbers_are_shown_with_an_exponent() {
        let cases = [
            (9_999_999.5, "9999999.5"),
            (1e7, "1.0E7"),
            (72_876_224.0, "7.2876224E7"),
            (-1.5e-5, "-1.5E-5"),
            (0.001, "0.001"),
            (0.0, "0.0"),
        ];
        for (value, text) in cases {
            assert_eq!(Number(value).to_string(), text);
        }
    }

    #[test]
    fn whole_numbers_are_read_and_other_words_are_not() {
        assert_eq!(serde_json::from_str::<Number>("-3").unwrap(), Number(-3.0));
        assert_eq!(serde_json::from_str::<Number>("3").unwrap(), Number(3.0));
        for json in [r#""nan""#, r#""1.0""#, "null", "true", "[]"] {
            assert!(serde_json::from_str::<Number>(json).is_err(), "{json} was read");
        }
        assert_ne!(Number::NAN, Number(0.0));
    }
}
