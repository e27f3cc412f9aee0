//! Installations from a server in the test, from folders and from archives: whole or not at all.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::Sha512;

use super::*;
use crate::checksum::of_bytes;

/// What an answer begins with, and its body; a body shorter than its announced length is cut short.
type Answer = (&'static str, Option<usize>, Vec<u8>);

/// A server of a few files; it ends with the process.
struct Server {
    address: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    fn start(answers: BTreeMap<String, Answer>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = format!("http://{}/dist/flink", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                    request.push(byte[0]);
                }
                counted.fetch_add(1, Ordering::SeqCst);
                let text = String::from_utf8_lossy(&request).into_owned();
                let path = text.split(' ').nth(1).unwrap_or_default();
                let none = ("404 Not Found", None, Vec::new());
                let (status, length, body) = answers.get(path).unwrap_or(&none);
                let length = length.unwrap_or(body.len());
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                // The client may have gone.
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
            }
        });
        Self { address, requests }
    }

    fn source(&self) -> Source {
        Source::Archive { mirror: Some(self.address.clone()) }
    }
}

/// The files of a distribution that does nothing.
fn files(version: &str) -> Vec<String> {
    let mut files: Vec<String> = ["config.sh", "flink", "jobmanager.sh", "standalone-job.sh", "taskmanager.sh"]
        .iter()
        .map(|name| format!("bin/{name}"))
        .collect();
    files.extend(["conf/log4j-console.properties".to_owned(), "conf/config.yaml".to_owned()]);
    files.push(format!("lib/flink-dist-{version}.jar"));
    files
}

