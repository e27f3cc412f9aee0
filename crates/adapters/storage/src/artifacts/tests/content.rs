//! What is received: whole, bounded, as new as the server's, and one copy of it.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use kobel_model::ErrorKind;

use super::server::{Names, Server, reply};
use super::{artifact, at_most, fetching, files, here};
use crate::artifacts::digest::ContentDigest;

const PATIENCE: Duration = Duration::from_secs(300);

fn names() -> Names {
    Names::leading(&[&["127.0.0.1"]])
}

/// Writes an answer that says nothing of its length.
fn begin(stream: &mut TcpStream, length: &str) {
    let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{length}\r\n").as_bytes());
}

#[test]
fn content_that_is_too_large_is_not_kept_whether_or_not_its_length_is_said() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|asked, stream| match asked.path.as_str() {
        "/said.jar" => reply(stream, "200 OK", &[], &[b'x'; 2000]),
        // Ends only when the client goes away.
        _ => {
            begin(stream, "");
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
        }
    });
    let fetching = fetching(cache.path(), at_most(1000, PATIENCE), &names());
    for path in ["/said.jar", "/endless.jar"] {
        let error = fetching.fetch(&artifact(&server.at("files.example", path)), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "for `{path}`: {error:?}");
        assert!(error.to_string().contains("more than 1000 bytes"), "{error}");
    }
    assert_eq!((files(cache.path(), "content").len(), files(cache.path(), "partial").len()), (0, 0));
}

#[test]
fn content_as_large_as_allowed_is_kept() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|_, stream| reply(stream, "200 OK", &[], &[b'x'; 1000]));
    let fetching = fetching(cache.path(), at_most(1000, PATIENCE), &names());
    let path = fetching.fetch(&artifact(&server.at("files.example", "/a.jar")), None).unwrap();
    assert_eq!(fs::metadata(path).unwrap().len(), 1000);
}

#[test]
fn a_server_that_is_too_slow_is_given_up() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|asked, stream| match asked.path.as_str() {
        "/silent.jar" => thread::sleep(Duration::from_secs(600)),
        _ => {
            begin(stream, "content-length: 100000\r\n");
            while stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        }
    });
    let fetching = fetching(cache.path(), at_most(1 << 20, Duration::from_millis(500)), &names());
    for path in ["/silent.jar", "/dripping.jar"] {
        let start = Instant::now();
        let error = fetching.fetch(&artifact(&server.at("files.example", path)), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "for `{path}`: {error:?}");
        assert!(start.elapsed() < Duration::from_secs(300), "for `{path}`: {:?}", start.elapsed());
    }
    assert_eq!((files(cache.path(), "content").len(), files(cache.path(), "partial").len()), (0, 0));
}

#[test]
fn content_that_is_broken_off_or_packed_or_empty_or_a_page_is_refused() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|asked, stream| match asked.path.as_str() {
        "/short.jar" => {
            begin(stream, "content-length: 100\r\n");
            let _ = stream.write_all(b"PK only this");
        }
        "/packed.jar" => reply(stream, "200 OK", &[("content-encoding", "gzip")], b"\x1f\x8b"),
        "/page.jar" => reply(stream, "200 OK", &[], b"\n<!doctype html><title>Log in</title>"),
        _ => reply(stream, "200 OK", &[], b""),
    });
    for (path, kind) in [
        ("/short.jar", ErrorKind::Unavailable),
        ("/packed.jar", ErrorKind::Unavailable),
        ("/page.jar", ErrorKind::Invalid),
        ("/empty.jar", ErrorKind::Invalid),
    ] {
        let error = here(cache.path()).fetch(&artifact(&server.at("files.example", path)), None).unwrap_err();
        assert_eq!(error.kind(), kind, "for `{path}`: {error:?}");
    }
    assert_eq!((files(cache.path(), "content").len(), files(cache.path(), "partial").len()), (0, 0));
}

/// A server whose content and validator are what `version` holds; it sends content only if the validator is another.
fn versioned(header: &'static str, condition: &'static str, version: &'static Mutex<&'static str>) -> Server {
    Server::start(move |asked, stream| {
        let version = *version.lock().unwrap();
        if asked.header(condition) == Some(version) {
            reply(stream, "304 Not Modified", &[(header, version)], b"");
        } else {
            reply(stream, "200 OK", &[(header, version)], format!("PK {version}").as_bytes());
        }
    })
}

