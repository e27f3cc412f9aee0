//! The text of a Java exception as one line for a person: what failed, and the last cause, without the stack.
//!
//! Invariant: the line is bounded, whatever the text is.

/// Characters of a line; a longer one is cut.
const LINE_MAX: usize = 600;

/// Classes that only carry another exception or the status of an answer.
const CARRIERS: &[&str] = &[
    "java.util.concurrent.CompletionException",
    "java.util.concurrent.ExecutionException",
    "org.apache.flink.runtime.rest.NotFoundException",
    "org.apache.flink.runtime.rest.handler.RestHandlerException",
    "org.apache.flink.util.SerializedThrowable",
];

/// Returns what the exception says, and its last cause if that says something else.
pub(crate) fn summary(text: &str) -> String {
    let (mut head, mut cause, mut hint) = (None, None, None);
    for line in text.lines().filter(|line| !is_frame(line)) {
        let line = line.trim();
        let line = line.strip_prefix("<Exception on server side:").unwrap_or(line);
        if line.is_empty() || line == "End of exception on server side>" {
            continue;
        }
        if let Some(found) = line.strip_prefix("Caused by: ") {
            cause = Some(found);
        } else if let Some(found) = line.strip_prefix("Hint: ") {
            hint = Some(found);
        } else if head.is_none() {
            head = Some(line);
        }
    }
    let mut summary = clean(head.unwrap_or("no reason is given"));
    if let Some(cause) = cause.map(clean)
        && !summary.contains(&cause)
    {
        summary = format!("{summary}; caused by {cause}");
    }
    if let Some(hint) = hint {
        summary = format!("{summary}; {}", hint.trim_end_matches('.'));
    }
    cut(summary)
}

/// Whether the line belongs to a stack.
fn is_frame(line: &str) -> bool {
    line.starts_with(char::is_whitespace)
        && ["at ", "...", "Suppressed: "].iter().any(|start| line.trim_start().starts_with(start))
}

/// The message without classes that only carry it; the class that says something loses its package.
fn clean(line: &str) -> String {
    let mut rest = line;
    loop {
        let Some((class, message)) = rest.split_once(": ").filter(|(class, _)| is_class(class)) else {
            let line = if is_class(rest) { simple_name(rest) } else { rest };
            return line.trim_end_matches(['.', ' ']).to_owned();
        };
        if !CARRIERS.contains(&class) {
            return format!("{}: {}", simple_name(class), message.trim_end_matches(['.', ' ']));
        }
        rest = message;
    }
}

/// Whether the word is the full name of a Java class.
fn is_class(word: &str) -> bool {
    word.contains('.')
        && word.split('.').all(|part| part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '$'))
        && simple_name(word).starts_with(|c: char| c.is_ascii_uppercase())
}

fn simple_name(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}

fn cut(mut line: String) -> String {
    if let Some((end, _)) = line.char_indices().nth(LINE_MAX) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{LINE_MAX, summary};

    #[test]
    fn an_exception_becomes_its_message_and_its_last_cause() {
        let cases = [
            ("Unable to load requested file /nope.", "Unable to load requested file /nope"),
            (
                "org.apache.flink.runtime.rest.NotFoundException: Job 0a not found\n\tat a.B.c(B.java:9)\n\t... 3 more",
                "Job 0a not found",
            ),
            (
                "<Exception on server side:\njava.util.concurrent.CompletionException: a.b.Missing: no `x`.\n\
                 \tat a.B.c(B.java:1)\nCaused by: a.b.Missing: no `x`.\n\nEnd of exception on server side>",
                "Missing: no `x`",
            ),
            (
                "org.apache.flink.runtime.rest.handler.RestHandlerException: Could not execute application.\n\
                 Caused by: java.util.concurrent.CompletionException: c.Middle: between\n\tat a.B.c(B.java:1)\n\
                 Caused by: org.d.Inner$Last: Application has already been submitted.",
                "Could not execute application; caused by Inner$Last: Application has already been submitted",
            ),
            ("java.lang.NullPointerException\n\tat a.B.c(B.java:1)", "NullPointerException"),
            (
                "the source failed\nCaused by: no such file\nHint: make it.",
                "the source failed; caused by no such file; make it",
            ),
            ("my.host: refused", "my.host: refused"),
            ("a.b.C: first line\n  of two lines\nand a third", "C: first line"),
            ("\tat a.B.c(B.java:1)\n", "no reason is given"),
        ];
        for (text, line) in cases {
            assert_eq!(summary(text), line, "{text}");
        }
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let line = summary(&"ä".repeat(10 * LINE_MAX));
        assert_eq!(line.chars().count(), LINE_MAX + 1);
        assert!(line.ends_with('…'));
    }
}
