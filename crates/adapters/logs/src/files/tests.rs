//! Only the files of this process are listed and opened, whatever name is asked for.

use std::io::Read;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;
use crate::options::{Format, Level};

fn open(directory: &TempDir) -> LogFiles {
    let options = LogOptions {
        directory: directory.path().join("logs"),
        file_stem: "kobel-1".to_owned(),
        rotation_size: 2048,
        max_files: 3,
        level: Level::Info,
        format: Format::Text,
    };
    LogFiles::open(options).unwrap()
}

#[test]
fn files_are_listed_from_the_newest_and_can_be_read() {
    let directory = TempDir::new().unwrap();
    let files = open(&directory);
    fs::write(directory.path().join("logs/kobel-1.out"), "rows\n").unwrap();
    for _ in 0..9 {
        files.write(&format!("{}\n", "x".repeat(999)));
    }
    let listed = files.list().unwrap();
    let names: Vec<_> = listed.iter().map(|file| (file.name.as_str(), file.size)).collect();
    let expected = [("kobel-1.log", 1000), ("kobel-1.log.1", 2000), ("kobel-1.log.2", 2000), ("kobel-1.out", 5)];
    assert_eq!(names, expected);
    assert_eq!((files.main_name().as_str(), files.stdout_name().as_str()), ("kobel-1.log", "kobel-1.out"));
    for file in listed {
        let mut text = String::new();
        files.open_file(&file.name).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text.len() as u64, file.size, "of `{}`", file.name);
        // Between 2020 and 2100.
        assert!((1_577_836_800_000..4_102_444_800_000).contains(&file.modified_ms), "{}", file.modified_ms);
    }
}

#[test]
fn no_name_leads_to_another_file() {
    let directory = TempDir::new().unwrap();
    let files = open(&directory);
    let logs = directory.path().join("logs");
    fs::write(directory.path().join("kobel-1.log"), "outside").unwrap();
    for name in ["other.log", "kobel-1.log.bak", "kobel-10.log", "kobel-1.log.02", "kobel-1.txt", "passwd"] {
        fs::write(logs.join(name), "foreign").unwrap();
    }
    fs::create_dir(logs.join("kobel-1.log.1")).unwrap();
    symlink("/etc/passwd", logs.join("kobel-1.log.2")).unwrap();
    symlink(logs.join("kobel-1.log"), logs.join("kobel-1.out")).unwrap();
    let absolute = logs.join("kobel-1.log");
    for name in [
        "",
        ".",
        "..",
        "/",
        "/etc/passwd",
        absolute.to_str().unwrap(),
        "../kobel-1.log",
        "..\\kobel-1.log",
        "./kobel-1.log",
        "../logs/kobel-1.log",
        "kobel-1.log/",
        "kobel-1.log/.",
        "kobel-1.log/../kobel-1.log",
        "%2e%2e%2fkobel-1.log",
        "kobel-1%2elog",
        "kobel-1.log%00",
        "kobel-1.log\0",
        "kobel-1.log\0.txt",
        " kobel-1.log",
        "kobel-1.log ",
        "kobel-1.log\n",
        "KOBEL-1.LOG",
        "kobel-1",
        "kobel-1.log.",
        "kobel-1.log.0",
        "kobel-1.log.02",
        "kobel-1.log.+2",
        "kobel-1.log.-1",
        "kobel-1.log.51",
        "kobel-1.log.99999999999999999999",
        "kobel-1.log.bak",
        "kobel-1.txt",
        "kobel-10.log",
        "other.log",
        "passwd",
        // A directory, a link out of the directory, a link inside of it, a file that is not there.
        "kobel-1.log.1",
        "kobel-1.log.2",
        "kobel-1.out",
        "kobel-1.log.3",
    ] {
        let error = files.open_file(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Missing, "for {name:?}: {error:?}");
    }
    let names: Vec<_> = files.list().unwrap().into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["kobel-1.log"]);
    assert!(files.open_file("kobel-1.log").is_ok());
}

#[test]
fn two_processes_with_one_stem_write_files_of_their_own() {
    let directory = TempDir::new().unwrap();
    // Locks of two descriptors exclude each other, be they of two processes or of one.
    let (first, second) = (open(&directory), open(&directory));
    let own = format!("kobel-1-{}", std::process::id());
    let names = [(&first, "kobel-1".to_owned()), (&second, own)];
    for (files, stem) in &names {
        files.write(&format!("of {stem}\n"));
    }
    for (files, stem) in &names {
        assert_eq!((files.main_name(), files.stdout_name()), (format!("{stem}.log"), format!("{stem}.out")));
        let listed: Vec<_> = files.list().unwrap().into_iter().map(|file| file.name).collect();
        assert_eq!(listed, [format!("{stem}.log")]);
        let mut text = String::new();
        files.open_file(&files.main_name()).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, format!("of {stem}\n"));
    }
    assert!(second.open_file("kobel-1.log").is_err(), "it is of the other one");
    drop(first);
    assert_eq!(open(&directory).main_name(), "kobel-1.log");
}

#[test]
fn options_out_of_bounds_are_refused_before_anything_is_made() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("logs");
    let options = LogOptions {
        directory: path.clone(),
        file_stem: "../a".to_owned(),
        rotation_size: 2048,
        max_files: 3,
        level: Level::Info,
        format: Format::Text,
    };
    assert_eq!(LogFiles::open(options).unwrap_err().kind(), ErrorKind::Invalid);
    assert!(!path.exists());
}

#[test]
fn the_report_of_dropped_lines_is_one_line() {
    let directory = TempDir::new().unwrap();
    let line = open(&directory).report(7);
    assert!(line.ends_with("- 7 log lines were lost because they could not be written\n"), "{line}");
    assert_eq!(line.lines().count(), 1);
}