fn archive(version: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for name in files(version) {
        let mut header = tar::Header::new_gnu();
        header.set_size(name.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, format!("flink-{version}/{name}"), name.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// What an archive answers that has these releases.
fn answers(versions: &[&str]) -> BTreeMap<String, Answer> {
    let mut found = BTreeMap::new();
    let list: String =
        versions.iter().map(|version| format!("<a href=\"flink-{version}/\">flink-{version}/</a>\n")).collect();
    found.insert("/dist/flink/".to_owned(), ("200 OK", None, list.into_bytes()));
    for version in versions {
        let name = format!("flink-{version}-bin-scala_2.12.tgz");
        let bytes = archive(version);
        let digest = format!("{}  {name}\n", of_bytes::<Sha512>(&bytes));
        let path = format!("/dist/flink/flink-{version}/{name}");
        found.insert(format!("{path}.sha512"), ("200 OK", None, digest.into_bytes()));
        found.insert(path, ("200 OK", None, bytes));
    }
    found
}

fn quiet(_: Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// What lies in a folder but for the locks.
fn left(root: &Path) -> Vec<String> {
    let names = entries(root).unwrap().into_iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
    names.filter(|name| !name.ends_with(".lock")).collect()
}

#[test]
fn a_line_is_installed_as_its_newest_release_and_checked() {
    let server = Server::start(answers(&["1.20.2", "1.20.10", "1.20.9", "2.3.0"]));
    let root = tempfile::tempdir().unwrap();
    let distributions = Distributions::open(&root.path().join("flink"));
    assert!(distributions.list().unwrap().is_empty());
    let told = std::cell::RefCell::new(Vec::new());
    let installed = distributions
        .install("1.20", &server.source(), &|progress| {
            told.borrow_mut().push(format!("{progress:?}"));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(installed.version, "1.20.10");
    assert_eq!(installed.line, FlinkVersion::V1_20);
    assert_eq!(installed.from, format!("{}/flink-1.20.10", server.address));
    assert!(installed.checksums.iter().all(|checksum| checksum.digest.starts_with("sha512:")));
    assert!(installed.home.join("lib/flink-dist-1.20.10.jar").is_file());
    for step in ["Looking", "Downloading", "Checking", "Unpacking", "Settling"] {
        assert!(told.borrow().iter().any(|text| text.starts_with(step)), "{step}: {told:?}");
    }
    let requests = server.requests.load(Ordering::SeqCst);
    assert_eq!(distributions.install("1.20.10", &server.source(), &quiet).unwrap(), installed);
    assert_eq!(server.requests.load(Ordering::SeqCst), requests, "what is there is not asked for");
    distributions.install("1.20.2", &server.source(), &quiet).unwrap();
    distributions.install("v2_3", &server.source(), &quiet).unwrap();
    let versions: Vec<String> = distributions.list().unwrap().into_iter().map(|found| found.version).collect();
    assert_eq!(versions, ["1.20.2", "1.20.10", "2.3.0"]);
    assert_eq!(distributions.find(FlinkVersion::V1_20).unwrap(), Some(installed));
    assert_eq!(distributions.find(FlinkVersion::V2_2).unwrap(), None);
}

#[test]
fn what_is_wrong_is_told_and_leaves_nothing_behind() {
    let path = "/dist/flink/flink-2.3.0/flink-2.3.0-bin-scala_2.12.tgz";
    let changed = |change: &dyn Fn(&mut BTreeMap<String, Answer>)| {
        let mut found = answers(&["2.3.0"]);
        change(&mut found);
        Server::start(found)
    };
    let other_bytes = changed(&|found| drop(found.insert(path.to_owned(), ("200 OK", None, archive("2.3.1")))));
    let cut_short = changed(&|found| drop(found.insert(path.to_owned(), ("200 OK", Some(1 << 20), vec![1; 99]))));
    let no_digest = changed(&|found| drop(found.insert(format!("{path}.sha512"), ("200 OK", None, b"-".to_vec()))));
    let broken = changed(&|found| drop(found.insert(path.to_owned(), ("500 Broken", None, Vec::new()))));
    let whole = changed(&|_| {});
    for (server, version, kind, words) in [
        (&other_bytes, "2.3.0", ErrorKind::Corrupt, "has the checksum"),
        (&cut_short, "2.3.0", ErrorKind::Unavailable, "cannot fetch"),
        (&no_digest, "2.3.0", ErrorKind::Corrupt, "holds no checksum"),
        (&broken, "2.3", ErrorKind::Unavailable, "status 500"),
        (&whole, "2.3.7", ErrorKind::Missing, "there is no Flink `2.3.7`"),
        (&whole, "2.2", ErrorKind::Missing, "lists no release of Flink 2.2"),
    ] {
        let root = tempfile::tempdir().unwrap();
        let error = Distributions::open(root.path()).install(version, &server.source(), &quiet).unwrap_err();
        let text = kobel_model::chain(&error);
        assert_eq!(error.kind(), kind, "{text}");
        assert!(text.contains(words), "{text}");
        assert!(left(root.path()).is_empty(), "{:?}", left(root.path()));
    }
}

#[test]
fn a_server_that_is_away_is_told_with_another_way() {
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let root = tempfile::tempdir().unwrap();
    let source = Source::Archive { mirror: Some(address) };
    let error = Distributions::open(root.path()).install("2.3.0", &source, &quiet).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.hint().unwrap().contains("--from pip"), "{error:?}");
}

#[test]
fn an_installation_that_is_ended_leaves_nothing_behind() {
    let server = Server::start(answers(&["2.3.0"]));
    let root = tempfile::tempdir().unwrap();
    for end in ["Downloading", "Unpacking", "Settling"] {
        let watch = |progress: Progress<'_>| {
            if format!("{progress:?}").starts_with(end) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let error = Distributions::open(root.path()).install("2.3.0", &server.source(), &watch).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{end}");
        assert!(left(root.path()).is_empty(), "{end}: {:?}", left(root.path()));
    }
}

#[test]
fn many_who_install_one_release_at_once_get_the_same() {
    let server = Server::start(answers(&["2.3.0"]));
    let root = tempfile::tempdir().unwrap();
    let distributions = Distributions::open(root.path());
    std::thread::scope(|scope| {
        for version in ["2.3.0", "2.3", "2.3.0", "2.3"] {
            let (distributions, server) = (&distributions, &server);
            scope.spawn(move || {
                let installed = distributions.install(version, &server.source(), &quiet).unwrap();
                assert!(installed.home.join("lib/flink-dist-2.3.0.jar").is_file());
            });
        }
    });
    assert_eq!(left(root.path()), ["2.3.0"]);
}

#[test]
fn a_folder_and_an_archive_of_this_machine_are_installed() {
    let here = tempfile::tempdir().unwrap();
    let folder = here.path().join("my-flink");
    for name in files("2.1.1").into_iter().chain(["log/old.log".to_owned(), "plugins/a/a.jar".to_owned()]) {
        let path = folder.join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    let file = here.path().join("flink.tgz");
    fs::write(&file, archive("1.19.3")).unwrap();
    let distributions = Distributions::open(&here.path().join("flink"));
    let copied = distributions.install("2.1", &Source::Path(folder.clone()), &quiet).unwrap();
    assert_eq!(copied.version, "2.1.1");
    assert!(copied.home.join("plugins/a/a.jar").is_file());
    assert!(!copied.home.join("log/old.log").exists(), "what was logged there stays there");
    // The settings of the original may change; those of the installation do not.
    fs::write(folder.join("conf/config.yaml"), "changed").unwrap();
    assert_eq!(fs::read_to_string(copied.home.join("conf/config.yaml")).unwrap(), "conf/config.yaml");
    let unpacked = distributions.install("1.19.3", &Source::Path(file.clone()), &quiet).unwrap();
    assert_eq!(unpacked.checksums.len(), 1);
    for (version, path, kind) in [
        ("2.3.0", &folder, ErrorKind::Invalid),
        ("2.3.0", &file, ErrorKind::Invalid),
        ("2.3.0", &here.path().to_owned(), ErrorKind::Invalid),
        ("2.3.0", &here.path().join("nothing"), ErrorKind::Missing),
        ("2.3.0", &folder.join("conf/config.yaml"), ErrorKind::Corrupt),
        ("1.14", &folder, ErrorKind::Unsupported),
    ] {
        let error = distributions.install(version, &Source::Path(path.clone()), &quiet).unwrap_err();
        assert_eq!(error.kind(), kind, "{version} {}: {error:?}", path.display());
    }
    assert_eq!(left(&here.path().join("flink")), ["1.19.3", "2.1.1"]);
}

#[test]
fn what_others_put_in_the_place_of_a_release_stays() {
    let here = tempfile::tempdir().unwrap();
    let file = here.path().join("flink.tgz");
    fs::write(&file, archive("2.3.0")).unwrap();
    let root = here.path().join("flink");
    fs::create_dir_all(root.join("2.3.0")).unwrap();
    let distributions = Distributions::open(&root);
    let error = distributions.install("2.3.0", &Source::Path(file), &quiet).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(distributions.list().unwrap().is_empty());
    assert_eq!(left(&root), ["2.3.0"]);
}
