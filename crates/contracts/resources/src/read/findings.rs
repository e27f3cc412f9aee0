//! What is found while a manifest is read: problems and warnings.
//!
//! Nothing is said about a value that the schema has refused already.

use crate::problem::Problem;

/// What the path of a field of a spec begins with.
const SPEC: &str = "spec.";
/// What the path of a field of the spec within a pair begins with.
const TEMPLATE: &str = "spec.template.spec.";
/// The fields of the specs of all kinds, in the order in which manifests have them.
const FIELDS: [&str; 23] = [
    "configuration",
    "deploymentName",
    "image",
    "imagePullPolicy",
    "flinkVersion",
    "emrReleaseLabel",
    "executionRoleArn",
    "flinkConfiguration",
    "logConfiguration",
    "serviceAccount",
    "ingress",
    "mode",
    "podTemplate",
    "jobManager",
    "taskManager",
    "job",
    "restartNonce",
    "monitoringConfiguration",
    "template",
    "savepoint",
    "checkpoint",
    "jobReference",
    "backoffLimit",
];

/// Problems and warnings so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    warnings: Vec<String>,
    refused: Vec<String>,
}

impl Findings {
    /// Begins with what the schema says.
    pub(super) fn new(problems: Vec<Problem>, warnings: Vec<String>) -> Self {
        let refused = problems.iter().map(|problem| problem.path.clone()).collect();
        Self { problems, warnings, refused }
    }

    /// Adds a problem, unless the schema refused what stands there.
    pub(super) fn add(&mut self, problem: Problem) {
        let is_known = self.refused.iter().any(|refused| is_within(&problem.path, refused));
        if !is_known && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Adds a warning.
    pub(super) fn warn(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    /// Whether the schema refused something at, within or around `path`, so that its absence means nothing.
    pub(super) fn is_unclear(&self, path: &str) -> bool {
        self.refused.iter().any(|refused| is_within(path, refused) || is_within(refused, path))
    }

    /// The warnings, or every problem.
    ///
    /// Problems stand in the order in which the fields stand in a manifest; those of one field as they were found.
    pub(super) fn finish(mut self) -> Result<Vec<String>, Vec<Problem>> {
        if self.problems.is_empty() {
            return Ok(self.warnings);
        }
        self.problems.sort_by_key(|problem| rank(&problem.path));
        Err(self.problems)
    }
}

/// Where a path stands among the others: metadata, then the spec with its fields in their usual order.
fn rank(path: &str) -> usize {
    let Some(inner) = path.strip_prefix(TEMPLATE).or_else(|| path.strip_prefix(SPEC)) else {
        return 0;
    };
    let field = inner.split(['.', '[']).next().unwrap_or_default();
    1 + FIELDS.iter().position(|known| *known == field).unwrap_or(FIELDS.len())
}

/// Whether `path` is `outer` or leads through it.
fn is_within(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
