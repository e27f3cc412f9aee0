//! The proof that every test of a shape uses: what Flink says is read and said again, word for word and in order.

#![cfg(test)]

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads the JSON as `T`, proves that it prints the same keys and values in the same order, and returns it.
pub(crate) fn printed_back<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(json: &str) -> T {
    let value: Value = serde_json::from_str(json).unwrap();
    let shape: T = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_value(&shape).unwrap(), value);
    assert_eq!(serde_json::to_string(&shape).unwrap(), serde_json::to_string(&value).unwrap());
    assert_eq!(serde_json::from_value::<T>(value).unwrap(), shape);
    shape
}

/// Returns the message with which the JSON is refused as `T`.
pub(crate) fn refusal<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> String {
    serde_json::from_str::<T>(json).unwrap_err().to_string()
}
