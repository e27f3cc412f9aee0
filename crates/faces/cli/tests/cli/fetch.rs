//! `kobel fetch` against a web server that is away for a moment, and one that says no.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::kobel::kobel;

/// A server that answers with these statuses, one after the other; the last one stays. Gives its port and how often it
/// was asked.
fn server(statuses: &'static [&'static str]) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let count = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&count);
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let head =
                BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).count();
            let place = asked.fetch_add(usize::from(head > 0), Ordering::SeqCst).min(statuses.len() - 1);
            let status = statuses[place];
            let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 6\r\n\r\nPK jar");
            // A client that has gone away is none of the server's business.
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    (port, count)
}

#[test]
fn what_passes_is_waited_for_and_the_file_is_there_whole() {
    let directory = tempfile::tempdir().expect("a directory");
    let (port, asked) = server(&["503 Service Unavailable", "200 OK"]);
    let uri = format!("http://127.0.0.1:{port}/a.jar?X-Amz-Signature=hunter2");
    let ended = kobel(directory.path(), &["fetch", &uri, "usrlib/a.jar"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("status 503") && ended.stderr.contains("fetched 6 bytes"), "{ended:?}");
    assert!(ended.stdout.is_empty() && !ended.stderr.contains("hunter"), "{ended:?}");
    assert_eq!(fs::read(directory.path().join("usrlib/a.jar")).expect("the file"), b"PK jar");
    assert_eq!(fs::read_dir(directory.path().join("usrlib")).expect("the folder").count(), 1);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[test]
fn what_does_not_pass_ends_it_at_once() {
    for (statuses, word) in [(&["404 Not Found"], "status 404"), (&["403 Forbidden"], "status 403")] {
        let directory = tempfile::tempdir().expect("a directory");
        let (port, asked) = server(statuses);
        let ended = kobel(directory.path(), &["fetch", &format!("http://127.0.0.1:{port}/a.jar"), "a.jar"]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(word), "{ended:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{word}");
        assert_eq!(fs::read_dir(directory.path()).expect("the folder").count(), 0, "{word}");
    }
    let directory = tempfile::tempdir().expect("a directory");
    assert_eq!(kobel(directory.path(), &["fetch", "gs://b/a.jar", "a.jar"]).code, Some(1));
    assert_eq!(kobel(directory.path(), &["fetch"]).code, Some(2));
}
