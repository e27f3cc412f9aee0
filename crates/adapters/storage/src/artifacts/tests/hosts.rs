//! Which hosts are asked: never one that was not checked, whichever way it is named.

use kobel_model::ErrorKind;

use super::server::{Names, Server, reply};
use super::{Limits, artifact, fetching, files, here};
use crate::artifacts::Artifacts;

fn jar() -> Server {
    Server::start(|_, stream| reply(stream, "200 OK", &[], b"PK jar"))
}

#[test]
fn a_name_that_leads_to_a_private_address_is_refused_before_a_connection_is_made() {
    let cache = tempfile::tempdir().unwrap();
    let server = jar();
    for answer in [
        &["169.254.169.254"][..],
        &["10.0.0.7"],
        &["fd00:ec2::254"],
        &["::ffff:169.254.169.254"],
        &["100.64.0.1"],
        // One public address does not make the others good.
        &["127.0.0.1", "10.0.0.7"],
    ] {
        let names = Names::leading(&[answer]);
        let fetching = fetching(cache.path(), Limits::default(), &names);
        let error = fetching.fetch(&artifact(&server.at("files.example", "/a.jar")), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "for {answer:?}: {error:?}");
        assert!(error.to_string().contains("`files.example` leads to"), "{error}");
    }
    assert_eq!(server.asked().len(), 0);
    assert_eq!(files(cache.path(), "partial").len(), 0);
}

#[test]
fn a_name_that_changes_its_address_is_looked_up_once_for_each_connection() {
    let cache = tempfile::tempdir().unwrap();
    let server = jar();
    let names = Names::leading(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let fetching = fetching(cache.path(), Limits::default(), &names);
    let program = artifact(&server.at("files.example", "/a.jar"));
    fetching.fetch(&program, None).expect("the address that was checked is the one that is asked");
    assert_eq!((names.lookups(), server.asked().len()), (1, 1));
    assert_eq!(fetching.fetch(&program, None).unwrap_err().kind(), ErrorKind::Denied);
    assert_eq!((names.lookups(), server.asked().len()), (2, 1));
}

#[test]
fn addresses_written_as_hosts_are_refused_in_every_spelling() {
    let cache = tempfile::tempdir().unwrap();
    // The rules of the product and its own lookups: nothing listens where these lead.
    let fetching = Artifacts::new(cache.path(), Limits::default());
    for host in [
        "127.0.0.1:1",
        "127.1:1",
        "2130706433:1",
        "0x7f000001:1",
        "0177.0.0.1:1",
        "[::1]:1",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "169.254.169.254",
        "localhost:1",
        "LOCALHOST.:1",
        "metadata.google.internal",
    ] {
        let error = fetching.fetch(&artifact(&format!("http://{host}/a.jar")), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "for `{host}`: {error:?}");
    }
}

#[test]
fn private_hosts_are_asked_where_they_are_allowed() {
    let cache = tempfile::tempdir().unwrap();
    let server = jar();
    let limits = Limits { allow_private: true, ..Limits::default() };
    let path = Artifacts::new(cache.path(), limits).fetch(&artifact(&server.at("127.0.0.1", "/a.jar")), None).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), b"PK jar");
}

#[test]
fn redirects_to_where_nobody_may_be_sent_are_not_followed() {
    let cache = tempfile::tempdir().unwrap();
    for (location, kind) in [
        ("http://169.254.169.254/latest/meta-data/", ErrorKind::Denied),
        ("http://[fd00:ec2::254]/", ErrorKind::Denied),
        ("http://[::ffff:169.254.169.254]/", ErrorKind::Denied),
        ("http://127.1/", ErrorKind::Denied),
        ("http://2130706433/", ErrorKind::Denied),
        ("//localhost/", ErrorKind::Denied),
        ("http://metadata.google.internal/", ErrorKind::Denied),
        ("file:///etc/passwd", ErrorKind::Invalid),
        ("ftp://files.example/a.jar", ErrorKind::Invalid),
        ("http://user:hunter2@files.example/a.jar", ErrorKind::Invalid),
        ("http://", ErrorKind::Invalid),
        ("", ErrorKind::Invalid),
    ] {
        // An empty location leads back to where it came from, and so round and round.
        let server = Server::start(move |_, stream| reply(stream, "302 Found", &[("location", location)], b""));
        let error = here(cache.path()).fetch(&artifact(&server.at("files.example", "/a.jar")), None).unwrap_err();
        assert_eq!(error.kind(), kind, "for `{location}`: {error:?}");
        assert!(!format!("{error:?}").contains("hunter2"));
        let expected = if location.is_empty() { 6 } else { 1 };
        assert_eq!(server.asked().len(), expected, "for `{location}`");
    }
    assert_eq!((files(cache.path(), "content").len(), files(cache.path(), "partial").len()), (0, 0));
}

