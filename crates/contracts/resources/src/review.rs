//! What a review of an object finds: why it is refused, and what the person should know although it is not.
//!
//! The embedded API and the webhook of a cluster ask here, so both say the same of the same object.

use kobel_model::deployment::Substrate;
use serde_json::Value;

use crate::problem::Problem;
use crate::read::{Context, read, refused};

/// What a review of an object finds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Review {
    /// Why it is refused; empty if it is not.
    pub problems: Vec<Problem>,
    /// What the person should know although it is accepted.
    pub warnings: Vec<String>,
}

impl Review {
    /// Reviews an object of a Flink kind: it is read as it will be when it is run.
    pub fn of(object: &Value, context: &Context<'_>) -> Self {
        Self::on(Substrate::Local, object, context)
    }

    /// The same where it is run on this substrate, which may refuse what another carries out.
    pub fn on(substrate: Substrate, object: &Value, context: &Context<'_>) -> Self {
        match read(object, context) {
            Ok(reading) => {
                let problems = refused(&reading.declared, substrate, context.defaults);
                Self { problems, warnings: reading.warnings }
            }
            Err(problems) => Self { problems, warnings: Vec::new() },
        }
    }

    /// The same review after others have found `before`: of a field of which they complain it says nothing more.
    #[must_use]
    pub fn after(self, mut before: Vec<Problem>) -> Self {
        let is_news = |problem: &Problem| before.iter().all(|known| known.path != problem.path);
        let news: Vec<Problem> = self.problems.into_iter().filter(is_news).collect();
        before.extend(news);
        Self { problems: before, warnings: self.warnings }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn review(spec: &Value) -> Review {
        let object = json!({
            "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
            "metadata": {"name": "app", "namespace": "ns"}, "spec": spec,
        });
        Review::of(&object, &Context { previous: None, find: &|_, _| None, defaults: &BTreeMap::new() })
    }

    #[test]
    fn an_object_is_read_as_it_will_be_when_it_is_run() {
        assert!(!review(&json!({})).problems.is_empty());
        let spec = json!({"flinkVersion": "v1_18", "job": {"jarURI": "local:///srv/app.sql"}});
        let found = review(&spec);
        assert!(found.problems.is_empty(), "{found:?}");
        assert_eq!(found.warnings, ["spec.flinkVersion: Flink 1.18 is deprecated; use `v1_19` or later"]);
    }

    #[test]
    fn a_field_is_complained_of_once() {
        let problem = |path: &str, detail: &str| Problem::forbidden(path, detail);
        let found = Review {
            problems: vec![problem("spec.a", "by the review"), problem("spec.b", "by the review")],
            warnings: vec!["a word".to_owned()],
        };
        let told = found.after(vec![problem("metadata.name", "before"), problem("spec.a", "before")]);
        let texts: Vec<String> = told.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            ["metadata.name: Forbidden: before", "spec.a: Forbidden: before", "spec.b: Forbidden: by the review"]
        );
        assert_eq!(told.warnings, ["a word"]);
    }
}
