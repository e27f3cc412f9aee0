//! Statements of a megabyte are bound in a time that grows with their length and not with its square.

use super::fixture::{plan, run, session};

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(", ")
}

// In quadratic time this test and the next would run for minutes.
#[test]
fn queries_of_one_megabyte_are_bound() {
    let names = list(20_000, |n| format!("c{n}"));
    let named = list(20_000, |n| format!("i AS c{n}"));
    let sums = list(20_000, |n| format!("i + {n}"));
    for (what, query) in [
        ("numbers in IN", format!("SELECT i IN ({}) FROM t", list(100_000, |n| n.to_string()))),
        ("texts in IN", format!("SELECT s IN ({}) FROM t", list(100_000, |n| format!("'{n}'")))),
        ("a condition", format!("SELECT i FROM t WHERE {}", vec!["i = 1"; 50_000].join(" OR "))),
        ("rows", format!("VALUES {}", list(100_000, |n| format!("({n}, 'a')")))),
        ("arguments", format!("SELECT CONCAT({}) FROM t", list(100_000, |n| format!("'{n}'")))),
        ("a select list", format!("SELECT {} FROM t", list(100_000, |n| format!("i + {n}")))),
        ("columns of a subquery", format!("SELECT {names} FROM (SELECT {named} FROM t) AS q")),
        ("aggregates", format!("SELECT {} FROM t", list(50_000, |n| format!("SUM(i + {n})")))),
        ("groups", format!("SELECT {sums} FROM t GROUP BY {sums}")),
        ("distinct rows", format!("SELECT DISTINCT {sums} FROM t")),
    ] {
        plan(&mut session(), &query).unwrap_or_else(|error| panic!("{what}: {}", error.message));
    }
}

#[test]
fn tables_of_one_megabyte_are_declared_and_written() {
    let columns = list(20_000, |n| format!("c{n} INT"));
    let names = list(20_000, |n| format!("c{n}"));
    let mut session = session();
    let key = format!("PRIMARY KEY ({names}) NOT ENFORCED");
    run(&mut session, &format!("CREATE TABLE wide ({columns}, {key}) WITH ('connector' = 'fake')")).unwrap();
    let insert = format!("INSERT INTO wide ({names}) SELECT {names} FROM wide");
    plan(&mut session, &insert).unwrap_or_else(|error| panic!("{}", error.message));
    let wrong = format!("INSERT INTO wide SELECT {} FROM t", vec!["s"; 20_000].join(", "));
    assert!(plan(&mut session, &wrong).is_err());
}
