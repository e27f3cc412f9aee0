//! Releases of Flink as Python packages have them: one package has the jars, the other the scripts and their settings.
//!
//! They come through the machine's own `pip`, with its own settings, so that no index is named here. What they hold is
//! smaller than a release of the archive: no SQL gateway, no object stores, no examples.

use std::path::{Path, PathBuf};
use std::process::Command;

use kobel_model::deployment::FlinkVersion;
use kobel_model::{Error, ErrorKind, Result};
use sha2::Sha256;

use crate::checksum::{self, Checksum};
use crate::programs::run;
use crate::progress::{Progress, Watch, tell};
use crate::scratch::{Scratch, entries, make, rename};
use crate::unpack;
use crate::version::{Release, Wanted};

/// The package with the scripts and the settings.
const SCRIPTS: &str = "apache-flink";
/// The package with the jars.
const JARS: &str = "apache-flink-libraries";
/// What begins the file name of the first package.
const SCRIPTS_FILE: &str = "apache_flink-";
/// The folder of the packages in which the distribution lies.
const PACKAGE_FOLDER: &str = "pyflink";
/// The folder of a source package in which the jars lie.
const SOURCE_FOLDER: &str = "deps";

/// Finds out which release is meant, by fetching the smaller of the packages.
///
/// # Errors
/// Missing if there is no Python, Unavailable if `pip` fails.
pub(crate) fn resolve(wanted: Wanted, scratch: &Scratch, watch: &Watch<'_>) -> Result<Release> {
    let pin = match wanted.patch {
        Some(_) => format!("{SCRIPTS}=={wanted}"),
        None => format!("{SCRIPTS}=={wanted}.*"),
    };
    let folder = scratch.parcels(SCRIPTS)?;
    let file = download(&pin, &any_wheel(wanted.line), &folder, watch)?;
    let release = file.file_name().and_then(|name| release_of(name.to_str()?));
    let named = || Error::corrupt(format!("`{}` is no package of a release of Flink", file.display()));
    release.filter(|release| wanted.is_met_by(*release)).ok_or_else(named)
}

/// Fetches what is missing and lays the packages over each other in the scratch folder's home.
///
/// # Errors
/// Unavailable if `pip` fails; those of the file system.
pub(crate) fn fetch(release: Release, scratch: &Scratch, watch: &Watch<'_>) -> Result<Vec<Checksum>> {
    let scripts = file_in(&scratch.parcels(SCRIPTS)?)?;
    let jars = download(&format!("{JARS}=={release}"), &[], &scratch.parcels(JARS)?, watch)?;
    let mut checksums = Vec::new();
    for file in [&scripts, &jars] {
        let name = name_of(file);
        tell(watch, Progress::Checking { file: &name })?;
        let digest = format!("sha256:{}", checksum::of_file::<Sha256>(file)?);
        checksums.push(Checksum { file: name, digest });
    }
    let scripts = opened(&scripts, &scratch.parcels("scripts")?, watch)?;
    let jars = opened(&jars, &scratch.parcels("jars")?, watch)?;
    lay_over(&jars, &scripts, &scratch.home())?;
    Ok(checksums)
}

