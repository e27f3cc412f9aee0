//! Queries: clauses, set operations, what stands in FROM, and what is refused there.

use kobel_model::ErrorKind;

use super::{fails, refuses, understood};

#[test]
fn clauses_are_understood_in_order() {
    understood(&[
        ("SELECT 1", "SELECT 1"),
        ("SELECT DISTINCT a, b AS c, d e, t.*, * FROM t", "SELECT DISTINCT a, b AS c, d AS e, t.*, * FROM t"),
        ("SELECT ALL c.d.t.*, f(x) `select` FROM t", "SELECT c.d.t.*, f(x) AS select FROM t"),
        ("SELECT /*+ A, B('x'), C(k = 1) */ a FROM t", "SELECT /*+ A(), B(=x), C(k=1) */ a FROM t"),
        (
            "SELECT a, COUNT(*) FROM t WHERE b > 1 GROUP BY a, c + 1 HAVING COUNT(*) > 2 ORDER BY a DESC NULLS LAST, \
             b ASC, c NULLS FIRST LIMIT 5 OFFSET 2 ROWS",
            "SELECT a, COUNT(*) FROM t WHERE (b > 1) GROUP a GROUP (c + 1) HAVING (COUNT(*) > 2) \
             ORDER a DESC nulls_first=false ORDER b ORDER c nulls_first=true LIMIT 5 OFFSET 2",
        ),
        ("SELECT a FROM t LIMIT ALL", "SELECT a FROM t"),
        ("SELECT a FROM t OFFSET 1 ROW FETCH NEXT 3 ROWS ONLY", "SELECT a FROM t LIMIT 3 OFFSET 1"),
        ("VALUES (1, 'a'), ROW(2, 'b'), 3", "VALUES [1, 'a'], [2, 'b'], [3]"),
        (
            "WITH a AS (SELECT 1), b (x, y) AS (VALUES (1, 2)) SELECT * FROM a, b",
            "WITH a() AS [SELECT 1] WITH b(x, y) AS [VALUES [1, 2]] SELECT * FROM (a , b)",
        ),
        ("(SELECT 1)", "[SELECT 1]"),
        ("((SELECT 1)) LIMIT 1", "[[SELECT 1]] LIMIT 1"),
        (
            "SELECT name, type, data, key, id, status, source, version, state FROM views_",
            "SELECT name, type, data, key, id, status, source, version, state FROM views_",
        ),
    ]);
}

#[test]
fn intersect_binds_tighter_than_union_and_except() {
    understood(&[
        ("SELECT 1 UNION SELECT 2 EXCEPT SELECT 3", "((SELECT 1 Union SELECT 2) Except SELECT 3)"),
        ("SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 3", "(SELECT 1 Union ALL (SELECT 2 Intersect SELECT 3))"),
        (
            "SELECT 1 INTERSECT ALL SELECT 2 UNION DISTINCT SELECT 3",
            "((SELECT 1 Intersect ALL SELECT 2) Union SELECT 3)",
        ),
        ("SELECT 1 MINUS SELECT 2 EXCEPT ALL SELECT 3", "((SELECT 1 Except SELECT 2) Except ALL SELECT 3)"),
        ("SELECT 1 UNION (SELECT 2 UNION ALL SELECT 3)", "(SELECT 1 Union [(SELECT 2 Union ALL SELECT 3)])"),
        (
            "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 ORDER BY a LIMIT 1",
            "((SELECT 1 Union ALL SELECT 2) Union ALL (SELECT 3 Union ALL SELECT 4)) ORDER a LIMIT 1",
        ),
        ("SELECT 1 UNION ALL SELECT 2 UNION SELECT 3", "((SELECT 1 Union ALL SELECT 2) Union SELECT 3)"),
        ("SELECT 1 EXCEPT SELECT 2 EXCEPT SELECT 3", "((SELECT 1 Except SELECT 2) Except SELECT 3)"),
    ]);
}

