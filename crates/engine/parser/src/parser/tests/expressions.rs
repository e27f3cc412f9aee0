//! Expressions: precedence, every form of operand, and what is refused in them.

use kobel_model::ErrorKind;

use super::{fails, refuses, render};
use crate::parser::parse_expression;

/// Asserts what each expression is understood as, fully parenthesised.
fn shows(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        let expr = parse_expression(text).unwrap_or_else(|error| panic!("{error} in {text}"));
        assert_eq!(render::expr(&expr), *expected, "for {text}");
    }
}

#[test]
fn operators_bind_as_in_calcite() {
    shows(&[
        ("a OR b AND c", "(a OR (b AND c))"),
        ("a AND b OR c", "((a AND b) OR c)"),
        ("NOT a AND b", "((NOT a) AND b)"),
        ("NOT a = b", "(NOT (a = b))"),
        ("NOT NOT a", "(NOT (NOT a))"),
        ("NOT a IS NULL", "(NOT (a IS NULL))"),
        ("a = b IS NULL", "((a = b) IS NULL)"),
        ("a = NOT b AND c", "((a = (NOT b)) AND c)"),
        ("a IS NOT NULL IS TRUE", "((a IS NOT NULL) IS TRUE)"),
        ("a IS NOT DISTINCT FROM b + 1", "(a IS NOT DISTINCT FROM (b + 1))"),
        ("a = b = c", "((a = b) = c)"),
        ("a < b <> c", "((a < b) <> c)"),
        ("a = b LIKE c", "(a = (b LIKE c))"),
        ("a + b BETWEEN c - 1 AND d * 2 AND e", "(((a + b) BETWEEN (c - 1) AND (d * 2)) AND e)"),
        ("a NOT BETWEEN SYMMETRIC b AND c", "(a NOT BETWEEN SYMMETRIC b AND c)"),
        ("a BETWEEN ASYMMETRIC b AND c OR d", "((a BETWEEN b AND c) OR d)"),
        ("a IN (1, b + 1) = TRUE", "((a IN [1, (b + 1)]) = TRUE)"),
        ("a + b IN (1)", "((a + b) IN [1])"),
        ("a NOT LIKE b || '%' ESCAPE '!' AND c", "((a NOT LIKE (b || '%') ESCAPE '!') AND c)"),
        ("a SIMILAR TO b OR c NOT SIMILAR TO d", "((a SIMILAR TO b) OR (c NOT SIMILAR TO d))"),
        ("a + b * c - d / e % f", "((a + (b * c)) - ((d / e) % f))"),
        ("a - b - c", "((a - b) - c)"),
        ("a || b + c", "((a || b) + c)"),
        ("a + b || c", "(a + (b || c))"),
        ("-a * b", "((- a) * b)"),
        ("a - -b", "(a - (- b))"),
        ("- - +1", "(- (- (+ 1)))"),
        ("-1.5", "(- 1.5d)"),
        ("(a + b) * c", "((a + b) * c)"),
        ("((a))", "a"),
        ("a >= 1 AND a <= 2 AND a <> 3 AND a > 4", "(((a >= 1) AND (a <= 2)) AND ((a <> 3) AND (a > 4)))"),
        ("a OR b OR c OR d OR e", "(((a OR b) OR (c OR d)) OR e)"),
    ]);
}

#[test]
fn literals_are_kept_as_written() {
    shows(&[
        ("NULL", "NULL"),
        ("true", "TRUE"),
        ("False", "FALSE"),
        ("42", "42"),
        ("1.50", "1.50d"),
        (".5", ".5d"),
        ("1e3", "1e3f"),
        ("'it''s'", "'it's'"),
        ("X'CA00'", "[ca, 00]"),
        ("DATE '2013-01-01'", "DATE '2013-01-01'"),
        ("time '12:00:00'", "TIME '12:00:00'"),
        ("TIMESTAMP '2013-01-01 12:00:00'", "TIMESTAMP '2013-01-01 12:00:00'"),
        ("INTERVAL '5' MINUTES", "INTERVAL '5' MINUTE"),
        ("INTERVAL -'5' day", "INTERVAL '-5' DAY"),
        ("INTERVAL 10 MINUTE", "INTERVAL '10' MINUTE"),
        ("INTERVAL '100' DAY(3)", "INTERVAL '100' DAY"),
        ("INTERVAL +'5' SECOND(3)", "INTERVAL '5' SECOND"),
        ("INTERVAL '1 02:03' DAY TO MINUTE", "INTERVAL '1 02:03' DAY TO MINUTE"),
        ("INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '1-2' YEAR TO MONTH"),
        ("a - INTERVAL '1' HOUR > b", "((a - INTERVAL '1' HOUR) > b)"),
    ]);
}

