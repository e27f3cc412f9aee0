//! Selectors, against what the API server selects and says.

use std::collections::BTreeMap;

use super::LabelSelector;

fn labels() -> BTreeMap<String, String> {
    let pairs = [("app", "web"), ("tier", "a"), ("size", "5"), ("in", "x"), ("empty", "")];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[test]
fn a_label_selector_selects_what_the_api_server_selects() {
    let table = [
        ("", true),
        ("app", true),
        ("!app", false),
        ("!old", true),
        ("app=web", true),
        ("app==web", true),
        ("app = web , tier=a", true),
        ("app!=web", false),
        ("old!=web", true),
        ("tier in (a,b)", true),
        ("tier in (b, c)", false),
        ("tier notin (b)", true),
        ("old notin (b)", true),
        ("old in ()", false),
        ("empty in ()", true),
        ("empty=", true),
        ("size>4", true),
        ("size<5", false),
        ("in in (x)", true),
        ("in=x", true),
        ("example.com/app", false),
    ];
    for (text, expected) in table {
        let selector = LabelSelector::parse(text).unwrap();
        assert_eq!(selector.matches(&labels()), expected, "{text}");
    }
}

#[test]
fn a_malformed_label_selector_is_refused_in_the_api_servers_words() {
    let table = [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a===b", "unable to parse requirement: found '=', expected: identifier"),
        ("x in (a", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
    ];
    for (text, expected) in table {
        let refusal = LabelSelector::parse(text).unwrap_err();
        assert_eq!((refusal.code, refusal.message.as_str()), (400, expected), "{text}");
    }
    assert!(LabelSelector::parse("size>x").is_err());
    assert!(LabelSelector::parse("a=-b").is_err());
    assert!(LabelSelector::parse("-a").is_err());
}
