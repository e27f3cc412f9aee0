//! A web server in this process that answers as a test says, and names that lead to it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// A request that was received.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The path with its query.
    pub(crate) path: String,
    headers: Vec<(String, String)>,
}

impl Asked {
    /// The value of a header; its name is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    fn read(stream: &TcpStream) -> Option<Self> {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let path = lines.next()?.split(' ').nth(1)?.to_owned();
        let headers = lines.take_while(|line| !line.is_empty());
        let headers = headers.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
        Some(Self { path, headers: headers.collect() })
    }
}

/// A server that lives as long as the test process.
pub(crate) struct Server {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Starts a server that lets `answer` write each answer.
    pub(crate) fn start(answer: impl Fn(&Asked, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                thread::spawn(move || {
                    if let Some(asked) = Asked::read(&stream) {
                        log.lock().unwrap().push(asked.clone());
                        answer(&asked, &mut stream);
                    }
                });
            }
        });
        Self { port, asked }
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The address of `path` on this server, under a name.
    pub(crate) fn at(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }
}

/// Writes an answer with a length; a client that has gone away is none of the server's business.
pub(crate) fn reply(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) {
    let mut text = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.write_all(body));
}

/// Names whose lookups give one answer after the other; the last one stays.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    answers: Arc<Mutex<Vec<Vec<IpAddr>>>>,
    lookups: Arc<Mutex<usize>>,
}

impl Names {
    /// Names that all lead to these addresses.
    pub(crate) fn leading(answers: &[&[&str]]) -> Self {
        let answer = |addresses: &&[&str]| addresses.iter().map(|text| text.parse().unwrap()).collect();
        let answers = answers.iter().map(answer).collect();
        Self { answers: Arc::new(Mutex::new(answers)), lookups: Arc::default() }
    }

    /// How often a name was looked up.
    pub(crate) fn lookups(&self) -> usize {
        *self.lookups.lock().unwrap()
    }
}

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        *self.lookups.lock().unwrap() += 1;
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        // What is written as an address needs no lookup.
        let literal = uri.host().and_then(|host| host.trim_matches(['[', ']']).parse().ok());
        let mut found = self.empty();
        for address in literal.map_or(answer, |address: IpAddr| vec![address]) {
            found.push(SocketAddr::new(address, uri.port_u16().unwrap_or(80)));
        }
        Ok(found)
    }
}
