//! The wire format of protocol buffers: a run of bytes becomes numbered fields.
//!
//! # Invariants
//! Nothing is read beyond the end; no length and no nesting that the bytes claim costs more than the bytes themselves.

/// How deep messages and groups may nest.
pub const DEPTH_MAX: usize = 32;
/// The bytes that a varint of 64 bits may take.
const VARINT_MAX: usize = 10;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload<'a> {
    /// A number.
    Varint(u64),
    /// Text, bytes or a message.
    Bytes(&'a [u8]),
    /// Something that no message here has; it was skipped.
    Skipped,
}

/// Reads the fields of one message.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the beginning of a message.
    pub fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// Reads the next field with its number; nothing at the end.
    pub fn field(&mut self) -> Result<Option<(u64, Payload<'a>)>, String> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = self.tag()?;
        let payload = match wire_type {
            0 => Payload::Varint(self.varint()?),
            2 => Payload::Bytes(self.run()?),
            3 => {
                self.skip_group()?;
                Payload::Skipped
            }
            other => {
                self.skip_plain(other)?;
                Payload::Skipped
            }
        };
        Ok(Some((number, payload)))
    }

    fn tag(&mut self) -> Result<(u64, u8), String> {
        let tag = self.varint()?;
        let (number, wire_type) = (tag >> 3, (tag & 7) as u8);
        if number == 0 || number > u64::from(u32::MAX >> 3) {
            return Err(format!("illegal tag {number} (wire type {wire_type})"));
        }
        Ok((number, wire_type))
    }

    fn varint(&mut self) -> Result<u64, String> {
        let (mut value, rest) = (0_u64, self.rest);
        for (index, byte) in rest.iter().take(VARINT_MAX).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.take(index as u64 + 1)?;
                return Ok(value);
            }
        }
        Err(if rest.len() < VARINT_MAX { cut_off() } else { "integer overflow".to_owned() })
    }

    /// Reads a length and as many bytes.
    fn run(&mut self) -> Result<&'a [u8], String> {
        let length = self.varint()?;
        self.take(length)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], String> {
        let rest = self.rest;
        let split = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
        let (taken, rest) = split.ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Skips what is neither the beginning nor the end of a group.
    fn skip_plain(&mut self, wire_type: u8) -> Result<(), String> {
        match wire_type {
            0 => self.varint().map(drop),
            1 => self.take(8).map(drop),
            2 => self.run().map(drop),
            5 => self.take(4).map(drop),
            4 => Err("unexpected end of group".to_owned()),
            _ => Err(format!("illegal wire type {wire_type}")),
        }
    }

    /// Skips to the end of a group whose beginning was read.
    fn skip_group(&mut self) -> Result<(), String> {
        let mut depth = 1;
        while depth > 0 {
            match self.tag()?.1 {
                3 if depth == DEPTH_MAX => return Err(too_deep()),
                3 => depth += 1,
                4 => depth -= 1,
                other => self.skip_plain(other)?,
            }
        }
        Ok(())
    }
}

/// The bytes end in the middle of something.
fn cut_off() -> String {
    "unexpected EOF".to_owned()
}

/// The message nests deeper than allowed.
pub fn too_deep() -> String {
    format!("exceeded max depth {DEPTH_MAX}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<(u64, Payload<'_>)>, String> {
        let mut reader = Reader::new(bytes);
        let mut fields = Vec::new();
        while let Some(field) = reader.field()? {
            fields.push(field);
        }
        Ok(fields)
    }

    #[test]
    fn fields_are_read_with_their_numbers() {
        let bytes = [&b"\x08\x96\x01"[..], b"\x12\x02hi", &[0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 1, 2, 3, 4]].concat();
        let expected =
            [(1, Payload::Varint(150)), (2, Payload::Bytes(b"hi")), (3, Payload::Skipped), (4, Payload::Skipped)];
        assert_eq!(all(&bytes).unwrap(), expected);
        let greatest = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(all(&greatest).unwrap(), [(1, Payload::Varint(u64::MAX))]);
    }

    #[test]
    fn groups_are_skipped_to_their_end() {
        assert_eq!(
            all(&[0x0b, 0x13, 0x08, 0x01, 0x14, 0x0c, 0x10, 0x05]).unwrap().last(),
            Some(&(2, Payload::Varint(5)))
        );
        let nested = |depth: usize| [vec![0x0b; depth], vec![0x0c; depth]].concat();
        assert!(all(&nested(DEPTH_MAX)).is_ok());
        assert_eq!(all(&nested(DEPTH_MAX + 1)).unwrap_err(), too_deep());
    }

    #[test]
    fn what_breaks_the_format_is_refused() {
        let rows: [(&[u8], &str); 9] = [
            (&[0x08], "unexpected EOF"),
            (&[0x08, 0x80], "unexpected EOF"),
            (&[0x12, 0x05, 1], "unexpected EOF"),
            (&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "unexpected EOF"),
            (&[0x19, 1, 2], "unexpected EOF"),
            (&[0x80; 11], "integer overflow"),
            (&[0x00, 0x00], "illegal tag 0 (wire type 0)"),
            (&[0x0c], "unexpected end of group"),
            (&[0x0e], "illegal wire type 6"),
        ];
        for (bytes, expected) in rows {
            assert_eq!(all(bytes).unwrap_err(), expected, "{bytes:x?}");
        }
    }
}