#[test]
fn functions_have_their_special_forms() {
    shows(&[
        ("f()", "f()"),
        ("a.b.f(x, 1 + 2)", "a.b.f(x, (1 + 2))"),
        ("`f``g`(a)", "f`g(a)"),
        ("COUNT(*)", "COUNT(*)"),
        ("count(DISTINCT a)", "count(DISTINCT a)"),
        ("SUM(ALL a) FILTER (WHERE b > 1)", "SUM(a) FILTER (b > 1)"),
        ("ROW_NUMBER() OVER (PARTITION BY a ORDER BY (b))", "ROW_NUMBER() OVER"),
        ("SUM(a) OVER w + 1", "(SUM(a) OVER + 1)"),
        ("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP()"),
        ("LOCALTIMESTAMP > CURRENT_DATE", "(LOCALTIMESTAMP() > CURRENT_DATE())"),
        ("CAST(a + 1 AS DECIMAL(5, 2))", "CAST((a + 1) AS DECIMAL(5, 2))"),
        ("TRY_CAST('x' AS INT)", "TRY_CAST('x' AS INT)"),
        ("EXTRACT(year FROM a)", "EXTRACT(YEAR FROM a)"),
        ("FLOOR(a)", "FLOOR(a)"),
        ("FLOOR(a TO hour)", "FLOOR(a TO HOUR)"),
        ("CEIL(a TO DAY)", "CEIL(a TO DAY)"),
        ("CEILING(a + 1)", "CEILING((a + 1))"),
        ("TRIM(a)", "TRIM(Both _ FROM a)"),
        ("TRIM(LEADING 'x' FROM a)", "TRIM(Leading 'x' FROM a)"),
        ("TRIM(TRAILING FROM a)", "TRIM(Trailing _ FROM a)"),
        ("TRIM('x' FROM a)", "TRIM(Both 'x' FROM a)"),
        ("SUBSTRING(a FROM 2)", "SUBSTRING(a, 2)"),
        ("SUBSTRING(a FROM 2 FOR b + 1)", "SUBSTRING(a, 2, (b + 1))"),
        ("SUBSTRING(a, 2, 3)", "SUBSTRING(a, 2, 3)"),
        ("POSITION('x' || 'y' IN a)", "POSITION(('x' || 'y'), a)"),
        ("OVERLAY(a PLACING b FROM 1 FOR 2)", "OVERLAY(a, b, 1, 2)"),
        ("TIMESTAMPDIFF(minute, a, b)", "TIMESTAMPDIFF(MINUTE, a, b)"),
        ("TIMESTAMPADD(DAY, 1, a)", "TIMESTAMPADD(DAY, 1, a)"),
        ("CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END", "CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END"),
        ("CASE a WHEN 1 THEN 'x' END", "CASE a WHEN 1 THEN 'x' END"),
        ("year(a) + HOUR(b)", "(year(a) + HOUR(b))"),
        ("IF(a, b, c)", "IF(a, b, c)"),
        ("LEFT(a, 1) || RIGHT(a, 1)", "(LEFT(a, 1) || RIGHT(a, 1))"),
        ("MOD(a, 2)", "MOD(a, 2)"),
        ("TUMBLE(ts, INTERVAL '1' HOUR)", "TUMBLE(ts, INTERVAL '1' HOUR)"),
        ("t.`order`", "t.order"),
    ]);
}

#[test]
fn what_is_refused_in_an_expression_is_kept_by_name() {
    shows(&[
        ("(SELECT 1)", "<subquery (query)>"),
        ("EXISTS (SELECT 1 FROM t)", "<subquery EXISTS (query)>"),
        ("NOT EXISTS (VALUES 1)", "(NOT <subquery EXISTS (query)>)"),
        ("a NOT IN (SELECT b FROM t)", "<subquery IN (query)>"),
        ("a > ALL (SELECT 1)", "<refused ALL (…)>"),
        ("ARRAY[1, 2]", "<refused ARRAY>"),
        ("MAP['a', 1]", "<refused MAP>"),
        ("ROW(1, 2)", "<refused ROW>"),
        ("(1, 2) = a", "(<refused ROW> = a)"),
        ("a[1] + 1", "(<refused value[…]> + 1)"),
        ("f(a).b", "<refused value.field>"),
        ("a IS JSON OBJECT", "<refused IS JSON>"),
        ("a ILIKE b", "<refused ILIKE>"),
        ("(a, b) OVERLAPS (c, d) AND e", "(<refused OVERLAPS> AND e)"),
        ("JSON_VALUE(a, '$.b' RETURNING INT)", "<refused JSON_VALUE>"),
        ("CAST(a AS ARRAY<INT>)", "CAST(a AS <refused ARRAY>)"),
        ("CAST(a AS INTERVAL YEAR TO MONTH)", "CAST(a AS <refused INTERVAL>)"),
        ("UNKNOWN", "<refused UNKNOWN>"),
    ]);
    refuses(&[
        ("SELECT f(‸a => 1)", "a named argument of a scalar function"),
        ("SELECT LAG(a ‸IGNORE NULLS)", "`IGNORE NULLS`"),
        ("SELECT ARRAY_AGG(a ‸ORDER BY b)", "`ORDER BY` in the arguments of a function"),
        ("SELECT LISTAGG(a) ‸WITHIN GROUP (ORDER BY b)", "`WITHIN GROUP`"),
        ("SELECT CASE a WHEN 1‸, 2 THEN 3 END", "`WHEN` with several values"),
        ("SELECT (‸(SELECT 1) UNION (SELECT 2))", "`(query)`"),
    ]);
}

