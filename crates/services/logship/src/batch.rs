//! Lines of bytes, taken into batches that CloudWatch takes.

use memchr::memchr;

/// What the service allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The most bytes of a batch.
    pub(crate) bytes: usize,
    /// What each event counts for besides its message.
    pub(crate) overhead: usize,
    /// The most events of a batch.
    pub(crate) events: usize,
    /// The most bytes of a message.
    pub(crate) message: usize,
}

/// What `PutLogEvents` allows: 1 MiB, 26 bytes more for each event, 10,000 events, 256 KiB for an event.
pub(crate) const CLOUDWATCH: Limits =
    Limits { bytes: 1 << 20, overhead: 26, events: 10_000, message: (256 << 10) - 26 };

/// Whether more may follow some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Their last line may not be whole yet.
    Open,
    /// They are the last.
    Final,
}

/// The first lines of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// What they say; blank lines say nothing and are left out.
    pub(crate) messages: Vec<String>,
    /// How many bytes they are.
    pub(crate) length: usize,
}

/// Takes as many lines as a batch may have. A line whose end is not there is taken only if it is the last there will be,
/// or too long for one message: then its parts are messages.
pub(crate) fn first(bytes: &[u8], end_of_file: End, limits: Limits) -> Batch {
    let mut batch = Batch { messages: Vec::new(), length: 0 };
    let mut size = 0;
    while let Some(rest) = bytes.get(batch.length..).filter(|rest| !rest.is_empty()) {
        let end = memchr(b'\n', rest);
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest);
        let is_whole = line.len() <= limits.message;
        if end.is_none() && is_whole && end_of_file == End::Open {
            break;
        }
        let (message, length) = message(line, limits.message);
        if !message.is_empty() {
            size += message.len() + limits.overhead;
            if batch.messages.len() == limits.events || size > limits.bytes {
                break;
            }
            batch.messages.push(message);
        }
        let has_end = end.is_some() && length == line.len();
        batch.length += length + usize::from(has_end);
    }
    batch
}

/// The message of a line, or of as much of it as a message may hold; and how many bytes that is.
fn message(line: &[u8], max: usize) -> (String, usize) {
    let text = |length: usize| {
        let part = line.get(..length).unwrap_or(line);
        let message = String::from_utf8_lossy(part);
        message.strip_suffix('\r').unwrap_or(&message).to_owned()
    };
    let length = boundary(line, max);
    let message = text(length);
    if message.len() <= max {
        return (message, length);
    }
    // What is no text becomes longer when it is shown.
    let length = boundary(line, max / 3);
    (text(length), length)
}

/// At most `max` bytes that do not end inside of a character.
fn boundary(line: &[u8], max: usize) -> usize {
    if line.len() <= max {
        return line.len();
    }
    let is_inside = |place: usize| line.get(place).is_some_and(|byte| byte & 0xC0 == 0x80);
    (max.saturating_sub(3)..=max).rev().find(|place| *place > 0 && !is_inside(*place)).unwrap_or(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Limits = Limits { bytes: 30, overhead: 2, events: 3, message: 12 };

    fn batch(messages: &[&str], length: usize) -> Batch {
        Batch { messages: messages.iter().map(|message| (*message).to_owned()).collect(), length }
    }

    #[test]
    fn whole_lines_are_taken_up_to_the_limits() {
        for (text, end, expected) in [
            ("", End::Final, batch(&[], 0)),
            ("one\ntwo", End::Open, batch(&["one"], 4)),
            ("one\ntwo", End::Final, batch(&["one", "two"], 7)),
            ("one\r\n\n\r\ntwo\n", End::Open, batch(&["one", "two"], 12)),
            ("a\nb\nc\nd\n", End::Open, batch(&["a", "b", "c"], 6)),
            // 12 and 2, twice, and no room for a third.
            ("aaaaaaaaaaaa\nbbbbbbbbbbbb\nc\n", End::Open, batch(&["aaaaaaaaaaaa", "bbbbbbbbbbbb"], 26)),
            ("\n\n", End::Open, batch(&[], 2)),
            // 13 bytes are too long for one message; the rest of a line without an end waits for it.
            ("aaaaaaaaaaaab", End::Open, batch(&["aaaaaaaaaaaa"], 12)),
            ("aaaaaaaaaaaab\nc\n", End::Open, batch(&["aaaaaaaaaaaa", "b", "c"], 16)),
        ] {
            let found = first(text.as_bytes(), end, SMALL);
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_line_is_not_cut_inside_of_a_character_and_what_is_no_text_fits_too() {
        let line = "aaaaaaaaaaaé\n".as_bytes();
        assert_eq!(first(line, End::Open, SMALL), batch(&["aaaaaaaaaaa", "é"], 14));
        let found = first(&[0xFF; 40], End::Final, SMALL);
        assert!(found.messages.iter().all(|message| message.len() <= SMALL.message), "{found:?}");
        assert!(found.length > 0);
    }

    #[test]
    fn every_byte_is_taken_once_whatever_the_bytes() {
        let bytes: Vec<u8> = (0..4000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let mut place = 0;
        while place < bytes.len() {
            let batch = first(&bytes[place..], End::Final, SMALL);
            assert!(batch.length > 0, "nothing is taken at {place}");
            let size: usize = batch.messages.iter().map(|message| message.len() + SMALL.overhead).sum();
            assert!(size <= SMALL.bytes && batch.messages.len() <= SMALL.events);
            place += batch.length;
        }
        assert_eq!(place, bytes.len());
    }
}