#[test]
fn content_is_sent_again_only_when_it_has_changed() {
    static TAG: Mutex<&str> = Mutex::new("\"one\"");
    static TIME: Mutex<&str> = Mutex::new("Tue, 01 Sep 2026 10:00:00 GMT");
    for (header, condition, version, next) in [
        ("etag", "if-none-match", &TAG, "\"two\""),
        ("last-modified", "if-modified-since", &TIME, "Tue, 01 Sep 2026 11:00:00 GMT"),
    ] {
        let cache = tempfile::tempdir().unwrap();
        let server = versioned(header, condition, version);
        let program = artifact(&server.at("files.example", "/a.jar"));
        let first = here(cache.path()).fetch(&program, None).unwrap();
        let again = here(cache.path()).fetch(&program, None).unwrap();
        assert_eq!(first, again);
        assert_eq!(server.asked()[0].header(condition), None);
        assert_eq!(server.asked()[1].header(condition), Some(*version.lock().unwrap()));

        *version.lock().unwrap() = next;
        let changed = here(cache.path()).fetch(&program, None).unwrap();
        assert_ne!(first, changed, "a path never changes what it holds");
        assert_eq!(fs::read_to_string(&changed).unwrap(), format!("PK {next}"));
        assert!(first.exists(), "whoever runs the old content still can");
        assert_eq!(here(cache.path()).last_fetched(&program, None).unwrap(), Some(changed));
    }
}

