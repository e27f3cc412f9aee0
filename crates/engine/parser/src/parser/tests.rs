//! What the parser understands, what it refuses by name, and where it points when it cannot go on.
//!
//! In a row that must fail, `‸` marks the place that the error must point at; it is no part of the text.

mod expressions;
mod limits;
mod queries;
mod render;

use kobel_model::ErrorKind;

use super::*;

/// Asserts what each script is understood as; statements are divided by ` ; `.
fn understood(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        let statements = parse_script(text).unwrap_or_else(|error| panic!("{error} in {text}"));
        let shown: Vec<_> = statements.iter().map(render::statement).collect();
        assert_eq!(shown.join(" ; "), *expected, "for {text}");
    }
}

/// Asserts the error of each script, by kind, message and the place marked with `‸`.
fn fails(kind: ErrorKind, rows: &[(&str, &str)]) {
    for (marked, message) in rows {
        let (before, after) = marked.split_once('‸').expect("a row should mark the place of its error");
        let text = format!("{before}{after}");
        let error = parse_script(&text).expect_err(&text);
        assert_eq!((error.kind, error.message.as_str()), (kind, *message), "for {text}");
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        assert_eq!(error.position(&text), (line, column), "for {text}");
    }
}

/// Asserts that each script is refused: `construct` is named at the marked place.
fn refuses(rows: &[(&str, &str)]) {
    let messages: Vec<_> = rows
        .iter()
        .map(|(text, construct)| (*text, format!("{construct} is not supported by the native engine")))
        .collect();
    let rows: Vec<_> = messages.iter().map(|(text, message)| (*text, message.as_str())).collect();
    fails(ErrorKind::Unsupported, &rows);
}

#[test]
fn scripts_are_divided_by_semicolons() {
    understood(&[
        ("", ""),
        (" ;; -- nothing\n ; /* at all */", ""),
        ("SHOW TABLES", "SHOW Tables"),
        ("SHOW TABLES;;show views;", "SHOW Tables ; SHOW Views"),
        ("SELECT ';' -- ;\n; SELECT 1", "SELECT ';' ; SELECT 1"),
    ]);
}

#[test]
fn a_statement_knows_its_place() {
    let text = " SHOW TABLES ;\nSELECT 1";
    let statements = parse_script(text).expect("should be parsed");
    let places: Vec<_> =
        statements.iter().map(|statement| &text[statement.span.start as usize..statement.span.end as usize]).collect();
    assert_eq!(places, ["SHOW TABLES", "SELECT 1"]);
}

#[test]
fn set_and_reset_take_quoted_and_bare_options() {
    understood(&[
        ("SET", "SET"),
        ("SET 'parallelism.default' = '2';", "SET [parallelism.default] = [2]"),
        ("set 'it''s' = ''", "SET [it's] = []"),
        ("SET parallelism.default = 2", "SET [parallelism.default] = [2]"),
        (
            "SET execution.checkpointing.interval = 10 s; SHOW VIEWS",
            "SET [execution.checkpointing.interval] = [10 s] ; SHOW Views",
        ),
        ("SET a.b-c = file:///tmp/x?y={z} -- comment", "SET [a.b-c] = [file:///tmp/x?y={z}]"),
        ("SET 'a' = true", "SET [a] = [true]"),
        ("RESET", "RESET None"),
        ("RESET 'a.b'", "RESET Some(\"a.b\")"),
        ("RESET a.b;", "RESET Some(\"a.b\")"),
    ]);
    fails(
        ErrorKind::Invalid,
        &[
            ("SET 'a'‸", "expected `=`, found the end of the text"),
            ("SET 'a' =‸;", "expected a value, found `;`"),
            ("SET a.b = 1\n‸SELECT 2", "expected `;` or the end of the script, found `SELECT`"),
            ("SET ‸= 1", "expected the key of an option, found `=`"),
        ],
    );
}

