//! The data directory: where it is, and that nobody else may read it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

use kobel_apiserver::embedded::STORE_FILE;
use kobel_model::{Error, ErrorKind, Result};

/// The data directory that is meant: the one that was asked for, else that of the environment.
pub(crate) fn directory(asked: Option<&Path>) -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    choose(asked, &variable)
}

/// Makes the directory if it is not there; only its owner may enter it.
///
/// # Errors
/// Those of the file system.
pub(crate) fn prepare(asked: Option<&Path>) -> Result<PathBuf> {
    let Some(directory) = directory(asked) else {
        return Err(Error::new(ErrorKind::Missing, "there is no place for the data: `HOME` is not set")
            .with_hint("name one with `--data-dir`"));
    };
    let cannot_make = |error: io::Error| {
        let advice = "name another directory with `--data-dir`, such as `kobel up --data-dir ~/kobel`";
        Error::io(format!("cannot make the data directory `{}`", directory.display()), error).with_hint(advice)
    };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(&directory).map_err(cannot_make)?;
    let directory = fs::canonicalize(&directory).map_err(cannot_make)?;
    writable(&directory)?;
    Ok(directory)
}

/// Makes sure that files can be made in a directory.
fn writable(directory: &Path) -> Result<()> {
    let probe = directory.join(format!(".kobel-{}", std::process::id()));
    fs::write(&probe, "").and_then(|()| fs::remove_file(&probe)).map_err(|error| {
        Error::io(format!("cannot write to the data directory `{}`", directory.display()), error).with_hint(
            "make it writable for you, or name another with `--data-dir`, such as `kobel up --data-dir ~/kobel`",
        )
    })
}

/// The data directory whose API a kubeconfig is for, unless it is `usual`: the one that is meant where none is named.
pub(crate) fn of_kubeconfig(files: &[PathBuf], usual: Option<&Path>) -> Option<PathBuf> {
    let directory = files.iter().find_map(|file| {
        let file = fs::canonicalize(file).ok()?;
        let directory = file.parent()?;
        (file.ends_with("kubeconfig") && directory.join(STORE_FILE).is_file()).then(|| directory.to_owned())
    })?;
    let is_usual = usual.and_then(|usual| fs::canonicalize(usual).ok()).is_some_and(|usual| usual == directory);
    (!is_usual).then_some(directory)
}

fn choose(asked: Option<&Path>, variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(asked) = asked {
        return Some(asked.to_owned());
    }
    if let Some(own) = variable("KOBEL_DATA_DIR") {
        return Some(PathBuf::from(own));
    }
    // A relative path in this variable is not valid and is ignored, as its specification wants.
    let shared = variable("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let shared = shared.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    shared.map(|path| path.join("kobel"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_beside_a_store_is_that_of_a_data_directory() {
        let root = tempfile::tempdir().unwrap();
        let data = fs::canonicalize(root.path()).unwrap();
        let files = [data.join("kubeconfig")];
        fs::write(&files[0], "").unwrap();
        assert_eq!(of_kubeconfig(&files, None), None, "there is no store");
        fs::write(data.join(STORE_FILE), "").unwrap();
        assert_eq!(of_kubeconfig(&files, None), Some(data.clone()));
        assert_eq!(of_kubeconfig(&files, Some(Path::new("/nowhere"))), Some(data.clone()));
        assert_eq!(of_kubeconfig(&files, Some(&data)), None, "it need not be named");
        assert_eq!(of_kubeconfig(&[data.join(STORE_FILE)], None), None);
    }

    #[test]
    fn a_place_that_cannot_be_used_is_told_with_another() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        for place in [file.clone(), file.join("below")] {
            let error = prepare(Some(&place)).unwrap_err();
            assert!(error.hint().is_some_and(|hint| hint.contains("--data-dir ~/kobel")), "{error:?}");
        }
        assert!(prepare(Some(&root.path().join("new"))).is_ok());
        assert_eq!(fs::read_dir(root.path().join("new")).unwrap().count(), 0, "nothing is left behind");
    }

    #[test]
    fn the_nearest_place_wins() {
        let all: &[(&str, &str)] = &[("KOBEL_DATA_DIR", "own"), ("XDG_DATA_HOME", "/xdg"), ("HOME", "/users/a")];
        for (asked, set, expected) in [
            (Some("asked"), all, Some("asked")),
            (None, all, Some("own")),
            (None, &all[1..], Some("/xdg/kobel")),
            (None, &[("XDG_DATA_HOME", "relative"), ("HOME", "/users/a")], Some("/users/a/.local/share/kobel")),
            (None, &[], None),
        ] {
            let variable =
                |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
            let found = choose(asked.map(Path::new), &variable);
            assert_eq!(found.as_deref(), expected.map(Path::new));
        }
    }
}
