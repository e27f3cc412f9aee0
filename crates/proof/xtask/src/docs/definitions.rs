//! `deploy/helm/kobel/files/crds`: the CustomResourceDefinitions of the chart, a file for each, as `kobel crd` prints them.

/// Where the files lie.
const FOLDER: &str = "deploy/helm/kobel/files/crds";

const PREFACE: &str = "# Made by `cargo xtask docs` from crates/contracts/resources: edit the types there.\n";

/// The files: where each lies, and what it says.
pub(super) fn files() -> Vec<(String, String)> {
    let documents = kobel_resources::crd::documents().into_iter();
    documents.map(|(name, text)| (format!("{FOLDER}/{name}.yaml"), format!("{PREFACE}{text}"))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;

    #[test]
    fn the_chart_has_every_definition_as_it_is_now_and_no_other() {
        let root = crate::workspace_root().unwrap();
        let entries = fs::read_dir(root.join(FOLDER)).unwrap().map(|entry| entry.unwrap().path());
        let found = entries.map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (format!("{FOLDER}/{name}"), fs::read_to_string(&path).unwrap())
        });
        let (found, expected) = (found.collect::<BTreeMap<_, _>>(), files().into_iter().collect::<BTreeMap<_, _>>());
        let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&expected), "run `cargo xtask docs` and remove what it does not write");
        assert!(found == expected, "{FOLDER} is out of date; run `cargo xtask docs`");
    }

    #[test]
    fn a_file_is_named_as_its_definition() {
        let files = files();
        let (name, text) = files.first().unwrap();
        assert_eq!(name, "deploy/helm/kobel/files/crds/flinkdeployments.flink.apache.org.yaml");
        assert!(text.contains("\nkind: CustomResourceDefinition\n"), "{text}");
    }
}