#[test]
fn tables_have_aliases_hints_and_joins() {
    understood(&[
        ("SELECT 1 FROM a.b.c AS t (x, y)", "SELECT 1 FROM a.b.c AS t(x, y)"),
        ("SELECT 1 FROM t /*+ OPTIONS('a' = 'b') */ u", "SELECT 1 FROM /*+ OPTIONS(a=b) */ t AS u"),
        ("SELECT 1 FROM (SELECT 2) AS t (x)", "SELECT 1 FROM [SELECT 2] AS t(x)"),
        ("SELECT 1 FROM (VALUES (1), (2)) t", "SELECT 1 FROM [VALUES [1], [2]] AS t"),
        ("SELECT 1 FROM ((SELECT 2) UNION ALL (SELECT 3))", "SELECT 1 FROM [([SELECT 2] Union ALL [SELECT 3])]"),
        ("SELECT 1 FROM a JOIN b ON a.x = b.x", "SELECT 1 FROM (a JOIN b ON (a.x = b.x))"),
        (
            "SELECT 1 FROM a AS x, b LEFT OUTER JOIN c ON TRUE CROSS JOIN d",
            "SELECT 1 FROM (a AS x , ((b LEFT OUTER JOIN c ON TRUE) CROSS JOIN d))",
        ),
        ("SELECT 1 FROM a FULL JOIN b USING (x, y)", "SELECT 1 FROM (a FULL JOIN … USING b)"),
        ("SELECT 1 FROM a NATURAL INNER JOIN b", "SELECT 1 FROM (a NATURAL INNER JOIN b)"),
        (
            "SELECT 1 FROM (a JOIN (b RIGHT JOIN c ON 1 = 1) ON 2 = 2)",
            "SELECT 1 FROM (a JOIN (b RIGHT JOIN c ON (1 = 1)) ON (2 = 2))",
        ),
        ("SELECT 1 FROM a, LATERAL (SELECT 2) AS b", "SELECT 1 FROM (a , LATERAL [SELECT 2] AS b)"),
    ]);
}

#[test]
fn window_functions_take_positional_and_named_arguments() {
    understood(&[
        (
            "SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' MINUTES, INTERVAL '1' MINUTE))",
            "SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' MINUTE, INTERVAL '1' MINUTE)",
        ),
        (
            "SELECT * FROM TUMBLE(TABLE a.b, DESCRIPTOR(`ts`), INTERVAL '1' HOUR) AS w (x)",
            "SELECT * FROM TUMBLE(TABLE a.b, DESCRIPTOR(ts), INTERVAL '1' HOUR) AS w(x)",
        ),
        (
            "SELECT * FROM TABLE(HOP(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '1' HOUR, \
             SIZE => INTERVAL '2' HOURS, OFFSET => INTERVAL '0' SECOND))",
            "SELECT * FROM HOP(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '1' HOUR, \
             SIZE => INTERVAL '2' HOUR, OFFSET => INTERVAL '0' SECOND)",
        ),
        (
            "SELECT * FROM CUMULATE((SELECT * FROM t), DESCRIPTOR(a, b), 1 + 1)",
            "SELECT * FROM CUMULATE(TABLE [SELECT * FROM t], DESCRIPTOR(a, b), (1 + 1))",
        ),
        (
            "SELECT * FROM SESSION(TABLE (SELECT 1), DESCRIPTOR(ts), INTERVAL '5' MINUTE)",
            "SELECT * FROM SESSION(TABLE [SELECT 1], DESCRIPTOR(ts), INTERVAL '5' MINUTE)",
        ),
        ("SELECT * FROM f()", "SELECT * FROM f()"),
    ]);
    refuses(&[(
        "SELECT * FROM SESSION(TABLE t ‸PARTITION BY a, DESCRIPTOR(ts), INTERVAL '5' MINUTE)",
        "`PARTITION BY` in the table argument of a function",
    )]);
}

