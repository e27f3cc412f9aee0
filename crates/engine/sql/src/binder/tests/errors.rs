//! Wrong and unsupported statements: what the error says, and where it points.

use kobel_model::ErrorKind;

use super::fixture::{run, session};
use crate::error::SqlError;

/// Executes a statement in which `‹` stands before the place that the error must point at.
fn error_of(marked: &str) -> SqlError {
    let marker = marked.find('‹').expect("the statement has a mark");
    let script = marked.replace('‹', "");
    let before = &script[..marker];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    let error = match run(&mut session(), &script) {
        Err(error) => error,
        Ok(outcome) => panic!("`{script}` is accepted: {outcome:?}"),
    };
    let found = error.position(&script);
    assert_eq!(found, (line, column), "`{script}`: {}", error.message);
    error
}

fn check(table: &[(&str, &str)], kind: ErrorKind) {
    for (marked, message) in table {
        let error = error_of(marked);
        assert!(error.message.contains(message), "`{marked}`: {}", error.message);
        assert_eq!(error.kind, kind, "`{marked}`: {}", error.message);
    }
}

#[test]
fn unknown_names_are_pointed_at() {
    check(
        &[
            ("SELECT ‹nope FROM t", "column `nope` does not exist"),
            ("SELECT ‹I FROM t", "column `I` does not exist"),
            ("SELECT i,\n  bi,\n  ‹nope\nFROM t", "column `nope` does not exist"),
            ("SELECT t.‹nope FROM t", "column `nope` does not exist"),
            ("SELECT ‹x.i FROM t", "table `x` is not in the FROM clause"),
            ("SELECT ‹t.i FROM t AS a", "table `t` is not in the FROM clause"),
            ("SELECT ‹i.x FROM t", "column `i` has no field `x`"),
            ("SELECT ‹x.* FROM t", "table `x` is not in the FROM clause"),
            ("SELECT i FROM ‹nope", "table `nope` does not exist"),
            ("SELECT i FROM ‹foo.t", "database `foo` does not exist"),
            ("SELECT i FROM ‹foo.default_database.t", "catalog `foo` does not exist"),
            ("SELECT ‹UPER(s) FROM t", "function `UPER` does not exist"),
            ("SELECT ‹i FROM (SELECT i, bi AS i FROM t)", "column `i` is ambiguous"),
            ("SELECT ‹* FROM (SELECT i, bi AS i FROM t)", "column `i` is ambiguous"),
            ("DROP TABLE ‹nope", "table `nope` does not exist"),
            ("DESCRIBE ‹nope", "table `nope` does not exist"),
            ("SHOW CREATE TABLE ‹nope", "table `nope` does not exist"),
        ],
        ErrorKind::Invalid,
    );
}

#[test]
fn a_near_name_is_suggested() {
    for (marked, suggestion) in [
        ("SELECT ‹I FROM t", "`i`"),
        ("SELECT origin FROM ‹flihgts", "`flights`"),
        ("SELECT ‹orign FROM flights", "`origin`"),
        ("SELECT ‹SUBSTRNG(s, 1) FROM t", "`SUBSTRING`"),
        ("WITH carriers AS (SELECT i FROM t) SELECT i FROM ‹cariers", "`carriers`"),
        ("INSERT INTO pt (‹ii) SELECT i FROM t", "`i`"),
    ] {
        let error = error_of(marked);
        assert!(error.hint.as_deref().is_some_and(|hint| hint.contains(suggestion)), "`{marked}`: {:?}", error.hint);
    }
}