#[test]
fn malformed_expressions_are_errors_that_point() {
    fails(
        ErrorKind::Invalid,
        &[
            ("SELECT ‸value FROM t", "expected an expression, found the reserved word `value`"),
            ("SELECT t.‸user FROM t", "expected a name after `.`, found the reserved word `user`"),
            ("SELECT ‸date FROM t", "expected an expression, found the reserved word `date`"),
            ("SELECT ‸count FROM t", "expected an expression, found the reserved word `count`"),
            ("SELECT a AS ‸timestamp FROM t", "expected an alias, found the reserved word `timestamp`"),
            ("SELECT a, ‸FROM t", "expected an expression, found `FROM`"),
            ("SELECT a +‸", "expected an expression, found the end of the text"),
            ("SELECT (a‸", "expected `)`, found the end of the text"),
            ("SELECT (‸)", "expected an expression, found `)`"),
            ("SELECT f(a, ‸)", "expected an expression, found `)`"),
            ("SELECT f(a ‸b)", "expected `,` or `)`, found `b`"),
            ("SELECT a IN ‸b", "expected `(`, found `b`"),
            ("SELECT a IN (‸)", "expected an expression, found `)`"),
            ("SELECT a IS ‸5", "expected `NULL`, `TRUE`, `FALSE`, `UNKNOWN` or `DISTINCT FROM` after `IS`, found `5`"),
            ("SELECT a BETWEEN 1 ‸OR 2", "expected `AND`, found `OR`"),
            ("SELECT CASE ‸END", "expected an expression, found the reserved word `END`"),
            ("SELECT CASE a ‸END", "expected `WHEN`, found `END`"),
            ("SELECT CASE WHEN a ‸ELSE b END", "expected `THEN`, found `ELSE`"),
            ("SELECT CASE WHEN a THEN b ‸FROM t", "expected `WHEN`, `ELSE` or `END`, found `FROM`"),
            ("SELECT CAST(a ‸INT)", "expected `AS`, found `INT`"),
            ("SELECT EXTRACT(‸foo FROM a)", "expected a unit of time, such as `MINUTE`, found `foo`"),
            ("SELECT INTERVAL ‸x MINUTE", "expected a quoted string after `INTERVAL`, found `x`"),
            ("SELECT ‸INTERVAL '100' DAY", "`INTERVAL '100' DAY` exceeds the 2 digits of `DAY`"),
            ("SELECT a ‸!= b", "`!=` is not allowed"),
            ("SELECT INTERVAL '1' ‸FORTNIGHT", "expected a unit of an interval, such as `MINUTE`, found `FORTNIGHT`"),
            ("SELECT INTERVAL '1' HOUR TO ‸DAY", "expected a unit of an interval narrower than `HOUR`, found `DAY`"),
            ("SELECT EXISTS (‸a)", "expected a query after `EXISTS (`, found `a`"),
            ("SELECT a‸[1", "`[` is not closed"),
            ("SELECT COUNT(*‸, a)", "expected `)`, found `,`"),
        ],
    );
}

#[test]
fn an_expression_knows_its_place() {
    let text = " (a + b) * f( c ) ";
    let expr = parse_expression(text).expect("should be parsed");
    assert_eq!(&text[expr.span.start as usize..expr.span.end as usize], "(a + b) * f( c )");
}

#[test]
fn an_expression_must_be_the_whole_text() {
    let error = parse_expression("a b").expect_err("two expressions");
    assert_eq!(error.message, "expected the end of the expression, found `b`");
}
