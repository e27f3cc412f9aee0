//! Failures as clients on a Java machine read them.

use kobel_rest::throwable::SerializedThrowable;

/// A failure of an exception's class; `text` is its message and its causes, a line each.
pub(crate) fn throwable(class: &str, text: &str) -> SerializedThrowable {
    let text = text.trim_end();
    SerializedThrowable::of(class, text, &format!("{class}: {text}\n"))
}
