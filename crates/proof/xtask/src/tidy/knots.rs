//! Imports that run in a circle inside a crate.
//!
//! Between folders there is none; within a folder up to three files may hold each other. A folder is a top-level
//! module with everything below it; modules without a folder of their own share the one of the crate. A parent that
//! only re-exports what its children define does not import them, and who goes through such a name imports the child.

use std::collections::BTreeMap;

use super::paths::{NamedPath, Origin, paths_of};
use super::source::Violation;
use super::workspace::Member;

/// The most files of one folder that may import each other in a circle.
const KNOT_FILES_MAX: usize = 3;
/// How many re-exports are followed from one name.
const REEXPORTS_MAX: usize = 8;

/// One file as a module.
struct Module {
    /// The path of the file.
    path: String,
    /// The words of the module's path below the crate.
    words: Vec<String>,
    /// The folder it belongs to.
    folder: String,
    /// What it names.
    names: Vec<NamedPath>,
}

/// Finds the circles of a crate.
pub fn circles(member: &Member) -> Vec<Violation> {
    let modules = modules_of(member);
    let edges = edges_of(&modules);
    let reach: Vec<Vec<bool>> = (0..modules.len()).map(|from| reachable(from, &edges)).collect();
    let holds = |from: usize, to: usize| reach.get(from).and_then(|row| row.get(to)).copied().unwrap_or(false);
    let mut found = Vec::new();
    for (place, module) in modules.iter().enumerate() {
        let knot: Vec<usize> =
            (0..modules.len()).filter(|other| holds(place, *other) && holds(*other, place)).collect();
        // A circle is reported once, at its first file.
        if knot.first() != Some(&place) || knot.len() < 2 {
            continue;
        }
        let files: Vec<&Module> = knot.iter().filter_map(|place| modules.get(*place)).collect();
        let names = files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>().join("`, `");
        let line = edges.iter().find(|edge| edge.from == place && knot.contains(&edge.to)).map_or(1, |edge| edge.line);
        if files.iter().any(|file| file.folder != module.folder) {
            let message = format!("imports run in a circle across folders: `{names}`");
            found.push(Violation::new(&module.path, line, message));
        } else if files.len() > KNOT_FILES_MAX {
            let count = files.len();
            let message = format!("{count} files import each other, at most {KNOT_FILES_MAX} may: `{names}`");
            found.push(Violation::new(&module.path, line, message));
        }
    }
    found
}

/// An import of one module by another.
struct Edge {
    from: usize,
    to: usize,
    line: usize,
}

/// The modules of a crate: the files below `src`, tests and further binaries aside.
fn modules_of(member: &Member) -> Vec<Module> {
    let source = format!("{}/src/", member.folder);
    let has_library = member.files.iter().any(|file| file.path == format!("{source}lib.rs"));
    let files = member.files.iter().filter(|file| !file.is_test());
    let mut modules: Vec<Module> = files
        .filter_map(|file| {
            let inside = file.path.strip_prefix(&source)?.strip_suffix(".rs")?;
            let words: Vec<String> = match inside {
                "lib" => Vec::new(),
                "main" if has_library => return None,
                "main" => Vec::new(),
                _ if inside.starts_with("bin/") => return None,
                _ => inside.split('/').map(str::to_owned).collect(),
            };
            let names = paths_of(&file.production);
            Some(Module { path: file.path.clone(), words, folder: String::new(), names })
        })
        .collect();
    let with_folder: Vec<String> = modules
        .iter()
        .filter(|module| module.words.len() > 1)
        .filter_map(|module| module.words.first().cloned())
        .collect();
    for module in &mut modules {
        module.folder = module.words.first().filter(|first| with_folder.contains(first)).cloned().unwrap_or_default();
    }
    modules
}

fn edges_of(modules: &[Module]) -> Vec<Edge> {
    let index: BTreeMap<&[String], usize> =
        modules.iter().enumerate().map(|(place, module)| (module.words.as_slice(), place)).collect();
    let mut edges = Vec::new();
    for (from, module) in modules.iter().enumerate() {
        for name in &module.names {
            let Some(to) = absolute(module, name, &index).and_then(|words| target(words, modules, &index)) else {
                continue;
            };
            let facade = name.origin == Origin::Reexport
                && modules.get(to).is_some_and(|other| other.words.starts_with(&module.words));
            if to != from && !facade {
                edges.push(Edge { from, to, line: name.line });
            }
        }
    }
    edges
}

