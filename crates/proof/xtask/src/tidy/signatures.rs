//! What functions ask for: at most five parameters, no bool among them.
//!
//! A call with a bare `true` says nothing to its reader; two functions or an enum do. Methods that implement a trait
//! have no say in their signature, and private methods may do as they like.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{FnArg, ImplItem, ItemFn, ItemImpl, Signature, TraitItemFn, Type, Visibility};

use super::source::{SourceFile, Violation};

/// The most parameters of a function, `self` aside.
const PARAMETERS_MAX: usize = 5;

/// Checks the functions of a file that others call.
pub fn check(file: &SourceFile) -> Vec<Violation> {
    let mut signatures = Signatures { path: &file.path, found: Vec::new() };
    signatures.visit_file(&file.production);
    signatures.found
}

struct Signatures<'a> {
    path: &'a str,
    found: Vec<Violation>,
}

impl Signatures<'_> {
    fn check(&mut self, signature: &Signature) {
        let (name, line) = (&signature.ident, signature.span().start().line);
        let types: Vec<&Type> = signature
            .inputs
            .iter()
            .filter_map(|argument| match argument {
                FnArg::Typed(typed) => Some(typed.ty.as_ref()),
                FnArg::Receiver(_) => None,
            })
            .collect();
        if types.len() > PARAMETERS_MAX {
            let count = types.len();
            let message = format!("function `{name}` has {count} parameters, at most {PARAMETERS_MAX} are allowed");
            self.found.push(Violation::new(self.path, line, message));
        }
        if types.into_iter().any(is_bool) {
            let message = format!("function `{name}` has a bool parameter: make it two functions or an enum");
            self.found.push(Violation::new(self.path, line, message));
        }
    }
}

impl<'ast> Visit<'ast> for Signatures<'_> {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.check(&function.sig);
        visit::visit_item_fn(self, function);
    }

    fn visit_item_impl(&mut self, block: &'ast ItemImpl) {
        if block.trait_.is_none() {
            for item in &block.items {
                if let ImplItem::Fn(function) = item
                    && !matches!(function.vis, Visibility::Inherited)
                {
                    self.check(&function.sig);
                }
            }
        }
        visit::visit_item_impl(self, block);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        self.check(&function.sig);
        visit::visit_trait_item_fn(self, function);
    }
}

fn is_bool(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("bool"))
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::{lines, snippet};
    use super::*;

    #[test]
    fn five_parameters_are_enough() {
        let five = "a: u8, b: u8, c: u8, d: u8, e: u8";
        for (text, broken) in [
            (format!("fn f({five}) {{}}"), 0),
            (format!("fn f({five}, f: u8) {{}}"), 1),
            (format!("impl A {{ pub fn f(&self, {five}) {{}} }}"), 0),
            (format!("impl A {{ pub fn f(&self, {five}, f: u8) {{}} }}"), 1),
            (format!("impl A {{ fn f(&self, {five}, f: u8) {{}} }}"), 0),
            (format!("impl T for A {{ fn f(&self, {five}, f: u8) {{}} }}"), 0),
            (format!("trait T {{ fn f(&self, {five}, f: u8); }}"), 1),
            (format!("#[cfg(test)] mod tests {{ fn f({five}, f: u8) {{}} }}"), 0),
        ] {
            assert_eq!(check(&snippet(&text)).len(), broken, "{text}");
        }
    }

    #[test]
    fn a_bool_parameter_is_refused() {
        assert_eq!(lines(&check(&snippet("\nfn f(a: u8, quiet: bool) {}"))), [2]);
        assert!(check(&snippet("fn f(a: &[bool]) -> bool { a.is_empty() }")).is_empty());
        assert!(check(&snippet("impl Visit for A { fn flag(&mut self, value: bool) {} }")).is_empty());
    }
}