#[test]
fn create_table_keeps_every_part() {
    understood(&[
        (
            "CREATE TABLE t (a INT, b STRING NOT NULL COMMENT 'the b')",
            "CREATE TABLE t [a INT; b STRING NOT NULL COMMENT the b]",
        ),
        (
            "CREATE TEMPORARY TABLE IF NOT EXISTS c.d.`order` (`select` DECIMAL(10, 2)) COMMENT 'x' \
             PARTITIONED BY (`select`) WITH ('connector' = 'print', 'a' = 'it''s')",
            "CREATE TEMPORARY TABLE IF NOT EXISTS c.d.order [select DECIMAL(10, 2)] COMMENT x \
             PARTITIONED select WITH connector=print, a=it's",
        ),
        (
            "CREATE TABLE t (a INT, b AS a + 1 COMMENT 'sum', p AS PROCTIME(), ts TIMESTAMP(3), \
             WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)",
            "CREATE TABLE t [a INT; b AS (a + 1) COMMENT sum; p AS PROCTIME(); \
             ts TIMESTAMP(3); WATERMARK ts (ts - INTERVAL '5' SECOND)]",
        ),
        (
            "CREATE TABLE t (a INT METADATA, b BIGINT METADATA FROM 'offset' VIRTUAL)",
            "CREATE TABLE t [a INT METADATA None; b BIGINT METADATA Some(\"offset\")]",
        ),
        (
            "CREATE TABLE t (a INT PRIMARY KEY NOT ENFORCED, b INT, CONSTRAINT k PRIMARY KEY (a, b) NOT ENFORCED, \
             PRIMARY KEY (b)) WITH ()",
            "CREATE TABLE t [a INT; b INT; KEY a true; KEY a, b true; KEY b false]",
        ),
        (
            "CREATE TABLE t (name STRING, type INT, data INT, `value` INT, source INT, if INT, metadata INT)",
            "CREATE TABLE t [name STRING; type INT; data INT; value INT; source INT; \
             if INT; metadata INT]",
        ),
    ]);
    fails(
        ErrorKind::Invalid,
        &[
            ("CREATE TABLE t (‸)", "expected a column name, found `)`"),
            ("CREATE TABLE t (a INT,‸)", "expected a column name, found `)`"),
            ("CREATE TABLE t (a INT ‸b INT)", "expected `,` or `)`, found `b`"),
            ("CREATE TABLE t (‸user STRING)", "expected a column name, found the reserved word `user`"),
            ("CREATE TABLE t (a ‸STRNG)", "unknown type `STRNG`"),
            ("CREATE TABLE t (a‸)", "expected a type, found `)`"),
            ("CREATE TABLE t (a INT) WITH (‸connector = 'print')", "expected the key of an option, found `connector`"),
            ("CREATE TABLE t (a INT) WITH ('a' = ‸5)", "expected the value of an option, found `5`"),
            ("CREATE TABLE t (a INT) WITH ('a' ‸'b')", "expected `=`, found `'b'`"),
            ("CREATE TABLE t (WATERMARK ‸ts AS ts)", "expected `FOR`, found `ts`"),
            ("CREATE TABLE t (a INT, PRIMARY KEY (a) NOT ‸NULL)", "expected `ENFORCED`, found `NULL`"),
            ("CREATE ‸TABEL t (a INT)", "expected `TABLE` or `VIEW`, found `TABEL`"),
            ("CREATE TABLE IF NOT ‸t (a INT)", "expected `EXISTS`, found `t`"),
            ("CREATE TABLE t (a INT\n,‸", "expected a column name, found the end of the text"),
        ],
    );
}

