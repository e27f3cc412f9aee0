//! A small HTTP/1.1 client for tests: it blocks, it gives up in time, and it shows answers as they came.
//!
//! No redirect is followed and nothing is decompressed. [`ask`] opens a connection for one request; a [`Connection`]
//! is kept for many, which is what a load test needs.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long a connection or a read may take unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// Makes a request without headers and body.
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    /// Makes a GET.
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// Makes a POST of a JSON value.
    pub fn post(path: &str, body: &Value) -> Self {
        Self::new("POST", path).json(body)
    }

    /// Makes a PUT of a JSON value.
    pub fn put(path: &str, body: &Value) -> Self {
        Self::new("PUT", path).json(body)
    }

    /// Makes a PATCH without a body.
    pub fn patch(path: &str) -> Self {
        Self::new("PATCH", path)
    }

    /// Makes a DELETE.
    pub fn delete(path: &str) -> Self {
        Self::new("DELETE", path)
    }

    /// Adds a header; one of the same name replaces what the client would send itself.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body to a JSON value.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json; charset=UTF-8").body(body.to_string().into_bytes())
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// The request as bytes; `host` and the length are added unless they were given.
    fn encoded(&self, host: &str) -> Vec<u8> {
        let given = |name: &str| self.headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !given("Host") {
            head += &format!("Host: {host}\r\n");
        }
        let has_length = given("Content-Length") || given("Transfer-Encoding");
        let needs_length = !self.body.is_empty() || ["POST", "PUT"].contains(&self.method.as_str());
        if needs_length && !has_length {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names and values, in their order.
    pub headers: Vec<(String, String)>,
    /// The body, without its chunks.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns the first header of a name, in whatever case it came.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.body).map_err(|error| format!("no JSON in `{}`: {error}", self.text()))
    }

    /// Returns the body as JSON if the status is the wanted one.
    pub fn expect_json(&self, status: u16) -> Result<Value, String> {
        if self.status != status {
            return Err(format!("status {} where {status} is wanted: `{}`", self.status, self.text()));
        }
        self.json()
    }
}

/// Asks a server on a port of this machine, with a connection of its own.
pub fn ask(port: u16, request: &Request) -> Result<Response, String> {
    let request = request.clone().header("Connection", "close");
    Connection::open(port)?.ask(&request)
}

/// Asks for a path on a port of this machine and returns the JSON of an answer with status 200.
pub fn get_json(port: u16, path: &str) -> Result<Value, String> {
    ask(port, &Request::get(path))?.expect_json(200).map_err(|error| format!("GET `{path}`: {error}"))
}

/// A connection that stays open from one request to the next.
#[derive(Debug)]
pub struct Connection {
    host: String,
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects to a port of this machine.
    pub fn open(port: u16) -> Result<Self, String> {
        Self::open_within(port, PATIENCE)
    }

    /// Connects to a port of this machine; connecting and every read and write may take so long.
    pub fn open_within(port: u16, patience: Duration) -> Result<Self, String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let connect = || -> std::io::Result<TcpStream> {
            let stream = TcpStream::connect_timeout(&address, patience)?;
            stream.set_read_timeout(Some(patience))?;
            stream.set_write_timeout(Some(patience))?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        let stream = connect().map_err(|error| format!("cannot connect to `{address}`: {error}"))?;
        Ok(Self { host: address.to_string(), stream: BufReader::new(stream) })
    }

    /// Sends a request and reads its answer.
    pub fn ask(&mut self, request: &Request) -> Result<Response, String> {
        let what = || format!("{} `{}`", request.method, request.path);
        self.send(&request.encoded(&self.host)).map_err(|error| format!("{}: {error}", what()))?;
        let has_body = request.method != "HEAD";
        let answered = if has_body { self.read_response() } else { self.read_head() };
        answered.map_err(|error| format!("{}: {error}", what()))
    }

    /// Sends bytes as they are, for what no well-behaved client sends.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let stream = self.stream.get_mut();
        stream.write_all(bytes).and_then(|()| stream.flush()).map_err(|error| format!("cannot send: {error}"))
    }

    /// Reads an answer with its body.
    pub fn read_response(&mut self) -> Result<Response, String> {
        let mut response = self.read_head()?;
        response.body = self.read_body(&response)?;
        Ok(response)
    }

    fn read_head(&mut self) -> Result<Response, String> {
        let line = self.read_line()?;
        let mut words = line.splitn(3, ' ');
        let (version, code) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let status = code.parse().ok().filter(|_| version.starts_with("HTTP/1."));
        let status = status.ok_or_else(|| format!("no status line: `{line}`"))?;
        let mut headers = Vec::new();
        loop {
            let line = self.read_line()?;
            if line.is_empty() {
                return Ok(Response { status, headers, body: Vec::new() });
            }
            let (name, value) = line.split_once(':').ok_or_else(|| format!("no header: `{line}`"))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    fn read_body(&mut self, head: &Response) -> Result<Vec<u8>, String> {
        if head.status < 200 || head.status == 204 || head.status == 304 {
            return Ok(Vec::new());
        }
        if head.header("Transfer-Encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            return self.read_chunks();
        }
        if let Some(length) = head.header("Content-Length") {
            let length = length.parse().map_err(|_| format!("no length: `{length}`"))?;
            return self.read_bytes(length);
        }
        let mut body = Vec::new();
        self.stream.read_to_end(&mut body).map_err(|error| format!("cannot read the body: {error}"))?;
        Ok(body)
    }

    fn read_chunks(&mut self) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        loop {
            let line = self.read_line()?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let length = u64::from_str_radix(digits, 16).map_err(|_| format!("no length of a chunk: `{line}`"))?;
            if length == 0 {
                // Trailers may follow; an empty line ends them.
                while !self.read_line()?.is_empty() {}
                return Ok(body);
            }
            body.append(&mut self.read_bytes(length)?);
            let end = self.read_line()?;
            if !end.is_empty() {
                return Err(format!("a chunk does not end where it should: `{end}`"));
            }
        }
    }

    fn read_bytes(&mut self, length: u64) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        let read = self.stream.by_ref().take(length).read_to_end(&mut body);
        let read = read.map_err(|error| format!("cannot read the body: {error}"))?;
        if read as u64 == length {
            return Ok(body);
        }
        Err(format!("the body ends after {read} of {length} bytes"))
    }

    fn read_line(&mut self) -> Result<String, String> {
        let mut line = Vec::new();
        let read = self.stream.read_until(b'\n', &mut line).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => "no answer in time".to_owned(),
            _ => format!("cannot read: {error}"),
        })?;
        if read == 0 {
            return Err("the connection was closed before the answer was whole".to_owned());
        }
        Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
    }
}

#[cfg(test)]
mod tests;
