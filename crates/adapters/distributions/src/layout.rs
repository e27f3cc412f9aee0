//! What a `FLINK_HOME` looks like: the files without which nothing can be started from it, and its release.

use std::fs;
use std::path::Path;

use kobel_model::{Error, Result};

use crate::scratch::entries;
use crate::version::Release;

/// Files that every distribution has.
const NEEDED: [&str; 6] = [
    "bin/config.sh",
    "bin/flink",
    "bin/jobmanager.sh",
    "bin/standalone-job.sh",
    "bin/taskmanager.sh",
    "conf/log4j-console.properties",
];
/// The settings; newer releases have the first, older ones the second.
const SETTINGS: [&str; 2] = ["conf/config.yaml", "conf/flink-conf.yaml"];
/// What begins the name of the jar with Flink itself; releases for Scala have its version behind it.
const MAIN_JAR: &str = "flink-dist";

/// The release in a folder, told by the name of its main jar.
///
/// # Errors
/// Invalid if there is none.
pub(crate) fn release_of(home: &Path) -> Result<Release> {
    let no_distribution = || {
        Error::invalid(format!("`{}` is no distribution of Flink: it has no `lib/flink-dist-….jar`", home.display()))
            .with_hint("a distribution is a folder with `bin`, `conf` and `lib`, or the archive of such a folder")
    };
    let lib = home.join("lib");
    if !lib.is_dir() {
        return Err(no_distribution());
    }
    let found = entries(&lib)?.iter().find_map(|path| main_jar_release(path.file_name()?.to_str()?));
    found.ok_or_else(no_distribution)
}

/// Checks that everything is there, and makes the scripts executable.
///
/// # Errors
/// Invalid if something is missing or the release is another one.
pub(crate) fn complete(home: &Path, release: Release) -> Result<()> {
    let found = release_of(home)?;
    if found != release {
        return Err(Error::invalid(format!("what was fetched is Flink `{found}` and not `{release}`")));
    }
    let is_missing = |name: &&str| !home.join(name).is_file();
    let missing = NEEDED.iter().copied().find(is_missing);
    let missing = missing.or_else(|| SETTINGS.iter().all(is_missing).then_some(SETTINGS[0]));
    if let Some(missing) = missing {
        return Err(Error::invalid(format!(
            "the distribution of Flink `{release}` is not whole: it has no `{missing}`"
        )));
    }
    for path in entries(&home.join("bin"))? {
        let is_script = path.extension().is_none_or(|extension| extension == "sh");
        if is_script && path.is_file() {
            make_executable(&path)?;
        }
    }
    // The scripts want to write here unless they are told another place.
    fs::create_dir_all(home.join("log")).map_err(|error| Error::io("cannot make the folder of the logs", error))
}

/// Lets everybody run a file whom the umask lets read it.
///
/// # Errors
/// Those of the file system.
#[cfg(unix)]
pub(crate) fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let failed = |error| Error::io(format!("cannot make `{}` executable", path.display()), error);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(failed)
}

/// Elsewhere every file may be run.
#[cfg(not(unix))]
pub(crate) fn make_executable(_path: &Path) -> Result<()> {
    Ok(())
}

fn main_jar_release(name: &str) -> Option<Release> {
    let rest = name.strip_prefix(MAIN_JAR)?.strip_suffix(".jar")?;
    let (scala, version) = rest.split_once('-')?;
    (scala.is_empty() || scala.starts_with('_')).then(|| Release::parse(version)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_main_jar_tells_the_release() {
        for (name, expected) in [
            ("flink-dist-2.3.0.jar", Some("2.3.0")),
            ("flink-dist_2.12-1.15.4.jar", Some("1.15.4")),
            ("flink-distributed-2.3.0.jar", None),
            ("flink-json-2.3.0.jar", None),
            ("flink-dist-2.3-SNAPSHOT.jar", None),
            ("flink-dist-2.3.0.jar.asc", None),
        ] {
            assert_eq!(main_jar_release(name), expected.and_then(Release::parse), "{name}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let home = tempfile::tempdir().unwrap();
        let release = Release::parse("2.3.0").unwrap();
        let add = |name: &str| {
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        let refused = || complete(home.path(), release).unwrap_err().to_string();
        assert!(refused().contains("is no distribution of Flink"), "{}", refused());
        add("lib/flink-dist-2.3.0.jar");
        for name in NEEDED {
            assert!(refused().contains(name), "{name}: {}", refused());
            add(name);
        }
        assert!(refused().contains("conf/config.yaml"), "{}", refused());
        add("conf/flink-conf.yaml");
        complete(home.path(), release).unwrap();
        let other = complete(home.path(), Release::parse("2.3.1").unwrap()).unwrap_err().to_string();
        assert!(other.contains("`2.3.0`") && other.contains("`2.3.1`"), "{other}");
    }
}
