//! The script: where its text comes from, its statements, and how an error in it is shown.

use std::error::Error as StdError;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use kobel_model::{Error, Result};
use kobel_sql::ast::Statement;
use kobel_sql::error::SqlError;
use kobel_sql::parser::parse_script;

use crate::args::RunArguments;
use crate::commands::nearby;

/// The largest script that is read.
const BYTES_MAX: u64 = 16 << 20;

/// A script as it was given.
pub(crate) struct Script {
    /// What errors call it.
    pub(crate) name: String,
    /// What its checkpoints are filed under.
    pub(crate) stem: String,
    /// Its text.
    pub(crate) text: String,
}

impl Script {
    /// Reads what the command line names.
    ///
    /// # Errors
    /// Missing or Denied if it cannot be read, Invalid if it is no script.
    pub(crate) fn read(arguments: &RunArguments) -> Result<Self> {
        let Some(path) = &arguments.script else {
            let text = arguments.sql.clone().unwrap_or_default();
            return Ok(Self { name: "<sql>".to_owned(), stem: "inline".to_owned(), text });
        };
        if path.as_os_str() == "-" {
            let bytes = read_limited(std::io::stdin().lock(), "<stdin>")?;
            return Ok(Self { name: "<stdin>".to_owned(), stem: "stdin".to_owned(), text: decode(bytes, "<stdin>")? });
        }
        let name = path.display().to_string();
        let stem = path.file_stem().map_or_else(|| "script".to_owned(), |stem| stem.to_string_lossy().into_owned());
        let text = decode(read_file(path, &name)?, &name)?;
        Ok(Self { name, stem, text })
    }

    /// All statements; a syntax error anywhere is found before anything runs.
    ///
    /// # Errors
    /// Invalid or Unsupported, showing the place.
    pub(crate) fn statements(&self) -> Result<Vec<Statement>> {
        parse_script(&self.text).map_err(|error| self.error(&error))
    }

    /// An error one of whose causes has a place in the script, shown there; any other error as it is.
    pub(crate) fn placed(&self, error: Error) -> Error {
        let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
        while let Some(one) = cause {
            if let Some(placed) = one.downcast_ref::<SqlError>() {
                return self.error(placed);
            }
            cause = one.source();
        }
        error
    }

    /// The error of a script in which nothing runs.
    pub(crate) fn idle(&self) -> Error {
        Error::invalid(format!("`{}` has no job: no `INSERT INTO` and no query", self.name))
            .with_hint("add one, such as `INSERT INTO target SELECT * FROM source;`")
    }

    /// An error at its place in the script.
    pub(crate) fn error(&self, error: &SqlError) -> Error {
        error.render(&self.name, &self.text)
    }
}

fn read_file(path: &Path, name: &str) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| {
        let is_missing = error.kind() == std::io::ErrorKind::NotFound;
        let error = Error::io(format!("cannot read script `{name}`"), error);
        if is_missing { error.with_hint(nearby::hint(path)) } else { error }
    };
    if fs::metadata(path).map_err(failed)?.is_dir() {
        let message = format!("cannot read script `{name}`: it is a directory");
        return Err(Error::invalid(message).with_hint("name a file with SQL statements"));
    }
    if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
        let message = format!("cannot run `{name}`: it is a manifest and no script");
        return Err(Error::invalid(message).with_hint(format!("a manifest is applied: `kobel apply -f {name}`")));
    }
    read_limited(File::open(path).map_err(failed)?, name)
}

fn read_limited(source: impl Read, name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = source.take(BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| Error::io(format!("cannot read script `{name}`"), error))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(Error::invalid(format!("script `{name}` is larger than {} MiB", BYTES_MAX >> 20)));
    }
    Ok(bytes)
}

fn decode(bytes: Vec<u8>, name: &str) -> Result<String> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
        Error::invalid(format!("script `{name}` is not UTF-8: byte {at} (line {line}) belongs to no character"))
    })?;
    // Editors of some systems put a byte order mark in front.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_not_utf8_is_refused_with_its_place() {
        let error = decode(b"SELECT 1;\nSELECT '\xff'".to_vec(), "a.sql").expect_err("no UTF-8");
        assert_eq!(error.to_string(), "script `a.sql` is not UTF-8: byte 18 (line 2) belongs to no character");
        assert_eq!(decode("\u{feff}SELECT 1".into(), "a.sql").expect("text"), "SELECT 1");
    }

    #[test]
    fn a_huge_script_is_refused_without_being_read() {
        let error = read_limited(std::io::repeat(b' '), "a.sql").expect_err("endless");
        assert_eq!(error.to_string(), "script `a.sql` is larger than 16 MiB");
    }

    #[test]
    fn a_missing_file_is_reported_with_its_neighbour() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("delays.sql"), "").expect("a file");
        let path = directory.path().join("dleays.sql");
        let error = read_file(&path, "dleays.sql").expect_err("no file");
        assert!(error.hint().is_some_and(|hint| hint.ends_with("delays.sql`?")), "{error:?}");
        let manifest = directory.path().join("orders.yaml");
        fs::write(&manifest, "kind: FlinkDeployment").expect("a file");
        let error = read_file(&manifest, "orders.yaml").expect_err("a manifest");
        assert_eq!(error.hint(), Some("a manifest is applied: `kobel apply -f orders.yaml`"));
        let error = read_file(directory.path(), "here").expect_err("a directory");
        assert!(error.to_string().contains("it is a directory"), "{error:?}");
    }
}
