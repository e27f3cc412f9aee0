//! Scripts: scenarios in the words of people, and what came of them.
//!
//! A script is a text file. A line that begins with `>` is a command; below it stands, indented, what happened from then
//! on until the next one: what was written, what was done, what the machine did. Lines that begin with `#` say why.

pub mod claims;
pub mod command;
mod creations;
mod cursor;
pub mod faults;
pub mod lenient;
mod lists;
pub mod manifest;
mod names;
mod parse;
mod play;
pub mod seen;
mod settings;
mod show;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use command::Command;
pub use cursor::{Cursor, Script, Step};
pub use faults::aim;
pub use parse::parse;
pub use play::{is_over, play};
pub use settings::given;
pub use show::{line, object, tail, transcript};

/// Where the scripts of this crate lie.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts")
}

/// Every script of this crate, in the order of their names. One that cannot be read breaks as soon as it is played.
pub fn all() -> Vec<Script> {
    let folder = folder();
    let listed = fs::read_dir(&folder).and_then(|entries| {
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        paths.collect::<Result<Vec<PathBuf>, std::io::Error>>()
    });
    match listed {
        Ok(mut paths) => {
            paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
            paths.sort();
            paths.iter().map(|path| read(path)).collect()
        }
        Err(error) => vec![unreadable("scripts", format!("cannot list `{}`: {error}", folder.display()))],
    }
}

fn read(path: &Path) -> Script {
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read `{name}.txt`: {error}"));
    text.and_then(|text| parse(&name, &text)).unwrap_or_else(|why| unreadable(&name, why))
}

/// The same commands without what they claim, and where something is awaited in vain they go on.
pub fn lenient(script: &Script) -> Script {
    let text = format!("{}{}", lenient::LENIENT, lenient::without_claims(script));
    parse(&script.name, &text).unwrap_or_else(|why| unreadable(&script.name, why))
}

/// A script that breaks as soon as it is played.
fn unreadable(name: &str, why: String) -> Script {
    let step = Step { before: String::new(), text: "unreadable".to_owned(), command: Command::Unreadable(why) };
    Script { name: name.to_owned(), steps: [step].into() }
}
