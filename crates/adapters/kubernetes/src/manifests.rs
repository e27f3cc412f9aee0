//! Manifests from files, directories and standard input: YAML and JSON, several documents in a file.
//!
//! Each document is read by itself, so that one broken document hides no problem of the next, and within limits, so
//! that no document grows when it is read. A problem points at file, line and column.

mod slip;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use kobel_model::{Error, ErrorKind, Result};
use serde_json::Value;

/// The largest document, in bytes; the API takes no larger request.
const DOCUMENT_BYTES_MAX: usize = 3 * 1024 * 1024;
/// The largest file, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The most values that aliases of one document may add.
const ALIAS_EVENTS_MAX: usize = 20_000;
/// How deep directories are read; deeper ones are a link that leads back.
const DIRECTORY_DEPTH_MAX: usize = 32;
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// Where a manifest stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, or `standard input`.
    pub file: String,
    /// Which document of the file, from 1.
    pub document: usize,
    /// The line on which the document begins, from 1.
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
}

/// Reads what the sources hold: files, directories with everything below them, `-` for standard input.
///
/// The answer is every manifest that could be read and every problem with the others.
pub fn read(sources: &[PathBuf]) -> (Vec<Manifest>, Vec<Error>) {
    let (mut manifests, mut problems) = (Vec::new(), Vec::new());
    for source in sources {
        match files_of(source) {
            Ok(files) => {
                for file in files {
                    match text_of(&file) {
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
        let named: Vec<String> = sources.iter().map(|source| format!("`{}`", source.display())).collect();
        problems.push(
            Error::new(ErrorKind::Missing, format!("there is no manifest in {}", named.join(", "))).with_hint(
                "a manifest begins with `apiVersion:` and `kind:`; of a directory the files *.yaml, *.yml and \
                     *.json are read",
            ),
        );
    }
    (manifests, problems)
}

/// Reads the documents of one text.
pub fn parse(file: &str, text: &str) -> (Vec<Manifest>, Vec<Error>) {
    let (mut manifests, mut problems) = (Vec::new(), Vec::new());
    for (number, (line, document)) in documents(text).into_iter().enumerate() {
        let place = Place { file: file.to_owned(), document: number + 1, line };
        match value_of(&place, &document) {
            Ok(Value::Null) => {}
            Ok(value) => expand(&place, value, &mut manifests, &mut problems),
            Err(error) => problems.push(error),
        }
    }
    (manifests, problems)
}

/// The files of a source, in the order of their names.
fn files_of(source: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if source != Path::new("-") && source.is_dir() {
        walk(source, 0, &mut files)?;
    } else {
        files.push(source.to_owned());
    }
    Ok(files)
}

fn walk(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    if depth > DIRECTORY_DEPTH_MAX {
        return Err(Error::invalid(format!(
            "`{}` is more than {DIRECTORY_DEPTH_MAX} directories deep",
            directory.display()
        )));
    }
    let cannot_read = |error| Error::io(format!("cannot read the directory `{}`", directory.display()), error);
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory).map_err(cannot_read)? {
        entries.push(entry.map_err(cannot_read)?.path());
    }
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, depth + 1, files)?;
        } else if path.extension().and_then(|end| end.to_str()).is_some_and(|end| EXTENSIONS.contains(&end)) {
            files.push(path);
        }
    }
    Ok(())
}

/// The text of a file with the name that messages give it.
fn text_of(path: &Path) -> Result<(String, String)> {
    let mut bytes = Vec::new();
    let (name, read) = if path == Path::new("-") {
        ("standard input".to_owned(), std::io::stdin().lock().take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
    } else {
        let name = path.display().to_string();
        let opened = fs::File::open(path);
        (name, opened.and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)))
    };
    read.map_err(|error| Error::io(format!("cannot read `{name}`"), error))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let limit = FILE_BYTES_MAX / (1024 * 1024);
        return Err(
            Error::invalid(format!("`{name}` is larger than {limit} MiB")).with_hint("split it into several files")
        );
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes().iter().take(error.utf8_error().valid_up_to()).filter(|byte| **byte == b'\n').count();
        Error::invalid(format!("`{name}`:{} is not UTF-8 text", line + 1))
    })?;
    Ok((name, text))
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
    document.lines().all(|line| {
        let line = if is_marker(line, "---") { line.trim_start_matches('-') } else { line };
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line.starts_with('%')
    })
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
        told(place, document, &slip::explain(document, message, line, number(at.as_ref().map(|at| at.column()))))
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
fn expand(place: &Place, value: Value, manifests: &mut Vec<Manifest>, problems: &mut Vec<Error>) {
    let is_list = value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    match value {
        Value::Object(mut object) if is_list && object.contains_key("items") => match object.remove("items") {
            Some(Value::Array(items)) => {
                for item in items {
                    add(place, item, manifests, problems);
                }
            }
            Some(Value::Null) => {}
            _ => problems.push(Error::invalid(format!("{place}: `items` is not a list"))),
        },
        other => add(place, other, manifests, problems),
    }
}

fn add(place: &Place, value: Value, manifests: &mut Vec<Manifest>, problems: &mut Vec<Error>) {
    match identify(place, value) {
        Ok(manifest) => manifests.push(manifest),
        Err(error) => problems.push(error),
    }
}

/// Reads which object a manifest is.
fn identify(place: &Place, value: Value) -> Result<Manifest> {
    if !value.is_object() {
        return Err(Error::invalid(format!("{place}: document {} is not an object", place.document))
            .with_hint("a manifest begins with `apiVersion:` and `kind:`"));
    }
    let mut missing = Vec::new();
    let mut wanted = |path: &str| match value.pointer(path).map(|found| found.as_str()) {
        Some(Some(text)) if !text.is_empty() => text.to_owned(),
        Some(None) if !value.pointer(path).is_some_and(Value::is_null) => {
            missing.push(format!("`{}` is not a text", path.trim_start_matches('/').replace('/', ".")));
            String::new()
        }
        _ => {
            missing.push(format!("`{}` is missing", path.trim_start_matches('/').replace('/', ".")));
            String::new()
        }
    };
    let (api_version, kind, name) = (wanted("/apiVersion"), wanted("/kind"), wanted("/metadata/name"));
    let namespace = match value.pointer("/metadata/namespace") {
        None | Some(Value::Null) => None,
        Some(_) => Some(wanted("/metadata/namespace")),
    };
    if !missing.is_empty() {
        let message = format!("{place}: document {}: {}", place.document, missing.join(", "));
        return Err(Error::invalid(message).with_hint(
            "a manifest has the texts `apiVersion`, `kind` and, below `metadata`, `name`; a number is a text in quotes",
        ));
    }
    Ok(Manifest { place: place.clone(), api_version, kind, name, namespace, value })
}
