//! Floors 1 and 2 have no clocks, chance, files, sockets, threads and environment: what decides takes values.
//!
//! The standard library is checked here by path; crates that bring such things are kept out by `manifests`.

use super::paths::{NamedPath, paths_of};
use super::source::{SourceFile, Violation};

/// The highest floor that must be pure.
pub const PURE_FLOOR_MAX: u8 = 2;

/// Paths that reach into the world.
const WORLD: [&[&str]; 9] = [
    &["std", "time", "Instant"],
    &["std", "time", "SystemTime"],
    &["std", "time", "*"],
    &["std", "fs"],
    &["std", "net"],
    &["std", "thread"],
    &["std", "env"],
    &["std", "process"],
    &["std", "os"],
];

/// Calls that reach into the world through a type that is pure otherwise; the first word may be imported.
const CALLS: [[&str; 2]; 7] = [
    ["Instant", "now"],
    ["SystemTime", "now"],
    ["Timestamp", "now"],
    ["Zoned", "now"],
    ["TimeZone", "system"],
    ["File", "open"],
    ["File", "create"],
];

/// Checks the production part of a file on `floor`.
pub fn check(file: &SourceFile, floor: Option<u8>) -> Vec<Violation> {
    let Some(floor) = floor.filter(|floor| *floor <= PURE_FLOOR_MAX) else {
        return Vec::new();
    };
    let reaching = paths_of(&file.production).into_iter().filter_map(|path| {
        let named = reaches_out(&path)?;
        let above = PURE_FLOOR_MAX + 1;
        let message = format!("`{named}` on floor {floor}: the world outside is for floor {above} and above");
        Some(Violation::new(&file.path, path.line, message))
    });
    reaching.collect()
}

/// What the path reaches for, if it reaches into the world.
fn reaches_out(path: &NamedPath) -> Option<String> {
    let words: Vec<&str> = path.words.iter().map(String::as_str).collect();
    let from_world = WORLD.iter().any(|world| words.starts_with(world));
    let called = CALLS.iter().any(|call| words.ends_with(call));
    (from_world || called).then(|| words.join("::"))
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::{lines, snippet};
    use super::*;

    #[test]
    fn the_world_is_out_of_reach_on_the_lower_floors() {
        for (text, expected) in [
            ("use std::time::{Duration, Instant};", vec![1]),
            ("use std::time::*;", vec![1]),
            ("use std::{fmt,\nfs};", vec![2]),
            ("fn a() { std::thread::spawn(b); }", vec![1]),
            ("fn a() {\n std::env::var(\"X\"); }", vec![2]),
            ("fn a() { jiff::Timestamp::now() }", vec![1]),
            ("fn a() { File::open(b) }", vec![1]),
            ("use std::time::Duration;\nfn a(now: Duration) {}", vec![]),
            ("#[cfg(test)]\nmod tests { use std::fs; }", vec![]),
        ] {
            assert_eq!(lines(&check(&snippet(text), Some(2))), expected, "{text}");
            assert!(check(&snippet(text), Some(3)).is_empty(), "{text}");
        }
    }
}