#[test]
fn content_without_a_validator_is_fetched_each_time_and_kept_once() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|_, stream| reply(stream, "200 OK", &[], b"PK jar"));
    let first = here(cache.path()).fetch(&artifact(&server.at("files.example", "/a.jar")), None).unwrap();
    let other = here(cache.path()).fetch(&artifact(&server.at("files.example", "/b.jar?x")), None).unwrap();
    let again = here(cache.path()).fetch(&artifact(&server.at("files.example", "/a.jar#part")), None).unwrap();
    assert_eq!((&first, &first), (&other, &again));
    assert_eq!(files(cache.path(), "content"), [first]);
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn content_that_is_not_what_the_checksum_says_is_not_kept() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|_, stream| reply(stream, "200 OK", &[("etag", "\"1\"")], b"PK jar"));
    let program = artifact(&server.at("files.example", "/a.jar"));
    let (right, wrong) = (ContentDigest::of_text("PK jar"), ContentDigest::of_text("PK other"));
    let fetching = here(cache.path());

    let error = fetching.fetch(&program, Some(&format!("sha256:{wrong}"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains(right.as_str()) && error.to_string().contains(wrong.as_str()), "{error}");
    assert_eq!((files(cache.path(), "content").len(), files(cache.path(), "partial").len()), (0, 0));
    assert_eq!(fetching.last_fetched(&program, None).unwrap(), None);

    let path = fetching.fetch(&program, Some(right.as_str())).unwrap();
    let asked = server.asked().len();
    assert_eq!(fetching.fetch(&program, Some(right.as_str())).unwrap(), path);
    assert_eq!(server.asked().len(), asked, "content of a known checksum is used without asking");
    assert_eq!(fetching.last_fetched(&program, Some(wrong.as_str())).unwrap(), None);
    assert_eq!(fetching.fetch(&program, Some("crc32:1")).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn an_unchanged_answer_does_not_pass_a_wrong_checksum() {
    static TAG: Mutex<&str> = Mutex::new("\"one\"");
    let cache = tempfile::tempdir().unwrap();
    let server = versioned("etag", "if-none-match", &TAG);
    let program = artifact(&server.at("files.example", "/a.jar"));
    here(cache.path()).fetch(&program, None).unwrap();
    let wrong = ContentDigest::of_text("PK other");
    let error = here(cache.path()).fetch(&program, Some(wrong.as_str())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn a_local_artifact_is_used_where_it_lies_if_its_checksum_is_right() {
    let cache = tempfile::tempdir().unwrap();
    let path = cache.path().join("a.jar");
    fs::write(&path, "PK jar").unwrap();
    let program = artifact(&format!("file://{}", path.display()));
    let right = ContentDigest::of_text("PK jar");
    assert_eq!(here(cache.path()).fetch(&program, None).unwrap(), path);
    assert_eq!(here(cache.path()).fetch(&program, Some(right.as_str())).unwrap(), path);
    fs::write(&path, "PK changed").unwrap();
    assert_eq!(here(cache.path()).fetch(&program, Some(right.as_str())).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn fetches_of_one_address_at_once_move_its_content_once() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|asked, stream| {
        if asked.header("if-none-match").is_some() {
            return reply(stream, "304 Not Modified", &[], b"");
        }
        thread::sleep(Duration::from_millis(300));
        reply(stream, "200 OK", &[("etag", "\"1\"")], &[b'x'; 100_000]);
    });
    let program = artifact(&server.at("files.example", "/a.jar"));
    let paths: Vec<_> = thread::scope(|scope| {
        let fetch = || here(cache.path()).fetch(&program, None).unwrap();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(fetch)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(paths.iter().all(|path| *path == paths[0]));
    let moved = server.asked().iter().filter(|asked| asked.header("if-none-match").is_none()).count();
    assert_eq!(moved, 1);
}

#[test]
fn a_fetch_that_waits_for_another_gives_up_in_time() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|_, stream| reply(stream, "200 OK", &[], b"PK jar"));
    let fetching = fetching(cache.path(), at_most(1000, Duration::from_millis(200)), &names());
    let url = server.at("files.example", "/a.jar");
    fetching.cache.prepare().unwrap();
    let _held = fetching.cache.hold(&ContentDigest::of_text(&url), "it", PATIENCE).unwrap();
    let error = fetching.fetch(&artifact(&url), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn what_a_crash_left_behind_is_removed_and_what_is_received_now_is_not() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|_, stream| reply(stream, "200 OK", &[], b"PK jar"));
    let fetching = here(cache.path());
    fetching.cache.prepare().unwrap();
    let url = server.at("files.example", "/a.jar");
    let (gone, busy) = (ContentDigest::of_text("http://gone.example/a.jar"), ContentDigest::of_text("busy"));
    let partial = |source: &ContentDigest| cache.path().join("partial").join(source.as_str());
    for source in [&gone, &busy, &ContentDigest::of_text(&url)] {
        fs::write(partial(source), "a part of something else, longer than what comes").unwrap();
    }
    let _held = fetching.cache.hold(&busy, "it", PATIENCE).unwrap();
    let path = fetching.fetch(&artifact(&url), None).unwrap();
    assert_eq!(fs::read(path).unwrap(), b"PK jar");
    assert_eq!(files(cache.path(), "partial"), [partial(&busy)]);
}

#[test]
fn content_or_notes_that_were_changed_on_disk_are_fetched_again() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|asked, stream| match asked.header("if-none-match") {
        Some(_) => reply(stream, "304 Not Modified", &[], b""),
        None => reply(stream, "200 OK", &[("etag", "\"1\"")], b"PK jar"),
    });
    let program = artifact(&server.at("files.example", "/a.jar"));
    let path = here(cache.path()).fetch(&program, None).unwrap();
    let damages: [&dyn Fn(); 3] =
        [&|| fs::write(&path, "PK jaR").unwrap(), &|| fs::remove_file(&path).unwrap(), &|| {
            files(cache.path(), "sources").iter().for_each(|note| fs::write(note, "sha256 ").unwrap())
        }];
    for damage in damages {
        damage();
        assert_eq!(here(cache.path()).last_fetched(&program, None).unwrap(), None);
        assert_eq!(here(cache.path()).fetch(&program, None).unwrap(), path);
        assert_eq!(fs::read(&path).unwrap(), b"PK jar");
    }
}

#[test]
fn what_is_fetched_to_a_path_is_there_whole_for_everybody_and_replaces_what_was_there() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|asked, stream| match asked.path.as_str() {
        "/gone.jar" => reply(stream, "404 Not Found", &[], b""),
        "/short.jar" => {
            begin(stream, "content-length: 100\r\n");
            let _ = stream.write_all(b"PK only this");
        }
        _ => reply(stream, "200 OK", &[], b"PK jar"),
    });
    let path = folder.path().join("a/b/job.jar");
    let fetching = here(&folder.path().join("cache"));
    assert_eq!(fetching.fetch_to(&server.at("files.example", "/a.jar"), &path).unwrap(), 6);
    assert_eq!(fs::read(&path).unwrap(), b"PK jar");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    for (name, kind) in [("/gone.jar", ErrorKind::Missing), ("/short.jar", ErrorKind::Unavailable)] {
        let error = fetching.fetch_to(&server.at("files.example", name), &path).unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), b"PK jar", "what was there stays");
    let local = folder.path().join("other.jar");
    fs::write(&local, "PK other").unwrap();
    assert_eq!(fetching.fetch_to(&format!("file://{}", local.display()), &path).unwrap(), 8);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    assert!(!folder.path().join("cache").exists(), "the cache is not touched");
    for uri in ["gs://b/a.jar", "a.jar", "nonsense://a"] {
        let kind = fetching.fetch_to(uri, &path).unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::Unsupported | ErrorKind::Invalid), "{uri}: {kind:?}");
    }
}
