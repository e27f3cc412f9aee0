//! A server for tests that plays answers by request line and remembers what it heard.

#![cfg(test)]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::endpoint::Endpoint;

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers with a status and a body.
    Answer(u16, String),
    /// Says nothing until the client goes.
    Silence,
    /// Ends the connection.
    HangUp,
}

impl Reply {
    /// 200.
    pub(crate) fn ok(body: &str) -> Self {
        Self::Answer(200, body.to_owned())
    }

    /// A refusal with one message.
    pub(crate) fn refusal(status: u16, message: &str) -> Self {
        Self::Answer(status, serde_json::json!({ "errors": [message] }).to_string())
    }
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// Method and path with the query.
    pub(crate) line: String,
    /// All headers in small letters.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// What the threads of the server share.
#[derive(Debug)]
struct Stage {
    script: Mutex<Vec<(String, Reply)>>,
    heard: Mutex<Vec<Heard>>,
    connections: AtomicUsize,
}

/// The server.
#[derive(Debug)]
pub(crate) struct Playback {
    port: u16,
    stage: Arc<Stage>,
}

impl Playback {
    /// Starts a server. Replies to the same line come one after the other, the last one again and again.
    pub(crate) fn of<L: Into<String>>(script: Vec<(L, Reply)>) -> Self {
        let script = script.into_iter().map(|(line, reply)| (line.into(), reply)).collect();
        let stage =
            Arc::new(Stage { script: Mutex::new(script), heard: Mutex::default(), connections: AtomicUsize::new(0) });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::clone(&stage);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.serve(&stream));
            }
        });
        Self { port, stage }
    }

    /// Where the server is.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::local(self.port)
    }

    /// What came.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.stage.heard.lock().unwrap().clone()
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.stage.connections.load(Ordering::SeqCst)
    }
}

impl Stage {
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(heard) = hear(&mut reader) {
            let reply = self.reply(&heard.line);
            self.heard.lock().unwrap().push(heard);
            match reply {
                Reply::Answer(status, body) => {
                    let head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {}\r\n\r\n", body.len());
                    let mut writer = stream;
                    if writer.write_all(format!("{head}{body}").as_bytes()).is_err() {
                        return;
                    }
                }
                Reply::Silence => {
                    let _gone = io::copy(&mut reader, &mut io::sink());
                    return;
                }
                Reply::HangUp => return,
            }
        }
    }

    fn reply(&self, line: &str) -> Reply {
        let mut script = self.script.lock().unwrap();
        let mut places = script.iter().enumerate().filter(|(_, (known, _))| known == line).map(|(place, _)| place);
        match (places.next(), places.next()) {
            (Some(first), Some(_)) => script.remove(first).1,
            (Some(only), None) => script[only].1.clone(),
            (None, _) => Reply::refusal(404, &format!("Unable to load requested file {line}.")),
        }
    }
}

/// Reads a request, if another one comes.
fn hear(reader: &mut BufReader<&TcpStream>) -> Option<Heard> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        head += &header;
        head.push('\n');
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Heard { line: line.trim().trim_end_matches(" HTTP/1.1").to_owned(), head, body })
}
