//! Artifacts that lie on this machine: they are used where they are.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use kobel_model::{Error, ErrorKind, Result};
use percent_encoding::percent_decode_str;

/// The file that a `local:` or `file:` address names; it is there and can be read.
///
/// # Errors
/// Invalid if the address names no absolute path or no file, Missing or Denied if the file cannot be read.
pub(super) fn path(uri: &str) -> Result<PathBuf> {
    let path = PathBuf::from(decoded(named(uri)?)?);
    let failed = |error| unreadable(&path, error);
    if !path.is_absolute() {
        let message = format!("cannot use the artifact `{}`: its path is not absolute", path.display());
        return Err(Error::invalid(message).with_hint("write `local:///…` or `file:///…`"));
    }
    if !fs::metadata(&path).map_err(failed)?.is_file() {
        return Err(Error::invalid(format!("cannot use the artifact `{}`: it is no file", path.display())));
    }
    readable(&path).map_err(failed)?;
    Ok(path)
}

fn readable(path: &Path) -> io::Result<()> {
    File::open(path).map(drop)
}

/// Why a file cannot be read, and what to do about it.
fn unreadable(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => {
            Error::new(ErrorKind::Missing, format!("there is no file `{}` on this machine", path.display()))
                .with_hint("put the program there, or correct `job.jarURI`, which names it")
        }
        io::ErrorKind::PermissionDenied => Error::io(format!("cannot read the artifact `{}`", path.display()), error)
            .with_hint("let the user read it that `kobel up` runs as"),
        _ => Error::io(format!("cannot read the artifact `{}`", path.display()), error),
    }
}

/// The path of an address, as it is written.
fn named(uri: &str) -> Result<&str> {
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    let location = rest.split(['?', '#']).next().unwrap_or_default();
    let Some(after) = location.strip_prefix("//") else {
        return Ok(location);
    };
    let (host, path) = after.split_at_checked(after.find('/').unwrap_or(after.len())).unwrap_or((after, ""));
    if host.is_empty() || host.eq_ignore_ascii_case("localhost") {
        return Ok(path);
    }
    let message = "cannot use the artifact: what follows `//` in its address is a host, and a file has none";
    Err(Error::invalid(message).with_hint("write three slashes: `local:///…` or `file:///…`"))
}

fn decoded(path: &str) -> Result<String> {
    let bytes = percent_decode_str(path).decode_utf8();
    let text = bytes.ok().filter(|text| !text.contains('\0'));
    text.map(String::from)
        .ok_or_else(|| Error::invalid(format!("cannot use the artifact `{path}`: its path is no text")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_in_every_spelling() {
        let directory = tempfile::tempdir().unwrap();
        let path_of_file = directory.path().join("a b.sql");
        fs::write(&path_of_file, "SELECT 1").unwrap();
        let text = path_of_file.to_str().unwrap().replace(' ', "%20");
        for uri in [
            format!("local://{text}"),
            format!("file://{text}"),
            format!("file:{text}"),
            format!("FILE://localhost{text}"),
            format!("file://{text}#part"),
        ] {
            assert_eq!(path(&uri).unwrap(), path_of_file, "for `{uri}`");
        }
    }

    #[test]
    fn what_is_no_readable_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path().display();
        for (uri, kind) in [
            (format!("file://{here}/absent.jar"), ErrorKind::Missing),
            (format!("file://{here}"), ErrorKind::Invalid),
            ("file:a.jar".to_owned(), ErrorKind::Invalid),
            ("local://opt/a.jar".to_owned(), ErrorKind::Invalid),
            ("file:///a%00.jar".to_owned(), ErrorKind::Invalid),
            ("file:///a%ff.jar".to_owned(), ErrorKind::Invalid),
            ("file:".to_owned(), ErrorKind::Invalid),
        ] {
            assert_eq!(path(&uri).unwrap_err().kind(), kind, "for `{uri}`");
        }
        let absent = path(&format!("file://{here}/absent.jar")).unwrap_err();
        assert_eq!(absent.to_string(), format!("there is no file `{here}/absent.jar` on this machine"));
        assert!(absent.hint().is_some_and(|hint| hint.contains("`job.jarURI`")));
        let message = path("file://me:hunter2@host/a.jar").unwrap_err();
        assert!(!format!("{message:?}").contains("hunter2"));
    }
}
