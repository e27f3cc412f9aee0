//! A failure as it is handed through the API: its class, its trace, and its serialized form.
//!
//! Invariant: the serialized form is text of base 64. It is written here, and never interpreted.

use serde::{Deserialize, Serialize};

use crate::java_throwable::serialized;

/// A failure of the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SerializedThrowable {
    /// The full name of the class.
    pub class: String,
    /// The message and the trace.
    #[serde(rename = "stack-trace")]
    pub stack_trace: String,
    /// The serialized object in base 64, for clients on a Java machine.
    #[serde(rename = "serialized-throwable")]
    pub serialized_throwable: String,
}

impl SerializedThrowable {
    /// Makes a failure of an exception's class, with all of its three forms.
    ///
    /// Flink's command line shows nothing but the message, so the causes must stand in it, not in the trace alone.
    pub fn of(class: &str, message: &str, stack_trace: &str) -> Self {
        // Flink puts the class in front of the message that it serializes.
        let detail = format!("{class}: {message}");
        Self {
            class: class.to_owned(),
            stack_trace: stack_trace.to_owned(),
            serialized_throwable: serialized(&detail, stack_trace, class),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SerializedThrowable, serialized};
    use crate::round_trip::printed_back;

    #[test]
    fn a_failure_is_printed_as_flink_prints_it() {
        let failure: SerializedThrowable =
            printed_back(r#"{"class":"java.io.IOException","stack-trace":"gone\n","serialized-throwable":"rO0A"}"#);
        assert_eq!(failure.class, "java.io.IOException");
    }

    #[test]
    fn a_new_failure_says_the_same_in_both_forms() {
        let failure = SerializedThrowable::of("a.B", "it broke", "a.B: it broke\n");
        assert_eq!((failure.class.as_str(), failure.stack_trace.as_str()), ("a.B", "a.B: it broke\n"));
        assert_eq!(failure.serialized_throwable, serialized("a.B: it broke", "a.B: it broke\n", "a.B"));
    }
}
