//! What a file says about itself: it opens with `//!`, and its name is an idea and not a drawer.

use super::source::{SourceFile, Violation};

/// Names of places where things end up that belong nowhere.
const DRAWERS: [&str; 6] = ["common", "util", "utils", "helper", "helpers", "misc"];

/// Checks the first line and the name of a file.
pub fn check(file: &SourceFile) -> Vec<Violation> {
    let mut found = Vec::new();
    if !file.text.starts_with("//!") {
        let message = "file does not open with `//!`: say what it is for and what it must not do";
        found.push(Violation::new(&file.path, 1, message));
    }
    for part in file.path.split('/') {
        let name = part.trim_end_matches(".rs");
        if DRAWERS.contains(&name) {
            let message = format!("`{name}` is no name: a thing lives with the idea it belongs to");
            found.push(Violation::new(&file.path, 1, message));
        }
    }
    if file.path.ends_with("/mod.rs") {
        found.push(Violation::new(&file.path, 1, "`mod.rs` is not used: name the file after its module"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::at;
    use super::*;

    #[test]
    fn a_file_opens_with_what_it_is_for() {
        assert!(check(&at("crates/model/src/ids.rs", "//! Ids.\nfn a() {}")).is_empty());
        assert_eq!(check(&at("crates/model/src/ids.rs", "\n//! Ids.\n")).len(), 1);
        assert_eq!(check(&at("crates/model/src/ids.rs", "fn a() {}")).len(), 1);
    }

    #[test]
    fn drawers_are_refused_as_names() {
        for (path, broken) in [
            ("crates/model/src/utils.rs", 1),
            ("crates/model/src/misc/thing.rs", 1),
            ("crates/helpers/src/lib.rs", 1),
            ("crates/model/src/ids/mod.rs", 1),
            ("crates/model/src/commonality.rs", 0),
        ] {
            assert_eq!(check(&at(path, "//! A.\n")).len(), broken, "{path}");
        }
    }
}
