//! The body of an answer on its way out: bytes that are there, or a file that is read as the client takes it.

use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

/// How much of a file is read at a time: it waits in memory, and nobody else is served meanwhile.
const CHUNK_BYTES: u64 = 32 << 10;

/// A body.
pub(crate) enum AnswerBody {
    /// Bytes, gone once they are sent.
    Whole(Option<Bytes>),
    /// The rest of a file.
    File {
        /// Stands at the first byte that is not sent.
        file: File,
        /// How many bytes are to be sent still.
        left: u64,
    },
}

impl AnswerBody {
    /// Bytes.
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self::Whole((!bytes.is_empty()).then_some(bytes))
    }

    /// A file as long as it is now; what is added to it later is not sent.
    ///
    /// # Errors
    /// As the file system says.
    pub(crate) fn file(file: File) -> io::Result<Self> {
        let left = file.metadata()?.len();
        Ok(Self::File { file, left })
    }

    fn next(&mut self) -> Option<io::Result<Bytes>> {
        match self {
            Self::Whole(bytes) => bytes.take().map(Ok),
            Self::File { left: 0, .. } => None,
            Self::File { file, left } => Some(read(file, left)),
        }
    }
}

fn read(file: &mut File, left: &mut u64) -> io::Result<Bytes> {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES as usize);
    let count = file.by_ref().take(CHUNK_BYTES.min(*left)).read_to_end(&mut chunk)?;
    if count == 0 {
        // The length was announced, so all that can be done is to break off.
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter as it was sent"));
    }
    *left -= count as u64;
    Ok(chunk.into())
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(self.get_mut().next().map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None) | Self::File { left: 0, .. })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Whole(bytes) => bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
            Self::File { left, .. } => *left,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    fn collect(mut body: AnswerBody) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(bytes) = body.next() {
            all.extend(bytes?);
        }
        assert!(body.is_end_stream());
        Ok(all)
    }

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        file
    }

    #[test]
    fn bytes_are_sent_once() {
        let body = AnswerBody::whole("{}");
        assert_eq!(body.size_hint().exact(), Some(2));
        assert_eq!(collect(body).unwrap(), b"{}");
        assert!(AnswerBody::whole("").is_end_stream());
    }

    #[test]
    fn a_file_is_sent_as_long_as_it_was_when_it_was_opened() {
        for length in [0, 1, CHUNK_BYTES as usize, CHUNK_BYTES as usize * 2 + 7] {
            let bytes: Vec<u8> = (0..length).map(|index| index as u8).collect();
            let mut source = file(&bytes);
            let body = AnswerBody::file(source.try_clone().unwrap()).unwrap();
            assert_eq!(body.size_hint().exact(), Some(length as u64));
            source.seek(io::SeekFrom::End(0)).unwrap();
            source.write_all(b"later").unwrap();
            source.rewind().unwrap();
            assert_eq!(collect(body).unwrap(), bytes);
        }
    }

    #[test]
    fn a_file_that_shrinks_breaks_the_answer_off() {
        let source = file(b"0123456789");
        let body = AnswerBody::file(source.try_clone().unwrap()).unwrap();
        source.set_len(0).unwrap();
        assert_eq!(collect(body).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
