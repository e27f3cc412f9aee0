//! Text that nests deeply, chains long or is large: an answer soon and without a deep stack, whatever it is.

use super::render;
use crate::parser::{parse_expression, parse_script};

/// The stack of a thread that the runtime does not configure.
const STACK_BYTES: usize = 2 << 20;

/// Parses in a thread with an ordinary stack; answers the message of the error, or `None` if there is none.
fn message_of(text: String) -> Option<String> {
    let parse = move || parse_script(&text).err().map(|error| error.message);
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(parse).expect("a thread should start");
    thread.join().expect("the parser should not overflow its stack")
}

#[test]
fn deep_nesting_is_refused_without_deep_stack() {
    let deep = Some("nesting is deeper than 256 levels");
    for (before, inner, after) in [
        ("(", "1", ")"),
        ("- ", "1", ""),
        ("NOT ", "a", ""),
        ("f(", "1", ")"),
        ("1 + (", "1", ")"),
        ("CASE WHEN ", "a", " THEN 1 END"),
        ("CASE ", "a", " WHEN 1 THEN 2 END"),
        ("CAST(", "1", " AS INT)"),
        ("TRIM(BOTH FROM ", "a", ")"),
        ("a BETWEEN (", "1", ") AND 2"),
        ("a IN (", "1", ")"),
        ("a AND (b OR ", "c", ")"),
        ("(SELECT ", "1", ")"),
        ("EXISTS (SELECT * FROM t WHERE ", "a", ")"),
        ("COUNT(*) FILTER (WHERE ", "a", ")"),
    ] {
        for count in [300, 10_000] {
            let text = format!("SELECT {}{inner}{}", before.repeat(count), after.repeat(count));
            assert_eq!(message_of(text).as_deref(), deep, "for {count} times {before}");
        }
    }
    for (before, inner, after) in [
        ("(", "SELECT 1", ")"),
        ("SELECT * FROM (", "SELECT 1", ")"),
        ("SELECT * FROM TUMBLE(TABLE (", "SELECT 1", "))"),
        ("WITH a AS (", "SELECT 1", ") SELECT 1"),
        ("SELECT 1 UNION (", "SELECT 1", ")"),
        ("SELECT * FROM (t JOIN (", "t", "))"),
        ("SELECT * FROM ((", "t", "))"),
    ] {
        let text = format!("{}{inner}{}", before.repeat(10_000), after.repeat(10_000));
        assert_eq!(message_of(text).as_deref(), deep, "for {before}");
    }
}

#[test]
fn reasonable_nesting_is_accepted() {
    for (before, inner, after, count) in [
        ("(", "1", ")", 240),
        ("f(", "1", ")", 120),
        ("CASE WHEN a THEN ", "1", " END", 120),
        ("NOT ", "a", "", 120),
        ("1 + (", "1", ")", 120),
        ("(SELECT ", "1", ")", 20),
    ] {
        let text = format!("SELECT {}{inner}{}", before.repeat(count), after.repeat(count));
        assert_eq!(message_of(text), None, "for {count} times {before}");
    }
    let text = format!("{}SELECT 1{}", "SELECT * FROM (".repeat(25), ")".repeat(25));
    assert_eq!(message_of(text), None);
}

#[test]
fn the_error_of_deep_nesting_points_where_it_becomes_too_deep() {
    let text = format!("{}1{}", "(".repeat(300), ")".repeat(300));
    let error = parse_expression(&text).expect_err("too deep");
    assert_eq!(error.position(&text), (1, 257));
}

#[test]
fn long_chains_are_low_trees_or_errors() {
    let deep = Some("nesting is deeper than 256 levels");
    for (first, link, count, expected) in [
        ("a", " OR a", 10_000, None),
        ("a", " AND a = 1", 10_000, None),
        ("a = 1", " OR a = 1 AND b", 10_000, None),
        ("1", " + 1", 200, None),
        ("1", " + 1", 100_000, deep),
        ("'a'", " || 'b'", 100_000, deep),
        ("a", " IS NULL", 100_000, deep),
        ("a", " = a", 100_000, deep),
        ("a IN (1", ", 1", 100_000, None),
        ("f(1", ", 1", 100_000, None),
        ("1", ", 1", 100_000, None),
        ("a", "[1]", 100_000, None),
    ] {
        let close = if first.contains('(') { ")" } else { "" };
        let text = format!("SELECT {first}{}{close}", link.repeat(count));
        assert_eq!(message_of(text).as_deref(), expected, "for {count} times {link}");
    }
    for (first, link, count, expected) in [
        ("SELECT 1", " UNION ALL SELECT 1", 10_000, None),
        ("SELECT 1", " EXCEPT SELECT 1", 50, None),
        ("SELECT 1", " EXCEPT SELECT 1", 10_000, deep),
        ("SELECT * FROM t", ", t", 50, None),
        ("SELECT * FROM t", ", t", 10_000, deep),
        ("SELECT * FROM t", " CROSS JOIN t", 10_000, deep),
        ("VALUES 1", ", 1", 100_000, None),
    ] {
        let text = format!("{first}{}", link.repeat(count));
        assert_eq!(message_of(text).as_deref(), expected, "for {count} times {link}");
    }
}

#[test]
fn chains_do_not_hide_height_in_nesting() {
    // Each level is a chain on top of the level below: 100 levels of 100 operators are 10,000 levels of tree.
    let text = format!("SELECT {}1{}", "(".repeat(100), format!("{})", " + 1".repeat(100)).repeat(100));
    assert_eq!(message_of(text).as_deref(), Some("nesting is deeper than 256 levels"));
}

#[test]
fn order_is_kept_in_a_balanced_chain() {
    let terms: Vec<_> = (0..100).map(|index| format!("c{index}")).collect();
    let expr = parse_expression(&terms.join(" OR ")).expect("should be parsed");
    let shown = render::expr(&expr).replace(['(', ')'], "");
    assert_eq!(shown, terms.join(" OR "));
}

// In quadratic time this test and the next would run for hours.
#[test]
fn a_script_of_one_megabyte_is_parsed() {
    let statement = "INSERT INTO sink SELECT a, b + 1 AS c, CAST(d AS STRING) FROM source WHERE a > 1 AND b <> 'x';\n";
    let count = (1 << 20) / statement.len() + 1;
    let statements = parse_script(&statement.repeat(count)).expect("should be parsed");
    assert_eq!(statements.len(), count);
    let columns = vec!["some_column_name AS `another name`"; 30_000].join(", ");
    assert_eq!(message_of(format!("SELECT {columns} FROM t")), None);
}

#[test]
fn garbage_of_one_megabyte_is_an_error() {
    for pattern in
        ["(", "[", "'a", "`a`.", "/*+ a */", "a ", "1 ", "-", "CASE ", "<", "\u{1F600}", "SELECT ", "(SELECT "]
    {
        let text = pattern.repeat((1 << 20) / pattern.len());
        assert!(message_of(format!("SELECT {text}")).is_some(), "for {pattern}");
        assert!(message_of(format!("SELECT * FROM {text}")).is_some(), "for {pattern} after FROM");
    }
}

#[test]
fn a_script_that_is_too_large_is_refused() {
    let error = parse_script(&" ".repeat((16 << 20) + 1)).expect_err("too large");
    assert_eq!(error.message, "script of 16777217 bytes is larger than 16 MiB");
    assert!(parse_script(&" ".repeat(16 << 20)).is_ok());
}
