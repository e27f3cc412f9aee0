//! Values of options: what a raw text means for a kind, and how a typed read takes it.
//!
//! Text is read in one place, `OptionEntry::parse`, for checking and for reading alike, so the two cannot disagree.

use std::time::Duration;

/// The meaning of a raw setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Free text, or one of the values of an enumeration in the catalogue's spelling.
    Text(String),
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number; never NaN.
    Double(f64),
    /// A length of time.
    Duration(Duration),
    /// A number of bytes.
    Memory(u64),
}

/// A Rust type that an option can be read as.
pub trait OptionValue: Sized {
    /// Takes the value; `None` if it has another kind, or is absent and the type has no place for that.
    fn from_value(value: Option<&Value>) -> Option<Self>;
}

impl OptionValue for String {
    fn from_value(value: Option<&Value>) -> Option<Self> {
        match value {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }
}

impl OptionValue for bool {
    fn from_value(value: Option<&Value>) -> Option<Self> {
        match value {
            Some(Value::Bool(flag)) => Some(*flag),
            _ => None,
        }
    }
}

impl OptionValue for i64 {
    fn from_value(value: Option<&Value>) -> Option<Self> {
        match value {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }
}

impl OptionValue for f64 {
    fn from_value(value: Option<&Value>) -> Option<Self> {
        match value {
            Some(Value::Double(number)) => Some(*number),
            _ => None,
        }
    }
}

impl OptionValue for u32 {
    fn from_value(value: Option<&Value>) -> Option<Self> {
        i64::from_value(value).and_then(|number| number.try_into().ok())
    }
}

impl OptionValue for u64 {
    fn from_value(value: Option<&Value>) -> Option<Self> {
        match value {
            Some(Value::Memory(bytes)) => Some(*bytes),
            Some(Value::Int(number)) => (*number).try_into().ok(),
            _ => None,
        }
    }
}

impl OptionValue for usize {
    fn from_value(value: Option<&Value>) -> Option<Self> {
        u64::from_value(value).and_then(|number| number.try_into().ok())
    }
}

impl OptionValue for Duration {
    fn from_value(value: Option<&Value>) -> Option<Self> {
        match value {
            Some(Value::Duration(duration)) => Some(*duration),
            _ => None,
        }
    }
}

impl<T: OptionValue> OptionValue for Option<T> {
    fn from_value(value: Option<&Value>) -> Option<Self> {
        match value {
            None => Some(None),
            Some(_) => T::from_value(value).map(Some),
        }
    }
}
