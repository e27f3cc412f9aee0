//! What a request carries: nothing, JSON, or a file between two pieces of text.
//!
//! Invariant: the length is known before the first byte is sent, and a file is never in memory as a whole.

use std::fs::File;
use std::io::{self, Read};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

/// Bytes of a file that are in memory at once.
const CHUNK: usize = 64 << 10;

/// The body of a request.
#[derive(Debug, Default)]
pub struct Outgoing {
    content_type: Option<String>,
    front: Bytes,
    file: Option<File>,
    left: u64,
    back: Bytes,
}

impl Outgoing {
    /// No body.
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    /// A JSON text.
    pub(crate) fn json(text: Vec<u8>) -> Self {
        Self { content_type: Some("application/json".to_owned()), front: text.into(), ..Self::default() }
    }

    /// The first `length` bytes of a file as a part of a form, with what comes before and after it.
    pub(crate) fn upload(content_type: String, front: String, (file, length): (File, u64), back: String) -> Self {
        let content_type = Some(content_type);
        Self { content_type, front: front.into(), file: Some(file), left: length, back: back.into() }
    }

    /// What comes before the file; all of it, if there is no file.
    pub fn front(&self) -> &[u8] {
        &self.front
    }

    /// What the header says that it is.
    pub(crate) fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    fn read(&mut self) -> io::Result<Bytes> {
        let size = usize::try_from(self.left).unwrap_or(CHUNK).min(CHUNK);
        let mut chunk = vec![0; size];
        let read = match &mut self.file {
            Some(file) => file.read(&mut chunk)?,
            None => 0,
        };
        if read == 0 {
            let message = "the file has become shorter while it was sent";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        chunk.truncate(read);
        self.left = self.left.saturating_sub(read as u64);
        Ok(chunk.into())
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    // The file lies on this machine, so that reading a piece of it is as good as no wait.
    fn poll_frame(self: Pin<&mut Self>, _ctx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let next = if !this.front.is_empty() {
            Some(Ok(mem::take(&mut this.front)))
        } else if this.left > 0 {
            Some(this.read())
        } else if !this.back.is_empty() {
            Some(Ok(mem::take(&mut this.back)))
        } else {
            None
        };
        Poll::Ready(next.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.front.is_empty() && self.left == 0 && self.back.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.front.len() as u64 + self.left + self.back.len() as u64)
    }
}
