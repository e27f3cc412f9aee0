//! The client against a server that sends what it is told.

use std::net::TcpListener;
use std::thread::JoinHandle;

use super::*;

/// Answers one connection with the given bytes; returns the port, and the request once it is read.
fn server(answer: &'static str) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = BufReader::new(stream);
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            stream.read_line(&mut request).unwrap();
        }
        let length = request.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let mut body = vec![0_u8; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut body).unwrap();
        stream.get_mut().write_all(answer.as_bytes()).unwrap();
        request + &String::from_utf8(body).unwrap()
    });
    (port, thread)
}

#[test]
fn bodies_are_read_however_they_are_framed() {
    for (answer, status, body) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello and more", 200, "hello"),
        (
            "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
            404,
            "hello",
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer: 1\r\n\r\n", 200, "hello"),
        ("HTTP/1.1 200 OK\r\n\r\nto the end", 200, "to the end"),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
    ] {
        let (port, thread) = server(answer);
        let response = ask(port, &Request::get("/overview")).unwrap();
        assert_eq!((response.status, response.text().as_str()), (status, body), "{answer}");
        thread.join().unwrap();
    }
}

#[test]
fn answers_that_are_not_whole_are_errors() {
    for (answer, words) in [
        ("", "closed before the answer was whole"),
        ("hello\r\n\r\n", "no status line"),
        ("HTTP/1.1 200 OK\r\nnothing\r\n\r\n", "no header"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "ends after 5 of 9"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "no length of a chunk"),
    ] {
        let (port, thread) = server(answer);
        let error = ask(port, &Request::get("/a")).unwrap_err();
        assert!(error.contains(words) && error.contains("GET `/a`"), "{answer}: {error}");
        thread.join().unwrap();
    }
}

#[test]
fn requests_carry_what_they_were_given() {
    let (port, thread) = server("HTTP/1.1 202 Accepted\r\nContent-Length: 12\r\nX-A: b\r\n\r\n{\"id\":\"1234\"}");
    let body = serde_json::json!({"drain": false});
    let response = ask(port, &Request::post("/jobs/1/stop", &body).header("Authorization", "Bearer t")).unwrap();
    assert_eq!(response.header("x-a"), Some("b"));
    assert!(response.json().is_err(), "twelve of thirteen bytes are no JSON");
    let request = thread.join().unwrap();
    assert!(request.starts_with("POST /jobs/1/stop HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("\r\nHost: 127.0.0.1:{port}\r\n")), "{request}");
    assert!(request.contains("\r\nAuthorization: Bearer t\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"drain\":false}"), "{request}");

    let (port, thread) = server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    ask(port, &Request::get("/").header("host", "evil.example")).unwrap().expect_json(200).unwrap();
    let request = thread.join().unwrap();
    assert!(request.contains("\r\nhost: evil.example\r\n") && !request.contains("Host: 127"), "{request}");
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut connection = Connection::open_within(port, Duration::from_millis(50)).unwrap();
    let error = connection.ask(&Request::get("/")).unwrap_err();
    assert!(error.ends_with("no answer in time"), "{error}");
}