#[test]
fn wrong_types_are_pointed_at() {
    check(
        &[
            ("SELECT ‹NULL", "illegal use of `NULL`"),
            ("SELECT bn AND ‹NULL FROM t", "illegal use of `NULL`"),
            ("SELECT IF(b, ‹NULL, 1) FROM t", "illegal use of `NULL`"),
            ("SELECT COUNT(‹NULL) FROM t", "illegal use of `NULL`"),
            ("SELECT ‹s + 1 FROM t", "cannot apply `+` to `STRING` and `INT`"),
            ("SELECT ‹dt + 1 FROM t", "cannot apply `+` to `DATE` and `INT`"),
            ("SELECT ‹ts - ts FROM t", "cannot apply `-` to `TIMESTAMP(3)` and `TIMESTAMP(3)`"),
            ("SELECT ‹s || 1 FROM t", "cannot apply `||` to `STRING` and `INT`"),
            ("SELECT ‹f % i FROM t", "cannot apply `%` to `FLOAT` and `INT`"),
            ("SELECT ‹-s FROM t", "cannot apply unary `-` to `STRING`"),
            ("SELECT ‹i = '1' FROM t", "cannot compare `INT` with `CHAR(1)`"),
            ("SELECT ‹b = 1 FROM t", "cannot compare `BOOLEAN` with `INT`"),
            ("SELECT ‹dt = ts FROM t", "cannot compare `DATE` with `TIMESTAMP(3)`"),
            ("SELECT i IN (1, ‹TRUE) FROM t", "cannot compare `INT` with `BOOLEAN`"),
            ("SELECT NOT ‹i FROM t", "`NOT` takes a condition"),
            ("SELECT b OR ‹i FROM t", "`OR` takes a condition"),
            ("SELECT ‹i IS TRUE FROM t", "`IS` takes a condition"),
            ("SELECT ‹i LIKE 'a' FROM t", "`LIKE` takes character strings"),
            ("SELECT ‹9223372036854775808", "literal `9223372036854775808` is out of range"),
            ("SELECT ‹DATE '2020-02-30'", "cannot parse `DATE '2020-02-30'`"),
            ("SELECT ‹TIMESTAMP '2020-13-01 00:00:00'", "cannot parse `TIMESTAMP '2020-13-01 00:00:00'`"),
            ("SELECT ‹INTERVAL 'x' DAY", "cannot parse `INTERVAL 'x' DAY`"),
            ("SELECT ‹UPPER(i) FROM t", "no match for function `UPPER` with arguments (INT)"),
            ("SELECT ‹UPPER(s, s) FROM t", "no match for function `UPPER` with arguments (STRING, STRING)"),
            ("SELECT ‹LEFT(s, bi) FROM t", "no match for function `LEFT` with arguments (STRING, BIGINT)"),
            ("SELECT ‹ROUND(s) FROM t", "no match for function `ROUND` with arguments (STRING)"),
            ("SELECT ‹UPPER(DISTINCT s) FROM t", "`UPPER` is not an aggregate function"),
            ("SELECT ‹SUM(s) FROM t", "no match for function `SUM` with arguments (STRING)"),
            ("SELECT SUM(i) FILTER (WHERE ‹i) FROM t", "`FILTER` takes a condition"),
            ("SELECT CASE WHEN b THEN 1 ELSE ‹'a' END FROM t", "`CASE` mixes values of type `INT` and `CHAR(1)`"),
            ("SELECT CASE WHEN ‹i THEN 1 END FROM t", "`WHEN` takes a condition"),
            ("SELECT ‹CASE WHEN b THEN NULL ELSE NULL END FROM t", "`CASE` has no value that is not `NULL`"),
            ("SELECT COALESCE(i, ‹'a') FROM t", "`COALESCE` mixes values of type `INT` and `CHAR(1)`"),
            ("SELECT ‹CAST(dt AS INT) FROM t", "cannot cast `DATE` to `INT`"),
            ("SELECT ‹CAST(i AS TIMESTAMP(3)) FROM t", "cannot cast `INT` to `TIMESTAMP(3)`"),
            ("SELECT ‹EXTRACT(YEAR FROM s) FROM t", "cannot extract `YEAR` from `STRING`"),
            ("SELECT i FROM t WHERE ‹i", "`WHERE` takes a condition"),
            ("SELECT i FROM t UNION ALL ‹SELECT i, b FROM t", "has 2 columns, the first has 1"),
            ("SELECT i FROM t UNION ALL ‹SELECT s FROM t", "column 1 of `UNION` mixes `INT` and `STRING`"),
            ("VALUES (1), (‹1, 2)", "this row has 2 values, but the first has 1"),
            ("VALUES (1), (‹'a')", "`VALUES` mixes values of type `INT` and `CHAR(1)`"),
            ("SELECT a FROM (SELECT i, bi FROM t) AS ‹x(a)", "the list has 1 column names, but there are 2 columns"),
        ],
        ErrorKind::Invalid,
    );
}

