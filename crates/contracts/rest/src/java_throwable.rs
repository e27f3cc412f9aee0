//! A failure in Java's serial form: Flink's `SerializedThrowable`, as Flink's own clients load it.
//!
//! Invariant: the stream is the one that Java writes for a failure without cause, without frames, and without the
//! original exception, which no client could load.
//!
//! # Source
//! Java Object Serialization Specification, version 6.0, chapter 6; the layout of the class is that of Flink 2.3.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The magic number of a stream and its version.
const HEAD: [u8; 4] = [0xac, 0xed, 0, 5];
/// A null reference; also what stands where a class has nothing above it.
const NULL: u8 = 0x70;
/// A reference to what stands in the stream already, by its number.
const REFERENCE: u8 = 0x71;
/// The description of a class.
const CLASS: u8 = 0x72;
/// An object.
const OBJECT: u8 = 0x73;
/// A string whose length has two bytes.
const STRING: u8 = 0x74;
/// An array.
const ARRAY: u8 = 0x75;
/// The end of the fields of a class, or of what a class has written by itself.
const END: u8 = 0x78;
/// A string whose length has eight bytes.
const LONG_STRING: u8 = 0x7c;
/// The number of the type of strings: it is the second thing in the stream, and the first has 0x7e0000.
const STRING_TYPE: [u8; 4] = [0, 0x7e, 0, 1];

/// How a class writes its objects.
#[derive(Clone, Copy)]
enum Flags {
    /// By their fields alone.
    Plain = 2,
    /// By their fields, and then by a method of its own.
    Custom = 3,
}

/// A class as it describes itself.
struct Class {
    name: &'static str,
    version: u64,
    flags: Flags,
    fields: &'static [Field],
}

/// A field: its kind, its name and its type, which is left out where it is the type of strings, named before.
struct Field(u8, &'static str, Option<&'static str>);

const FAILURE: Class = Class {
    name: "org.apache.flink.util.SerializedThrowable",
    version: 0x6516_9df5_1fa7_13f3,
    flags: Flags::Plain,
    fields: &[
        Field(b'L', "fullStringifiedStackTrace", Some("Ljava/lang/String;")),
        Field(b'L', "originalErrorClassName", None),
        Field(b'[', "serializedException", Some("[B")),
    ],
};

const EXCEPTION: Class =
    Class { name: "java.lang.Exception", version: 0xd0fd_1f3e_1a3b_1cc4, flags: Flags::Plain, fields: &[] };

const THROWABLE: Class = Class {
    name: "java.lang.Throwable",
    version: 0xd5c6_3527_3977_b8cb,
    flags: Flags::Custom,
    fields: &[
        Field(b'L', "cause", Some("Ljava/lang/Throwable;")),
        Field(b'L', "detailMessage", None),
        Field(b'[', "stackTrace", Some("[Ljava/lang/StackTraceElement;")),
        Field(b'L', "suppressedExceptions", Some("Ljava/util/List;")),
    ],
};

const FRAMES: Class =
    Class { name: "[Ljava.lang.StackTraceElement;", version: 0x0246_2a3c_3cfd_2239, flags: Flags::Plain, fields: &[] };

const EMPTY_LIST: Class =
    Class { name: "java.util.Collections$EmptyList", version: 0x7ab8_17b4_3ca7_9ede, flags: Flags::Plain, fields: &[] };

/// Returns a failure as a serialized Java object in base 64.
///
/// `class_name` is the full name of the exception that was thrown; `message` is what Flink's command line shows of it.
pub fn serialized(message: &str, stack_trace: &str, class_name: &str) -> String {
    STANDARD.encode(stream(message, stack_trace, class_name))
}

/// The object with the values of its classes from the top down, as Java orders them.
fn stream(message: &str, stack_trace: &str, class_name: &str) -> Vec<u8> {
    let mut stream = HEAD.to_vec();
    stream.push(OBJECT);
    for class in [&FAILURE, &EXCEPTION, &THROWABLE] {
        push_class(&mut stream, class);
    }
    // Nothing stands above the last class, and the failure has no cause.
    stream.extend([NULL, NULL]);
    push_string(&mut stream, message);
    stream.push(ARRAY);
    push_class(&mut stream, &FRAMES);
    // Nothing stands above this class either; then comes the number of frames.
    stream.extend([NULL, 0, 0, 0, 0]);
    stream.push(OBJECT);
    push_class(&mut stream, &EMPTY_LIST);
    stream.extend([NULL, END]);
    push_string(&mut stream, stack_trace);
    push_string(&mut stream, class_name);
    stream.push(NULL);
    stream
}

fn push_class(stream: &mut Vec<u8>, class: &Class) {
    stream.push(CLASS);
    push_name(stream, class.name);
    stream.extend(class.version.to_be_bytes());
    stream.push(class.flags as u8);
    stream.extend((class.fields.len() as u16).to_be_bytes());
    for Field(kind, name, type_name) in class.fields {
        stream.push(*kind);
        push_name(stream, name);
        if let Some(type_name) = type_name {
            push_string(stream, type_name);
        } else {
            stream.push(REFERENCE);
            stream.extend(STRING_TYPE);
        }
    }
    stream.push(END);
}

/// The name of a class or of a field: all of them stand above, are short and are of ASCII.
fn push_name(stream: &mut Vec<u8>, name: &str) {
    stream.extend((name.len() as u16).to_be_bytes());
    stream.extend(name.bytes());
}

fn push_string(stream: &mut Vec<u8>, text: &str) {
    let bytes = modified_utf8(text);
    if let Ok(length) = u16::try_from(bytes.len()) {
        stream.push(STRING);
        stream.extend(length.to_be_bytes());
    } else {
        stream.push(LONG_STRING);
        stream.extend((bytes.len() as u64).to_be_bytes());
    }
    stream.extend(bytes);
}

/// A text as Java writes it: no byte is zero, and each half of a surrogate pair stands on its own.
fn modified_utf8(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for unit in text.encode_utf16() {
        let last = 0x80 | (unit & 0x3f) as u8;
        match unit {
            0x01..=0x7f => bytes.push(unit as u8),
            0 | 0x80..=0x7ff => bytes.extend([0xc0 | (unit >> 6) as u8, last]),
            _ => bytes.extend([0xe0 | (unit >> 12) as u8, 0x80 | ((unit >> 6) & 0x3f) as u8, last]),
        }
    }
    bytes
}

#[cfg(test)]
mod tests;
