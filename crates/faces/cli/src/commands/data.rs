//! The data directory: where it is, and that nobody else may read it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

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
    let cannot_make = |error| Error::io(format!("cannot make the data directory `{}`", directory.display()), error);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(&directory).map_err(cannot_make)?;
    fs::canonicalize(&directory).map_err(cannot_make)
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
