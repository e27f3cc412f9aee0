//! The Java of this machine that a line of Flink runs on.
//!
//! The one that `JAVA_HOME` names is taken if it fits, then that of the path, then the newest of the usual places. Its
//! version is read from the file that every Java carries; only where there is none, it is asked.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kobel_model::deployment::FlinkVersion;
use kobel_model::{Error, ErrorKind, Result};

use crate::programs::{is_program, on_path};

/// Folders whose folders are homes of Java, or have one below.
const PLACES: [(&str, &str); 3] =
    [("/usr/lib/jvm", ""), ("/usr/local/lib/jvm", ""), ("/Library/Java/JavaVirtualMachines", "Contents/Home")];

/// A Java.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Java {
    /// The folder with `bin/java`.
    pub home: PathBuf,
    /// Its version: `17.0.15`.
    pub version: String,
    /// The number that decides what it can run: 8 for `1.8.0_392`, 17 for `17.0.15`.
    pub feature: u32,
}

impl Java {
    /// Tells the Java in a folder; nothing if there is none.
    pub fn at(home: &Path) -> Option<Self> {
        let program = home.join("bin/java");
        if !is_program(&program) {
            return None;
        }
        match fs::read_to_string(home.join("release")) {
            Ok(text) => Self::new(home.to_owned(), value(&text, "JAVA_VERSION")?.trim_matches('"')),
            Err(_) => Self::asked(&program),
        }
    }

    /// Asks a program where its home is: the one on the path may be a script that starts another.
    fn asked(program: &Path) -> Option<Self> {
        let output = Command::new(program)
            .args(["-XshowSettings:properties", "-version"])
            .stdin(Stdio::null())
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        let text = String::from_utf8_lossy(&output.stderr);
        let home = PathBuf::from(value(&text, "java.home")?);
        let version = value(&text, "java.version")?;
        if is_program(&home.join("bin/java")) { Self::new(home, version) } else { None }
    }

    fn new(home: PathBuf, version: &str) -> Option<Self> {
        Some(Self { home, version: version.to_owned(), feature: feature(version)? })
    }
}

/// Finds the Java that a line of Flink is to run on.
///
/// # Errors
/// Missing if there is none that fits.
pub fn java(line: FlinkVersion) -> Result<Java> {
    choose(&every_java(), line)
}

/// Every Java of this machine, the one that is meant first.
pub(crate) fn every_java() -> Vec<Java> {
    let (java_home, path) = (std::env::var_os("JAVA_HOME"), std::env::var_os("PATH"));
    candidates(java_home.filter(|home| !home.is_empty()), path, &PLACES)
}

/// The oldest and the newest version of Java that a line of Flink runs on.
pub const fn span(line: FlinkVersion) -> (u32, u32) {
    // Newer ones have no security manager any more, which Flink asks for.
    match line.numbers() {
        (1, 0..=17) => (8, 11),
        (1, 18) => (8, 17),
        (1, _) => (8, 21),
        _ => (11, 21),
    }
}

fn candidates(java_home: Option<OsString>, path: Option<OsString>, places: &[(&str, &str)]) -> Vec<Java> {
    let named = java_home.and_then(|home| Java::at(Path::new(&home)));
    let on_path = on_path("java", path.as_deref()).into_iter().find_map(|program| of_program(&program));
    let mut usual: Vec<Java> = places
        .iter()
        .filter_map(|(place, below)| Some((fs::read_dir(place).ok()?, below)))
        .flat_map(|(folders, below)| folders.flatten().map(move |folder| below_of(folder.path(), below)))
        .filter_map(|home| Java::at(&home))
        .collect();
    usual.sort_by(|a, b| (b.feature, &b.version, &a.home).cmp(&(a.feature, &a.version, &b.home)));
    named.into_iter().chain(on_path).chain(usual).collect()
}

fn below_of(folder: PathBuf, below: &str) -> PathBuf {
    if below.is_empty() { folder } else { folder.join(below) }
}

/// The Java of a program on the path.
fn of_program(program: &Path) -> Option<Java> {
    let real = fs::canonicalize(program).ok()?;
    let home = real.parent().and_then(Path::parent)?;
    if home.join("release").is_file() { Java::at(home) } else { Java::asked(program) }
}

fn choose(found: &[Java], line: FlinkVersion) -> Result<Java> {
    let (oldest, newest) = span(line);
    if let Some(java) = found.iter().find(|java| (oldest..=newest).contains(&java.feature)) {
        return Ok(java.clone());
    }
    let usual: Vec<String> =
        [8, 11, 17, 21].iter().filter(|it| (oldest..=newest).contains(*it)).map(u32::to_string).collect();
    let mut message = format!("there is no Java for Flink {line}, which runs on Java {}", usual.join(", "));
    let mut others: Vec<String> =
        found.iter().map(|java| format!("{} in `{}`", java.version, java.home.display())).collect();
    others.dedup();
    if !others.is_empty() {
        message.push_str(&format!("; found: {}", others.join(", ")));
    }
    Err(Error::new(ErrorKind::Missing, message).with_hint(format!(
        "install a JDK {} (Debian: `openjdk-{}-jdk-headless`), or let `JAVA_HOME` name one",
        newest.min(17),
        newest.min(17)
    )))
}

/// The value of a key in lines `key=value` or `key = value`.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once('=')?;
        (found.trim() == key).then(|| value.trim())
    })
}

/// The number that decides: `1.8.0_392` is 8, `17.0.15`, `17-ea` and `21+35` are what they begin with.
fn feature(version: &str) -> Option<u32> {
    let modern = version.strip_prefix("1.").unwrap_or(version);
    modern.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests;
