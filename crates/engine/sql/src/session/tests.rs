//! Statements that answer at once: settings, the catalog, EXPLAIN.

use crate::binder::tests::fixture::{plan, run, session};
use crate::error::SqlError;

use super::{Outcome, Session};

fn message(session: &mut Session, script: &str) -> String {
    match run(session, script) {
        Ok(Outcome::Done { message, .. }) => message,
        other => panic!("`{script}`: {other:?}"),
    }
}

fn text(session: &mut Session, script: &str) -> String {
    match run(session, script) {
        Ok(Outcome::Text(text)) => text,
        other => panic!("`{script}`: {other:?}"),
    }
}

fn table(session: &mut Session, script: &str) -> Vec<Vec<String>> {
    match run(session, script) {
        Ok(Outcome::Table { header, rows }) => {
            assert!(rows.iter().all(|row| row.len() == header.len()), "`{script}`: {rows:?}");
            rows
        }
        other => panic!("`{script}`: {other:?}"),
    }
}

fn failure(session: &mut Session, script: &str) -> SqlError {
    match run(session, script) {
        Err(error) => error,
        Ok(outcome) => panic!("`{script}`: {outcome:?}"),
    }
}

#[test]
fn settings_are_listed_without_their_secrets() {
    let mut session = session();
    let set = message(&mut session, "SET 's3.secret-key' = 'hunter2'");
    assert!(!set.contains("hunter2"), "{set}");
    message(&mut session, "SET 'pipeline.name' = 'my job'");
    let rows = table(&mut session, "SET");
    assert!(rows.contains(&vec!["pipeline.name".to_owned(), "my job".to_owned()]), "{rows:?}");
    assert!(rows.contains(&vec!["s3.secret-key".to_owned(), "******".to_owned()]), "{rows:?}");
    assert_eq!(plan(&mut session, "SELECT 1").expect("a query").name, "my job");
    message(&mut session, "RESET 'pipeline.name'");
    assert_eq!(plan(&mut session, "SELECT 1").expect("a query").name, "collect");
    message(&mut session, "RESET");
    assert!(table(&mut session, "SET").is_empty());
}

#[test]
fn a_wrong_value_is_pointed_at() {
    let script = "SET 'parallelism.default' = 'many'";
    let error = failure(&mut session(), script);
    assert_eq!(error.position(script), (1, 29), "{}", error.message);
}

#[test]
fn tables_and_views_are_listed() {
    let mut session = session();
    message(&mut session, "CREATE VIEW delays AS SELECT delay FROM flights");
    let names: Vec<_> = table(&mut session, "SHOW TABLES").into_iter().flatten().collect();
    assert_eq!(names, ["appends", "delays", "flights", "pt", "snk", "t"]);
    assert_eq!(table(&mut session, "SHOW VIEWS"), [["delays"]]);
    assert_eq!(table(&mut session, "SHOW CATALOGS"), [["default_catalog"]]);
    assert_eq!(table(&mut session, "SHOW DATABASES"), [["default_database"]]);
    let functions = table(&mut session, "SHOW FUNCTIONS");
    assert!(functions.len() >= 60, "there are only {} functions", functions.len());
    assert!(functions.contains(&vec!["UPPER".to_owned()]));
}

#[test]
fn describe_shows_keys_time_attributes_and_expressions() {
    let mut session = session();
    assert_eq!(
        table(&mut session, "DESCRIBE pt"),
        [
            ["i", "INT", "FALSE", "PRI(i)", "", ""],
            ["p", "TIMESTAMP_LTZ(3) *PROCTIME*", "FALSE", "", "AS PROCTIME()", ""],
            ["j", "INT", "FALSE", "", "AS i * 2", ""],
            ["s", "STRING", "TRUE", "", "", ""],
        ]
    );
    assert_eq!(
        table(&mut session, "SHOW COLUMNS FROM flights")[0],
        ["ts", "TIMESTAMP(3) *ROWTIME*", "TRUE", "", "", "ts - INTERVAL '5' SECOND"]
    );
}

