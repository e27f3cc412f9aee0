//! What archives may and may not do.

use std::io::Write as _;
use std::ops::ControlFlow;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

use super::*;

/// An archive with entries of any name: those that a builder would refuse, too.
fn archive(folder: &Path, entries: &[(&str, EntryType, &str)]) -> PathBuf {
    let path = folder.join("archive.tgz");
    let mut out = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
    for (name, kind, text) in entries {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(if name.ends_with(".sh") { 0o755 } else { 0o644 });
        if *kind == EntryType::Symlink {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_size(text.len() as u64);
        header.set_cksum();
        out.write_all(header.as_bytes()).unwrap();
        out.write_all(text.as_bytes()).unwrap();
        out.write_all(&vec![0; text.len().next_multiple_of(512) - text.len()]).unwrap();
    }
    out.write_all(&[0; 1024]).unwrap();
    out.finish().unwrap();
    path
}

fn unpacked(entries: &[(&str, EntryType, &str)]) -> (tempfile::TempDir, Result<()>) {
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(folder.path(), entries);
    let result = tgz(&archive, &folder.path().join("a/home"), &|_| ControlFlow::Continue(()));
    (folder, result)
}

#[test]
fn the_top_folder_becomes_the_one_that_is_meant() {
    let (folder, result) = unpacked(&[
        ("flink-2.3.0/", EntryType::Directory, ""),
        ("./flink-2.3.0/bin/", EntryType::Directory, ""),
        ("flink-2.3.0/bin/run.sh", EntryType::Regular, "echo"),
        ("flink-2.3.0/lib/a.jar", EntryType::Regular, "jar"),
    ]);
    result.unwrap();
    let home = folder.path().join("a/home");
    assert_eq!(fs::read_to_string(home.join("lib/a.jar")).unwrap(), "jar");
    let script = home.join("bin/run.sh");
    assert_eq!(fs::read_to_string(&script).unwrap(), "echo");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&script).unwrap().permissions().mode() & 0o111, 0o111);
        assert_eq!(fs::metadata(home.join("lib/a.jar")).unwrap().permissions().mode() & 0o111, 0);
    }
}

#[test]
fn nothing_is_written_outside_of_the_folder() {
    for (name, kind) in [
        ("../../evil", EntryType::Regular),
        ("flink/../../../evil", EntryType::Regular),
        ("flink/a/../../../../evil", EntryType::Directory),
        ("/evil", EntryType::Regular),
        ("flink/evil", EntryType::Symlink),
        ("flink/evil", EntryType::Link),
        ("flink/evil", EntryType::Fifo),
    ] {
        let (folder, result) = unpacked(&[(name, kind, "")]);
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Corrupt, "{name}");
        for place in ["evil", "a/evil", "a/home/evil"] {
            assert!(fs::symlink_metadata(folder.path().join(place)).is_err(), "{name}: {place}");
        }
    }
}

#[test]
fn an_archive_that_is_cut_short_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let text = "0123456789".repeat(10_000);
    let path = archive(folder.path(), &[("flink/lib/a.jar", EntryType::Regular, &text)]);
    let bytes = fs::read(&path).unwrap();
    for length in [bytes.len() / 2, 5, 0] {
        fs::write(&path, &bytes[..length]).unwrap();
        let result = tgz(&path, &folder.path().join("home"), &|_| ControlFlow::Continue(()));
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Corrupt, "{length}");
    }
    fs::write(&path, "no archive at all").unwrap();
    assert!(tgz(&path, &folder.path().join("home"), &|_| ControlFlow::Continue(())).is_err());
}

#[test]
fn unpacking_ends_when_the_listener_wants_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = archive(folder.path(), &[("flink/lib/a.jar", EntryType::Regular, "jar")]);
    let result = tgz(&path, &folder.path().join("home"), &|_| ControlFlow::Break(()));
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(!folder.path().join("home").exists());
}
