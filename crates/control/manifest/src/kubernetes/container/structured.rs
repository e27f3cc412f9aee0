//! Options of Flink that hold lists and maps as text.
//!
//! A list is divided by `;`, a map by `,` into pairs with a `:`. An element in single or double quotes may hold what
//! divides; in it the quote itself is doubled. A map may also be spread over keys that begin with its own.
//!
//! # Source
//! Apache Flink 1.20, `StructuredOptionsSplitter` and `ConfigurationUtils`.

use std::collections::BTreeMap;

use crate::configuration::Configuration;

/// The elements of a list.
pub fn list(configuration: &Configuration, key: &str) -> Vec<String> {
    configuration.get(key).map(|text| split(text, ';')).unwrap_or_default()
}

/// The entries of a map.
pub fn map(configuration: &Configuration, key: &str) -> BTreeMap<String, String> {
    let mut entries = below(configuration, &format!("{key}."));
    entries.extend(configuration.get(key).map(entries_of).unwrap_or_default());
    entries
}

/// The elements of a list of maps.
pub fn maps(configuration: &Configuration, key: &str) -> Vec<BTreeMap<String, String>> {
    list(configuration, key).iter().map(|text| entries_of(text)).filter(|map| !map.is_empty()).collect()
}

/// The values of the keys that begin with `prefix`, by the rest of the key.
pub fn below(configuration: &Configuration, prefix: &str) -> BTreeMap<String, String> {
    let values = configuration.values().iter();
    let found = values.filter_map(|(key, value)| Some((key.strip_prefix(prefix)?, value)));
    found.filter(|(rest, _)| !rest.is_empty()).map(|(rest, value)| (rest.to_owned(), value.clone())).collect()
}

/// The entries of a map as text. A value without quotes may hold a `:`, which Flink would refuse.
fn entries_of(text: &str) -> BTreeMap<String, String> {
    let pair = |entry: &String| {
        let mut parts = split(entry, ':').into_iter();
        let key = parts.next()?;
        let value: Vec<String> = parts.collect();
        (!value.is_empty()).then(|| (key, value.join(":")))
    };
    split(text, ',').iter().filter_map(pair).collect()
}

/// The parts of `text` between delimiters, without their quotes.
fn split(text: &str, delimiter: char) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_quote = matches!(first, '\'' | '"');
        let quoted = rest.strip_prefix(first).filter(|_| is_quote).and_then(|text| quoted(text, first));
        let after = if let Some((part, after)) = quoted {
            parts.push(part);
            after.split_once(delimiter).map_or("", |(_, after)| after)
        } else {
            let (part, after) = rest.split_once(delimiter).unwrap_or((rest, ""));
            parts.extend(Some(part.trim()).filter(|part| !part.is_empty()).map(str::to_owned));
            after
        };
        rest = after.trim_start();
    }
    parts
}

/// What stands in quotes, of which the first is gone already, and what stands after them; `None` if they stay open.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once(quote)?;
        part.push_str(before);
        let Some(again) = after.strip_prefix(quote) else {
            return Some((part, after));
        };
        part.push(quote);
        rest = again;
    }
}

#[cfg(test)]
mod tests {
    use kobel_model::deployment::FlinkConfiguration;

    use super::*;

    fn configuration(values: &[(&str, &str)]) -> Configuration {
        let mut configuration = Configuration::of(&FlinkConfiguration::default());
        for (key, value) in values {
            configuration.force(key, *value);
        }
        configuration
    }

    #[test]
    fn quotes_hold_together_what_a_delimiter_would_divide() {
        for (text, expected) in [
            ("", &[][..]),
            ("a", &["a"][..]),
            (" a ; b;;c; ", &["a", "b", "c"][..]),
            ("'a;b';\"c;d\" ; e", &["a;b", "c;d", "e"][..]),
            ("'it''s';''", &["it's", ""][..]),
            ("'open;a", &["'open", "a"][..]),
        ] {
            assert_eq!(list(&configuration(&[("k", text)]), "k"), expected, "for `{text}`");
        }
        assert!(list(&configuration(&[]), "k").is_empty());
    }

    #[test]
    fn a_map_stands_in_one_value_or_in_the_keys_below() {
        let values = [("k", "a:1,'b:2,3',c:arn:aws:iam,nothing"), ("k.d.e", "4"), ("k.a", "0"), ("kk", "x:y")];
        let found = map(&configuration(&values), "k");
        let found: Vec<(&str, &str)> = found.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(found, [("a", "1"), ("b", "2,3"), ("c", "arn:aws:iam"), ("d.e", "4")]);
    }

    #[test]
    fn a_list_may_hold_maps() {
        let found = maps(&configuration(&[("k", "env:A,secret:s,key:k;env:B,secret:t,key:l")]), "k");
        let of = |key: &str| found.iter().filter_map(|map| map.get(key).cloned()).collect::<Vec<_>>();
        assert_eq!(of("env"), ["A", "B"]);
        assert_eq!(of("secret"), ["s", "t"]);
    }
}