#[test]
fn what_is_refused_in_a_query_is_kept_by_name() {
    understood(&[
        ("SELECT a FROM t GROUP BY GROUPING SETS ((a), ())", "SELECT a FROM t GROUP <refused GROUPING SETS>"),
        (
            "SELECT a FROM t GROUP BY ROLLUP (a), CUBE (b)",
            "SELECT a FROM t GROUP <refused ROLLUP> GROUP <refused CUBE>",
        ),
        ("SELECT 1 FROM t GROUP BY ()", "SELECT 1 FROM t GROUP <refused GROUP BY ()>"),
        ("SELECT a FROM t WINDOW w AS (ORDER BY b), v AS (w)", "SELECT a FROM t <refused WINDOW>"),
        ("SELECT a FROM t QUALIFY a > 1", "SELECT a FROM t <refused QUALIFY>"),
        ("SELECT 1 FROM UNNEST(a) WITH ORDINALITY AS t (x)", "SELECT 1 FROM <refused UNNEST>"),
        ("SELECT 1 FROM a, LATERAL TABLE(f(a.x)) AS t (y)", "SELECT 1 FROM (a , <refused LATERAL TABLE>)"),
        (
            "SELECT 1 FROM a JOIN b FOR SYSTEM_TIME AS OF a.ts AS c ON a.x = c.x",
            "SELECT 1 FROM (a JOIN <refused FOR SYSTEM_TIME AS OF> ON (a.x = c.x))",
        ),
        ("SELECT 1 FROM t MATCH_RECOGNIZE (PATTERN (A B*)) AS m", "SELECT 1 FROM <refused MATCH_RECOGNIZE>"),
        ("SELECT 1 FROM t AS u PIVOT (SUM(a) FOR b IN (1, 2))", "SELECT 1 FROM <refused PIVOT>"),
        ("SELECT 1 FROM t TABLESAMPLE BERNOULLI (10) REPEATABLE (1)", "SELECT 1 FROM <refused TABLESAMPLE>"),
    ]);
    refuses(&[
        ("‸WITH RECURSIVE a AS (SELECT 1) SELECT 2", "`WITH RECURSIVE`"),
        ("‸TABLE t", "`TABLE`"),
        ("SELECT 1 UNION ‸TABLE t", "`TABLE …`"),
        ("‸SELECT STREAM a FROM t", "`SELECT STREAM`"),
        ("SELECT a FROM t GROUP BY ‸DISTINCT a", "`GROUP BY DISTINCT`"),
    ]);
}

#[test]
fn malformed_queries_are_errors_that_point() {
    fails(
        ErrorKind::Invalid,
        &[
            ("SELECT a FROM‸", "expected a table, found the end of the text"),
            ("SELECT a FROM ‸WHERE b", "expected a table, found `WHERE`"),
            ("SELECT a FROM ‸order", "expected a table, found the reserved word `order`"),
            ("SELECT a FROM t AS ‸group", "expected an alias, found the reserved word `group`"),
            ("SELECT a FROM (SELECT b ‸FORM u)", "expected `)` after `FORM`, found `u`"),
            ("SELECT a FROM t WHERE‸", "expected an expression, found the end of the text"),
            ("SELECT a FROM t GROUP ‸a", "expected `BY`, found `a`"),
            ("SELECT a FROM t LIMIT ‸x", "expected a number of rows, found `x`"),
            ("SELECT a FROM t LIMIT 1 ‸LIMIT 2", "expected `;` or the end of the script, found `LIMIT`"),
            ("SELECT a FROM t FETCH ‸5", "expected `FIRST` or `NEXT`, found `5`"),
            ("SELECT a FROM t LEFT ‸u", "expected `JOIN`, found `u`"),
            ("SELECT 1 UNION ‸", "expected a query, found the end of the text"),
            ("WITH a (‸SELECT 1) SELECT 2", "expected a column name, found `SELECT`"),
            ("WITH a AS ‸SELECT 1 SELECT 2", "expected `(`, found `SELECT`"),
            ("SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(‸))", "expected a column name, found `)`"),
            ("SELECT * FROM TUMBLE(TABLE t‸", "expected `,` or `)`, found the end of the text"),
        ],
    );
}