#[test]
fn wrong_aggregations_are_pointed_at() {
    check(
        &[
            ("SELECT i, ‹bi, COUNT(*) FROM t GROUP BY i", "expression `bi` is not being grouped"),
            ("SELECT ‹i + 2 FROM t GROUP BY i + 1", "expression `i` is not being grouped"),
            ("SELECT ‹i FROM t GROUP BY 1", "expression `i` is not being grouped"),
            ("SELECT ‹* FROM t GROUP BY i", "expression `b` is not being grouped"),
            ("SELECT COUNT(*) FROM t HAVING ‹i > 1", "expression `i` is not being grouped"),
            ("SELECT SUM(‹SUM(i)) FROM t", "`SUM` is not allowed in the arguments of an aggregate function"),
            ("SELECT i FROM t WHERE ‹COUNT(*) > 1", "`COUNT` is not allowed in `WHERE`"),
            ("SELECT 1 FROM t GROUP BY ‹MAX(i)", "`MAX` is not allowed in `GROUP BY`"),
            ("SELECT i AS x FROM t GROUP BY ‹x", "column `x` does not exist"),
            ("SELECT COUNT(*) AS n FROM t GROUP BY i HAVING ‹n > 1", "column `n` does not exist"),
        ],
        ErrorKind::Invalid,
    );
    let error = error_of("SELECT i AS x FROM t GROUP BY ‹x");
    assert!(error.hint.is_some_and(|hint| hint.contains("repeat the expression")));
}

#[test]
fn wrong_windows_are_pointed_at() {
    check(
        &[
            (
                "SELECT 1 FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(‹ts), INTERVAL '1' HOUR))",
                "column `ts` is not a time attribute",
            ),
            (
                "SELECT 1 FROM TABLE(TUMBLE((SELECT rt + INTERVAL '1' DAY AS r FROM t),
                   DESCRIPTOR(‹r), INTERVAL '1' HOUR))",
                "column `r` is not a time attribute",
            ),
            (
                "SELECT 1 FROM TABLE(TUMBLE((SELECT MAX(rt) AS r FROM t GROUP BY i),
                   DESCRIPTOR(‹r), INTERVAL '1' HOUR))",
                "column `r` is not a time attribute",
            ),
            (
                "SELECT 1 FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(‹nope), INTERVAL '1' HOUR))",
                "column `nope` does not exist",
            ),
            ("SELECT 1 FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(rt), ‹INTERVAL '0' HOUR))", "must be positive"),
            (
                "SELECT 1 FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(rt), ‹5))",
                "`SIZE` of `TUMBLE` must be an interval literal",
            ),
            (
                "SELECT 1 FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(rt), INTERVAL '1' HOUR, ‹INTERVAL '2' HOUR))",
                "must be less than its size",
            ),
            (
                "SELECT ‹t.i FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(rt), INTERVAL '1' HOUR))",
                "table `t` is not in the FROM",
            ),
        ],
        ErrorKind::Invalid,
    );
}

#[test]
fn what_the_engine_does_not_run_is_refused_by_name() {
    check(
        &[
            ("SELECT ‹ts = ltz FROM t", "comparing `TIMESTAMP(3)` with `TIMESTAMP_LTZ(3)`"),
            ("SELECT ‹s SIMILAR TO 'a' FROM t", "`SIMILAR TO`"),
            ("SELECT ‹REGEXP_EXTRACT(s, 'a', 1) FROM t", "function `REGEXP_EXTRACT`"),
            ("SELECT ‹LISTAGG(s) FROM t", "function `LISTAGG`"),
            ("SELECT COUNT(*) ‹OVER () FROM t", "`OVER`"),
            ("SELECT COUNT(i, ‹bi) FROM t", "`COUNT` of several values"),
            ("SELECT ‹MIN(yb) FROM t", "`MIN` of `BYTES`"),
            ("SELECT CAST(i AS ‹ARRAY<INT>) FROM t", "is not supported by the native engine"),
            ("SELECT i FROM t ORDER BY ‹i", "`ORDER BY`"),
            ("SELECT i FROM t LIMIT ‹1", "`LIMIT`"),
            ("SELECT t.i FROM t ‹JOIN pt ON t.i = pt.i", "JOIN"),
            ("SELECT 1 FROM TABLE(‹HOP(TABLE t, DESCRIPTOR(rt), INTERVAL '1' MINUTE, INTERVAL '1' HOUR))", "`HOP`"),
            (
                "SELECT 1 FROM TABLE(TUMBLE(TABLE pt, DESCRIPTOR(‹p), INTERVAL '1' HOUR))",
                "a window over processing time",
            ),
            ("SELECT 1 FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(rt), ‹INTERVAL '1' MONTH))", "a window of months"),
            ("SELECT COUNT(*) FROM t GROUP BY ‹TUMBLE(rt, INTERVAL '1' HOUR)", "`TUMBLE` as a group window"),
            ("SELECT i FROM t /*+ ‹STATE_TTL('t' = '1d') */", "hint `STATE_TTL`"),
            ("‹INSERT OVERWRITE snk SELECT 1, 'a', 1, 1, ts FROM t", "`INSERT OVERWRITE`"),
            ("CREATE TABLE x (‹i INT METADATA) WITH ('connector' = 'fake')", "`METADATA` column `i`"),
            ("CREATE TABLE x (i ‹ARRAY<INT>) WITH ('connector' = 'fake')", "is not supported by the native engine"),
        ],
        ErrorKind::Unsupported,
    );
}

