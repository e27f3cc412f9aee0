//! Manifests from files, directories and standard input: YAML and JSON, several documents in a file.
//!
//! Each document is read by itself, so that one broken document hides no problem of the next, and within limits, so
//! that no document grows when it is read. A problem points at file, line and column.

mod identity;
mod slip;
mod sources;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

use kobel_model::{Error, ErrorKind, Result};
use serde_json::Value;

/// The largest document, in bytes; the API takes no larger request.
const DOCUMENT_BYTES_MAX: usize = 3 * 1024 * 1024;
/// The most values that aliases of one document may add.
const ALIAS_EVENTS_MAX: usize = 20_000;

/// Where a manifest stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, or `standard input`.
    pub file: String,
    /// Which document of the file, from 1.
    pub document: usize,
    /// The line of the first field of the document, from 1; of a document that cannot be read, its first line.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One object as somebody wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Where it stands.
    pub place: Place,
    /// `group/version`.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`, if it is written.
    pub namespace: Option<String>,
    /// The whole object.
    pub value: Value,
    /// The lines of its document from `place` on; empty for an item of a list, which has none of its own.
    pub text: String,
}

/// A document as it is written, from its first field on.
struct Written {
    /// Where it stands.
    place: Place,
    /// Its lines from there on.
    fields: String,
}

/// Reads what the sources hold: files, directories with everything below them, `-` for standard input.
///
/// The answer is every manifest that could be read and every problem with the others.
pub fn read(sources: &[PathBuf]) -> (Vec<Manifest>, Vec<Error>) {
    let (mut manifests, mut problems) = (Vec::new(), Vec::new());
    for source in sources {
        match sources::files_of(source) {
            Ok(files) => {
                for file in files {
                    match sources::text_of(&file) {
                        Ok((name, text)) => {
                            let (read, wrong) = parse(&name, &text);
                            manifests.extend(read);
                            problems.extend(wrong);
                        }
                        Err(error) => problems.push(error),
                    }
                }
            }
            Err(error) => problems.push(error),
        }
    }
    if manifests.is_empty() && problems.is_empty() {
        let named: Vec<String> = sources.iter().map(|source| format!("`{}`", sources::name_of(source))).collect();
        problems.push(
            Error::new(ErrorKind::Missing, format!("there is no manifest in {}", named.join(", "))).with_hint(
                "a manifest begins with `apiVersion:` and `kind:`; of a directory the files *.yaml, *.yml and \
                     *.json are read, hidden ones and data directories aside",
            ),
        );
    }
    (manifests, problems)
}

/// Reads the documents of one text.
pub fn parse(file: &str, text: &str) -> (Vec<Manifest>, Vec<Error>) {
    let (mut manifests, mut problems) = (Vec::new(), Vec::new());
    for (number, (line, document)) in documents(text).into_iter().enumerate() {
        let begin = Place { file: file.to_owned(), document: number + 1, line };
        match value_of(&begin, &document) {
            Ok(Value::Null) => {}
            Ok(value) => {
                let silent = document.lines().take_while(|line| is_silent(line)).count();
                let fields: String = document.split_inclusive('\n').skip(silent).collect();
                let place = Place { line: begin.line + silent, ..begin };
                expand(&Written { place, fields }, value, &mut manifests, &mut problems);
            }
            Err(error) => problems.push(error),
        }
    }
    (manifests, problems)
}

/// Cuts a text at its document markers; each part comes with the line on which it begins.
///
/// A marker at the beginning of a line ends whatever the document holds, in block scalars too, so cutting is exact.
fn documents(text: &str) -> Vec<(usize, String)> {
    let mut documents = Vec::new();
    let (mut begin, mut current) = (1, String::new());
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let starts = is_marker(line, "---");
        if starts || is_marker(line, "...") {
            documents.push((begin, std::mem::take(&mut current)));
            begin = if starts { index + 1 } else { index + 2 };
        }
        if !is_marker(line, "...") {
            current.push_str(line);
        }
    }
    documents.push((begin, current));
    documents.retain(|(_, document)| !is_blank(document));
    documents
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Whether a document holds nothing but comments, directives and its marker.
fn is_blank(document: &str) -> bool {
    document.lines().all(is_silent)
}

