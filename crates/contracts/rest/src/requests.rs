//! How the body of a request becomes one of the request types.
//!
//! Invariant: a body is an object, and no body at all is an empty object. What follows the object is not looked at, as
//! Flink does not look at it.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Deserializer, Map, Value};

/// Reads the body of a request.
pub fn read_body<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    let fields = if body.is_empty() {
        Map::new()
    } else {
        Map::<String, Value>::deserialize(&mut Deserializer::from_slice(body))?
    };
    serde_json::from_value(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::read_body;
    use crate::operations::{CheckpointTriggerRequestBody, CheckpointType, SavepointTriggerRequestBody};
    use crate::resources::JobResourceRequirementsBody;

    #[test]
    fn no_body_is_an_empty_object() {
        let request: SavepointTriggerRequestBody = read_body(b"").unwrap();
        assert_eq!(request, SavepointTriggerRequestBody::default());
        let request: CheckpointTriggerRequestBody = read_body(br#" {"checkpointType":"FULL"} x"#).unwrap();
        assert_eq!(request.checkpoint_type, CheckpointType::Full);
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        let body = br#"{"checkpointType":"FULL","checkpointType":"INCREMENTAL"}"#;
        let request: CheckpointTriggerRequestBody = read_body(body).unwrap();
        assert_eq!(request.checkpoint_type, CheckpointType::Incremental);
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for body in [&b"[]"[..], b"null", b"1", b"\"x\"", b"{", b" ", b"\xff"] {
            assert!(read_body::<SavepointTriggerRequestBody>(body).is_err(), "{body:?} was read");
        }
        assert!(read_body::<JobResourceRequirementsBody>(br#"{"xx":{}}"#).is_err());
    }
}