#[test]
fn an_error_says_what_to_write() {
    for (marked, expected) in [
        (
            "INSERT INTO snk ‹SELECT i, s FROM t",
            "the query has 2 and the table 5: select something for c2, d2, e2, too",
        ),
        ("INSERT INTO snk ‹SELECT i, s FROM t", "or leave them NULL: `INSERT INTO snk (a, b2) SELECT …`"),
        ("INSERT INTO appends ‹SELECT s, i, i FROM t", "the query has 3 and the table 2: leave out 1 of the query"),
        ("INSERT INTO snk ‹SELECT i, s, dc, d, dt FROM t", "write `CAST(dt AS TIMESTAMP(3))`"),
        ("INSERT INTO snk ‹SELECT i, s, dc, d, i + 1 FROM t", "write `CAST(… AS TIMESTAMP(3))`"),
        ("SELECT a FROM ‹unlike", "create it first: `CREATE TABLE unlike (…) WITH ('connector' = …);`; there are `"),
        ("INSERT INTO ‹unlike SELECT 1", "create it first: `CREATE TABLE unlike (…)"),
    ] {
        let error = error_of(marked);
        assert!(error.hint.as_deref().is_some_and(|hint| hint.contains(expected)), "`{marked}`: {:?}", error.hint);
    }
    let error = error_of("INSERT INTO snk ‹SELECT i FROM t");
    assert!(error.hint.is_none_or(|hint| !hint.contains("NULL")), "`b2` cannot be NULL");
}

#[test]
fn wrong_inserts_are_pointed_at() {
    check(
        &[
            ("INSERT INTO ‹nope SELECT 1", "table `nope` does not exist"),
            ("INSERT INTO snk ‹SELECT i, s FROM t", "Different number of columns."),
            (
                "INSERT INTO snk ‹SELECT i, s, dc, d, dt FROM t",
                "Incompatible types for sink column 'e2' at position 5.\n\nQuery schema: [i: INT, s: STRING, \
                 dc: DECIMAL(10, 2), d: DOUBLE, dt: DATE]\nSink schema:  [a: INT, b2: STRING, c2: DECIMAL(10, 2), \
                 d2: DOUBLE, e2: TIMESTAMP(3)]",
            ),
            ("INSERT INTO snk ‹SELECT bi, s, dc, d, ts FROM t", "sink column 'a' at position 1"),
            ("INSERT INTO snk ‹SELECT i, i, dc, d, ts FROM t", "Query schema: [i: INT, i0: INT, "),
            ("INSERT INTO snk (a, ‹zz) SELECT i, s FROM t", "column `zz` does not exist in table `snk`"),
            ("INSERT INTO snk (b2, ‹b2) VALUES ('a', 'b')", "column `b2` is assigned twice"),
            ("INSERT INTO ‹snk (a) SELECT i FROM t", "column `b2` has no value"),
            ("INSERT INTO pt (i, ‹p) SELECT i, ltz FROM t", "column `p` is computed"),
            ("INSERT INTO snk VALUES (1, 'a', ‹NULL, 1, NULL)", "illegal use of `NULL`"),
            ("INSERT INTO ‹appends SELECT s, COUNT(*) FROM t GROUP BY s", "table `appends` takes only inserts"),
            ("CREATE VIEW w AS SELECT i FROM t; INSERT INTO ‹w SELECT 1", "it is a view"),
        ],
        ErrorKind::Invalid,
    );
}