#[test]
fn types_have_the_defaults_and_bounds_of_flink() {
    for (text, expected) in [
        ("INTEGER", "INT"),
        ("DOUBLE PRECISION", "DOUBLE"),
        ("DECIMAL", "DECIMAL(10, 0)"),
        ("NUMERIC(5)", "DECIMAL(5, 0)"),
        ("DEC(38, 38)", "DECIMAL(38, 38)"),
        ("CHAR", "CHAR(1)"),
        ("VARCHAR", "STRING"),
        ("VARCHAR(2147483647)", "STRING"),
        ("CHARACTER VARYING(7)", "VARCHAR(7)"),
        ("BINARY(3)", "BINARY(3)"),
        ("BYTES", "BYTES"),
        ("TIME", "TIME(0)"),
        ("TIMESTAMP", "TIMESTAMP(6)"),
        ("TIMESTAMP(3) WITHOUT TIME ZONE", "TIMESTAMP(3)"),
        ("TIMESTAMP WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(6)"),
        ("TIMESTAMP_LTZ(9) NOT NULL", "TIMESTAMP_LTZ(9) NOT NULL"),
        ("INT NULL", "INT"),
        ("TIMESTAMP(3) WITH TIME ZONE", "<refused TIMESTAMP WITH TIME ZONE>"),
        ("ARRAY<MAP<STRING, ARRAY<INT NOT NULL>>> NOT NULL", "<refused ARRAY>"),
        ("ROW<a INT, b DECIMAL(10, 2)>", "<refused ROW>"),
        ("ROW(a INT)", "<refused ROW>"),
        ("ROW<>", "<refused ROW>"),
        ("INT NOT NULL ARRAY", "<refused ARRAY>"),
        ("INTERVAL DAY(3) TO SECOND(3)", "<refused INTERVAL>"),
        ("RAW('a', 'b')", "<refused RAW>"),
    ] {
        let text = format!("CREATE TABLE t (a {text})");
        let expected = format!("CREATE TABLE t [a {expected}]");
        understood(&[(text.as_str(), expected.as_str())]);
    }
    fails(
        ErrorKind::Invalid,
        &[
            ("CREATE TABLE t (a DECIMAL(‸39))", "precision of `DECIMAL` must be in 1..38, found `39`"),
            ("CREATE TABLE t (a DECIMAL(‸0))", "precision of `DECIMAL` must be in 1..38, found `0`"),
            ("CREATE TABLE t (a DEC(5, ‸6))", "scale of `DEC(5)` must be in 0..5, found `6`"),
            ("CREATE TABLE t (a TIMESTAMP(‸10))", "precision of `TIMESTAMP` must be in 0..9, found `10`"),
            (
                "CREATE TABLE t (a VARCHAR(‸99999999999))",
                "length of `VARCHAR` must be in 1..2147483647, found `99999999999`",
            ),
            ("CREATE TABLE t (a CHAR(‸x))", "expected the length of `CHAR`, a whole number, found `x`"),
            ("CREATE TABLE t (a ARRAY‸<INT", "`<` is not closed"),
            ("SELECT CAST(a AS INT ‸NOT NULL) FROM t", "`NOT NULL` is not allowed in the type of a cast"),
        ],
    );
}

#[test]
fn small_statements_are_understood() {
    understood(&[
        ("SHOW FUNCTIONS", "SHOW Functions"),
        ("SHOW CATALOGS", "SHOW Catalogs"),
        ("SHOW DATABASES", "SHOW Databases"),
        ("SHOW CREATE TABLE a.b", "SHOW CREATE a.b"),
        ("SHOW CREATE VIEW b", "SHOW CREATE b"),
        ("SHOW COLUMNS IN a", "SHOW COLUMNS a"),
        ("DESC a.`b c`", "DESCRIBE a.b c"),
        ("DESCRIBE catalog", "DESCRIBE catalog"),
        ("DROP TABLE a", "DROP view=false temporary=false if_exists=false a"),
        ("DROP TEMPORARY VIEW IF EXISTS a.b", "DROP view=true temporary=true if_exists=true a.b"),
        ("CREATE VIEW v (a, b) COMMENT 'c' AS SELECT 1, 2", "CREATE VIEW v(a, b) AS SELECT 1, 2"),
        (
            "CREATE TEMPORARY VIEW IF NOT EXISTS v AS VALUES (1)",
            "CREATE TEMPORARY VIEW IF NOT EXISTS v() AS VALUES [1]",
        ),
    ]);
}

