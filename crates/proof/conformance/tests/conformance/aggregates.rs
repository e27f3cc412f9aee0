//! Aggregates: the type of each must be what Apache Flink 2.3 recorded, of all rows, per key and per window.

use std::sync::Arc;

use kobel_conformance::memory::MemoryConnectors;
use kobel_model::ErrorKind;
use kobel_model::settings::Settings;
use kobel_sql::error::SqlResult;
use kobel_sql::parser::parse_script;
use kobel_sql::session::{Outcome, Session};

const AGGREGATES: &str = include_str!("../../data/flink-2.3-aggregates.tsv");

/// Every type has a nullable column of this name and a NOT NULL one with `n` before it.
const COLUMNS: &[(&str, &str)] = &[
    ("ti_", "TINYINT"),
    ("si_", "SMALLINT"),
    ("i_", "INT"),
    ("bi_", "BIGINT"),
    ("f_", "FLOAT"),
    ("d_", "DOUBLE"),
    ("dc_", "DECIMAL(10,2)"),
    ("d0_", "DECIMAL(20,0)"),
    ("dx_", "DECIMAL(38,18)"),
    ("d5_", "DECIMAL(5,5)"),
    ("b_", "BOOLEAN"),
    ("s_", "STRING"),
    ("c_", "CHAR(3)"),
    ("v_", "VARCHAR(9)"),
    ("dt_", "DATE"),
    ("tm_", "TIME(3)"),
    ("ts_", "TIMESTAMP(3)"),
    ("t6_", "TIMESTAMP(6)"),
    ("lz_", "TIMESTAMP_LTZ(3)"),
    ("by_", "BYTES"),
];

/// A session with the table of the recorded aggregates.
fn session() -> Session {
    let columns: Vec<_> = COLUMNS.iter().map(|(name, ty)| format!("{name} {ty}, n{name} {ty} NOT NULL")).collect();
    let create = format!(
        "CREATE TABLE t ({}, k INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'memory')",
        columns.join(", ")
    );
    let mut session = Session::new(Arc::new(MemoryConnectors::default()), Settings::new());
    execute(&mut session, &create).expect("the table can be created");
    session
}

fn execute(session: &mut Session, script: &str) -> SqlResult<Outcome> {
    let statements = parse_script(script)?;
    session.execute(&statements[0], script, 0)
}

/// The query that a recorded line stands for.
fn query(recorded: &str) -> String {
    if let Some(aggregate) = recorded.strip_suffix(" WINDOW") {
        let window = "TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR))";
        let time = if aggregate == "window_time" { ", window_time" } else { "" };
        return format!("SELECT {aggregate} FROM {window} GROUP BY window_start, window_end{time}");
    }
    match recorded.rsplit_once(" GROUP BY ") {
        Some((aggregate, keys)) => format!("SELECT {aggregate} FROM t GROUP BY {keys}"),
        None => format!("SELECT {recorded} FROM t"),
    }
}

/// The type of the only column of a query.
fn type_of(session: &mut Session, query: &str) -> Result<String, (ErrorKind, String)> {
    match execute(session, query).map_err(|error| (error.kind, error.to_string()))? {
        Outcome::Job(job) => Ok(job.sinks[0].input.schema.columns[0].ty.to_string()),
        other => panic!("`{query}` is no query, but {other:?}"),
    }
}

#[test]
fn aggregates_have_the_types_that_flink_recorded() {
    let mut session = session();
    let (mut wrong, mut unsupported, mut equal) = (Vec::new(), 0, 0);
    let lines = AGGREGATES.lines().filter(|line| !line.starts_with('#'));
    for (recorded, ty) in lines.filter_map(|line| line.split_once('\t')) {
        let ty = ty.trim_end_matches(" *ROWTIME*");
        let ours = type_of(&mut session, &query(recorded));
        let is_equal = match &ours {
            Ok(ours) => ours == ty,
            Err(_) => ty.starts_with("ERROR: "),
        };
        match ours {
            _ if is_equal => equal += 1,
            Err((ErrorKind::Unsupported, _)) => unsupported += 1,
            ours => wrong.push(format!("{recorded}: Flink {ty}, ours {ours:?}")),
        }
    }
    println!("{equal} equal, {unsupported} unsupported");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(equal >= 300, "only {equal} aggregates are equal");
}
