//! Differences between answers, and the tables of those that are as they should be.
//!
//! A table has a line for each: endpoint, path, what differs, reason, with tabs between. `*` is every endpoint, and a
//! path that begins with `*` is every path that ends so. Invariant: a line that nothing needs is an error too.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::shape::Shape;
use crate::side::{Answer, Answers, Label};

/// Something that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What was asked, and when.
    pub(crate) label: Label,
    /// Where in the answer; empty if it is about the answer as a whole.
    pub(crate) path: String,
    /// What differs.
    pub(crate) what: String,
}

/// A line of a table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    endpoint: String,
    path: String,
    what: String,
    reason: String,
}

/// What a comparison of many answers has found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Everything that differs.
    pub(crate) differences: Vec<Difference>,
    /// What only one side had an example of.
    pub(crate) unseen: BTreeSet<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Label { state, line } = &self.label;
        write!(f, "{}\t{}\t{}\t({state}: `{line}`)", self.label.endpoint(), self.path, self.what)
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {} ({})", self.endpoint, self.path, self.what, self.reason)
    }
}

/// Reads a table.
pub(crate) fn read(table: &str) -> Vec<Listed> {
    let lines = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(Listed::read).collect()
}

impl Listed {
    fn read(line: &str) -> Self {
        let cells: Vec<&str> = line.split('\t').collect();
        let [endpoint, path, what, reason] = cells[..] else { panic!("no four cells in `{line}`") };
        assert!(!endpoint.is_empty() && !what.is_empty() && !reason.is_empty(), "an empty cell in `{line}`");
        Self { endpoint: endpoint.into(), path: path.into(), what: what.into(), reason: reason.into() }
    }

    /// Whether a difference is the one of this line.
    pub(crate) fn covers(&self, found: &Difference) -> bool {
        let is_path = match self.path.strip_prefix('*') {
            Some(end) => found.path.ends_with(end),
            None => found.path == self.path,
        };
        let is_endpoint = self.endpoint == "*" || self.endpoint == found.label.endpoint();
        is_path && is_endpoint && self.what == found.what
    }
}

/// Fails with a table of what is listed nowhere, and of the lines of `needed` that nothing needs.
pub(crate) fn judge(found: &[Difference], needed: &[Listed], others: &[Listed]) -> Result<(), String> {
    let is_listed = |one: &&Difference| needed.iter().chain(others).any(|line| line.covers(one));
    let unlisted: Vec<&Difference> = found.iter().filter(|one| !is_listed(one)).collect();
    let needless: Vec<&Listed> = needed.iter().filter(|line| !found.iter().any(|one| line.covers(one))).collect();
    if unlisted.is_empty() && needless.is_empty() {
        return Ok(());
    }
    // The same difference of many requests to an endpoint is one row, with the first of them as the example.
    let mut rows: BTreeMap<(String, &str, &str), (usize, &Difference)> = BTreeMap::new();
    for one in unlisted {
        rows.entry((one.label.endpoint(), one.path.as_str(), one.what.as_str())).or_insert((0, one)).0 += 1;
    }
    let rows: Vec<String> = rows.values().map(|(count, one)| format!("{count} x\t{one}\n")).collect();
    let needless: Vec<String> = needless.iter().map(|line| format!("not needed: {line}\n")).collect();
    Err(format!("{} differences that are not listed:\n{}{}", rows.len(), rows.concat(), needless.concat()))
}

/// Compares all answers of one side with those of the other.
pub(crate) fn compare(ours: &Answers, theirs: &Answers) -> Found {
    let mut found = Found::default();
    for label in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        match (ours.get(label), theirs.get(label)) {
            (Some(ours), Some(theirs)) => found.add(label, ours, theirs),
            (Some(_), None) => found.difference(label, "", "asked of us alone"),
            _ => found.difference(label, "", "not asked of us"),
        }
    }
    found
}

impl Found {
    fn add(&mut self, label: &Label, ours: &Answer, theirs: &Answer) {
        if ours.status != theirs.status {
            // An answer of another kind has another shape; that would only say the same again.
            return self.difference(label, "", &format!("status {} instead of {}", ours.status, theirs.status));
        }
        if ours.content_type != theirs.content_type {
            let what = format!("content type `{}` instead of `{}`", ours.content_type, theirs.content_type);
            self.difference(label, "", &what);
        }
        self.add_shape(label, &ours.shape, &theirs.shape);
    }

    /// Compares the shapes alone.
    pub(crate) fn add_shape(&mut self, label: &Label, ours: &Shape, theirs: &Shape) {
        let comparison = ours.compare(theirs);
        for (path, what) in comparison.differences {
            self.difference(label, &path, &what);
        }
        let endpoint = label.endpoint();
        self.unseen.extend(comparison.unseen.iter().map(|path| format!("{endpoint} {path}")));
    }

    /// Adds a difference.
    pub(crate) fn difference(&mut self, label: &Label, path: &str, what: &str) {
        self.differences.push(Difference { label: label.clone(), path: path.to_owned(), what: what.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(line: &str, path: &str, what: &str) -> Difference {
        let label = Label { state: "running".to_owned(), line: line.to_owned() };
        Difference { label, path: path.to_owned(), what: what.to_owned() }
    }

    #[test]
    fn a_line_covers_its_own_difference_only() {
        let found = difference("GET /jobs/:jobid/vertices/:sink/metrics?get=a", ".a.b", "extra");
        let covers = |line: &str| read(line)[0].covers(&found);
        assert!(covers("GET /jobs/:jobid/vertices/:vertexid/metrics\t.a.b\textra\twhy"));
        assert!(covers("*\t*.b\textra\twhy"));
        for line in ["*\t.a\textra\twhy", "*\t*.b\tmissing\twhy", "GET /jobs/:jobid\t.a.b\textra\twhy"] {
            assert!(!covers(line), "{line}");
        }
    }

    #[test]
    fn what_is_not_listed_and_what_is_listed_for_nothing_are_errors() {
        let found = [difference("GET /a", ".x", "extra"), difference("GET /a", ".y", "missing")];
        let table = read("# endpoint\tpath\twhat\treason\nGET /a\t.x\textra\twhy\nGET /b\t.x\textra\twhy\n");
        let error = judge(&found, &table, &[]).unwrap_err();
        assert!(error.starts_with("1 differences") && error.contains("1 x\tGET /a\t.y\tmissing"), "{error}");
        assert!(error.contains("not needed") && error.contains("GET /b") && !error.contains(".x\textra"), "{error}");
        assert_eq!(judge(&found, &read("*\t.x\textra\twhy"), &read("*\t*\tmissing\twhy")), Ok(()));
    }
}
