//! What no text of the repository says: where it lay on somebody's machine.

use super::source::Violation;
use super::workspace::TextFile;

/// The roots of homes and scratch folders, put together so that this file does not name them.
const MACHINE_ROOTS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// Checks every line of a text.
pub fn check(text: &TextFile) -> Vec<Violation> {
    let mut found = Vec::new();
    for (place, line) in text.text.lines().enumerate() {
        if let Some(root) = MACHINE_ROOTS.into_iter().find(|root| names_root(line, root)) {
            let message = format!("`{root}` is a path of one machine: name a place that every reader has");
            found.push(Violation::new(&text.path, place + 1, message));
        }
    }
    found
}

/// Whether `line` has `root` at the start of a path, and not in the middle of a longer one.
fn names_root(line: &str, root: &str) -> bool {
    line.match_indices(root).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | '-' | '_' | '}' | ')'))
    })
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::lines;
    use super::*;

    fn broken(text: String) -> Vec<usize> {
        lines(&check(&TextFile { path: "README.md".to_owned(), text }))
    }

    #[test]
    fn paths_of_one_machine_are_refused() {
        let [work, root, home] = MACHINE_ROOTS;
        assert_eq!(broken(format!("a\nsee {work}main\n`{root}x`\nfile://{home}me\n")), [2, 3, 4]);
        assert!(broken(format!("$X/a{work}b https://example.org{home}page ..{root}\n")).is_empty());
    }
}