#[test]
fn show_create_hides_secrets_and_can_be_parsed() {
    let mut session = session();
    let created = text(&mut session, "SHOW CREATE TABLE flights");
    assert!(created.contains("'my.password' = '******'"), "{created}");
    assert!(created.contains("WATERMARK FOR `ts` AS ts - INTERVAL '5' SECOND"), "{created}");
    let created = text(&mut session, "SHOW CREATE TABLE pt");
    message(&mut session, "DROP TABLE pt");
    message(&mut session, &created);
    assert_eq!(text(&mut session, "SHOW CREATE TABLE pt"), created);

    message(&mut session, "CREATE TEMPORARY VIEW v (a, `b c`) AS SELECT i, s FROM t");
    let created = text(&mut session, "SHOW CREATE VIEW v");
    message(&mut session, "DROP TEMPORARY VIEW v");
    message(&mut session, &created);
    assert_eq!(text(&mut session, "SHOW CREATE VIEW v"), created);
}

#[test]
fn explain_prints_the_plan() {
    let mut session = session();
    let plan = text(&mut session, "EXPLAIN SELECT origin, COUNT(*) FROM flights GROUP BY origin");
    assert!(plan.starts_with("Sink(collect, "), "{plan}");
    assert!(plan.contains("GroupAggregate(keys=[origin], aggregates=[COUNT(*)], changelog=[I,UA,UB])"), "{plan}");
    let plan = text(&mut session, "EXPLAIN PLAN FOR INSERT INTO snk (b2) SELECT origin FROM flights");
    assert!(plan.starts_with("Sink(snk, "), "{plan}");
    let hinted = "EXPLAIN SELECT 1 FROM flights /*+ OPTIONS('x.token' = 'hunter2', 'path' = '/a') */";
    let plan = text(&mut session, hinted);
    assert!(plan.contains("'path' = '/a'") && !plan.contains("hunter2"), "{plan}");
}

#[test]
fn statement_sets_are_one_job() {
    let mut session = session();
    let script = "EXECUTE STATEMENT SET BEGIN
        INSERT INTO snk (b2) SELECT origin FROM flights;
        INSERT INTO appends SELECT origin, delay FROM flights;
        END";
    let plan = plan(&mut session, script).expect("the set is right");
    assert_eq!(plan.sinks.len(), 2);
    assert_eq!(plan.name, "insert-into_default_catalog.default_database.snk,default_catalog.default_database.appends");
}

#[test]
fn temporary_tables_hide_permanent_ones() {
    let mut session = session();
    message(&mut session, "CREATE TEMPORARY TABLE snk (x INT) WITH ('connector' = 'fake')");
    assert_eq!(plan(&mut session, "SELECT * FROM snk").expect("a query").sinks[0].input.schema.columns.len(), 1);
    assert!(failure(&mut session, "DROP TABLE snk").message.contains("hides"));
    message(&mut session, "DROP TEMPORARY TABLE snk");
    assert_eq!(plan(&mut session, "SELECT * FROM snk").expect("a query").sinks[0].input.schema.columns.len(), 5);
    message(&mut session, "DROP TABLE snk");
    message(&mut session, "DROP TABLE IF EXISTS snk");
    assert!(failure(&mut session, "DROP VIEW flights").message.contains("is not a view"));
    message(&mut session, "CREATE TABLE IF NOT EXISTS flights (x INT)");
    assert_eq!(table(&mut session, "DESCRIBE flights").len(), 3);
}

#[test]
fn a_view_whose_table_is_gone_says_so_where_it_is_used() {
    let mut session = session();
    message(&mut session, "CREATE VIEW delays AS SELECT delay FROM flights");
    message(&mut session, "DROP TABLE flights");
    let script = "SELECT delay FROM delays";
    let error = failure(&mut session, script);
    assert_eq!(error.position(script), (1, 19));
    assert_eq!(error.message, "view `delays` cannot be used: table `flights` does not exist");
}
