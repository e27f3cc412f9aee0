//! A real server without jobs, asked over sockets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};

use kobel_logs::{Format, Level, LogFiles, LogOptions};
use kobel_model::ErrorKind;
use tempfile::TempDir;

use super::*;
use crate::rest::stage::{APPLICATION, facts};

const TOKEN: &str = "0123456789abcdef";

fn options() -> ServerOptions {
    ServerOptions {
        rest: Some(("127.0.0.1".to_owned(), vec![0])),
        metrics: Some(("127.0.0.1".to_owned(), vec![0])),
        address: "localhost".to_owned(),
        token: None,
        is_open: false,
        tls: None,
        body_max: 1_000,
        result_kept: Duration::from_secs(60),
    }
}

fn server(options: ServerOptions) -> Server {
    Server::start(options, Arc::new(Cluster::new(facts(&[])))).unwrap()
}

/// Keeps a connection and reads answers by their length.
struct Client {
    reader: BufReader<TcpStream>,
}

struct Heard {
    status: u16,
    headers: String,
    body: String,
}

impl Client {
    fn new(address: Option<SocketAddr>) -> Self {
        let stream = TcpStream::connect(address.unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(300))).unwrap();
        Self { reader: BufReader::new(stream) }
    }

    fn send(&mut self, text: &str) {
        self.reader.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn hear_headers(&mut self) -> String {
        let mut headers = String::new();
        while !headers.ends_with("\r\n\r\n") {
            assert_ne!(self.reader.read_line(&mut headers).unwrap(), 0, "the server broke off after {headers:?}");
        }
        headers.to_lowercase()
    }

    fn hear(&mut self) -> Heard {
        let headers = self.hear_headers();
        let length = headers.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |digits| digits.parse().unwrap())];
        self.reader.read_exact(&mut body).unwrap();
        let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
        Heard { status, headers, body: String::from_utf8(body).unwrap() }
    }

    fn ask(&mut self, text: &str) -> Heard {
        self.send(text);
        self.hear()
    }

    fn get(&mut self, path: &str) -> Heard {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }
}

