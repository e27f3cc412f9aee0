//! Every path that a file names, from its imports and from its code, as plain words.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{ItemUse, Path, UseTree, VisRestricted, Visibility};

/// How a path came to stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `use a::b;`
    Import,
    /// `pub use a::b;`, with any visibility.
    Reexport,
    /// `a::b` in code.
    Code,
}

/// One path: `a::b::c`; a glob import ends in `*`.
#[derive(Debug, Clone)]
pub struct NamedPath {
    /// The words of the path.
    pub words: Vec<String>,
    /// The name that an import binds; `None` for code and for globs.
    pub binds: Option<String>,
    /// How it came here.
    pub origin: Origin,
    /// The line, from 1.
    pub line: usize,
}

/// Collects the paths of a file, in order of appearance.
pub fn paths_of(file: &syn::File) -> Vec<NamedPath> {
    let mut paths = Paths { found: Vec::new() };
    paths.visit_file(file);
    paths.found
}

struct Paths {
    found: Vec<NamedPath>,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let origin = match item.vis {
            Visibility::Inherited => Origin::Import,
            _ => Origin::Reexport,
        };
        let mut words = Vec::new();
        self.flatten(&item.tree, &mut words, origin);
    }

    /// The path of `pub(crate)` and `pub(super)` imports nothing.
    fn visit_vis_restricted(&mut self, _visibility: &'ast VisRestricted) {}

    fn visit_path(&mut self, path: &'ast Path) {
        let words = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let line = path.span().start().line;
        self.found.push(NamedPath { words, binds: None, origin: Origin::Code, line });
        visit::visit_path(self, path);
    }
}

impl Paths {
    /// Turns `a::{b, c::d as e}` into one path for each leaf.
    fn flatten(&mut self, tree: &UseTree, words: &mut Vec<String>, origin: Origin) {
        let line = tree.span().start().line;
        match tree {
            UseTree::Path(path) => {
                words.push(path.ident.to_string());
                self.flatten(&path.tree, words, origin);
                words.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.flatten(tree, words, origin);
                }
            }
            UseTree::Name(name) => self.leaf(words, (name.ident.to_string(), None), origin, line),
            UseTree::Rename(rename) => {
                let bound = Some(rename.rename.to_string());
                self.leaf(words, (rename.ident.to_string(), bound), origin, line);
            }
            UseTree::Glob(_) => {
                let mut words = words.clone();
                words.push("*".to_owned());
                self.found.push(NamedPath { words, binds: None, origin, line });
            }
        }
    }

    fn leaf(&mut self, prefix: &[String], (name, renamed): (String, Option<String>), origin: Origin, line: usize) {
        let mut words = prefix.to_vec();
        // `a::{self}` is `a`.
        if name != "self" || words.is_empty() {
            words.push(name);
        }
        let binds = renamed.or_else(|| words.last().cloned());
        self.found.push(NamedPath { words, binds, origin, line });
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::snippet;
    use super::*;

    #[test]
    fn imports_are_flattened_and_code_is_read() {
        let file =
            snippet("use a::{self, b::{c as d, *}};\npub(crate) use crate::e;\npub(super) fn f() { g::h::<i::J>() }\n");
        let found: Vec<(String, Option<String>, Origin, usize)> = paths_of(&file.production)
            .into_iter()
            .map(|path| (path.words.join("::"), path.binds, path.origin, path.line))
            .collect();
        let bound = |name: &str| Some(name.to_owned());
        assert_eq!(
            found,
            [
                ("a".to_owned(), bound("a"), Origin::Import, 1),
                ("a::b::c".to_owned(), bound("d"), Origin::Import, 1),
                ("a::b::*".to_owned(), None, Origin::Import, 1),
                ("crate::e".to_owned(), bound("e"), Origin::Reexport, 2),
                ("g::h".to_owned(), None, Origin::Code, 3),
                ("i::J".to_owned(), None, Origin::Code, 3),
            ]
        );
    }
}
