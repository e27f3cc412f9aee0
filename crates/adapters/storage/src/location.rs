//! How the place of a directory is written: as a path or as a `file:` address.

use std::path::PathBuf;

use kobel_model::{Error, Result};

/// The directory that `key` names, as a path or as a `file:` address.
///
/// # Errors
/// Unsupported if it lies on no local file system, Invalid if it is empty.
pub fn local_path(key: &str, text: &str) -> Result<PathBuf> {
    let text = text.trim();
    let path = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => {
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            if !path.starts_with('/') {
                let message = format!("cannot use `{text}` for `{key}`: a file address needs an absolute path");
                return Err(Error::invalid(message).with_hint("write `file:///…`, or a path without `file:`"));
            }
            path
        }
        Some((scheme, _)) if is_scheme(scheme) => {
            let message = format!("cannot use `{text}` for `{key}`: `{scheme}` is not supported by the native engine");
            return Err(Error::unsupported(message).with_hint("use a local directory, as a path or as `file:///…`"));
        }
        _ => text.strip_prefix("file:").unwrap_or(text),
    };
    if path.is_empty() {
        return Err(Error::invalid(format!("`{key}` must name a directory, got an empty path")));
    }
    Ok(PathBuf::from(path))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_local() {
        for (text, expected) in [
            ("a/b", "a/b"),
            ("/a", "/a"),
            ("file:///a/b", "/a/b"),
            ("file://localhost/a", "/a"),
            ("file:/a", "/a"),
            ("C:\\a", "C:\\a"),
        ] {
            assert_eq!(local_path("k", text).expect(text), PathBuf::from(expected));
        }
        for text in ["", "s3://a/b", "file://host/a", "oss://a"] {
            assert!(local_path("k", text).is_err(), "{text}");
        }
    }
}
