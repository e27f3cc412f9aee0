//! The class that runs a SQL script on Flink, compiled once for each distribution with a Java compiler of this machine.
//!
//! The jar is named after its source, so a newer version of the source is compiled anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use kobel_model::deployment::FlinkVersion;
use kobel_model::{Error, ErrorKind, Result};
use sha2::Sha256;

use crate::checksum;
use crate::installed::{Installed, OWN_FOLDER};
use crate::java::{Java, every_java};
use crate::programs::{is_program, run};
use crate::scratch::{make, rename};

/// The class, in one file.
const SOURCE: &str = include_str!("../java/SqlRunner.java");
/// Its name.
const CLASS: &str = "SqlRunner";
/// How much of the digest of the source is in the name of the jar.
const DIGEST_LENGTH: usize = 12;

/// The jar with the class, compiled if it is not there.
///
/// # Errors
/// Missing if there is no Java compiler, Unavailable if it fails; those of the file system.
pub(crate) fn jar(installed: &Installed, java: &Java) -> Result<PathBuf> {
    let digest = checksum::of_bytes::<Sha256>(SOURCE.as_bytes());
    let name = format!("sql-runner-{}.jar", digest.get(..DIGEST_LENGTH).unwrap_or(&digest));
    let folder = installed.home.join(OWN_FOLDER);
    let jar = folder.join(name);
    if jar.is_file() {
        return Ok(jar);
    }
    let release = target(installed.line);
    let known = [java.clone()].into_iter().chain(every_java()).collect::<Vec<_>>();
    let kit = compiler(&known, release).ok_or_else(|| no_compiler(java, release))?;
    let scratch = Scratch::begin(&folder)?;
    let built = build(installed, kit, release, &scratch.0)?;
    // Whoever else compiles at the same moment ends with the same jar.
    rename(&built, &jar)?;
    Ok(jar)
}

/// The Java that the class is compiled for: the oldest that the line runs on.
const fn target(line: FlinkVersion) -> u32 {
    crate::java::span(line).0
}

/// The first Java that can compile for a version.
fn compiler(known: &[Java], release: u32) -> Option<&Java> {
    let has = |java: &Java, tool: &str| is_program(&java.home.join("bin").join(tool));
    known.iter().find(|java| java.feature >= release && has(java, "javac") && has(java, "jar"))
}

fn no_compiler(java: &Java, release: u32) -> Error {
    let message = format!(
        "no Java compiler: `{}` has no `bin/javac`, which a SQL script needs to run on Apache Flink",
        java.home.display()
    );
    let feature = java.feature.max(release);
    Error::new(ErrorKind::Missing, message)
        .with_hint(format!("install a JDK beside the Java that is there (Debian: `openjdk-{feature}-jdk-headless`)"))
}

fn build(installed: &Installed, kit: &Java, release: u32, scratch: &Path) -> Result<PathBuf> {
    let (source, classes) = (scratch.join(format!("{CLASS}.java")), scratch.join("classes"));
    make(&classes)?;
    fs::write(&source, SOURCE).map_err(|error| Error::io(format!("cannot write `{}`", source.display()), error))?;
    let mut compile = Command::new(kit.home.join("bin/javac"));
    // The oldest compiler cannot be asked for another version than its own.
    if kit.feature > 8 {
        compile.args(["--release", &release.to_string()]);
    }
    compile.args(["-Xlint:-options", "-encoding", "UTF-8", "-cp"]);
    compile.arg(installed.home.join("lib").join("*")).arg("-d").arg(&classes).arg(&source);
    run(&mut compile, "compile the class that runs SQL scripts")?;
    let jar = scratch.join("runner.jar");
    let mut pack = Command::new(kit.home.join("bin/jar"));
    pack.arg("cf").arg(&jar).arg("-C").arg(&classes).arg(".");
    run(&mut pack, "pack the class that runs SQL scripts")?;
    Ok(jar)
}

/// A folder for one compilation, removed when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn begin(parent: &Path) -> Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = parent.join(format!(".runner-{}-{number}", std::process::id()));
        make(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It is small, and nobody takes it for anything else.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::make_executable;

    fn install(root: &Path, name: &str, version: &str, tools: &[&str]) -> Java {
        let home = root.join(name);
        fs::create_dir_all(home.join("bin")).unwrap();
        fs::write(home.join("release"), format!("JAVA_VERSION=\"{version}\"\n")).unwrap();
        for tool in ["java"].iter().chain(tools) {
            let path = home.join("bin").join(tool);
            fs::write(&path, "").unwrap();
            make_executable(&path).unwrap();
        }
        Java::at(&home).unwrap()
    }

    #[test]
    fn the_compiler_is_that_of_the_first_kit_that_can() {
        let root = tempfile::tempdir().unwrap();
        let runtime = install(root.path(), "runtime", "17.0.15", &[]);
        let half = install(root.path(), "half", "17.0.15", &["javac"]);
        let old = install(root.path(), "old", "1.8.0_392", &["javac", "jar"]);
        let kit = install(root.path(), "kit", "25.0.3", &["javac", "jar"]);
        let known = [runtime.clone(), half.clone(), old.clone(), kit.clone()];
        assert_eq!(compiler(&known, target(FlinkVersion::V1_20)), Some(&old));
        assert_eq!(compiler(&known, target(FlinkVersion::V2_3)), Some(&kit));
        assert_eq!(compiler(&[runtime.clone(), half, old], 11), None);
        let error = no_compiler(&runtime, 11);
        assert!(error.to_string().contains("no Java compiler"), "{error}");
        assert!(error.hint().unwrap().contains("openjdk-17-jdk-headless"));
    }
}
