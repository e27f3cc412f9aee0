//! Words and commands as a shell reads them, to be copied from what is said.

use std::path::Path;

/// A word as a shell reads it.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%=,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// `kobel VERB` for the data directory, which is named only if somebody named it.
pub(crate) fn on_data(verb: &str, named: Option<&Path>) -> String {
    let Some(directory) = named else { return format!("kobel {verb}") };
    // Whoever copies the command may stand elsewhere by then.
    let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    format!("kobel {verb} --data-dir {}", quoted(&directory.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_survives_the_shell() {
        for (word, expected) in [("/a/b-c.d", "/a/b-c.d"), ("/a b", "'/a b'"), ("it's", "'it'\\''s'"), ("", "''")] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn a_data_directory_is_named_if_it_was() {
        assert_eq!(on_data("up", None), "kobel up");
        assert_eq!(on_data("down", Some(Path::new("/a b"))), "kobel down --data-dir '/a b'");
        let relative = on_data("up", Some(Path::new("data")));
        assert!(relative.starts_with("kobel up --data-dir ") && relative.contains("/data"), "{relative}");
    }
}
