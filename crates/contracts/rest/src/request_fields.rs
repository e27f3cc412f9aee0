//! How single fields of a request are read: what may be left out, and what must look like an id.
//!
//! Invariant: a field that is null is a field that is not there.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Reads a field that may be null, which stands for its default.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a text that may be null; a number or a switch is its own text.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        scalar @ (Value::Bool(_) | Value::Number(_)) => Ok(Some(scalar.to_string())),
        Value::Array(_) | Value::Object(_) => Err(D::Error::custom("a list or an object is not a text")),
    }
}

/// Reads a parallelism, which some clients write as text, and of which a fraction is cut off.
pub(crate) fn parallelism<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let whole = match &value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|fraction| fraction as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    whole
        .and_then(|whole| i32::try_from(whole).ok())
        .ok_or_else(|| D::Error::custom(format!("`{value}` is not a parallelism, allowed are 32-bit numbers")))
}

/// Reads a switch, which some clients write as a word or as a number.
pub(crate) fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(false),
        Value::Bool(on) => Ok(on),
        Value::Number(number) if number.is_i64() => Ok(number.as_i64() != Some(0)),
        Value::String(word) if word == "true" => Ok(true),
        Value::String(word) if word == "false" => Ok(false),
        other => Err(D::Error::custom(format!("`{other}` is not a switch, allowed are `true` and `false`"))),
    }
}

/// Reads the id of a trigger, which the client may choose so that a repeated request triggers nothing new.
pub(crate) fn trigger_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        None => Ok(None),
        Some(id) if is_id(&id) => Ok(Some(id.to_ascii_lowercase())),
        Some(id) => Err(D::Error::custom(format!("`{id}` is not a trigger id, allowed are 32 hexadecimal digits"))),
    }
}

/// Tells whether the text is an id of a job, of a vertex or of a trigger.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::is_id;

    #[test]
    fn an_id_is_32_hexadecimal_digits() {
        let cases = [
            ("0123456789abcdef0123456789ABCDEF", true),
            ("0123456789abcdef0123456789abcde", false),
            ("0123456789abcdef0123456789abcdef0", false),
            ("0123456789abcdef0123456789abcdeg", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_id(text), expected, "{text}");
        }
    }
}