#[test]
fn a_redirect_to_a_public_host_is_followed_and_its_query_is_shown_to_nobody() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|asked, stream| match asked.path.as_str() {
        "/a.jar?token=hunter2" => reply(stream, "302 Found", &[("location", "/signed?X-Amz-Signature=hunter3")], b""),
        "/signed?X-Amz-Signature=hunter3" => reply(stream, "200 OK", &[], b"PK jar"),
        "/b.jar?token=hunter2" => reply(stream, "307 See", &[("location", "/refused?X-Amz-Signature=hunter3")], b""),
        _ => reply(stream, "403 Forbidden", &[], b"hunter3"),
    });
    let fetching = here(cache.path());
    let path = fetching.fetch(&artifact(&server.at("files.example", "/a.jar?token=hunter2")), None).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"PK jar");
    let error = fetching.fetch(&artifact(&server.at("files.example", "/b.jar?token=hunter2")), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains("/b.jar`"), "{error}");
    let shown = format!("{error:?} {} {:?} {:?}", path.display(), fetching, files(cache.path(), "sources"));
    assert!(!shown.contains("hunter"), "{shown}");
    let notes =
        files(cache.path(), "sources").iter().map(|path| std::fs::read_to_string(path).unwrap()).collect::<String>();
    assert!(!notes.contains("hunter"), "{notes}");
}

#[test]
fn an_address_with_a_password_is_refused_without_showing_it() {
    let cache = tempfile::tempdir().unwrap();
    let error = here(cache.path()).fetch(&artifact("http://me:hunter2@files.example/a.jar"), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn what_a_server_says_decides_what_is_to_be_done() {
    let cache = tempfile::tempdir().unwrap();
    for (status, kind) in [
        ("404 Not Found", ErrorKind::Missing),
        ("410 Gone", ErrorKind::Missing),
        ("401 Unauthorized", ErrorKind::Denied),
        ("403 Forbidden", ErrorKind::Denied),
        ("429 Too Many", ErrorKind::Unavailable),
        ("503 Away", ErrorKind::Unavailable),
        ("206 Partial", ErrorKind::Invalid),
        // Nothing was asked that could be answered so.
        ("304 Not Modified", ErrorKind::Invalid),
    ] {
        let server = Server::start(move |_, stream| reply(stream, status, &[], b""));
        let error = here(cache.path()).fetch(&artifact(&server.at("files.example", "/a.jar")), None).unwrap_err();
        assert_eq!(error.kind(), kind, "for `{status}`: {error:?}");
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = here(cache.path()).fetch(&artifact(&format!("http://files.example:{nobody}/a.jar")), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[test]
fn file_systems_that_are_not_spoken_here_are_unsupported() {
    let cache = tempfile::tempdir().unwrap();
    for uri in ["hdfs://host/a.jar", "gs://bucket/a.jar", "abfss://c@account.example/a.jar"] {
        let error = here(cache.path()).fetch(&artifact(uri), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "for `{uri}`");
    }
}

#[test]
fn headers_go_to_the_host_that_is_named_and_to_no_other() {
    let cache = tempfile::tempdir().unwrap();
    let other = jar();
    let elsewhere = other.at("other.example", "/a.jar");
    let named = Server::start(move |asked, stream| match asked.path.as_str() {
        "/here.jar" => reply(stream, "302 Found", &[("location", "/a.jar")], b""),
        "/away.jar" => reply(stream, "302 Found", &[("location", elsewhere.as_str())], b""),
        _ => reply(stream, "200 OK", &[], b"PK jar"),
    });
    let headers = [("X-One".to_owned(), "hunter2".to_owned())].into();
    let fetching = here(cache.path()).with_headers(&headers).unwrap();
    for path in ["/here.jar", "/away.jar"] {
        fetching.fetch(&artifact(&named.at("files.example", path)), None).unwrap();
    }
    assert!(named.asked().len() == 3 && named.asked().iter().all(|asked| asked.header("x-one") == Some("hunter2")));
    assert!(other.asked().len() == 1 && other.asked().iter().all(|asked| asked.header("x-one").is_none()));
    assert!(!format!("{fetching:?}").contains("hunter2"), "{fetching:?}");
}

#[test]
fn what_can_be_no_header_is_refused_without_its_value() {
    let cache = tempfile::tempdir().unwrap();
    for (name, value) in [("no name", "hunter2"), ("", "hunter2"), ("x-one", "hunter2\nx-two: 2")] {
        let error = here(cache.path()).with_headers(&[(name.to_owned(), value.to_owned())].into()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{name:?}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}
