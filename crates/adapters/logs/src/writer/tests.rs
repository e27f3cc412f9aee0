//! No line is lost or split between files, and lines that the disk refuses are counted.

use tempfile::TempDir;

use super::*;

const SIZE: u64 = 100;

fn open(directory: &TempDir, max_files: usize) -> Writer {
    Writer::open(directory.path().join("a.log"), SIZE, max_files).unwrap()
}

/// Writes `line <number>` for each number.
fn write(writer: &mut Writer, numbers: std::ops::Range<usize>) {
    for number in numbers {
        writer.write(&format!("line {number:03}\n"), |dropped| format!("{dropped} lost\n"));
    }
}

fn read(directory: &TempDir, name: &str) -> String {
    fs::read_to_string(directory.path().join(name)).unwrap_or_default()
}

fn names(directory: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(directory.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The lines of all files, oldest first.
fn lines(directory: &TempDir) -> Vec<String> {
    let numbers = (1..=50).rev().map(|number| format!("a.log.{number}"));
    let texts = numbers.chain(["a.log".to_owned()]).map(|name| read(directory, &name));
    texts.collect::<String>().lines().map(str::to_owned).collect()
}

fn expected(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("line {number:03}")).collect()
}

#[test]
fn rotation_loses_no_line_and_splits_none() {
    let directory = TempDir::new().unwrap();
    // 11 lines of 9 bytes fit into 100 bytes.
    write(&mut open(&directory, 50), 0..300);
    assert_eq!(lines(&directory), expected(0..300));
    assert_eq!(names(&directory).len(), 28);
    for name in names(&directory) {
        let text = read(&directory, &name);
        assert!(text.len() as u64 <= SIZE && text.ends_with('\n'), "`{name}` has {} bytes", text.len());
    }
}

#[test]
fn only_the_newest_files_are_kept() {
    for max_files in [1, 2, 3, 10] {
        let directory = TempDir::new().unwrap();
        write(&mut open(&directory, max_files), 0..300);
        assert_eq!(names(&directory).len(), max_files);
        // The newest file holds the 3 lines that 27 full ones left over.
        assert_eq!(lines(&directory), expected(300 - 3 - 11 * (max_files - 1)..300), "of {max_files} files");
    }
}

#[test]
fn a_restart_appends_and_keeps_no_more_than_it_may() {
    let directory = TempDir::new().unwrap();
    write(&mut open(&directory, 5), 0..50);
    write(&mut open(&directory, 5), 50..52);
    assert_eq!(lines(&directory), expected(0..52));
    write(&mut open(&directory, 2), 52..53);
    assert_eq!(names(&directory), ["a.log", "a.log.1"]);
}

#[test]
fn a_line_longer_than_a_file_is_written_whole() {
    let directory = TempDir::new().unwrap();
    let mut writer = open(&directory, 5);
    write(&mut writer, 0..1);
    let long = format!("{}\n", "x".repeat(300));
    writer.write(&long, |_| String::new());
    write(&mut writer, 1..2);
    assert_eq!(read(&directory, "a.log.2"), "line 000\n");
    assert_eq!(read(&directory, "a.log.1"), long);
    assert_eq!(read(&directory, "a.log"), "line 001\n");
}

#[test]
fn a_gap_that_a_crash_left_is_filled_before_anything_is_dropped() {
    let directory = TempDir::new().unwrap();
    write(&mut open(&directory, 4), 0..44);
    // As after a crash between the first and the second step of a rotation.
    fs::remove_file(directory.path().join("a.log.3")).unwrap();
    fs::rename(directory.path().join("a.log.2"), directory.path().join("a.log.3")).unwrap();
    write(&mut open(&directory, 4), 44..45);
    assert_eq!(lines(&directory), expected(11..45));
}

#[test]
fn a_line_that_a_crash_tore_gets_its_end() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("a.log"), "line 000\ntor").unwrap();
    write(&mut open(&directory, 2), 1..3);
    assert_eq!(read(&directory, "a.log"), "line 000\ntor\nline 001\nline 002\n");
}

#[test]
fn dropped_lines_are_counted_and_reported_once() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("a.log");
    let mut writer = open(&directory, 2);
    write(&mut writer, 0..1);
    // A handle that does not take a byte, and then a directory in the place of the file.
    writer.file = Some(File::open(&path).unwrap());
    fs::rename(&path, directory.path().join("aside")).unwrap();
    fs::create_dir(&path).unwrap();
    write(&mut writer, 1..4);
    fs::remove_dir(&path).unwrap();
    fs::rename(directory.path().join("aside"), &path).unwrap();
    write(&mut writer, 4..6);
    assert_eq!(read(&directory, "a.log"), "line 000\n3 lost\nline 004\nline 005\n");
}

#[test]
fn a_file_that_cannot_be_moved_goes_on() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("a.log.1")).unwrap();
    write(&mut open(&directory, 2), 0..30);
    assert_eq!(read(&directory, "a.log").lines().count(), 30);
}

#[test]
fn a_link_in_the_place_of_the_file_is_refused() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("other"), "").unwrap();
    std::os::unix::fs::symlink(directory.path().join("other"), directory.path().join("a.log")).unwrap();
    let error = Writer::open(directory.path().join("a.log"), SIZE, 2).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn a_file_that_was_taken_away_is_made_again_at_the_next_rotation() {
    let directory = TempDir::new().unwrap();
    let mut writer = open(&directory, 2);
    write(&mut writer, 0..11);
    fs::remove_file(directory.path().join("a.log")).unwrap();
    write(&mut writer, 11..13);
    assert_eq!(lines(&directory), expected(11..13));
}
