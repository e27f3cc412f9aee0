//! Plans of queries, as the binder makes them before anything is optimized.

use expect_test::{Expect, expect};

use super::fixture::{Accepting, session};
use crate::ast::StatementKind;
use crate::binder::{Binder, CatalogObject, Namespace};
use crate::explain::explain;
use crate::parser::parse_script;
use crate::plan::{JobPlan, Rel, RelKind, TimeAttribute};
use crate::session::{Outcome, Session};

const FLIGHTS: &str = "CREATE TABLE flights (ts TIMESTAMP(3), origin STRING, delay INT,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'fake')";

/// The plan of a query over `flights`, unoptimized.
fn bind(query: &str) -> JobPlan {
    let mut namespace = Namespace::default();
    let declared = parse_script(FLIGHTS).expect("the table is right");
    let StatementKind::CreateTable(create) = &declared[0].kind else { panic!("it is a table") };
    let table = Binder::new(&namespace, &Accepting, FLIGHTS).create_table(create).expect("the table is right");
    namespace.add(CatalogObject::Table(table.into()));
    let parsed = parse_script(query).unwrap_or_else(|error| panic!("`{query}`: {error}"));
    let StatementKind::Query(parsed) = &parsed[0].kind else { panic!("`{query}` is no query") };
    let sink = Binder::new(&namespace, &Accepting, query).collect(parsed);
    let sink = sink.unwrap_or_else(|error| panic!("`{query}`: {error}"));
    JobPlan { name: "test".to_owned(), statement: 0, sinks: vec![sink] }
}

fn check(query: &str, expected: Expect) {
    expected.assert_eq(&explain(&bind(query)));
}

