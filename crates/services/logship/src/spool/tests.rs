//! Spools on a real disk, over crashes and outages.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;

use super::*;

const DAY: &str = "20260901";

fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn rotation(size: u64, files: usize) -> Rotation {
    Rotation { size, files }
}

/// Adds a text, whole.
fn append(spool: &mut Spool, text: &str, rotation: Rotation) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let length = spool.append(rest, rotation, DAY).unwrap();
        assert!(length > 0, "nothing of {text:?} is added");
        rest = &rest[length..];
    }
}

#[test]
fn as_many_whole_lines_go_into_a_file_as_fit() {
    for (text, held, max, expected) in [
        ("ab\ncd\n", 0, 6, 6),
        ("ab\ncd\n", 0, 5, 3),
        ("ab\ncd\n", 3, 6, 3),
        ("ab\ncd\n", 4, 6, 0),
        ("abcdef", 0, 4, 4),
        ("abcdef", 9, 4, 0),
        ("abcdef", 0, 0, 1),
    ] {
        assert_eq!(fitting(text.as_bytes(), held, max), expected, "{text:?} {held} {max}");
    }
}

#[test]
fn a_file_grows_is_closed_at_its_size_and_holds_every_line_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), "log", Spooled::default()).unwrap();
    for line in ["one\n", "two\n", "three\n", "four\n"] {
        append(&mut spool, line, rotation(10, 5));
    }
    assert_eq!(names(folder.path()), ["log.gz", "log_20260901_0.gz", "log_20260901_1.gz"]);
    assert_eq!(unpacked(&folder.path().join("log_20260901_0.gz")), "one\ntwo\n");
    assert_eq!(unpacked(&folder.path().join("log_20260901_1.gz")), "three\n");
    assert_eq!(unpacked(&folder.path().join("log.gz")), "four\n");
    assert_eq!(spool.oldest().unwrap().unwrap().0, "log_20260901_0.gz");
    spool.drop_oldest();
    assert_eq!(spool.oldest().unwrap().unwrap().0, "log_20260901_1.gz");
}

#[test]
fn what_was_written_after_the_state_was_kept_is_undone() {
    for lines in [&["two\n"][..], &["two two\n", "three three\n"], &["two two\n", "three three\n", "four four\n"]] {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), "log", Spooled::default()).unwrap();
        append(&mut spool, "zero zero\none\n", rotation(10, 5));
        let kept = spool.state().clone();
        for line in lines {
            append(&mut spool, line, rotation(10, 5));
        }
        drop(spool);
        let again = Spool::open(folder.path(), "log", kept.clone()).unwrap();
        assert_eq!(again.state(), &kept);
        assert_eq!(names(folder.path()), ["log.gz", "log_20260901_0.gz"], "{lines:?}");
        assert_eq!(unpacked(&folder.path().join("log.gz")), "one\n", "{lines:?}");
    }
}

#[test]
fn no_more_closed_files_wait_than_may() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), "log", Spooled::default()).unwrap();
    fs::write(folder.path().join("other_20260901_0.gz"), "not ours").unwrap();
    for _ in 0..6 {
        append(&mut spool, "aaaaaaaa\n", rotation(10, 2));
    }
    let expected = ["log.gz", "log_20260901_3.gz", "log_20260901_4.gz", "other_20260901_0.gz"];
    assert_eq!(names(folder.path()), expected);
}

#[test]
fn a_file_that_lost_its_end_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let state = Spooled { packed: 99, held: 99, index: 3 };
    let spool = Spool::open(folder.path(), "log", state).unwrap();
    assert_eq!(spool.state(), &Spooled { packed: 0, held: 0, index: 3 });
}
