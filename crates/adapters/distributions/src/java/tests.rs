//! Which Java is taken.

use super::*;
use crate::layout::make_executable;

/// A folder that looks like a Java of a version.
fn install(root: &Path, name: &str, version: &str) -> PathBuf {
    let home = root.join(name);
    fs::create_dir_all(home.join("bin")).unwrap();
    fs::write(home.join("bin/java"), "").unwrap();
    make_executable(&home.join("bin/java")).unwrap();
    fs::write(home.join("release"), format!("IMPLEMENTOR=\"X\"\nJAVA_VERSION=\"{version}\"\n")).unwrap();
    home
}

fn of(version: &str) -> Java {
    Java::new(PathBuf::from(format!("/jvm/{version}")), version).unwrap()
}

#[test]
fn a_version_is_told_by_one_number() {
    for (version, expected) in
        [("1.8.0_392", Some(8)), ("11.0.2", Some(11)), ("17", Some(17)), ("21+35", Some(21)), ("x", None), ("", None)]
    {
        assert_eq!(feature(version), expected, "{version}");
    }
}

#[test]
fn the_first_that_fits_the_line_is_taken() {
    for (line, found, expected) in [
        (FlinkVersion::V2_3, ["25.0.3", "17.0.15"].as_slice(), Some("17.0.15")),
        (FlinkVersion::V2_3, &["11.0.2", "21.0.1"], Some("11.0.2")),
        (FlinkVersion::V2_0, &["1.8.0_392"], None),
        (FlinkVersion::V1_20, &["1.8.0_392", "17.0.15"], Some("1.8.0_392")),
        (FlinkVersion::V1_20, &["25.0.3"], None),
        (FlinkVersion::V1_18, &["21.0.1", "17.0.15"], Some("17.0.15")),
        (FlinkVersion::V1_17, &["17.0.15", "11.0.2"], Some("11.0.2")),
        (FlinkVersion::V1_15, &[], None),
    ] {
        let found: Vec<Java> = found.iter().map(|version| of(version)).collect();
        let chosen = choose(&found, line);
        assert_eq!(chosen.as_ref().ok().map(|java| java.version.as_str()), expected, "{line}");
    }
}

#[test]
fn the_error_says_what_is_there_and_what_to_install() {
    let error = choose(&[of("25.0.3")], FlinkVersion::V2_3).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no Java for Flink 2.3, which runs on Java 11, 17, 21; found: 25.0.3 in `/jvm/25.0.3`"
    );
    assert!(error.hint().unwrap().contains("openjdk-17-jdk-headless"));
    let error = choose(&[], FlinkVersion::V1_17).unwrap_err();
    assert_eq!(error.to_string(), "there is no Java for Flink 1.17, which runs on Java 8, 11");
    assert!(error.hint().unwrap().contains("openjdk-11-jdk-headless"));
}

#[test]
fn the_named_one_comes_before_the_path_and_the_path_before_the_usual_places() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let named = install(root, "named", "11.0.2");
    let on_path = install(root, "path", "21.0.1");
    let places = root.join("places");
    install(&places, "a", "17.0.2");
    install(&places, "b", "17.0.15");
    fs::create_dir(places.join("no-java")).unwrap();
    let place = places.to_string_lossy().into_owned();
    let usual = [(place.as_str(), "")];
    let versions = |found: Vec<Java>| found.into_iter().map(|java| java.version).collect::<Vec<_>>();
    let path = Some(on_path.join("bin").into_os_string());
    let found = candidates(Some(named.into_os_string()), path.clone(), &usual);
    assert_eq!(versions(found).get(..2), Some(["11.0.2".to_owned(), "21.0.1".to_owned()].as_slice()));
    let found = candidates(Some("/no/such/java".into()), path, &usual);
    assert_eq!(versions(found).first().map(String::as_str), Some("21.0.1"));
    assert_eq!(candidates(None, None, &usual).len(), 2);
}

#[cfg(unix)]
#[test]
fn a_script_on_the_path_is_asked_for_its_java() {
    let root = tempfile::tempdir().unwrap();
    let home = install(root.path(), "real", "17.0.15");
    let bin = root.path().join("shims/bin");
    fs::create_dir_all(&bin).unwrap();
    let script =
        format!("#!/bin/sh\necho '    java.home = {}' >&2\necho '    java.version = 17.0.15' >&2\n", home.display());
    fs::write(bin.join("java"), script).unwrap();
    make_executable(&bin.join("java")).unwrap();
    // A process that another test starts at this moment may hold the script open, and then it cannot be run.
    let found = (0..50).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        candidates(None, Some(bin.clone().into_os_string()), &[]).pop()
    });
    assert_eq!(found, Java::at(&home));
}