#[test]
fn projection_and_filter() {
    check(
        "SELECT origin, delay + 1 AS d FROM flights WHERE delay > 10",
        expect![[r#"
            Sink(collect, columns=[origin, d], changelog=[I])
              Project(origin, (delay + 1) AS d)
                Filter((delay > 10))
                  Watermark(rowtime=[ts], strategy=[(ts - INTERVAL '5' SECOND)])
                    Scan(flights, columns=[ts, origin, delay])
        "#]],
    );
}

#[test]
fn select_without_from_is_one_row() {
    check(
        "SELECT 1 + 1 AS two, 'a'",
        expect![[r#"
            Sink(collect, columns=[two, EXPR$1], changelog=[I])
              Values(((1 + 1), 'a'))
        "#]],
    );
}

#[test]
fn aggregation_stands_between_two_projections() {
    check(
        "SELECT origin, COUNT(*) AS n, SUM(delay) FROM flights GROUP BY origin",
        expect![[r#"
            Sink(collect, columns=[origin, n, EXPR$2], changelog=[I,UA,UB])
              Project(origin, $agg0 AS n, $agg1 AS EXPR$2)
                GroupAggregate(keys=[origin], aggregates=[COUNT(*), SUM(delay)], changelog=[I,UA,UB])
                  Project(origin, delay)
                    Watermark(rowtime=[ts], strategy=[(ts - INTERVAL '5' SECOND)])
                      Scan(flights, columns=[ts, origin, delay])
        "#]],
    );
}

#[test]
fn equal_aggregates_are_computed_once() {
    let text = explain(&bind("SELECT SUM(delay), SUM(delay) + 1 FROM flights HAVING SUM(delay) > 3"));
    assert!(text.contains("aggregates=[SUM(delay)], changelog"), "{text}");
    assert!(text.contains("Filter(($agg0 > 3))"), "{text}");
}

#[test]
fn grouping_expressions_are_found_in_the_select_list() {
    let text = explain(&bind("SELECT delay / 10 * 2 FROM flights GROUP BY delay / 10"));
    assert!(text.contains("Project(($f0 * 2) AS EXPR$0)"), "{text}");
}

#[test]
fn a_window_aggregation_takes_the_rows_before_their_windows() {
    check(
        "SELECT window_start, origin, COUNT(*) AS n
         FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(ts), INTERVAL '1' HOUR))
         WHERE delay > 10 GROUP BY window_start, window_end, origin",
        expect![[r#"
            Sink(collect, columns=[window_start, origin, n], changelog=[I])
              Project(window_start, origin, $agg0 AS n)
                WindowAggregate(time=[ts], size=[1 h], keys=[origin], aggregates=[COUNT(*)])
                  Project(origin, ts)
                    Filter((delay > 10))
                      Watermark(rowtime=[ts], strategy=[(ts - INTERVAL '5' SECOND)])
                        Scan(flights, columns=[ts, origin, delay])
        "#]],
    );
}

#[test]
fn a_projection_that_keeps_the_window_moves_below_it() {
    check(
        "SELECT w, e, COUNT(*) AS n FROM (
           SELECT window_start AS w, window_end AS e, delay + 1 AS d
           FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(ts), INTERVAL '1' HOUR, INTERVAL '10' MINUTE))
         ) GROUP BY w, e, d",
        expect![[r#"
            Sink(collect, columns=[w, e, n], changelog=[I])
              Project(window_start AS w, window_end AS e, $agg0 AS n)
                WindowAggregate(time=[ts], size=[1 h], offset=[10 min], keys=[d], aggregates=[COUNT(*)])
                  Project(d, ts)
                    Project((delay + 1) AS d, ts)
                      Watermark(rowtime=[ts], strategy=[(ts - INTERVAL '5' SECOND)])
                        Scan(flights, columns=[ts, origin, delay])
        "#]],
    );
}

#[test]
fn what_reads_the_window_is_put_into_it_again_by_window_time() {
    check(
        "SELECT window_start, COUNT(*) AS n
         FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(ts), INTERVAL '1' HOUR))
         WHERE window_start > TIMESTAMP '2013-01-01 00:00:00' GROUP BY window_start, window_end",
        expect![[r#"
            Sink(collect, columns=[window_start, n], changelog=[I])
              Project(window_start, $agg0 AS n)
                WindowAggregate(time=[window_time], size=[1 h], keys=[], aggregates=[COUNT(*)])
                  Project(window_time)
                    Filter((window_start > TIMESTAMP '2013-01-01 00:00:00'))
                      Tumble(time=[ts], size=[1 h])
                        Watermark(rowtime=[ts], strategy=[(ts - INTERVAL '5' SECOND)])
                          Scan(flights, columns=[ts, origin, delay])
        "#]],
    );
}

#[test]
fn windows_of_an_aggregation_are_aggregated_again() {
    check(
        "SELECT window_start, window_end, MAX(n) AS most FROM (
           SELECT window_start, window_end, origin, COUNT(*) AS n
           FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(ts), INTERVAL '1' HOUR))
           GROUP BY window_start, window_end, origin
         ) GROUP BY window_start, window_end",
        expect![[r#"
            Sink(collect, columns=[window_start, window_end, most], changelog=[I])
              Project(window_start, window_end, $agg0 AS most)
                WindowAggregate(time=[window_time], size=[1 h], keys=[], aggregates=[MAX(n)])
                  Project(n, window_time)
                    Project(window_start, window_end, origin, $agg0 AS n, window_time)
                      WindowAggregate(time=[ts], size=[1 h], keys=[origin], aggregates=[COUNT(*)])
                        Project(origin, ts)
                          Watermark(rowtime=[ts], strategy=[(ts - INTERVAL '5' SECOND)])
                            Scan(flights, columns=[ts, origin, delay])
        "#]],
    );
}

#[test]
fn a_window_over_window_time_is_a_window_aggregation_of_its_own() {
    let text = explain(&bind(
        "SELECT window_start, SUM(n) FROM TABLE(TUMBLE((
           SELECT window_time AS wt, COUNT(*) AS n
           FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(ts), INTERVAL '1' HOUR))
           GROUP BY window_start, window_end, window_time
         ), DESCRIPTOR(wt), INTERVAL '1' DAY)) GROUP BY window_start, window_end",
    ));
    assert!(text.contains("WindowAggregate(time=[wt], size=[1 d], keys=[], aggregates=[SUM(n)])"), "{text}");
    assert!(text.contains("WindowAggregate(time=[ts], size=[1 h], keys=[], aggregates=[COUNT(*)])"), "{text}");
}

