//! The answer to a request that failed.
//!
//! Invariant: there is one body for all failures; the status code of the response tells them apart.

use serde::{Deserialize, Serialize};

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ErrorResponseBody {
    /// The messages, the most general one first.
    pub errors: Vec<String>,
}

impl ErrorResponseBody {
    /// Returns a body with one message.
    pub fn of(message: impl Into<String>) -> Self {
        Self { errors: vec![message.into()] }
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorResponseBody;
    use crate::round_trip::{printed_back, refusal};

    #[test]
    fn an_error_is_a_list_of_messages() {
        let body: ErrorResponseBody = printed_back(r#"{"errors":["Unable to load requested file /nope."]}"#);
        assert_eq!(body, ErrorResponseBody::of("Unable to load requested file /nope."));
        assert!(refusal::<ErrorResponseBody>("{}").contains("errors"));
    }
}
