//! Documents that name the same object: the later would take back what the earlier asked for.

use kobel_model::Error;

use super::super::client::Document;

/// Tells every document that names the object of an earlier one.
pub(crate) fn twice(documents: &[Document]) -> Vec<Error> {
    let is_same = |one: &Document, other: &Document| {
        one.manifest.name == other.manifest.name
            && one.namespace() == other.namespace()
            && (&one.served.group, &one.served.plural) == (&other.served.group, &other.served.plural)
    };
    let earlier = |index: usize, document: &Document| {
        documents.get(..index).into_iter().flatten().find(|earlier| is_same(earlier, document))
    };
    let doubled = documents.iter().enumerate().filter_map(|(index, one)| Some((one, earlier(index, one)?)));
    doubled.map(|(document, earlier)| error(document, earlier)).collect()
}

fn error(document: &Document, earlier: &Document) -> Error {
    let (place, first) = (&document.manifest.place, &earlier.manifest.place);
    let (message, hint) = if place == first {
        ("names the same object twice".to_owned(), "leave one of the two out; a file is named once")
    } else {
        let which = match first {
            _ if place.file == first.file => format!("document {} (line {})", first.document, first.line),
            _ => format!("document {} of `{}` (line {})", first.document, first.file, first.line),
        };
        (format!("names the same object as {which}"), "leave one of the two out, or give it another `metadata.name`")
    };
    let line = place.line;
    let message = format!("{place}: document {} (line {line}) {message}: `{}`", place.document, document.shown());
    Error::invalid(message).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use kobel_kubernetes::kinds::Served;
    use kobel_kubernetes::manifests::{Manifest, parse};

    use super::*;

    fn documents(file: &str, text: &str) -> Vec<Document> {
        let document = |manifest: Manifest| {
            let served = Served {
                group: String::new(),
                version: "v1".to_owned(),
                plural: manifest.kind.to_lowercase(),
                singular: manifest.kind.to_lowercase(),
                kind: manifest.kind.clone(),
                short_names: Vec::new(),
                is_namespaced: true,
                verbs: Vec::new(),
            };
            Document { manifest, served }
        };
        parse(file, text).0.into_iter().map(document).collect()
    }

    #[test]
    fn an_object_is_named_once() {
        let object = |kind: &str, metadata: &str| format!("apiVersion: v1\nkind: {kind}\nmetadata: {{{metadata}}}\n");
        let first = object("Thing", "name: a");
        for (text, expected) in [
            (format!("{first}---\n{}", object("Thing", "name: b")), None),
            (format!("{first}---\n{}", object("Other", "name: a")), None),
            (format!("{first}---\n{}", object("Thing", "name: a, namespace: n")), None),
            (
                format!("# One.\n{first}---\n# Two.\n{first}"),
                Some("a.yaml:7: document 2 (line 7) names the same object as document 1 (line 2): `thing/a`"),
            ),
            (
                "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Thing, metadata: {name: a}}, \
                 {apiVersion: v1, kind: Thing, metadata: {name: a}}]}"
                    .to_owned(),
                Some("a.yaml:1: document 1 (line 1) names the same object twice: `thing/a`"),
            ),
        ] {
            let told: Vec<String> = twice(&documents("a.yaml", &text)).iter().map(ToString::to_string).collect();
            assert_eq!(told, expected.into_iter().collect::<Vec<_>>(), "{text}");
        }
        let both = [documents("a.yaml", &first), documents("b.yaml", &first)];
        let told = twice(&both.into_iter().flatten().collect::<Vec<_>>());
        let [told] = &told[..] else { panic!("{told:?}") };
        let expected =
            "b.yaml:1: document 1 (line 1) names the same object as document 1 of `a.yaml` (line 1): `thing/a`";
        assert_eq!(told.to_string(), expected);
    }
}
