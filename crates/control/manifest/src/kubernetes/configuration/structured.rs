//! Lists and maps as one value of a configuration: `a;b`, `key:value,other:value`, with quotes where they are needed.
//!
//! They are read in [`container::structured`](crate::kubernetes::container::structured), and printed here.
//!
//! # Source
//! Apache Flink 1.20 and 2.2, `ConfigurationUtils.convertToString`, `StructuredOptionsSplitter.escapeWithSingleQuote`.

use std::collections::BTreeMap;

pub use crate::kubernetes::container::structured::map;

/// A map as one value.
pub fn print_map(map: &BTreeMap<String, String>) -> String {
    let entry = |(key, value): (&String, &String)| escape(&format!("{}:{}", escape(key, ':'), escape(value, ':')), ',');
    map.iter().map(entry).collect::<Vec<_>>().join(",")
}

/// A list as one value.
pub fn print_list(elements: &[String]) -> String {
    elements.iter().map(|element| escape(element, ';')).collect::<Vec<_>>().join(";")
}

/// `text` in single quotes if it could not stand without: a line that knows YAML takes a value for YAML first, and what
/// looks like a list or a map there must not be one.
fn escape(text: &str, delimiter: char) -> String {
    let is_special = |c: char| c == delimiter || matches!(c, '\'' | '"');
    let is_yaml = ["[", "{", "- "].iter().any(|beginning| text.starts_with(beginning));
    if text.is_empty() || text.trim() != text || text.contains(is_special) || is_yaml {
        return format!("'{}'", text.replace('\'', "''"));
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::Configuration;
    use crate::kubernetes::container::structured::list;

    fn of(value: String) -> Configuration {
        Configuration::whole([("key".to_owned(), value)].into())
    }

    #[test]
    fn a_list_is_quoted_where_it_must_be() {
        for (elements, expected) in [
            (&["--a", "b"][..], "--a;b"),
            (&["a;b", "it's"][..], "'a;b';'it''s'"),
            (&["", " a "][..], "'';' a '"),
            (&["[1, 2]"][..], "'[1, 2]'"),
            (&["- a"][..], "'- a'"),
            (&["local:///opt/flink/a.jar"][..], "local:///opt/flink/a.jar"),
        ] {
            let elements: Vec<String> = elements.iter().map(|element| (*element).to_owned()).collect();
            assert_eq!(print_list(&elements), expected);
            assert_eq!(list(&of(print_list(&elements)), "key"), elements, "for `{expected}`");
        }
    }

    #[test]
    fn a_map_is_quoted_twice_where_it_must_be() {
        for (entries, expected) in [
            (&[("a", "b"), ("c/d", "1")][..], "a:b,c/d:1"),
            (&[("a", "x:y")][..], "'a:''x:y'''"),
            (&[("a", "x,y")][..], "'a:x,y'"),
        ] {
            let entries: BTreeMap<String, String> =
                entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            assert_eq!(print_map(&entries), expected);
            assert_eq!(map(&of(print_map(&entries)), "key"), entries, "for `{expected}`");
        }
    }
}
