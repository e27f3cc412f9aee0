//! One Rust file as the measures see it, and what a measure answers with.

use std::fmt;

use syn::{Attribute, Item, Meta};

/// A place that breaks a measure; the message names the limit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The path from the root of the workspace.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl Violation {
    /// Makes a violation.
    pub fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// A Rust file, read and parsed.
pub struct SourceFile {
    /// The path from the root of the workspace, with `/`.
    pub path: String,
    /// The text.
    pub text: String,
    /// Everything in the file.
    pub whole: syn::File,
    /// The file without `#[cfg(test)]` and `#[test]` items; empty if all of it is test.
    pub production: syn::File,
}

impl SourceFile {
    /// Parses `text`.
    pub fn parse(path: &str, text: String) -> Result<Self, Violation> {
        let whole = syn::parse_file(&text).map_err(|error| {
            Violation::new(path, error.span().start().line, format!("cannot be read as Rust: {error}"))
        })?;
        let is_test = is_test_path(path) || whole.attrs.iter().any(is_test_attribute);
        let items = if is_test { Vec::new() } else { without_tests(whole.items.clone()) };
        let production = syn::File { shebang: None, attrs: whole.attrs.clone(), items };
        Ok(Self { path: path.to_owned(), text, whole, production })
    }

    /// Whether all of the file is test.
    pub fn is_test(&self) -> bool {
        is_test_path(&self.path) || self.whole.attrs.iter().any(is_test_attribute)
    }

    /// How many lines the file has.
    pub fn line_count(&self) -> usize {
        self.text.lines().count()
    }

    /// Number of lines that are neither blank nor comment.
    pub fn code_line_count(&self) -> usize {
        self.text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
    }
}

/// Test files are known by their place: `tests.rs`, `tests/`, `benches/`; others say `#![cfg(test)]`.
fn is_test_path(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "benches"))
}

fn without_tests(items: Vec<Item>) -> Vec<Item> {
    let production = items.into_iter().filter(|item| !attributes_of(item).iter().any(is_test_attribute));
    production.map(without_inner_tests).collect()
}

fn without_inner_tests(mut item: Item) -> Item {
    match &mut item {
        Item::Mod(module) => {
            if let Some((_, items)) = &mut module.content {
                *items = without_tests(std::mem::take(items));
            }
        }
        Item::Impl(block) => block.items.retain(|item| match item {
            syn::ImplItem::Fn(function) => !function.attrs.iter().any(is_test_attribute),
            _ => true,
        }),
        _ => {}
    }
    item
}

fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[test]`, `#[cfg(test)]` and `#[cfg(all(test, …))]`, but not `#[cfg(not(test))]`.
fn is_test_attribute(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            let words: Vec<&str> = condition.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            words.contains(&"test") && !words.contains(&"not")
        }
        _ => false,
    }
}

#[cfg(test)]
pub mod tests {
    //! What the tests of the measures share: a snippet as a file.

    use super::*;

    /// Parses a snippet as a production file.
    pub fn snippet(text: &str) -> SourceFile {
        at("crates/engine/sql/src/snippet.rs", text)
    }

    /// Parses a snippet as the file at `path`.
    pub fn at(path: &str, text: &str) -> SourceFile {
        SourceFile::parse(path, text.to_owned()).unwrap()
    }

    /// The lines at which a measure was broken.
    pub fn lines(found: &[Violation]) -> Vec<usize> {
        found.iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn production_is_what_remains_without_test_items() {
        let file = snippet(
            "fn a() {}\n#[cfg(test)]\nmod tests {}\n#[cfg(not(test))]\nfn b() {}\n#[cfg(all(test, unix))]\nfn c() {}",
        );
        assert_eq!(file.whole.items.len(), 4);
        assert_eq!(file.production.items.len(), 2);
        assert!(at("crates/model/src/settings/tests.rs", "fn a() {}").production.items.is_empty());
        assert!(at("crates/model/tests/laws.rs", "fn a() {}").is_test());
        assert!(at("crates/model/src/fixtures.rs", "#![cfg(test)]\nfn a() {}").is_test());
        assert!(!at("crates/model/src/fixtures.rs", "fn a() {}").is_test());
    }

    #[test]
    fn text_that_is_no_rust_is_a_violation_with_its_line() {
        let violation = SourceFile::parse("a.rs", "fn a() {}\nfn 1() {}".to_owned()).err().unwrap();
        assert_eq!(violation.line, 2);
    }
}