#[test]
fn half_a_window_is_grouped_like_any_other_column() {
    let text = explain(&bind(
        "SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(ts), INTERVAL '1' HOUR))
         GROUP BY window_start",
    ));
    assert!(text.contains("GroupAggregate(keys=[window_start], aggregates=[COUNT(*)], changelog=[I,UA,UB])"), "{text}");
    assert!(text.contains("Tumble(time=[ts], size=[1 h])"), "{text}");
}

#[test]
fn named_arguments_of_tumble_may_stand_in_any_order() {
    let text = explain(&bind(
        "SELECT window_end
         FROM TABLE(TUMBLE(SIZE => INTERVAL '1' HOUR, DATA => TABLE flights, TIMECOL => DESCRIPTOR(ts)))",
    ));
    assert!(text.contains("Tumble(time=[ts], size=[1 h])"), "{text}");
}

#[test]
fn distinct_is_a_grouping_without_aggregates() {
    check(
        "SELECT DISTINCT origin FROM flights",
        expect![[r#"
            Sink(collect, columns=[origin], changelog=[I])
              Project(origin)
                GroupAggregate(keys=[origin], aggregates=[], changelog=[I])
                  Project(origin)
                    Project(origin)
                      Watermark(rowtime=[ts], strategy=[(ts - INTERVAL '5' SECOND)])
                        Scan(flights, columns=[ts, origin, delay])
        "#]],
    );
}

#[test]
fn unions_are_flat_and_of_one_type() {
    check(
        "SELECT delay FROM flights UNION ALL SELECT 1.5 UNION ALL SELECT 2",
        expect![[r#"
            Sink(collect, columns=[delay], changelog=[I])
              UnionAll
                Project(CAST(delay AS DECIMAL(11, 1)) AS delay)
                  Project(delay)
                    Watermark(rowtime=[ts], strategy=[(ts - INTERVAL '5' SECOND)])
                      Scan(flights, columns=[ts, origin, delay])
                Project(CAST(EXPR$0 AS DECIMAL(11, 1)) AS delay)
                  Values((1.5))
                Project(CAST(EXPR$0 AS DECIMAL(11, 1)) AS delay)
                  Values((2))
        "#]],
    );
    let text = explain(&bind("SELECT origin FROM flights UNION SELECT 'x'"));
    assert!(text.contains("GroupAggregate(keys=[origin], aggregates=[], changelog=[I])"), "{text}");
}

#[test]
fn aggregates_of_aggregates_can_delete() {
    let text = explain(&bind(
        "SELECT n, COUNT(*) FROM (SELECT origin, COUNT(*) AS n FROM flights GROUP BY origin) GROUP BY n",
    ));
    assert!(text.contains("GroupAggregate(keys=[n], aggregates=[COUNT(*)], changelog=[I,UA,UB,D])"), "{text}");
}

#[test]
fn conversions_are_explicit() {
    for (condition, expected) in [
        ("delay > 1.5", "(CAST(delay AS DECIMAL(11, 1)) > 1.5)"),
        ("delay = 1e0", "(CAST(delay AS DOUBLE) = 1E0)"),
        ("CAST(delay AS BIGINT) = 7", "(CAST(delay AS BIGINT) = 7)"),
        ("ts < '2013-01-01 00:00:00'", "(ts < CAST('2013-01-01 00:00:00' AS TIMESTAMP(3)))"),
        ("delay IN (1, 2.5)", "delay IN (1, CAST(2.5 AS INT))"),
        ("delay BETWEEN 1 AND 2", "((delay >= 1) AND (delay <= 2))"),
        ("origin = 'JFK' AND delay > 1 AND ts IS NOT NULL", "((origin = 'JFK') AND (delay > 1) AND ts IS NOT NULL)"),
        ("CASE delay WHEN 1 THEN TRUE END", "CASE WHEN (delay = 1) THEN TRUE ELSE CAST(NULL AS BOOLEAN) END"),
        ("NOT delay IS NULL", "NOT delay IS NULL"),
        ("MOD(CAST(delay AS BIGINT), delay) = 1", "(CAST((CAST(delay AS BIGINT) % CAST(delay AS BIGINT)) AS INT) = 1)"),
        ("TIMESTAMPDIFF(MILLISECOND, ts, ts) = 1", "((TIMESTAMPDIFF(SECOND, ts, ts) * 1000) = 1)"),
        ("ts < TIMESTAMPADD(WEEK, 2, ts)", "(ts < (ts + INTERVAL '1209600' SECOND))"),
        (
            "CAST(ts AS DATE) + INTERVAL '25' HOUR = CURRENT_DATE",
            "((CAST(ts AS DATE) + INTERVAL '86400' SECOND) = CURRENT_DATE())",
        ),
        ("TRY_CAST(CAST(origin AS INT) AS INT) = 1", "(CAST(origin AS INT) = 1)"),
        ("TRY_CAST(CAST(origin AS INT) AS BIGINT) = 1", "(TRY_CAST(CAST(origin AS INT) AS BIGINT) = 1)"),
        ("LTRIM(origin) = UPPER(TRIM(origin))", "(TRIM(LEADING ' ' FROM origin) = UPPER(TRIM(BOTH ' ' FROM origin)))"),
    ] {
        let text = explain(&bind(&format!("SELECT 1 FROM flights WHERE {condition}")));
        assert!(text.contains(&format!("Filter({expected})")), "{condition}:\n{text}");
    }
}

fn times(rel: &Rel) -> Vec<Option<TimeAttribute>> {
    rel.schema.columns.iter().map(|column| column.time).collect()
}

#[test]
fn time_attributes_live_in_columns_that_nothing_changes() {
    const ROWTIME: Option<TimeAttribute> = Some(TimeAttribute::Rowtime);
    for (query, expected) in [
        ("SELECT ts, ts + INTERVAL '1' DAY, delay FROM flights WHERE delay > 1", vec![ROWTIME, None, None]),
        ("SELECT x FROM (SELECT ts AS x FROM flights)", vec![ROWTIME]),
        ("SELECT ts FROM flights UNION ALL SELECT ts FROM flights", vec![ROWTIME]),
        ("SELECT ts FROM flights UNION ALL SELECT LOCALTIMESTAMP", vec![None]),
        ("SELECT DISTINCT ts FROM flights", vec![None]),
        ("SELECT MAX(ts), COUNT(*) FROM flights GROUP BY ts", vec![None, None]),
        ("SELECT PROCTIME(), CURRENT_TIMESTAMP", vec![Some(TimeAttribute::Proctime), None]),
        (
            "SELECT window_start, window_time FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(ts), INTERVAL '1' HOUR))",
            vec![None, ROWTIME],
        ),
    ] {
        assert_eq!(times(&bind(query).sinks[0].input), expected, "for `{query}`");
    }
}

#[test]
fn computed_columns_are_projected_over_the_scan() {
    let mut session: Session = session();
    let script = "SELECT * FROM pt";
    let statements = parse_script(script).expect("the query is right");
    let Ok(Outcome::Job(plan)) = session.execute(&statements[0], script, 3) else { panic!("it is a job") };
    assert_eq!(plan.statement, 3);
    let names: Vec<_> = plan.sinks[0].input.schema.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["i", "p", "j", "s"]);
    let text = explain(&plan);
    assert!(text.contains("PROCTIME() AS p") && text.contains("(i * 2) AS j"), "{text}");
}

#[test]
fn an_insert_yields_the_physical_columns_of_its_table() {
    let mut session = session();
    let script = "INSERT INTO snk (d2, b2) SELECT i, v FROM t";
    let plan = super::fixture::plan(&mut session, script).expect("the insert is right");
    let input = &plan.sinks[0].input;
    let columns: Vec<_> = input.schema.columns.iter().map(|column| format!("{} {}", column.name, column.ty)).collect();
    assert_eq!(columns, ["a INT", "b2 STRING", "c2 DECIMAL(10, 2)", "d2 DOUBLE", "e2 TIMESTAMP(3)"]);
    let RelKind::Project { exprs, input } = &input.kind else { panic!("an insert projects") };
    let texts: Vec<_> = exprs.iter().map(|expr| crate::explain::sql(expr, &input.schema)).collect();
    assert_eq!(
        texts,
        ["CAST(NULL AS INT)", "v", "CAST(NULL AS DECIMAL(10, 2))", "CAST(i AS DOUBLE)", "CAST(NULL AS TIMESTAMP(3))"]
    );
    assert_eq!(plan.name, "insert-into_default_catalog.default_database.snk");
}