/// The path from the root of the crate; `None` if the name lies outside the crate.
fn absolute(module: &Module, name: &NamedPath, index: &BTreeMap<&[String], usize>) -> Option<Vec<String>> {
    let mut base = module.words.clone();
    let mut rest = name.words.as_slice();
    match rest.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = rest.get(1..)?;
        }
        "self" => rest = rest.get(1..)?,
        "super" => {
            while rest.first().is_some_and(|word| word == "super") {
                base.pop();
                rest = rest.get(1..)?;
            }
        }
        child => {
            base.push(child.to_owned());
            if rest.len() < 2 || !index.contains_key(base.as_slice()) {
                return None;
            }
            rest = rest.get(1..)?;
        }
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

/// The module that defines what `words` name, through re-exports by a parent of its children.
fn target(mut words: Vec<String>, modules: &[Module], index: &BTreeMap<&[String], usize>) -> Option<usize> {
    for _ in 0..REEXPORTS_MAX {
        let (place, length) = longest_prefix(&words, index)?;
        let module = modules.get(place)?;
        let Some(next) = words.get(length) else {
            return Some(place);
        };
        let mut reexports = module.names.iter().filter(|name| name.origin == Origin::Reexport);
        let through = reexports.find(|name| name.binds.as_ref() == Some(next));
        let Some(through) = through.and_then(|name| absolute(module, name, index)) else {
            return Some(place);
        };
        words = through;
    }
    longest_prefix(&words, index).map(|(place, _)| place)
}

/// The module that `words` lead to, and how many of them name it.
fn longest_prefix(words: &[String], index: &BTreeMap<&[String], usize>) -> Option<(usize, usize)> {
    (0..=words.len()).rev().find_map(|length| {
        let place = index.get(words.get(..length)?)?;
        Some((*place, length))
    })
}

/// Which modules `from` imports, directly or not.
fn reachable(from: usize, edges: &[Edge]) -> Vec<bool> {
    let size = edges.iter().map(|edge| edge.from.max(edge.to) + 1).max().unwrap_or_default().max(from + 1);
    let mut seen = vec![false; size];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if let Some(mark) = seen.get_mut(at)
            && !*mark
        {
            *mark = true;
            open.extend(edges.iter().filter(|edge| edge.from == at).map(|edge| edge.to));
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::{at, lines};
    use super::super::workspace::TextFile;
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<Violation> {
        let folder = "crates/engine/sql";
        let files = files.iter().map(|(path, text)| at(&format!("{folder}/src/{path}"), text)).collect();
        let manifest = TextFile { path: format!("{folder}/Cargo.toml"), text: String::new() };
        circles(&Member { folder: folder.to_owned(), manifest, files })
    }

    #[test]
    fn folders_do_not_import_each_other_in_a_circle() {
        let below = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "mod x;"),
            ("a/x.rs", "\nuse crate::b::Thing;"),
            ("b.rs", "mod y; pub struct Thing;"),
            ("b/y.rs", "use super::Thing;"),
        ];
        assert!(found(&below).is_empty());
        let mut circle = below;
        circle[4].1 = "fn f() { crate::a::x::g() }";
        assert!(found(&circle).is_empty(), "`b/y` needs `a/x`, which needs only `b`");
        circle[3].1 = "mod y; pub struct Thing; fn f() { y::f() }";
        let violations = found(&circle);
        assert_eq!(lines(&violations), [2]);
        assert!(violations[0].message.contains("across folders"), "{}", violations[0]);
    }

    #[test]
    fn three_files_of_a_folder_may_hold_each_other() {
        let three = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use crate::c::C;"),
            ("c.rs", "use crate::a::A;"),
        ];
        assert!(found(&three).is_empty());
        let four = [three[0], three[1], three[2], ("c.rs", "use crate::d::D;"), ("d.rs", "use crate::a::A;")];
        let violations = found(&four);
        assert_eq!(lines(&violations), [1]);
        assert!(violations[0].message.contains("4 files"), "{}", violations[0]);
    }

    #[test]
    fn a_facade_does_not_tie_a_knot() {
        assert!(
            found(&[
                ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
                ("a.rs", "mod x; pub use x::A;"),
                ("a/x.rs", "pub struct A;"),
                ("b.rs", "use crate::A; mod y;"),
                ("b/y.rs", "use crate::a::A;"),
            ])
            .is_empty()
        );
    }
}