#[test]
fn a_connection_is_kept_for_many_requests() {
    let server = server(options());
    let mut client = Client::new(server.address());
    for path in ["/overview", "/v1/overview", "/overview/", "//overview", "/over%76iew", "/overview?a=b"] {
        let heard = client.get(path);
        assert_eq!(heard.status, 200, "for {path}");
        assert!(heard.body.starts_with(r#"{"taskmanagers":1,"slots-total":4,"#), "{}", heard.body);
        assert!(heard.headers.contains("content-type: application/json; charset=utf-8"));
        assert!(!heard.headers.contains("access-control"), "{}", heard.headers);
    }
}

#[test]
fn what_is_not_there_is_answered_as_flink_does() {
    let server = server(options());
    let mut client = Client::new(server.address());
    for (request, status, body) in [
        ("GET /nope", 404, r#"{"errors":["Unable to load requested file /nope."]}"#),
        ("GET /", 404, r#"{"errors":["Unable to load requested file /index.html."]}"#),
        ("GET /OVERVIEW", 404, r#"{"errors":["Unable to load requested file /OVERVIEW."]}"#),
        ("GET /v1/nope", 404, r#"{"errors":["Unable to load requested file /v1/nope."]}"#),
        ("GET /jobmanager/profiler", 404, r#"{"errors":["Unable to load requested file /jobmanager/profiler."]}"#),
        ("GET /%2e%2e/etc/passwd", 404, r#"{"errors":["Unable to load requested file /../etc/passwd."]}"#),
        ("POST /overview", 404, r#"{"errors":["Not found: /overview"]}"#),
        ("DELETE /jobs/abc", 404, r#"{"errors":["Not found: /jobs/abc"]}"#),
        ("OPTIONS /overview", 404, r#"{"errors":["Not found: /overview"]}"#),
        ("FOO /overview", 404, r#"{"errors":["Not found: /overview"]}"#),
        ("GET /jobs", 200, r#"{"jobs":[]}"#),
        ("GET /jobs/overview", 200, r#"{"jobs":[]}"#),
        ("GET /datasets", 200, r#"{"dataSets":[]}"#),
        ("GET /jobmanager/stdout", 200, ""),
    ] {
        let heard = client.ask(&format!("{request} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_eq!((heard.status, heard.body.as_str()), (status, body), "for {request}");
    }
    for (request, status) in [
        ("GET /jobs/abc", 400),
        ("GET /jobs/00000000000000000000000000000000", 404),
        ("GET /taskmanagers/nope", 500),
        ("GET /applications/00000000000000000000000000000000", 500),
        ("PATCH /jobs/00000000000000000000000000000000", 404),
        ("GET /savepoint-disposal/00000000000000000000000000000000", 404),
    ] {
        let heard = client.ask(&format!("{request} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_eq!(heard.status, status, "for {request}");
        assert!(heard.body.starts_with(r#"{"errors":[""#), "{}", heard.body);
    }
}

#[test]
fn the_process_shows_itself() {
    let server = server(options());
    let port = server.address().unwrap().port();
    let mut client = Client::new(server.address());
    for (path, words) in [
        ("/config".to_owned(), r#""flink-version":"2.3.0""#.to_owned()),
        ("/jobmanager/config".to_owned(), format!(r#"{{"key":"rest.port","value":"{port}"}}"#)),
        ("/jars".to_owned(), format!(r#"{{"address":"http://localhost:{port}","files":[]}}"#)),
        ("/taskmanagers".to_owned(), r#""slotsNumber":4,"freeSlots":4,"assignedTasks":0"#.to_owned()),
        ("/taskmanagers/localhost:6122-4ebda0".to_owned(), r#""allocatedSlots":[]"#.to_owned()),
        (format!("/applications/{APPLICATION}"), r#""status":"RUNNING""#.to_owned()),
        ("/jobmanager/thread-dump".to_owned(), r#"{"threadInfos":[]}"#.to_owned()),
    ] {
        let heard = client.get(&path);
        assert_eq!(heard.status, 200, "for {path}");
        assert!(heard.body.contains(&words), "{}", heard.body);
    }
    client.send("HEAD /overview HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(client.hear_headers().starts_with("http/1.1 404 "));
}

#[test]
fn foreign_hosts_and_origins_are_not_heard() {
    let server = server(options());
    for (headers, status) in [
        ("Host: localhost", 200),
        ("Host: 127.0.0.1:8081", 200),
        ("Host: evil.example", 403),
        ("X: y", 400),
        ("Host: localhost\r\nOrigin: http://localhost", 200),
        ("Host: localhost\r\nOrigin: http://evil.example", 403),
        ("Host: localhost\r\nOrigin: null", 403),
    ] {
        let heard = Client::new(server.address()).ask(&format!("GET /overview HTTP/1.1\r\n{headers}\r\n\r\n"));
        assert_eq!(heard.status, status, "for {headers:?}");
        assert!(!heard.headers.contains("access-control"));
    }
}

#[test]
fn a_token_is_needed_if_there_is_one() {
    let server = server(ServerOptions { token: Some(TOKEN.to_owned()), ..options() });
    for address in [server.address(), server.metrics_address()] {
        let path = if address == server.address() { "/overview" } else { "/metrics" };
        let refused = Client::new(address).get(path);
        assert_eq!(refused.status, 401);
        assert!(refused.headers.contains("www-authenticate: bearer"));
        assert!(!refused.body.contains(TOKEN));
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
        assert_eq!(Client::new(address).ask(&request).status, 200);
    }
}

#[test]
fn bodies_are_bounded_whether_or_not_their_length_is_told() {
    let server = server(options());
    let start = "POST /jobs HTTP/1.1\r\nHost: localhost\r\n";
    let large = "x".repeat(2_000);
    for request in [
        format!("{start}Content-Length: 2000\r\n\r\n"),
        format!("{start}Transfer-Encoding: chunked\r\n\r\n7d0\r\n{large}\r\n0\r\n\r\n"),
    ] {
        let heard = Client::new(server.address()).ask(&request);
        assert_eq!(heard.status, 413);
        assert!(heard.body.contains("rest.server.max-content-length"), "{}", heard.body);
    }
    let heard = Client::new(server.address()).ask(&format!("{start}Content-Length: 2\r\n\r\n{{}}"));
    assert_eq!(heard.status, 400, "it is small enough to be refused for what it says");
}

#[test]
fn no_setting_has_more_than_a_mebibyte_read() {
    let server = server(ServerOptions { body_max: usize::MAX, ..options() });
    let start = "POST /jobs HTTP/1.1\r\nHost: localhost\r\n";
    let heard = Client::new(server.address()).ask(&format!("{start}Content-Length: 1048577\r\n\r\n"));
    assert_eq!(heard.status, 413);
    assert!(heard.body.contains("exceeded 1048576 bytes, the most that is read here"), "{}", heard.body);
    let largest = "x".repeat(1 << 20);
    let heard = Client::new(server.address()).ask(&format!("{start}Content-Length: 1048576\r\n\r\n{largest}"));
    assert_eq!(heard.status, 400, "it is small enough to be refused for what it says");
}

#[test]
fn only_files_of_the_log_can_be_had() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("secret.txt"), "secret").unwrap();
    let logs = LogFiles::open(LogOptions {
        directory: directory.path().join("log"),
        file_stem: "kobel".to_owned(),
        rotation_size: 1 << 20,
        max_files: 2,
        level: Level::Info,
        format: Format::Text,
    });
    let logs = Arc::new(logs.unwrap());
    std::fs::write(directory.path().join("log").join(logs.main_name()), "one line\n").unwrap();
    let mut facts = facts(&[]);
    facts.logs = Some(logs);
    let server = Server::start(options(), Arc::new(Cluster::new(facts))).unwrap();
    let mut client = Client::new(server.address());
    for path in ["/jobmanager/log", "/jobmanager/logs/kobel.log", "/taskmanagers/localhost:6122-4ebda0/log"] {
        let heard = client.get(path);
        assert_eq!((heard.status, heard.body.as_str()), (200, "one line\n"), "for {path}");
        assert!(heard.headers.contains("content-type: text/plain"));
    }
    for name in [
        "../secret.txt",
        "..%2fsecret.txt",
        "..%252fsecret.txt",
        "%2e%2e",
        ".",
        "%2fetc%2fpasswd",
        "a%00b",
        "secret.txt",
    ] {
        for of in ["/jobmanager", "/taskmanagers/localhost:6122-4ebda0", "/taskmanagers/nope"] {
            let heard = client.get(&format!("{of}/logs/{name}"));
            assert!([404, 500].contains(&heard.status), "{of} gave {} for {name}", heard.status);
            assert!(!heard.body.contains("root:") && heard.body != "secret", "{}", heard.body);
        }
    }
}

#[test]
fn a_slow_client_keeps_nobody_waiting_and_the_server_ends_in_time() {
    let server = server(options());
    let mut slow = Client::new(server.address());
    slow.send("POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nx");
    let _silent = Client::new(server.address());
    assert_eq!(Client::new(server.address()).get("/overview").status, 200);
    let begun = Instant::now();
    drop(server);
    assert!(begun.elapsed() < Duration::from_secs(60), "it took {:?}", begun.elapsed());
}

#[test]
fn metrics_have_a_place_of_their_own() {
    let server = server(options());
    let mut client = Client::new(server.metrics_address());
    let heard = client.get("/metrics");
    assert_eq!(heard.status, 200);
    assert!(heard.headers.contains("content-type: text/plain; version=0.0.4"));
    assert_eq!(client.get("/overview").status, 404);
    assert_eq!(Client::new(server.address()).get("/metrics").status, 404);
}

#[test]
fn without_protection_only_loopback_is_listened_on() {
    for (rest, metrics) in [(Some("0.0.0.0"), None), (None, Some("0.0.0.0")), (Some("127.0.0.1"), Some("::"))] {
        let place = |host: &str| (host.to_owned(), vec![0]);
        let open = ServerOptions { rest: rest.map(place), metrics: metrics.map(place), ..options() };
        let started = Server::start(open, Arc::new(Cluster::new(facts(&[]))));
        assert_eq!(started.err().map(|error| error.kind()), Some(ErrorKind::Denied), "for {rest:?} and {metrics:?}");
    }
    let rest = Some(("0.0.0.0".to_owned(), vec![0]));
    let server = server(ServerOptions { rest, is_open: true, ..options() });
    let port = server.address().unwrap().port();
    let heard = Client::new(Some(SocketAddr::from(([127, 0, 0, 1], port)))).get("/config");
    assert_eq!(heard.status, 200, "it was said that it is well");
}

#[test]
fn the_end_of_the_process_can_be_asked_for_and_waited_for() {
    let server = server(options());
    assert_eq!(Client::new(server.address()).ask("DELETE /cluster HTTP/1.1\r\nHost: localhost\r\n\r\n").body, "{}");
    server.wait_for_shutdown(&|| false);
    server.wait_until_read(&|| false);
}

#[test]
fn results_are_waited_for_until_they_have_been_asked_for() {
    let server = server(options());
    let mut client = Client::new(server.address());
    let id = "0".repeat(32);
    let heard = client.ask(&format!("DELETE /datasets/{id} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    let id = heard.body.split('"').nth(3).unwrap().to_owned();
    let begun = Instant::now();
    server.wait_until_read(&|| begun.elapsed() > Duration::from_millis(100));
    assert!(begun.elapsed() > Duration::from_millis(100), "nobody has asked yet");
    let heard = client.get(&format!("/datasets/delete/{id}"));
    assert_eq!(heard.body, r#"{"status":{"id":"COMPLETED"},"operation":{}}"#);
    server.wait_until_read(&|| false);
    client.reader.get_ref().shutdown(Shutdown::Both).unwrap();
}