#[test]
fn inserts_and_statement_sets_are_understood() {
    let set = "SET OF [INSERT INTO a() SELECT 1, INSERT INTO b() SELECT 2]";
    understood(&[
        ("INSERT INTO a SELECT * FROM b", "INSERT INTO a() SELECT * FROM b"),
        ("INSERT OVERWRITE c.a (x, y) VALUES (1, 2), (3, 4)", "INSERT OVERWRITE c.a(x, y) VALUES [1, 2], [3, 4]"),
        ("INSERT INTO a (SELECT 1)", "INSERT INTO a() [SELECT 1]"),
        (
            "INSERT INTO a /*+ OPTIONS('k' = 'v', x='y') */ (b) WITH c AS (SELECT 1) SELECT * FROM c",
            "INSERT INTO /*+ OPTIONS(k=v, x=y) */ a(b) WITH c() AS [SELECT 1] SELECT * FROM c",
        ),
        ("EXECUTE INSERT INTO a SELECT 1", "INSERT INTO a() SELECT 1"),
        ("EXECUTE SELECT 1", "SELECT 1"),
        ("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;", set),
        ("EXECUTE STATEMENT SET\nBEGIN\nINSERT INTO a SELECT 1;;\nINSERT INTO b SELECT 2\nEND", set),
        ("BEGIN STATEMENT SET; INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;", set),
        ("EXPLAIN SELECT 1", "EXPLAIN SELECT 1"),
        ("EXPLAIN PLAN FOR INSERT INTO a SELECT 1", "EXPLAIN INSERT INTO a() SELECT 1"),
        ("EXPLAIN STATEMENT SET BEGIN INSERT INTO a SELECT 1; END", "EXPLAIN SET OF [INSERT INTO a() SELECT 1]"),
        (
            "EXPLAIN EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END",
            "EXPLAIN SET OF [INSERT INTO a() SELECT 1]",
        ),
    ]);
    fails(
        ErrorKind::Invalid,
        &[
            ("INSERT ‸a SELECT 1", "expected `INTO` or `OVERWRITE`, found `a`"),
            ("INSERT INTO a ‸b SELECT 1", "expected a query, found `b`"),
            ("INSERT INTO ‸value SELECT 1", "expected a table name, found the reserved word `value`"),
            ("EXECUTE STATEMENT SET BEGIN ‸END", "expected `INSERT`, found `END`"),
            ("EXECUTE STATEMENT SET BEGIN ‸SELECT 1; END", "expected `INSERT`, found `SELECT`"),
            (
                "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1;‸",
                "expected `INSERT` or `END`, found the end of the text",
            ),
            ("BEGIN STATEMENT SET ‸INSERT INTO a SELECT 1; END", "expected `;`, found `INSERT`"),
            ("EXPLAIN ‸SHOW TABLES", "expected a query, `INSERT` or a statement set to explain, found `SHOW`"),
        ],
    );
}

#[test]
fn statements_that_only_flink_runs_are_refused_by_name() {
    refuses(&[
        ("SHOW TABLES;\n  ‸USE CATALOG c", "`USE CATALOG`"),
        ("‸USE d", "`USE`"),
        ("‸ALTER TABLE t RENAME TO u", "`ALTER TABLE`"),
        ("‸ANALYZE TABLE t COMPUTE STATISTICS", "`ANALYZE TABLE`"),
        ("‸DELETE FROM t", "`DELETE FROM`"),
        ("‸UPDATE t SET a = 1", "`UPDATE`"),
        ("‸TRUNCATE TABLE t", "`TRUNCATE TABLE`"),
        ("‸CALL p()", "`CALL`"),
        ("‸LOAD MODULE m", "`LOAD MODULE`"),
        ("‸ADD JAR 'a.jar'", "`ADD JAR`"),
        ("‸COMPILE PLAN 'p' FOR INSERT INTO a SELECT 1", "`COMPILE PLAN`"),
        ("‸EXECUTE PLAN 'p'", "`EXECUTE PLAN`"),
        ("‸STOP JOB 'j'", "`STOP JOB`"),
        ("‸UPSERT INTO t SELECT 1", "`UPSERT INTO`"),
        ("‸CREATE OR REPLACE TABLE t AS SELECT 1", "`CREATE OR REPLACE`"),
        ("‸CREATE OR ALTER MATERIALIZED TABLE t", "`CREATE OR ALTER`"),
        ("‸CREATE CATALOG c", "`CREATE CATALOG`"),
        ("‸CREATE DATABASE d", "`CREATE DATABASE`"),
        ("‸CREATE TEMPORARY SYSTEM FUNCTION f AS 'x'", "`CREATE SYSTEM FUNCTION`"),
        ("‸CREATE MATERIALIZED TABLE t", "`CREATE MATERIALIZED TABLE`"),
        ("‸CREATE MODEL m", "`CREATE MODEL`"),
        ("‸DROP FUNCTION f", "`DROP FUNCTION`"),
        ("CREATE TABLE t (a INT) ‸LIKE u", "`CREATE TABLE … LIKE`"),
        ("CREATE TABLE t WITH ('a' = 'b')\n‸AS SELECT 1", "`CREATE TABLE … AS SELECT`"),
        ("CREATE TABLE t (a INT) ‸DISTRIBUTED BY (a) INTO 3 BUCKETS", "`DISTRIBUTED BY`"),
        ("CREATE TABLE t (a INT, ‸UNIQUE (a))", "`UNIQUE`"),
        ("CREATE TABLE t (a ‸`my type`)", "a user-defined type"),
        ("‸SHOW JOBS", "`SHOW JOBS`"),
        ("‸SHOW CURRENT CATALOG", "`SHOW CURRENT`"),
        ("‸SHOW TABLES LIKE 'a%'", "`SHOW TABLES … LIKE`"),
        ("‸DESCRIBE EXTENDED t", "`DESCRIBE EXTENDED`"),
        ("‸EXPLAIN CHANGELOG_MODE SELECT 1", "`EXPLAIN CHANGELOG_MODE`"),
        ("‸EXPLAIN ESTIMATED_COST, CHANGELOG_MODE SELECT 1", "`EXPLAIN ESTIMATED_COST`"),
        ("INSERT INTO t ‸PARTITION (a = 1) SELECT 1", "`PARTITION` in `INSERT`"),
        ("INSERT INTO t SELECT 1 ‸ON CONFLICT DO NOTHING", "`ON CONFLICT`"),
        ("SELECT ‸U&'\\0041'", "a string with Unicode escapes, `U&'…'`,"),
    ]);
}

