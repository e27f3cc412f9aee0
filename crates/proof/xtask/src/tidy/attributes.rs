//! Attributes that switch a rule or a test off, or hide where a module lies.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, Meta};

use super::source::{SourceFile, Violation};

/// Checks every attribute of a file, tests included.
pub fn check(file: &SourceFile) -> Vec<Violation> {
    let mut attributes = Attributes { path: &file.path, found: Vec::new() };
    attributes.visit_file(&file.whole);
    attributes.found
}

struct Attributes<'a> {
    path: &'a str,
    found: Vec<Violation>,
}

impl<'ast> Visit<'ast> for Attributes<'_> {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Some(message) = fault_of(&attribute.meta) {
            self.found.push(Violation::new(self.path, attribute.span().start().line, message));
        }
        visit::visit_attribute(self, attribute);
    }
}

fn fault_of(meta: &Meta) -> Option<&'static str> {
    let conditional = meta.path().is_ident("cfg_attr");
    let switched = |word: &str| match meta {
        Meta::List(list) if conditional => {
            let tokens = list.tokens.to_string();
            tokens.split(|c: char| !c.is_alphanumeric() && c != '_').skip(1).any(|found| found == word)
        }
        _ => meta.path().is_ident(word),
    };
    if switched("allow") {
        Some("`allow` is not used: write `#[expect(lint, reason = \"…\")]`")
    } else if switched("ignore") {
        Some("`ignore` is not used: a test that does not run proves nothing")
    } else if switched("path") {
        Some("`path` is not used: a module lies where its name says")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::{lines, snippet};
    use super::*;

    #[test]
    fn attributes_that_switch_rules_off_are_refused() {
        for (text, broken) in [
            ("#[allow(dead_code)] fn a() {}", 1),
            ("#![allow(dead_code)]", 1),
            ("#[cfg_attr(test, allow(dead_code))] fn a() {}", 1),
            ("fn a() { #[allow(unused)] let b = 1; }", 1),
            ("#[test] #[ignore] fn a() {}", 1),
            ("#[cfg(test)] mod tests { #[test] #[ignore = \"slow\"] fn a() {} }", 1),
            ("#[path = \"b.rs\"] mod a;", 1),
            ("#[expect(dead_code, reason = \"shown in Debug only\")] fn a() {}", 0),
            ("#[cfg_attr(test, derive(Debug))] struct A;", 0),
            ("/// Says `#[allow(x)]` in its documentation.\nfn a() {}", 0),
        ] {
            assert_eq!(check(&snippet(text)).len(), broken, "{text}");
        }
        assert_eq!(lines(&check(&snippet("\n\n#[allow(dead_code)]\nfn a() {}"))), [3]);
    }
}
