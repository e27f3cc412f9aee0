//! Manifests that are read, and those that are refused with a place.

use std::fs;
use std::path::Path;

use super::*;

const BASIC: &str = "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata:\n  name: basic\n";

fn names(manifests: &[Manifest]) -> Vec<&str> {
    manifests.iter().map(|manifest| manifest.name.as_str()).collect()
}

#[test]
fn documents_are_cut_at_their_markers() {
    let second = BASIC.replace("basic", "second");
    for (text, expected) in [
        (BASIC.to_owned(), vec![("basic", 1)]),
        (format!("---\n{BASIC}"), vec![("basic", 2)]),
        (format!("# The first.\n\n{BASIC}---\n# The next.\n{second}"), vec![("basic", 3), ("second", 9)]),
        (format!("# none\n---\n---\n\n---\n{BASIC}...\n---\n{second}"), vec![("basic", 6), ("second", 12)]),
        ("--- {apiVersion: v1, kind: A, metadata: {name: a}}\n".to_owned(), vec![("a", 1)]),
        (format!("{BASIC}data:\n  text: |\n    --- not a marker\n"), vec![("basic", 1)]),
        (format!("\u{feff}%YAML 1.2\n---\n{BASIC}"), vec![("basic", 3)]),
        ("---\r\n---\r\n".to_owned(), vec![]),
        (String::new(), vec![]),
    ] {
        let (manifests, problems) = parse("a.yaml", &text);
        assert!(problems.is_empty(), "{text}: {problems:?}");
        let found: Vec<(&str, usize)> = manifests.iter().map(|one| (one.name.as_str(), one.place.line)).collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, place, word) in [
        (format!("{BASIC}metadata: {{}}\n"), "a.yaml:5:", "duplicate"),
        (format!("{BASIC}---\n{BASIC}kind: x\n"), "a.yaml:10:", "document 2"),
        (format!("{BASIC}spec: [1, 2\n"), "a.yaml:", "document 1"),
        ("- a\n- b\n".to_owned(), "a.yaml:1", "not an object"),
        ("just words\n".to_owned(), "a.yaml:1", "not an object"),
        ("kind: A\nmetadata: {name: 3}\n".to_owned(), "a.yaml:1", "`metadata.name` is not a text"),
        ("kind: A\nmetadata: {name: 3}\n".to_owned(), "a.yaml:1", "`apiVersion` is missing"),
        (
            "apiVersion: v1\nkind: A\nmetadata: {name: a, namespace: 3}\n".to_owned(),
            "a.yaml:3:",
            "`metadata.namespace`",
        ),
        ("apiVersion: v1\nkind: List\nitems: {}\n".to_owned(), "a.yaml:1", "`items` is not a list"),
    ] {
        let (_, problems) = parse("a.yaml", &text);
        let [problem] = &problems[..] else { panic!("{text}: {problems:?}") };
        let message = problem.to_string();
        assert!(message.starts_with(place) && message.contains(word), "{text}: {message}");
        assert_eq!(problem.kind(), ErrorKind::Invalid);
    }
}