/// Whether a line before the first field says nothing: a comment, a directive, a marker.
fn is_silent(line: &str) -> bool {
    let line = if is_marker(line, "---") { line.trim_start_matches('-') } else { line };
    let line = line.trim();
    line.is_empty() || line.starts_with('#') || line.starts_with('%')
}

fn value_of(place: &Place, document: &str) -> Result<Value> {
    if document.len() > DOCUMENT_BYTES_MAX {
        let limit = DOCUMENT_BYTES_MAX / (1024 * 1024);
        return Err(Error::invalid(format!("{place}: document {} is larger than {limit} MiB", place.document)));
    }
    let aliases = {
        let mut limits = serde_saphyr::options::AliasLimits::default();
        limits.max_total_replayed_events = ALIAS_EVENTS_MAX;
        limits
    };
    let options = serde_saphyr::options! {
        alias_limits: aliases,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        // `defaultMode: 0644` means what it means to kubectl.
        legacy_octal_numbers: true,
        with_snippet: false,
    };
    // In JSON a tab stands between tokens only; in YAML it may not indent.
    let is_json = document.trim_start().starts_with('{');
    let spaced = if is_json { document.replace('\t', " ") } else { String::new() };
    let text = if is_json { spaced.as_str() } else { document };
    serde_saphyr::from_str_with_options::<Value>(text, options).map_err(|error| {
        let at = error.location();
        let number = |number: Option<u64>| number.and_then(|number| usize::try_from(number).ok()).unwrap_or(1).max(1);
        let message = error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
        // The line that the parser tells counts from the document.
        let message = message.split(" at line ").next().unwrap_or_default();
        let line = number(at.as_ref().map(|at| at.line()));
        // What is no slip in JSON, such as a tab, is not blamed.
        told(place, document, &slip::explain(text, message, line, number(at.as_ref().map(|at| at.column()))))
    })
}

/// The error of a slip, with its line in the file.
fn told(place: &Place, document: &str, slip: &slip::Slip) -> Error {
    let line = place.line + slip.line - 1;
    let excerpt = slip::excerpt(document, slip, line).unwrap_or_default();
    let place = format!("{}:{line}:{}: document {}", place.file, slip.column, place.document);
    Error::invalid(format!("{place}: {}{excerpt}", slip.reason)).with_hint(slip.hint.as_str())
}

/// Takes an object, or the items of a list.
fn expand(written: &Written, value: Value, manifests: &mut Vec<Manifest>, problems: &mut Vec<Error>) {
    let place = &written.place;
    let is_list = value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    let mut add = |found: Result<Manifest>| match found {
        Ok(manifest) => manifests.push(manifest),
        Err(error) => problems.push(error),
    };
    match value {
        Value::Object(mut object) if is_list && object.contains_key("items") => match object.remove("items") {
            // The fields of the list are not those of its items, so these have no lines of their own.
            Some(Value::Array(items)) => items.into_iter().for_each(|item| add(identify(place, "", item))),
            Some(Value::Null) => {}
            _ => add(Err(Error::invalid(format!("{place}: `items` is not a list")))),
        },
        other => add(identify(place, &written.fields, other)),
    }
}

/// Reads which object a manifest is; `fields` are its lines, in which what is wrong is looked for.
fn identify(place: &Place, fields: &str, value: Value) -> Result<Manifest> {
    if !value.is_object() {
        return Err(Error::invalid(format!("{place}: document {} is not an object", place.document))
            .with_hint("a manifest begins with `apiVersion:` and `kind:`"));
    }
    let identity::Identity { api_version, kind, name, namespace } = identity::identity(&value).map_err(|gaps| {
        let line = gaps.first().and_then(|gap| identity::line_of(fields, &gap.place));
        let line = line.map_or(place.line, |line| place.line + line - 1);
        let said: Vec<&str> = gaps.iter().map(|gap| gap.said.as_str()).collect();
        Error::invalid(format!("{}:{line}: document {}: {}", place.file, place.document, said.join(", "))).with_hint(
            "a manifest has the texts `apiVersion`, `kind` and, below `metadata`, `name`; a number is a text in quotes",
        )
    })?;
    Ok(Manifest { place: place.clone(), api_version, kind, name, namespace, value, text: fields.to_owned() })
}
