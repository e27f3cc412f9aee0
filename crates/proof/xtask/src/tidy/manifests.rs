//! What the manifests promise: floors, lints, a reason for every dependency.

use toml::{Table, Value};

use super::purity::PURE_FLOOR_MAX;
use super::source::Violation;
use super::workspace::{Member, TextFile, floor_of};

/// Crates that bring clocks, chance, files, sockets or threads.
const WORLDLY: [&str; 10] =
    ["rand", "getrandom", "fastrand", "tokio", "async-std", "mio", "rayon", "tempfile", "walkdir", "ctrlc"];

/// Checks the manifest of the workspace: every dependency carries its reason.
pub fn workspace(manifest: &TextFile) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut inside = false;
    let mut explained = false;
    for (place, line) in manifest.text.lines().map(str::trim).enumerate() {
        if line.starts_with('[') {
            inside = line == "[workspace.dependencies]";
        } else if line.is_empty() {
            explained = false;
        } else if line.starts_with('#') {
            explained = true;
        } else if let Some((name, _)) = line.split_once('=').filter(|_| inside) {
            let own = line.contains("path =");
            if !own && !explained && !line.contains('#') {
                let name = name.trim();
                let message = format!("dependency `{name}` has no reason: end the line or open its block with `# …`");
                found.push(Violation::new(&manifest.path, place + 1, message));
            }
        }
    }
    found
}

/// Checks the manifest of one crate against those of all.
pub fn member(member: &Member, all: &[Member]) -> Vec<Violation> {
    let manifest = &member.manifest;
    let table = match toml::from_str::<Table>(&manifest.text) {
        Ok(table) => table,
        Err(error) => return vec![Violation::new(&manifest.path, 1, format!("cannot be read as TOML: {error}"))],
    };
    let mut found = Vec::new();
    if table.get("lints").and_then(|lints| lints.get("workspace")) != Some(&Value::Boolean(true)) {
        let message = "the lints of the workspace are not taken: add `[lints]` with `workspace = true`";
        found.push(Violation::new(&manifest.path, 1, message));
    }
    if member.floor().is_none() {
        let message = format!("`crates/{}` is on no floor", member.room());
        found.push(Violation::new(&manifest.path, 1, message));
    }
    for (name, value) in dependencies(&table) {
        let line = line_of(&manifest.text, &name);
        if value.get("workspace") != Some(&Value::Boolean(true)) {
            let message =
                format!("dependency `{name}` is not taken from the workspace: write `{name}.workspace = true`");
            found.push(Violation::new(&manifest.path, line, message));
        }
        if let Some(message) = forbidden(member, &name, all) {
            found.push(Violation::new(&manifest.path, line, message));
        }
    }
    found
}

/// Why `member` may not import `name`, if it may not.
fn forbidden(member: &Member, name: &str, all: &[Member]) -> Option<String> {
    let (room, floor) = (member.room(), member.floor()?);
    let Some(other) = all.iter().find(|other| package_name(other) == name) else {
        let worldly = floor <= PURE_FLOOR_MAX && WORLDLY.contains(&name);
        return worldly.then(|| format!("`{name}` on floor {floor}: it reaches for clocks, chance, files or threads"));
    };
    let other_room = other.room();
    let other_floor = floor_of(other_room)?;
    if room == "proof" || room == other_room || (other_room != "proof" && other_floor < floor) {
        return None;
    }
    Some(match other_room {
        "proof" => format!("`{name}` is proof, which nothing imports"),
        _ if other_floor == floor => format!("`{room}` and `{other_room}` share floor {floor} and are strangers"),
        _ => format!("`{name}` is on floor {other_floor}, above floor {floor}: imports point down"),
    })
}

