//! How long things are: functions, files, crates.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, ItemFn, Signature, TraitItemFn};

use super::source::{SourceFile, Violation};
use super::workspace::Member;

/// The most lines of a function, from its `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;
/// The most lines of a file that is not all test.
const FILE_LINES_MAX: usize = 600;
/// The most lines of code of a crate: tests, comments and blank lines aside.
const CRATE_LINES_MAX: usize = 12_000;

/// Measures a file and the functions in it.
pub fn of_file(file: &SourceFile) -> Vec<Violation> {
    let mut lengths = Lengths { path: &file.path, found: Vec::new() };
    lengths.visit_file(&file.whole);
    let lines = file.line_count();
    if lines > FILE_LINES_MAX && !file.is_test() {
        let message = format!("file has {lines} lines, at most {FILE_LINES_MAX} are allowed");
        lengths.found.push(Violation::new(&file.path, 1, message));
    }
    lengths.found
}

/// Measures a crate.
pub fn of_crate(member: &Member) -> Vec<Violation> {
    let lines: usize = member.files.iter().filter(|file| !file.is_test()).map(SourceFile::code_line_count).sum();
    if lines <= CRATE_LINES_MAX {
        return Vec::new();
    }
    let message = format!("crate has {lines} lines of code, at most {CRATE_LINES_MAX} are allowed");
    vec![Violation::new(&member.manifest.path, 1, message)]
}

struct Lengths<'a> {
    path: &'a str,
    found: Vec<Violation>,
}

impl Lengths<'_> {
    fn check(&mut self, signature: &Signature, block: &Block) {
        let first = signature.span().start().line;
        let last = block.brace_token.span.close().end().line;
        let lines = (last + 1).saturating_sub(first);
        if lines > FUNCTION_LINES_MAX {
            let name = &signature.ident;
            let message = format!("function `{name}` has {lines} lines, at most {FUNCTION_LINES_MAX} are allowed");
            self.found.push(Violation::new(self.path, first, message));
        }
    }
}

impl<'ast> Visit<'ast> for Lengths<'_> {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.check(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.check(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(block) = &function.default {
            self.check(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::{at, lines, snippet};
    use super::*;

    fn function_of(lines: usize) -> String {
        format!("impl A {{\n/// A.\n#[inline]\nfn a(\n) {{{}}}\n}}", "\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_may_have_seventy_lines_and_no_more() {
        assert!(of_file(&snippet(&function_of(70))).is_empty());
        let found = of_file(&snippet(&function_of(71)));
        assert_eq!(lines(&found), [4]);
        assert!(found[0].message.contains("`a` has 71 lines"), "{}", found[0]);
    }

    #[test]
    fn a_file_may_have_six_hundred_lines_unless_it_is_a_test() {
        assert!(of_file(&snippet(&"\n".repeat(600))).is_empty());
        assert_eq!(lines(&of_file(&snippet(&"\n".repeat(601)))), [1]);
        assert!(of_file(&at("crates/model/src/ids/tests.rs", &"\n".repeat(601))).is_empty());
    }
}