#[test]
fn wrong_declarations_are_pointed_at() {
    check(
        &[
            ("CREATE TABLE x (i INT, ‹i STRING) WITH ('connector' = 'fake')", "column `i` is declared twice"),
            ("CREATE TABLE x (i INT, WATERMARK FOR ‹nope AS nope)", "column `nope` does not exist"),
            ("CREATE TABLE x (i INT, WATERMARK FOR ‹i AS i)", "with p from 0 to 3, not `INT`"),
            ("CREATE TABLE x (ts TIMESTAMP(6), WATERMARK FOR ‹ts AS ts)", "with p from 0 to 3, not `TIMESTAMP(6)`"),
            (
                "CREATE TABLE x (ts TIMESTAMP(3), WATERMARK FOR ts AS ‹'a')",
                "the watermark strategy is of type `CHAR(1)`",
            ),
            (
                "CREATE TABLE x (ts TIMESTAMP(3), WATERMARK FOR ts AS ts, ‹WATERMARK FOR ts AS ts)",
                "a table can have only one `WATERMARK`",
            ),
            ("CREATE TABLE x (i INT, j AS i + 1, k AS ‹j + 1)", "column `j` does not exist"),
            ("CREATE TABLE x (i INT, j AS ‹COUNT(i))", "`COUNT` is not allowed in a computed column"),
            ("CREATE TABLE x (i INT, ‹PRIMARY KEY (i))", "must be `NOT ENFORCED`"),
            (
                "CREATE TABLE x (i INT, PRIMARY KEY (‹nope) NOT ENFORCED)",
                "column `nope` of the primary key does not exist",
            ),
            ("CREATE TABLE x (i INT, j AS i, PRIMARY KEY (‹j) NOT ENFORCED)", "is not a physical column"),
            ("CREATE TABLE x (i INT) PARTITIONED BY (‹nope)", "partition column `nope` does not exist"),
            ("CREATE TABLE x (i INT) WITH ('a' = '1', ‹'a' = '2')", "option `a` is set twice"),
            ("CREATE TABLE ‹t (i INT)", "`t` already exists"),
            ("CREATE VIEW x AS ‹SELECT i, i FROM t", "view `x` has two columns `i`"),
            ("CREATE VIEW ‹x (a) AS SELECT i, bi FROM t", "the list has 1 column names"),
            ("CREATE TABLE x (i INT) WITH (‹'wrong.key' = '1'); SELECT i FROM x", "option `wrong.key` is wrong"),
            ("CREATE TABLE x (i INT) WITH ('wrong.value' = ‹'1'); SELECT i FROM x", "option `wrong.value` is wrong"),
            ("SELECT i FROM t /*+ OPTIONS(‹'wrong.key' = '1') */", "option `wrong.key` is wrong"),
        ],
        ErrorKind::Invalid,
    );
}

#[test]
fn copies_of_copies_are_bounded() {
    let mut views = String::from("CREATE VIEW v0 AS SELECT i FROM t;");
    for level in 1..=20 {
        let below = level - 1;
        views.push_str(&format!("CREATE VIEW v{level} AS SELECT i FROM v{below} UNION ALL SELECT i FROM v{below};"));
    }
    let error = run(&mut session(), &views).expect_err("two to the twentieth relations are too many");
    assert!(error.message.contains("relations"), "{}", error.message);

    let mut nested = String::from("i");
    for _ in 0..40 {
        nested = format!("NULLIF({nested}, 1)");
    }
    let error =
        run(&mut session(), &format!("SELECT {nested} FROM t")).expect_err("two to the fortieth nodes are too many");
    assert!(error.message.contains("too large"), "{}", error.message);
}

#[test]
fn views_of_views_are_bounded() {
    let chain = |levels: usize| {
        let mut script = String::from("CREATE VIEW v0 AS SELECT i FROM t;");
        for level in 1..levels {
            script.push_str(&format!("CREATE VIEW v{level} AS SELECT i FROM v{};", level - 1));
        }
        script
    };
    run(&mut session(), &chain(60)).expect("sixty levels are few enough");
    let error = run(&mut session(), &chain(70)).expect_err("seventy levels are too many");
    assert!(error.message.contains("levels deep"), "{}", error.message);
}

#[test]
fn a_view_that_came_to_refer_to_itself_is_refused() {
    let script = "CREATE VIEW a AS SELECT i FROM t; CREATE TEMPORARY VIEW t AS SELECT i FROM a; SELECT i FROM t";
    let error = run(&mut session(), script).expect_err("the view has no end");
    assert!(error.message.contains("refers to itself"), "{}", error.message);
}
