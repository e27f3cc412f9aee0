//! What is installed: a `FLINK_HOME`, and in it a record of where it came from.
//!
//! The record is written before the folder gets its name, so a folder without one was not put there by us.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use kobel_model::deployment::FlinkVersion;
use kobel_model::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use crate::checksum::Checksum;
use crate::version::Release;

/// The folder in a distribution that holds what is ours.
pub(crate) const OWN_FOLDER: &str = "kobel";
/// The file in it that says where the distribution came from.
const RECORD: &str = "installation.json";

/// A distribution that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The release: `2.3.0`.
    pub version: String,
    /// The line of the release.
    pub line: FlinkVersion,
    /// The folder with `bin`, `conf` and `lib`.
    pub home: PathBuf,
    /// Where it came from: an address, a folder, a file, `pip`.
    pub from: String,
    /// The digests of the files that were fetched for it.
    pub checksums: Vec<Checksum>,
}

impl Installed {
    /// The options without which newer versions of Java run no job of this distribution, as its own settings name them.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn java_options(&self) -> Result<Option<String>> {
        for file in ["config.yaml", "flink-conf.yaml"] {
            let path = self.home.join("conf").join(file);
            if path.is_file() {
                let text = read(&path)?;
                // The one is nested, the other is not, and this is the only key of its name.
                let options = text
                    .lines()
                    .map(str::trim)
                    .find_map(|line| line.strip_prefix("all:").or_else(|| line.strip_prefix("env.java.opts.all:")));
                return Ok(options.map(|options| options.trim().to_owned()).filter(|options| !options.is_empty()));
            }
        }
        Ok(None)
    }

    /// Reads what is installed in a folder; nothing if nothing was installed there by us.
    pub(crate) fn read(home: &Path) -> Result<Option<Self>> {
        let path = home.join(OWN_FOLDER).join(RECORD);
        if !path.is_file() {
            return Ok(None);
        }
        let damaged = || Error::corrupt(format!("`{}` is damaged", path.display()));
        let record: Value = serde_json::from_str(&read(&path)?).map_err(|error| damaged().with_source(error))?;
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let version = text(&record, "version").ok_or_else(damaged)?;
        let release = Release::parse(&version).ok_or_else(damaged)?;
        let listed = record.get("checksums").and_then(Value::as_array).ok_or_else(damaged)?;
        let checksums: Option<Vec<Checksum>> = listed
            .iter()
            .map(|entry| Some(Checksum { file: text(entry, "file")?, digest: text(entry, "digest")? }))
            .collect();
        Ok(Some(Self {
            version,
            line: release.line,
            home: home.to_owned(),
            from: text(&record, "from").ok_or_else(damaged)?,
            checksums: checksums.ok_or_else(damaged)?,
        }))
    }

    /// The release.
    pub(crate) fn release(&self) -> Option<Release> {
        Release::parse(&self.version)
    }
}

/// Writes the record of a distribution into its folder.
///
/// # Errors
/// Those of the file system.
pub(crate) fn record(home: &Path, release: Release, from: &str, checksums: &[Checksum]) -> Result<()> {
    let listed: Vec<Value> =
        checksums.iter().map(|checksum| json!({"file": checksum.file, "digest": checksum.digest})).collect();
    let record = json!({"version": release.to_string(), "from": from, "checksums": listed});
    let folder = home.join(OWN_FOLDER);
    let failed = |error| Error::io(format!("cannot write to `{}`", folder.display()), error);
    fs::create_dir_all(&folder).map_err(failed)?;
    fs::write(folder.join(RECORD), format!("{record:#}\n")).map_err(failed)
}

/// Waits until every file of a folder has reached the disk.
///
/// # Errors
/// Those of the file system.
pub(crate) fn settle(folder: &Path) -> Result<()> {
    let failed = |error| Error::io(format!("cannot write out `{}`", folder.display()), error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            settle(&entry.path())?;
        } else {
            File::open(entry.path()).and_then(|file| file.sync_all()).map_err(failed)?;
        }
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

fn read(path: &Path) -> Result<String> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::InvalidData => {
            Error::new(ErrorKind::Corrupt, format!("`{}` is no text", path.display())).with_source(error)
        }
        _ => Error::io(format!("cannot read `{}`", path.display()), error),
    };
    fs::read_to_string(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(home: &Path, name: &str, text: &str) {
        let path = home.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let home = tempfile::tempdir().unwrap();
        assert!(Installed::read(home.path()).unwrap().is_none());
        let checksums = [Checksum { file: "flink.tgz".to_owned(), digest: "sha512:ab".to_owned() }];
        record(home.path(), Release::parse("1.20.5").unwrap(), "pip", &checksums).unwrap();
        settle(home.path()).unwrap();
        let found = Installed::read(home.path()).unwrap().unwrap();
        assert_eq!(found.version, "1.20.5");
        assert_eq!(found.line, FlinkVersion::V1_20);
        assert_eq!(found.from, "pip");
        assert_eq!(found.checksums, checksums);
        assert_eq!(found.home, home.path());
    }

    #[test]
    fn a_damaged_record_is_told() {
        let home = tempfile::tempdir().unwrap();
        for text in ["", "{}", r#"{"version": "two", "from": "pip", "checksums": []}"#, r#"{"version": "2.3.0"}"#] {
            write(home.path(), "kobel/installation.json", text);
            assert_eq!(Installed::read(home.path()).unwrap_err().kind(), ErrorKind::Corrupt, "{text}");
        }
    }

    #[test]
    fn options_of_java_are_those_of_the_distribution() {
        for (file, text, expected) in [
            ("conf/config.yaml", "env:\n  java:\n    opts:\n      all: --add-opens=a --b\n", Some("--add-opens=a --b")),
            ("conf/config.yaml", "rest:\n  port: 1\n", None),
            ("conf/flink-conf.yaml", "env.java.opts.all: --add-opens=a\n", Some("--add-opens=a")),
            ("conf/other.yaml", "", None),
        ] {
            let home = tempfile::tempdir().unwrap();
            write(home.path(), file, text);
            record(home.path(), Release::parse("2.3.0").unwrap(), "pip", &[]).unwrap();
            let found = Installed::read(home.path()).unwrap().unwrap();
            assert_eq!(found.java_options().unwrap().as_deref(), expected, "{text}");
        }
    }
}
