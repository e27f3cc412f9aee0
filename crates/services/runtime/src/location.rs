//! Where files lie, as Flink writes it.

use std::path::Path;

/// Returns a path as a URI of Flink's one-slash kind: `file:/a/b`.
pub fn location(path: &Path) -> String {
    format!("file:{}", path.display())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::location;

    #[test]
    fn an_absolute_path_has_one_slash_behind_the_scheme() {
        assert_eq!(location(Path::new("/a/b c")), "file:/a/b c");
    }
}