#[test]
fn misspelt_keywords_are_suggested() {
    for (text, hint) in [
        ("SELEC 1", "did you mean `SELECT`?"),
        ("INSRT INTO a SELECT 1", "did you mean `INSERT`?"),
        ("SELECT * FORM t", "did you mean `FROM`?"),
        ("SELECT a FORM t", "did you mean `FROM`?"),
        ("SELECT a FROM t WEHRE a > 1", "did you mean `WHERE`?"),
        ("SELECT a FROM t GROPU BY a", "did you mean `GROUP`?"),
        ("CREATE TABEL t (a INT)", "did you mean `TABLE`?"),
        ("CREATE TABLE t (a BIGNT)", "did you mean `BIGINT`?"),
        ("SHOW TABELS", "did you mean `TABLES`?"),
        ("SELECT INTERVAL '1' MINTUE", "did you mean `MINUTE`?"),
        ("SELECT value FROM t", "write it in backticks to use it as a name: `value`"),
        ("SELECT \"a\" FROM t", "strings are written in single quotes, names in backticks"),
    ] {
        let error = parse_script(text).expect_err(text);
        assert_eq!(error.hint.as_deref(), Some(hint), "for {text}: {error}");
    }
}

#[test]
fn a_misspelt_keyword_that_was_taken_for_a_name_is_pointed_at() {
    fails(
        ErrorKind::Invalid,
        &[
            ("SELECT a FROM t\n ‸WEHRE a > 1", "expected `;` or the end of the script after `WEHRE`, found `a`"),
            ("SELECT a FROM t ‸GRUOP BY a", "expected `;` or the end of the script after `GRUOP`, found `BY`"),
        ],
    );
}

#[test]
fn a_missing_semicolon_is_asked_for() {
    for (text, hint) in [
        ("SHOW TABLES\n\nSELECT 1", Some("is a `;` missing at the end of line 1?")),
        ("SELECT a\nFROM t -- all\n\ninsert INTO b SELECT 1", Some("is a `;` missing at the end of line 2?")),
        ("SHOW TABLES SELECT 1", Some("is a `;` missing before `SELECT`?")),
        ("SHOW TABLES\nx", None),
    ] {
        let error = parse_script(text).expect_err(text);
        assert_eq!(error.hint.as_deref(), hint, "for {text}: {error}");
    }
}

#[test]
fn malformed_scripts_are_errors_that_point() {
    fails(
        ErrorKind::Invalid,
        &[
            ("‸FLARB x", "expected a statement, found `FLARB`"),
            ("‸`select` 1", "expected a statement, found `select`"),
            ("‸'a'", "expected a statement, found `'a'`"),
            ("‸)", "expected a statement, found `)`"),
            ("SELECT 1 ‸)", "expected `;` or the end of the script, found `)`"),
            ("SHOW TABLES ‸x", "expected `;` or the end of the script, found `x`"),
            ("SELECT a ‸\"b\"", "unexpected character `\"`"),
            ("SELECT a\n FROM t WHERE a ‸€ b", "unexpected character `€`"),
            ("SELECT a‸\u{a0}FROM t", "unexpected character U+00A0"),
            ("SELECT ‸", "expected an expression, found the end of the text"),
            ("SELECT\n ‸'abc", "string is not closed"),
            ("SELECT 1;\n\n-- ok\n‸/* open", "comment is not closed"),
            ("SELECT ‸`abc FROM t", "name in backticks is not closed on its line"),
            ("SELECT /*+ A(b) ‸C */ 1", "expected `,` or the end of the hint, found `C`"),
            ("SELECT a ‸/*+ A */ FROM t", "expected `;` or the end of the script, found `/*+ A */`"),
        ],
    );
}
