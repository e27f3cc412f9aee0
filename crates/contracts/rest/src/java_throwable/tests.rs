//! Bytes that Java took, and how texts are written.

use super::{modified_utf8, serialized, stream};

/// What Java 17 wrote for a `SerializedThrowable` of Flink 2.3.0, and read back.
const OF_JAVA: &str = "\
    aced0005737200296f72672e6170616368652e666c696e6b2e7574696c2e53657269616c697a65645468726f7761626c6565\
    169df51fa713f30200034c001966756c6c537472696e676966696564537461636b54726163657400124c6a6176612f6c616e\
    672f537472696e673b4c00166f726967696e616c4572726f72436c6173734e616d6571007e00015b001373657269616c697a\
    6564457863657074696f6e7400025b42787200136a6176612e6c616e672e457863657074696f6ed0fd1f3e1a3b1cc4020000\
    787200136a6176612e6c616e672e5468726f7761626c65d5c635273977b8cb0300044c000563617573657400154c6a617661\
    2f6c616e672f5468726f7761626c653b4c000d64657461696c4d65737361676571007e00015b000a737461636b5472616365\
    74001e5b4c6a6176612f6c616e672f537461636b5472616365456c656d656e743b4c00147375707072657373656445786365\
    7074696f6e737400104c6a6176612f7574696c2f4c6973743b78707074000d612e423a2069742062726f6b657572001e5b4c\
    6a6176612e6c616e672e537461636b5472616365456c656d656e743b02462a3c3cfd22390200007870000000007372001f6a\
    6176612e7574696c2e436f6c6c656374696f6e7324456d7074794c6973747ab817b43ca79ede02000078707874000e612e42\
    3a2069742062726f6b650a740003612e4270";

#[test]
fn flink_reads_these_bytes() {
    let hex: String =
        stream("a.B: it broke", "a.B: it broke\n", "a.B").iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, OF_JAVA);
    let text = serialized("a.B: it broke", "a.B: it broke\n", "a.B");
    assert!(text.starts_with("rO0ABXNyAClvcmcuYXBhY2hlLmZsaW5r"), "{text}");
}

#[test]
fn texts_are_written_as_java_writes_them() {
    for (text, expected) in [
        ("", Vec::<u8>::new()),
        ("a\n", vec![0x61, 0x0a]),
        ("\0", vec![0xc0, 0x80]),
        ("\u{7f}\u{80}", vec![0x7f, 0xc2, 0x80]),
        ("ä", vec![0xc3, 0xa4]),
        ("€", vec![0xe2, 0x82, 0xac]),
        ("😀", vec![0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]),
    ] {
        assert_eq!(modified_utf8(text), expected, "for {text:?}");
    }
}

/// Reads a text as the specification of `java.io.DataInput` says.
fn read_modified_utf8(bytes: &[u8]) -> String {
    let mut units = Vec::new();
    let mut rest = bytes.iter().map(|byte| u16::from(*byte));
    while let Some(first) = rest.next() {
        assert_ne!(first, 0, "no byte is zero");
        let mut more = || rest.next().unwrap() & 0x3f;
        units.push(match first {
            0x00..=0x7f => first,
            0xc0..=0xdf => ((first & 0x1f) << 6) | more(),
            0xe0..=0xef => ((first & 0x0f) << 12) | (more() << 6) | more(),
            _ => panic!("{first:#x} begins no character"),
        });
    }
    String::from_utf16(&units).unwrap()
}

#[test]
fn every_character_comes_back() {
    for plane in 0..=0x10 {
        let text: String = (0..=0xffff).filter_map(|low| char::from_u32((plane << 16) | low)).collect();
        assert!(read_modified_utf8(&modified_utf8(&text)) == text, "plane {plane}");
    }
}

#[test]
fn a_text_longer_than_two_bytes_can_count_has_a_long_length() {
    // The class name stands before the last byte, so its length is found from the end.
    for (length, head) in
        [(0, vec![0x74_u8, 0, 0]), (0xffff, vec![0x74, 0xff, 0xff]), (0x1_0000, vec![0x7c, 0, 0, 0, 0, 0, 1, 0, 0])]
    {
        let bytes = stream("m", "t", &"x".repeat(length));
        let before_name = bytes.strip_suffix(&[0x70_u8]).and_then(|bytes| bytes.get(..bytes.len() - length)).unwrap();
        assert!(before_name.ends_with(&head), "{length}: {:x?}", &before_name[before_name.len() - 12..]);
    }
}
