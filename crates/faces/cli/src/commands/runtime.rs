//! `kobel runtime`: one application of the native engine as a process of its own, started by a controller.
//!
//! What it runs stands in files, so that no secret is seen in a list of processes. It answers Flink's REST API until it
//! is told to end, also after its job has ended, so that the end can be asked about.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use kobel_model::{Error, Result};

use super::run;
use crate::args::{Role, RunArguments, RuntimeArguments};
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// The most bytes of a configuration.
const BYTES_MAX: u64 = 1 << 20;

/// Runs the application and reports what goes wrong.
pub(crate) fn run(arguments: &RuntimeArguments) -> Exit {
    match configuration(&arguments.configuration) {
        Ok(settings) => run::run(&RunArguments {
            script: Some(arguments.script.clone()),
            settings: settings.into_iter().collect(),
            role: Role::Application,
            check: arguments.check.clone(),
            ..RunArguments::default()
        }),
        Err(error) => {
            Terminal::new(Verbosity::Normal).error(&error);
            Exit::Failed(error.kind())
        }
    }
}

/// Reads the configuration; what stands in it is not told, for it may hold secrets.
fn configuration(path: &Path) -> Result<BTreeMap<String, String>> {
    let what = format!("cannot read the configuration `{}`", path.display());
    let file = File::open(path).map_err(|error| Error::io(what.clone(), error))?;
    let reader = std::io::Read::take(file, BYTES_MAX);
    serde_json::from_reader(reader)
        .map_err(|error| Error::invalid(what).with_source(format!("no JSON object of texts at line {}", error.line())))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_configuration_is_an_object_of_texts_and_is_never_quoted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        fs::write(&path, r#"{"a.b": "c"}"#).unwrap();
        assert_eq!(configuration(&path).unwrap(), BTreeMap::from([("a.b".to_owned(), "c".to_owned())]));
        fs::write(&path, r#"{"s3.secret-key": hunter2}"#).unwrap();
        let error = configuration(&path).unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        assert!(configuration(&directory.path().join("none")).unwrap_err().to_string().contains("none"));
    }
}
