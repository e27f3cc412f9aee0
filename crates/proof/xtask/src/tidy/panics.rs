//! What ends a process on the user: `.unwrap()`, `panic!`, `todo!`, `unimplemented!` outside tests.
//!
//! Arguments of macros are tokens to the parser, so they are searched as tokens.

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{ExprMethodCall, Macro};

use super::source::{SourceFile, Violation};

/// Macros that end the process.
const MACROS: [&str; 3] = ["panic", "todo", "unimplemented"];

/// Checks the production part of a file.
pub fn check(file: &SourceFile) -> Vec<Violation> {
    let mut panics = Panics { path: &file.path, found: Vec::new() };
    panics.visit_file(&file.production);
    panics.found
}

struct Panics<'a> {
    path: &'a str,
    found: Vec<Violation>,
}

impl Panics<'_> {
    fn unwrap_at(&mut self, line: usize) {
        let message = "`.unwrap()` outside tests: return an error, or `expect` what a check above proves";
        self.found.push(Violation::new(self.path, line, message));
    }

    fn macro_at(&mut self, name: &str, line: usize) {
        self.found.push(Violation::new(self.path, line, format!("`{name}!` outside tests: return an error")));
    }

    fn search(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (place, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.search(group.stream()),
                TokenTree::Ident(ident) => {
                    let (name, line) = (ident.to_string(), ident.span().start().line);
                    let before = place.checked_sub(1).and_then(|before| tokens.get(before));
                    if name == "unwrap" && is_punct(before, '.') {
                        self.unwrap_at(line);
                    } else if MACROS.contains(&name.as_str()) && is_punct(tokens.get(place + 1), '!') {
                        self.macro_at(&name, line);
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Panics<'_> {
    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if call.method == "unwrap" {
            self.unwrap_at(call.method.span().start().line);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        if let Some(last) = call.path.segments.last()
            && MACROS.iter().any(|name| last.ident == name)
        {
            self.macro_at(&last.ident.to_string(), call.span().start().line);
        }
        self.search(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

fn is_punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::{at, lines, snippet};
    use super::*;

    #[test]
    fn what_ends_the_process_is_refused_in_production() {
        for (text, expected) in [
            ("fn a() {\n b()\n  .unwrap();\n}", vec![3]),
            ("fn a() { panic!(\"no\"); }", vec![1]),
            ("fn a() {\n std::todo!() }", vec![2]),
            ("fn a() { unimplemented!() }", vec![1]),
            ("fn a() { println!(\"{}\",\n b().unwrap()); }", vec![2]),
            ("macro_rules! m { () => { panic!() } }", vec![1]),
            ("fn a() { b().unwrap_or(1); c().expect(\"checked above\"); }", vec![]),
            ("#[cfg(test)]\nmod tests { fn a() { b().unwrap(); panic!() } }", vec![]),
            ("#[test]\nfn a() { b().unwrap() }", vec![]),
        ] {
            assert_eq!(lines(&check(&snippet(text))), expected, "{text}");
        }
        assert!(check(&at("crates/faces/cli/tests/run.rs", "fn a() { b().unwrap() }")).is_empty());
    }
}