/// Takes the folders of the jars, then the settings and the scripts of the other package.
fn lay_over(jars: &Path, scripts: &Path, home: &Path) -> Result<()> {
    make(home)?;
    for part in ["lib", "opt", "plugins", "bin", "licenses"] {
        let from = jars.join(part);
        if from.is_dir() {
            rename(&from, &home.join(part))?;
        }
    }
    make(&home.join("bin"))?;
    rename(&scripts.join("conf"), &home.join("conf"))?;
    for script in entries(&scripts.join("bin"))? {
        rename(&script, &home.join("bin").join(script.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

/// Downloads one package and tells its file.
fn download(pin: &str, options: &[&str], folder: &Path, watch: &Watch<'_>) -> Result<PathBuf> {
    tell(watch, Progress::Fetching { package: pin })?;
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"]);
    command.args(options).arg("--dest").arg(folder).arg(pin);
    let explained = |error: Error| match error.kind() {
        ErrorKind::Missing => error.with_hint("`--from pip` needs Python 3 with pip"),
        _ => error,
    };
    run(&mut command, &format!("fetch `{pin}`")).map_err(explained)?;
    file_in(folder)
}

/// Options that take the wheel of one Python on one machine: the scripts in it are the same in all.
fn any_wheel(line: FlinkVersion) -> [&'static str; 9] {
    // A Python for which each of the releases was built.
    let (version, abi) = if line >= FlinkVersion::V1_19 { ("3.11", "cp311") } else { ("3.8", "cp38") };
    [
        "--only-binary=:all:",
        "--platform",
        "manylinux2014_x86_64",
        "--python-version",
        version,
        "--implementation",
        "cp",
        "--abi",
        abi,
    ]
}

/// Unpacks a package and tells the folder with its part of the distribution.
fn opened(package: &Path, folder: &Path, watch: &Watch<'_>) -> Result<PathBuf> {
    let name = name_of(package);
    if name.ends_with(".whl") {
        tell(watch, Progress::Unpacking { file: &name })?;
        let mut command = Command::new("python3");
        command.args(["-m", "zipfile", "-e"]).arg(package).arg(folder);
        run(&mut command, &format!("unpack `{name}`"))?;
    } else {
        unpack::tgz(package, folder, watch)?;
    }
    // Both may be there, but only one has the folders that are wanted.
    let found = [SOURCE_FOLDER, PACKAGE_FOLDER].map(|part| folder.join(part)).into_iter().find(|part| part.is_dir());
    found.ok_or_else(|| Error::corrupt(format!("`{name}` is no package of a release of Flink")))
}

/// The one package in a folder.
fn file_in(folder: &Path) -> Result<PathBuf> {
    let is_package = |path: &PathBuf| {
        let name = name_of(path);
        [".whl", ".tar.gz"].iter().any(|end| name.ends_with(end))
    };
    let found = entries(folder)?.into_iter().find(is_package);
    found.ok_or_else(|| Error::corrupt(format!("pip has left no package in `{}`", folder.display())))
}

fn name_of(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The release in the name of a wheel: `apache_flink-2.3.0-cp311-….whl`.
fn release_of(name: &str) -> Option<Release> {
    let (version, _) = name.strip_prefix(SCRIPTS_FILE)?.split_once('-')?;
    Release::parse(version)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::ops::ControlFlow;

    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn the_name_of_a_wheel_tells_the_release() {
        let tags = "cp311-cp311-manylinux2014_x86_64.whl";
        assert_eq!(release_of(&format!("apache_flink-1.20.5-{tags}")), Release::parse("1.20.5"));
        assert_eq!(release_of(&format!("apache_flink-2.0.0rc1-{tags}")), None);
        assert_eq!(release_of("apache_flink_libraries-1.20.5.tar.gz"), None);
    }

    #[test]
    fn the_packages_lie_over_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let (jars, scripts, home) =
            (folder.path().join("jars"), folder.path().join("scripts"), folder.path().join("home"));
        write(&jars, "lib/flink-dist-2.3.0.jar", "jar");
        write(&jars, "bin/bash-java-utils.jar", "jar");
        write(&scripts, "bin/flink", "script");
        write(&scripts, "conf/config.yaml", "a: b");
        lay_over(&jars, &scripts, &home).unwrap();
        for name in ["lib/flink-dist-2.3.0.jar", "bin/bash-java-utils.jar", "bin/flink", "conf/config.yaml"] {
            assert!(home.join(name).is_file(), "{name}");
        }
    }

    #[test]
    fn a_source_package_is_opened_at_its_jars() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("apache_flink_libraries-1.20.5.tar.gz");
        let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
            fs::File::create(&package).unwrap(),
            flate2::Compression::fast(),
        ));
        for name in ["x-1/pyflink/version.py", "x-1/deps/lib/flink-dist-1.20.5.jar"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(0);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, std::io::empty()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap();
        let to = folder.path().join("to");
        let found = opened(&package, &to, &|_| ControlFlow::Continue(())).unwrap();
        assert_eq!(found, to.join("deps"));
        assert!(found.join("lib/flink-dist-1.20.5.jar").is_file());
        assert_eq!(file_in(folder.path()).unwrap(), package);
        assert!(file_in(&to).is_err());
    }
}
