//! Failures as clients on a Java machine read them: Flink's `SerializedThrowable` in Java's serial form.
//!
//! Flink's own command line decodes that form before it shows anything, so an answer without it would hide the reason
//! from the person.
//!
//! # Source
//! Java Object Serialization Specification, version 6.0, chapter 6; the layout of the class is that of Flink 2.3.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kobel_rest::throwable::SerializedThrowable;

/// Longer strings have a length of eight bytes.
const SHORT_STRING_MAX: usize = 0xffff;
/// A null reference.
const NULL: u8 = 0x70;
/// The end of what a class wrote by itself.
const END_OF_BLOCK: u8 = 0x78;

/// A failure of an exception's class; `text` is its message and its causes, a line each.
pub(crate) fn throwable(class: &str, text: &str) -> SerializedThrowable {
    let trace = format!("{class}: {}\n", text.trim_end());
    let serialized = STANDARD.encode(serial_form(class, &trace));
    SerializedThrowable { class: class.to_owned(), stack_trace: trace, serialized_throwable: serialized }
}

/// The object: no cause, the first line as message, no stack, and not the exception itself, which nobody could load.
fn serial_form(class: &str, trace: &str) -> Vec<u8> {
    let mut form = class_description();
    form.push(NULL);
    push_string(&mut form, trace.lines().next().unwrap_or_default());
    form.extend([NULL, NULL, END_OF_BLOCK]);
    push_string(&mut form, trace);
    push_string(&mut form, class);
    form.push(NULL);
    form
}

/// The head of the stream, and the class with those above it.
fn class_description() -> Vec<u8> {
    let mut form = vec![0xac, 0xed, 0x00, 0x05, b's'];
    push_class(&mut form, "org.apache.flink.util.SerializedThrowable", 0x6516_9df5_1fa7_13f3, [2, 0, 3]);
    push_field(&mut form, 'L', "fullStringifiedStackTrace", Some("Ljava/lang/String;"));
    push_field(&mut form, 'L', "originalErrorClassName", None);
    push_field(&mut form, '[', "serializedException", Some("[B"));
    form.push(END_OF_BLOCK);
    push_class(&mut form, "java.lang.Exception", 0xd0fd_1f3e_1a3b_1cc4, [2, 0, 0]);
    form.push(END_OF_BLOCK);
    push_class(&mut form, "java.lang.Throwable", 0xd5c6_3527_3977_b8cb, [3, 0, 4]);
    push_field(&mut form, 'L', "cause", Some("Ljava/lang/Throwable;"));
    push_field(&mut form, 'L', "detailMessage", None);
    push_field(&mut form, '[', "stackTrace", Some("[Ljava/lang/StackTraceElement;"));
    push_field(&mut form, 'L', "suppressedExceptions", Some("Ljava/util/List;"));
    form.extend([END_OF_BLOCK, NULL]);
    form
}

/// A class: its name, its version, and then its flags and its number of fields.
fn push_class(form: &mut Vec<u8>, name: &str, version: u64, flags: [u8; 3]) {
    form.push(b'r');
    push_short(form, &modified_utf8(name));
    form.extend(version.to_be_bytes());
    form.extend(flags);
}

/// A field; without a type it is a string, the type that the stream named first.
fn push_field(form: &mut Vec<u8>, kind: char, name: &str, class: Option<&str>) {
    form.push(kind as u8);
    push_short(form, &modified_utf8(name));
    match class {
        Some(class) => push_string(form, class),
        None => form.extend([b'q', 0x00, 0x7e, 0x00, 0x01]),
    }
}

fn push_string(form: &mut Vec<u8>, text: &str) {
    let bytes = modified_utf8(text);
    if bytes.len() <= SHORT_STRING_MAX {
        form.push(b't');
        push_short(form, &bytes);
    } else {
        form.push(b'|');
        form.extend((bytes.len() as u64).to_be_bytes());
        form.extend(bytes);
    }
}

fn push_short(form: &mut Vec<u8>, bytes: &[u8]) {
    form.extend((bytes.len() as u16).to_be_bytes());
    form.extend(bytes);
}

/// A text as Java writes it: each half of a surrogate pair on its own, and no byte that is zero.
fn modified_utf8(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for unit in text.encode_utf16() {
        let low = 0x80 | (unit & 0x3f) as u8;
        match unit {
            0x01..=0x7f => bytes.push(unit as u8),
            0x00 | 0x80..=0x7ff => bytes.extend([0xc0 | (unit >> 6) as u8, low]),
            _ => bytes.extend([0xe0 | (unit >> 12) as u8, 0x80 | ((unit >> 6) & 0x3f) as u8, low]),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_the_one_that_java_reads() {
        // Read back by the class of Flink 2.3.0 on Java 17.
        let expected = "\
            rO0ABXNyAClvcmcuYXBhY2hlLmZsaW5rLnV0aWwuU2VyaWFsaXplZFRocm93YWJsZWUWnfUfpxPzAgADTAAZZnVsbFN0cmlu\
            Z2lmaWVkU3RhY2tUcmFjZXQAEkxqYXZhL2xhbmcvU3RyaW5nO0wAFm9yaWdpbmFsRXJyb3JDbGFzc05hbWVxAH4AAVsAE3Nl\
            cmlhbGl6ZWRFeGNlcHRpb250AAJbQnhyABNqYXZhLmxhbmcuRXhjZXB0aW9u0P0fPho7HMQCAAB4cgATamF2YS5sYW5nLlRo\
            cm93YWJsZdXGNSc5d7jLAwAETAAFY2F1c2V0ABVMamF2YS9sYW5nL1Rocm93YWJsZTtMAA1kZXRhaWxNZXNzYWdlcQB+AAFb\
            AApzdGFja1RyYWNldAAeW0xqYXZhL2xhbmcvU3RhY2tUcmFjZUVsZW1lbnQ7TAAUc3VwcHJlc3NlZEV4Y2VwdGlvbnN0ABBM\
            amF2YS91dGlsL0xpc3Q7eHBwdAANYS5COiBpdCBicm9rZXBweHQADmEuQjogaXQgYnJva2UKdAADYS5CcA==";
        let failure = throwable("a.B", "it broke");
        assert_eq!(failure.serialized_throwable, expected);
        assert_eq!((failure.class.as_str(), failure.stack_trace.as_str()), ("a.B", "a.B: it broke\n"));
    }

    #[test]
    fn texts_are_written_as_java_writes_them() {
        for (text, expected) in [
            ("a", vec![0x61]),
            ("\0", vec![0xc0, 0x80]),
            ("ä", vec![0xc3, 0xa4]),
            ("€", vec![0xe2, 0x82, 0xac]),
            ("😀", vec![0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]),
        ] {
            assert_eq!(modified_utf8(text), expected, "for {text:?}");
        }
    }

    #[test]
    fn a_long_text_has_a_long_length() {
        let mut form = Vec::new();
        push_string(&mut form, &"x".repeat(SHORT_STRING_MAX + 1));
        assert_eq!(form.get(..9), Some(&[b'|', 0, 0, 0, 0, 0, 1, 0, 0][..]));
        assert_eq!(form.len(), 9 + SHORT_STRING_MAX + 1);
    }
}