#[test]
fn every_document_has_its_say() {
    let text = format!("{BASIC}---\na: [\n---\n{}---\nkind: x\n", BASIC.replace("basic", "last"));
    let (manifests, problems) = parse("a.yaml", &text);
    assert_eq!(names(&manifests), ["basic", "last"]);
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn aliases_cannot_make_a_document_grow() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = level - 1;
        let aliases = vec![format!("*a{before}"); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let (manifests, problems) = parse("bomb.yaml", &bomb);
    assert_eq!((manifests.len(), problems.len()), (0, 1));
    let deep = "[".repeat(100_000);
    assert_eq!(parse("deep.yaml", &deep).1.len(), 1);
}

#[test]
fn a_document_has_a_size() {
    let text = format!("{BASIC}data: {}\n", "x".repeat(DOCUMENT_BYTES_MAX));
    let (manifests, problems) = parse("large.yaml", &text);
    assert_eq!((manifests.len(), problems.len()), (0, 1));
    assert!(problems[0].to_string().contains("3 MiB"), "{}", problems[0]);
}

#[test]
fn lists_are_their_items_and_json_is_read() {
    let list = "{\n\t\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n\t\t{\"apiVersion\": \"v1\", \"kind\": \
                \"Secret\", \"metadata\": {\"name\": \"a\", \"namespace\": \"n\"}},\n\t\t{\"apiVersion\": \"v1\", \
                \"kind\": \"Secret\", \"metadata\": {\"name\": \"b\"}}\n\t]\n}\n";
    let (manifests, problems) = parse("a.json", list);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(names(&manifests), ["a", "b"]);
    assert_eq!(manifests[0].namespace.as_deref(), Some("n"));
}

#[test]
fn a_manifest_has_the_lines_of_its_fields_and_an_item_of_a_list_has_none() {
    let second = BASIC.replace("basic", "second");
    let list = "kind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: item}}\n";
    let (manifests, problems) = parse("a.yaml", &format!("# The first.\n{BASIC}---\n# Next.\n{second}---\n{list}"));
    assert!(problems.is_empty(), "{problems:?}");
    let texts: Vec<&str> = manifests.iter().map(|manifest| manifest.text.as_str()).collect();
    assert_eq!(texts, [BASIC, second.as_str(), ""]);
}

#[test]
fn a_tab_in_json_is_not_blamed() {
    let text = "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"\\q\",\n\t\"metadata\": {\"name\": \"a\"}\n}\n";
    let (_, problems) = parse("a.json", text);
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    let message = problem.to_string();
    assert!(message.starts_with("a.json:3:") && message.contains("backslash"), "{message}");
}

#[test]
fn numbers_and_texts_are_as_kubectl_reads_them() {
    let text = format!("{BASIC}spec: {{mode: 0644, cpu: 0.5, memory: 2048m, flag: true, text: \"0644\"}}\n");
    let (manifests, _) = parse("a.yaml", &text);
    let expected = serde_json::json!({"mode": 420, "cpu": 0.5, "memory": "2048m", "flag": true, "text": "0644"});
    assert_eq!(manifests[0].value["spec"], expected);
}

#[test]
fn directories_are_read_in_the_order_of_names() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, object: &str| {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, BASIC.replace("basic", object)).unwrap();
    };
    write("b.yaml", "second");
    write("a/z.yml", "first");
    write("c.txt", "no");
    write(".hidden.yaml", "no");
    write(".git/a.yaml", "no");
    write("data/applications/a.yaml", "no");
    fs::write(directory.path().join("data/api.sqlite"), "").unwrap();
    let (manifests, problems) = read(&[directory.path().to_owned()]);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(names(&manifests), ["first", "second"]);
}

#[test]
fn a_program_is_no_manifest() {
    let directory = tempfile::tempdir().unwrap();
    for (name, what, hint) in [
        ("orders.sql", "is a SQL script, not a manifest", "orders.sql`"),
        ("orders.JAR", "is a program, not a manifest", "`job.jarURI`"),
        ("orders.yaml", "`:2 is not UTF-8 text", "save it as UTF-8"),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, b"-- Counts.\n\xff\n").unwrap();
        let (manifests, problems) = read(&[path]);
        let [problem] = &problems[..] else { panic!("{name}: {problems:?}") };
        assert!(manifests.is_empty() && problem.to_string().contains(what), "{name}: {problem}");
        assert!(problem.hint().is_some_and(|found| found.contains(hint)), "{name}: {problem:?}");
    }
}

#[test]
fn nothing_to_read_is_a_problem() {
    assert_eq!(sources::name_of(Path::new("-")), "standard input");
    let directory = tempfile::tempdir().unwrap();
    for source in [directory.path().to_owned(), directory.path().join("none.yaml")] {
        let (manifests, problems) = read(&[source]);
        assert_eq!((manifests.len(), problems.len()), (0, 1));
        assert_eq!(problems[0].kind(), ErrorKind::Missing);
    }
}
