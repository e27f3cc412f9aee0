//! The value of a metric, and how Flink prints it.
//!
//! Invariant: a value prints as Java prints its type, so that clients that compare texts see no difference.

use std::fmt;

use kobel_rest::number::Number;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum MetricValue {
    /// A count.
    Count(u64),
    /// A whole number that may be negative.
    Long(i64),
    /// A number with a fraction.
    Double(f64),
    /// Yes or no.
    Flag(bool),
    /// Something to read.
    Text(String),
}

impl MetricValue {
    /// The number that several of these are summed up by; only numbers can be.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Count(value) => Some(*value as f64),
            Self::Long(value) => Some(*value as f64),
            Self::Double(value) => Some(*value),
            Self::Flag(_) | Self::Text(_) => None,
        }
    }

    /// The number that stands in a series over time; yes is 1, no is 0, texts have none.
    pub(crate) fn series_number(&self) -> Option<f64> {
        match self {
            Self::Flag(value) => Some(f64::from(u8::from(*value))),
            _ => self.number(),
        }
    }
}

impl From<u64> for MetricValue {
    fn from(value: u64) -> Self {
        Self::Count(value)
    }
}

impl From<i64> for MetricValue {
    fn from(value: i64) -> Self {
        Self::Long(value)
    }
}

impl From<f64> for MetricValue {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl From<bool> for MetricValue {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<String> for MetricValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl fmt::Display for MetricValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(value) => write!(f, "{value}"),
            Self::Long(value) => write!(f, "{value}"),
            Self::Double(value) => write!(f, "{}", Number(*value)),
            Self::Flag(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MetricValue;

    #[test]
    fn doubles_print_as_java_prints_them() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (139.0, "139.0"),
            (2.066666666666667, "2.066666666666667"),
            (0.001, "0.001"),
            (0.00012, "1.2E-4"),
            (9_999_999.5, "9999999.5"),
            (1e7, "1.0E7"),
            (72_876_224.0, "7.2876224E7"),
            (-1.5e300, "-1.5E300"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, text) in cases {
            assert_eq!(MetricValue::from(value).to_string(), text);
        }
    }

    #[test]
    fn values_print_by_their_type_and_only_numbers_are_numbers() {
        let cases: [(MetricValue, &str, Option<f64>, Option<f64>); 5] = [
            (7_u64.into(), "7", Some(7.0), Some(7.0)),
            (i64::MIN.into(), "-9223372036854775808", Some(i64::MIN as f64), Some(i64::MIN as f64)),
            (0.5_f64.into(), "0.5", Some(0.5), Some(0.5)),
            (true.into(), "true", None, Some(1.0)),
            ("n/a".to_owned().into(), "n/a", None, None),
        ];
        for (value, text, number, series) in cases {
            assert_eq!((value.to_string().as_str(), value.number(), value.series_number()), (text, number, series));
        }
    }
}