/// Dependencies that end up in the product: normal and build ones, of every target; not those of tests.
fn dependencies(table: &Table) -> Vec<(String, Value)> {
    let targets = table.get("target").and_then(Value::as_table).into_iter().flat_map(|targets| targets.values());
    let places = targets.filter_map(Value::as_table).chain([table]);
    let sections = places.flat_map(|place| ["dependencies", "build-dependencies"].map(|section| place.get(section)));
    let entries = sections.flatten().filter_map(Value::as_table).flatten();
    entries.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The name of a package; tidy reports a manifest without one as unreadable elsewhere.
fn package_name(member: &Member) -> String {
    let table = toml::from_str::<Table>(&member.manifest.text).unwrap_or_default();
    let name = table.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
    name.unwrap_or_default().to_owned()
}

/// The line on which a key stands, or the first.
fn line_of(text: &str, key: &str) -> usize {
    let is_key = |rest: &str| rest.starts_with(['.', ' ', '=']);
    let place = text.lines().position(|line| line.strip_prefix(key).is_some_and(is_key));
    place.map_or(1, |place| place + 1)
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::lines;
    use super::*;

    fn crate_at(folder: &str, name: &str, dependencies: &str) -> Member {
        let text = format!("[package]\nname = \"{name}\"\n[lints]\nworkspace = true\n[dependencies]\n{dependencies}");
        let manifest = TextFile { path: format!("{folder}/Cargo.toml"), text };
        Member { folder: folder.to_owned(), manifest, files: Vec::new() }
    }

    fn faults(folder: &str, dependencies: &str) -> Vec<String> {
        let all = [
            crate_at("crates/model", "kobel-model", ""),
            crate_at("crates/engine/sql", "kobel-sql", ""),
            crate_at("crates/control/lifecycle", "kobel-lifecycle", ""),
            crate_at("crates/services/runtime", "kobel-runtime", ""),
            crate_at("crates/proof/testkit", "kobel-testkit", ""),
        ];
        let own = crate_at(folder, "own", dependencies);
        member(&own, &all).into_iter().map(|violation| violation.message).collect()
    }

    #[test]
    fn imports_point_down_and_floors_do_not_mix() {
        for (folder, dependency, fault) in [
            ("crates/engine/dataflow", "kobel-model", None),
            ("crates/engine/dataflow", "kobel-sql", None),
            ("crates/engine/dataflow", "kobel-lifecycle", Some("strangers")),
            ("crates/engine/dataflow", "kobel-runtime", Some("above floor 2")),
            ("crates/faces/cli", "kobel-runtime", None),
            ("crates/faces/cli", "kobel-testkit", Some("proof")),
            ("crates/proof/sim", "kobel-testkit", None),
            ("crates/proof/sim", "kobel-runtime", None),
            ("crates/engine/dataflow", "rand", Some("chance")),
            ("crates/adapters/connectors", "rand", None),
        ] {
            let found = faults(folder, &format!("{dependency}.workspace = true"));
            let as_expected = match fault {
                Some(words) => found.len() == 1 && found[0].contains(words),
                None => found.is_empty(),
            };
            assert!(as_expected, "{folder} → {dependency}: {found:?}");
        }
    }

    #[test]
    fn dependencies_come_from_the_workspace() {
        assert_eq!(faults("crates/faces/cli", "clap = \"4\"").len(), 1);
        assert_eq!(faults("crates/faces/cli", "[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"").len(), 1);
        assert!(faults("crates/faces/cli", "clap = { workspace = true }\n[dev-dependencies]\nx = \"1\"").is_empty());
    }

    #[test]
    fn a_crate_takes_the_lints_and_stands_on_a_floor() {
        let mut own = crate_at("crates/attic/things", "own", "");
        assert_eq!(lines(&member(&own, &[])), [1]);
        own.manifest.text = "[package]\nname = \"own\"\n".to_owned();
        assert_eq!(lines(&member(&own, &[])), [1, 1]);
    }

    #[test]
    fn every_dependency_of_the_workspace_has_its_reason() {
        let text = "[workspace.dependencies]\nown = { path = \"x\" }\n\n# Columns.\na = \"1\"\nb = \"1\"\n\n\
                    c = \"1\"  # clocks\nd = { version = \"1\" }\n[profile.dev]\ndebug = 1\n";
        let manifest = TextFile { path: "Cargo.toml".to_owned(), text: text.to_owned() };
        assert_eq!(lines(&workspace(&manifest)), [9]);
    }
}
