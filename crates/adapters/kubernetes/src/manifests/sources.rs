//! The files that manifests are read from, and their text.
//!
//! Below a directory only what a person put there is read: no hidden files, and nothing that `kobel up` keeps.

use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use kobel_model::{Error, Result};

/// What messages call standard input.
const STANDARD_INPUT: &str = "standard input";
/// The largest file, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How deep directories are read; deeper ones are a link that leads back.
const DIRECTORY_DEPTH_MAX: usize = 32;
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];
/// The file by which a directory is known as one in which `kobel up` keeps everything.
const STORE_FILE: &str = "api.sqlite";

/// The files of a source, in the order of their names.
pub(super) fn files_of(source: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if !is_standard_input(source) && source.is_dir() {
        walk(source, 0, &mut files)?;
    } else {
        files.push(source.to_owned());
    }
    Ok(files)
}

/// The text of a file with the name that messages give it.
pub(super) fn text_of(path: &Path) -> Result<(String, String)> {
    let name = name_of(path);
    if let Some(error) = program(path, &name) {
        return Err(error);
    }
    let mut bytes = Vec::new();
    let read = if is_standard_input(path) {
        std::io::stdin().lock().take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
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
        Error::invalid(format!("`{name}`:{} is not UTF-8 text", line + 1)).with_hint("save it as UTF-8")
    })?;
    Ok((name, text))
}

/// The name that messages give a source.
pub(super) fn name_of(source: &Path) -> String {
    if is_standard_input(source) { STANDARD_INPUT.to_owned() } else { source.display().to_string() }
}

fn is_standard_input(source: &Path) -> bool {
    source == Path::new("-")
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
    entries.retain(|path| !path.file_name().is_some_and(is_hidden));
    entries.sort();
    for path in entries {
        if path.is_dir() {
            // Whoever names a data directory itself means it.
            if !path.join(STORE_FILE).exists() {
                walk(&path, depth + 1, files)?;
            }
        } else if path.extension().and_then(OsStr::to_str).is_some_and(|end| EXTENSIONS.contains(&end)) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// The error of a program that is given in place of a manifest.
fn program(path: &Path, name: &str) -> Option<Error> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    let field = "name it in `job.jarURI` of a manifest";
    let (what, hint) = match ending.as_str() {
        "sql" => {
            // A name that a shell would take apart is left to whoever types it.
            let file = if name.contains([' ', '\'', '"']) { "FILE" } else { name };
            ("a SQL script", format!("{field}, or run it by itself: `kobel run {file}`"))
        }
        "jar" | "py" => ("a program", field.to_owned()),
        _ => return None,
    };
    // A directory of this name is read like any other, and what is not there is told as such.
    path.is_file().then(|| Error::invalid(format!("`{name}` is {what}, not a manifest")).with_hint(hint))
}
