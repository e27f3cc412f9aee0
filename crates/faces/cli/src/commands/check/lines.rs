//! On which line of its document a field stands.
//!
//! The lines are read as people lay out YAML and JSON: one field a line, what belongs to it further to the right. What
//! is written on one line has the line of its beginning. A layout that is not understood has no line.

use super::steps::Step;

/// A line of which only the text after its indentation counts.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    /// From 1.
    number: usize,
    indent: usize,
    text: &'a str,
}

/// The line of what the steps lead to, from 1: that of the innermost field that has a line of its own.
pub(super) fn line_of(document: &str, steps: &[Step]) -> Option<usize> {
    let lines = document.lines().enumerate().map(|(index, line)| {
        let text = line.trim_start();
        Line { number: index + 1, indent: line.len() - text.len(), text: text.trim_end() }
    });
    let mut block: Vec<Line<'_>> = lines.filter(|line| !is_silent(line.text)).collect();
    // The fields of a list are not those of its items.
    let top = block.first()?.indent;
    if block.iter().any(|line| line.indent == top && after_key(line.text, "items").is_some()) {
        return None;
    }
    let mut found = None;
    for step in steps {
        let Some((number, inner)) = descend(&block, step) else {
            break;
        };
        found = Some(number);
        block = inner;
    }
    found
}

/// The line that a step leads to, with the lines of what is inside.
fn descend<'a>(block: &[Line<'a>], step: &Step) -> Option<(usize, Vec<Line<'a>>)> {
    let indent = block.first()?.indent;
    let mut entries = 0;
    for (index, line) in block.iter().enumerate().filter(|(_, line)| line.indent == indent) {
        let rest = match step {
            Step::Field(name) => after_key(line.text, name),
            Step::Entry(wanted) => after_dash(line.text).filter(|_| {
                entries += 1;
                entries == *wanted + 1
            }),
        };
        let Some(rest) = rest else {
            continue;
        };
        let is_field = matches!(step, Step::Field(_));
        let mut inner = Vec::new();
        if !is_field && !rest.is_empty() {
            inner.push(Line { number: line.number, indent: indent + line.text.len() - rest.len(), text: rest });
        }
        let later = block.get(index + 1..).unwrap_or_default().iter();
        // The entries of a list may stand right below its name.
        inner.extend(later.copied().take_while(|later| {
            later.indent > indent || (is_field && later.indent == indent && after_dash(later.text).is_some())
        }));
        return Some((line.number, inner));
    }
    None
}

/// What follows the name of a field, if the line begins with that field.
fn after_key<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let quoted = |quote: char| line.strip_prefix(quote)?.strip_prefix(name)?.strip_prefix(quote);
    let rest = line.strip_prefix(name).or_else(|| quoted('"')).or_else(|| quoted('\''))?;
    let rest = rest.trim_start().strip_prefix(':')?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| rest.trim_start())
}

/// What follows the dash of an entry, if the line begins with one.
fn after_dash(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('-')?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| rest.trim_start())
}

/// Whether a line holds nothing that a step leads to: nothing at all, a comment, brackets.
fn is_silent(text: &str) -> bool {
    text.starts_with('#') || text.chars().all(|letter| "{}[],".contains(letter))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::steps::walk;
    use super::*;

    const DOCUMENT: &str = "
# An application.
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: {name: orders}
spec:
  flinkConfiguration:
    a.b: |
      job: not this
  # job: nor this
  job:
    args:
    - first
    - --second
    'parallelism' : two
    inner: {a: 1,
      b: 2}
  volumes:
    - name: x
      path: /x
    -
      name: y
";

    #[test]
    fn a_field_has_the_line_that_it_is_written_on() {
        let object = json!({
            "metadata": {"name": "orders"},
            "spec": {
                "flinkConfiguration": {"a.b": "job: not this"},
                "job": {"args": ["first", "--second"], "parallelism": "two", "inner": {"a": 1, "b": 2}},
                "volumes": [{"name": "x", "path": "/x"}, {"name": "y"}],
            },
        });
        for (path, expected) in [
            ("metadata.name", Some(5)),
            ("spec", Some(6)),
            ("spec.flinkConfiguration[a.b]", Some(8)),
            ("spec.job", Some(11)),
            ("spec.job.args", Some(12)),
            ("spec.job.args[1]", Some(14)),
            ("spec.job.parallelism", Some(15)),
            ("spec.job.inner.a", Some(16)),
            ("spec.volumes[0].path", Some(20)),
            ("spec.volumes[1].name", Some(22)),
            ("status", None),
        ] {
            assert_eq!(line_of(DOCUMENT, &walk(&object, path).0), expected, "{path}");
        }
    }

    #[test]
    fn json_with_a_field_a_line_is_understood_and_a_list_is_not() {
        let steps = walk(&json!({"spec": {"job": {"parallelism": 1}}}), "spec.job.parallelism").0;
        let text =
            "{\n  \"kind\": \"A\",\n  \"spec\": {\n    \"job\": {\n      \"parallelism\": \"two\"\n    }\n  }\n}\n";
        assert_eq!(line_of(text, &steps), Some(5));
        let list = "kind: List\nspec: {}\nitems:\n- kind: A\n  spec: {job: {parallelism: two}}\n";
        assert_eq!(line_of(list, &steps), None);
        for strange in ["", "{\"spec\": {\"job\": {\"parallelism\": 1}}}\n", "? spec\n: job\n"] {
            assert_eq!(line_of(strange, &steps), None, "{strange}");
        }
    }
}
