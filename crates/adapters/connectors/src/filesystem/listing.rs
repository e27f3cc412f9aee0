//! Paths of tables, and the files in them.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use kobel_model::{Error, Result};

/// Directories nested deeper are taken for a loop of links.
const DEPTH_MAX: usize = 64;
/// Endings of compressed files, which Flink would unpack.
const COMPRESSED: [&str; 8] = ["gz", "gzip", "bz2", "xz", "zst", "deflate", "snappy", "lz4"];

/// A file and how many bytes of it are input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InputFile {
    /// The path as it is opened.
    pub path: String,
    /// Its length when it was listed; what is appended later is no input.
    pub length: u64,
}

/// The local path that the option `path` names.
///
/// # Errors
/// Why there is none.
pub(crate) fn local_path(text: &str) -> std::result::Result<PathBuf, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    let Some((scheme, rest)) = text.split_once(':') else { return Ok(PathBuf::from(text)) };
    let is_scheme = scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    match (scheme, rest.strip_prefix("//")) {
        // `file:///data` and `file:/data` both name `/data`.
        ("file", Some(path)) if path.starts_with('/') => Ok(PathBuf::from(path)),
        ("file", None) if rest.starts_with('/') => Ok(PathBuf::from(rest)),
        ("file", _) => Err("a `file:` path must be absolute and without a host".to_owned()),
        (_, Some(_)) if is_scheme => {
            Err(format!("scheme `{scheme}` is not supported by the native engine: expected a local path or `file:`"))
        }
        _ => Ok(PathBuf::from(text)),
    }
}

/// All files under `path`, or the file that it is, ordered by path. Names that start with `.` or `_` are left out.
///
/// # Errors
/// Missing or Denied if something cannot be listed, Unsupported if a file is compressed or none.
pub(crate) fn input_files(path: &Path) -> Result<Vec<InputFile>> {
    let metadata =
        fs::metadata(path).map_err(|error| Error::io(format!("cannot read input `{}`", path.display()), error))?;
    let mut files = Vec::new();
    if metadata.is_dir() {
        collect(path, 0, &mut files)?;
    } else {
        files.push(input_file(path, &metadata)?);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn collect(directory: &Path, depth: usize, files: &mut Vec<InputFile>) -> Result<()> {
    let describe = |path: &Path| format!("cannot list `{}`", path.display());
    if depth > DEPTH_MAX {
        return Err(Error::invalid(format!("directories under `{}` are nested too deeply", directory.display())));
    }
    let entries = fs::read_dir(directory).map_err(|error| Error::io(describe(directory), error))?;
    for entry in entries {
        let entry = entry.map_err(|error| Error::io(describe(directory), error))?;
        if is_hidden(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let path = entry.path();
        // Links are followed, as when the path itself is one.
        let metadata = fs::metadata(&path).map_err(|error| Error::io(describe(&path), error))?;
        if metadata.is_dir() {
            collect(&path, depth + 1, files)?;
        } else {
            files.push(input_file(&path, &metadata)?);
        }
    }
    Ok(())
}

fn is_hidden(name: &str) -> bool {
    name.starts_with(['.', '_'])
}

fn input_file(path: &Path, metadata: &Metadata) -> Result<InputFile> {
    if !metadata.is_file() {
        // Its length says nothing, and it cannot be read again from a position.
        let message =
            format!("input `{}` is a pipe or device, which is not supported by the native engine", path.display());
        return Err(Error::unsupported(message).with_hint("copy what it yields to a file"));
    }
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    if extension.as_deref().is_some_and(|extension| COMPRESSED.contains(&extension)) {
        let message = format!("input `{}` is compressed, which is not supported by the native engine", path.display());
        return Err(Error::unsupported(message).with_hint("unpack it first"));
    }
    match path.to_str() {
        Some(text) => Ok(InputFile { path: text.to_owned(), length: metadata.len() }),
        None => Err(Error::unsupported(format!("the name of input `{}` is no UTF-8", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_local_or_refused_by_scheme() {
        for (text, expected) in [
            ("in/a.csv", Ok("in/a.csv")),
            ("/in", Ok("/in")),
            ("file:///in/a", Ok("/in/a")),
            ("file:/in/a", Ok("/in/a")),
            ("a:b", Ok("a:b")),
            ("file://host/in", Err("a `file:` path must be absolute and without a host")),
            ("file:in", Err("a `file:` path must be absolute and without a host")),
            ("", Err("it is empty")),
        ] {
            let expected = expected.map(PathBuf::from).map_err(str::to_owned);
            assert_eq!(local_path(text), expected, "for `{text}`");
        }
        assert!(local_path("s3://bucket/in").unwrap_err().contains("scheme `s3` is not supported"));
    }

    #[test]
    fn directories_are_listed_in_order_without_hidden_names() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for folder in ["b", ".hidden", "_spool"] {
            fs::create_dir(at(folder)).unwrap();
        }
        for (name, content) in
            [("c", "1"), ("b/x", "22"), ("a", ""), (".h", "3"), ("_h", "4"), (".hidden/x", "5"), ("_spool/x", "6")]
        {
            fs::write(at(name), content).unwrap();
        }
        let listed = input_files(directory.path()).unwrap();
        let expected =
            [("a", 0), ("b/x", 2), ("c", 1)].map(|(name, length)| (at(name).to_str().unwrap().to_owned(), length));
        let listed: Vec<_> = listed.into_iter().map(|file| (file.path, file.length)).collect();
        assert_eq!(listed, expected);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let missing = input_files(&directory.path().join("nowhere")).unwrap_err();
        assert_eq!(missing.kind(), kobel_model::ErrorKind::Missing);
        assert!(missing.to_string().contains("nowhere"), "{missing}");
        fs::write(directory.path().join("a.csv.GZ"), "x").unwrap();
        let packed = input_files(directory.path()).unwrap_err();
        assert_eq!(packed.kind(), kobel_model::ErrorKind::Unsupported);
        assert!(packed.to_string().contains("a.csv.GZ"), "{packed}");
        let device = input_files(Path::new("/dev/null")).unwrap_err();
        assert_eq!(device.kind(), kobel_model::ErrorKind::Unsupported);
        assert!(device.to_string().contains("input `/dev/null` is a pipe or device"), "{device}");
    }
}
