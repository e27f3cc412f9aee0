//! How an object that breaks rules is refused: one text of all problems, and each of them as a cause.
//!
//! # Source
//! `NewInvalid` of apimachinery (`pkg/api/errors`): `kubectl` and controllers read these words.

use serde_json::{Value, json};

use crate::problem::Problem;

/// What the `Status` of a refusal says.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What a person reads.
    pub message: String,
    /// Which object it is, and every problem by itself.
    pub details: Value,
}

impl Refusal {
    /// The HTTP code of such a refusal.
    pub const CODE: u16 = 422;
    /// The word that clients match on.
    pub const REASON: &'static str = "Invalid";

    /// Refuses an object of a kind of `group`, which is empty for the core group.
    pub fn of(kind: &str, group: &str, name: &str, problems: &[Problem]) -> Self {
        let listed: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let text = match listed.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let causes: Vec<Value> = problems
            .iter()
            .map(|problem| json!({"reason": problem.kind.cause(), "message": problem.message(), "field": problem.path}))
            .collect();
        let mut details = json!({"name": name});
        if !group.is_empty() {
            details["group"] = json!(group);
        }
        details["kind"] = json!(kind);
        details["causes"] = json!(causes);
        Self { message: format!("{qualified} \"{name}\" is invalid: {text}"), details }
    }

    /// The whole `Status`, as it stands in the answer of a webhook.
    pub fn status(&self) -> Value {
        json!({
            "status": "Failure", "message": self.message, "reason": Self::REASON, "details": self.details,
            "code": Self::CODE,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_reads_as_that_of_the_api_server() {
        let one = [Problem::required("spec.job", "a session job has one")];
        let two = [Problem::required("spec.a", ""), Problem::forbidden("spec.b", "no")];
        for (kind, group, problems, message) in [
            (
                "FlinkSessionJob",
                "flink.apache.org",
                &one[..],
                "FlinkSessionJob.flink.apache.org \"x\" is invalid: spec.job: Required value: a session job has one",
            ),
            ("Pod", "", &two[..], "Pod \"x\" is invalid: [spec.a: Required value, spec.b: Forbidden: no]"),
        ] {
            let refusal = Refusal::of(kind, group, "x", problems);
            assert_eq!(refusal.message, message);
            assert_eq!(refusal.details["group"].as_str().unwrap_or_default(), group);
            assert_eq!(refusal.details["causes"].as_array().map(Vec::len), Some(problems.len()));
            assert_eq!(refusal.status()["message"], message);
        }
        let causes = Refusal::of("FlinkSessionJob", "flink.apache.org", "x", &one).details["causes"].clone();
        assert_eq!(
            causes,
            json!([{
                "reason": "FieldValueRequired", "message": "Required value: a session job has one",
                "field": "spec.job",
            }])
        );
    }
}
