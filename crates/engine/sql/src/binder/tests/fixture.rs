//! Connectors that take everything, and a session with tables of all types.

use std::sync::Arc;

use kobel_dataflow::ports::{Sink, Source};
use kobel_model::Error;
use kobel_model::settings::Settings;

use crate::catalog::{Connectors, OptionProblem, TableSpec, Usage};
use crate::error::SqlResult;
use crate::parser::parse_script;
use crate::plan::{ChangelogMode, JobPlan};
use crate::session::{Outcome, Session};

/// Takes all tables, except those with the option `wrong.key` or `wrong.value`, or updates for `append-only`.
#[derive(Debug)]
pub(crate) struct Accepting;

impl Connectors for Accepting {
    fn check(&self, table: &TableSpec, usage: Usage) -> Result<(), OptionProblem> {
        let problem = |key: &str, concerns_value: bool| OptionProblem {
            key: Some(key.to_owned()),
            concerns_value,
            message: format!("option `{key}` is wrong"),
            hint: Some("leave it out".to_owned()),
        };
        if table.options.contains_key("wrong.key") {
            return Err(problem("wrong.key", false));
        }
        if table.options.contains_key("wrong.value") {
            return Err(problem("wrong.value", true));
        }
        let appends = table.options.get("connector").is_some_and(|connector| connector == "append-only");
        if appends && usage == Usage::Sink(ChangelogMode::Updating) {
            let message = format!("table `{}` takes only inserts", table.name);
            return Err(OptionProblem { key: None, concerns_value: false, message, hint: None });
        }
        Ok(())
    }

    fn source(&self, _table: &TableSpec, _columns: &[usize]) -> kobel_model::Result<Arc<dyn Source>> {
        Err(Error::unsupported("tests open nothing"))
    }

    fn sink(&self, _table: &TableSpec) -> kobel_model::Result<Arc<dyn Sink>> {
        Err(Error::unsupported("tests open nothing"))
    }
}

/// Tables that most tests use.
const TABLES: &str = "
CREATE TABLE t (
  b BOOLEAN, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), dc4 DECIMAL(5, 4),
  c CHAR(3), v VARCHAR(10), s STRING, yb BYTES, dt DATE, tm TIME, ts0 TIMESTAMP(0), ts TIMESTAMP(3), ts6 TIMESTAMP(6),
  ltz TIMESTAMP_LTZ(3), bn BOOLEAN NOT NULL, inn INT NOT NULL, sn STRING NOT NULL, dn DECIMAL(10, 2) NOT NULL,
  tsn TIMESTAMP(3) NOT NULL, rt TIMESTAMP(3), WATERMARK FOR rt AS rt
) WITH ('connector' = 'fake');
CREATE TABLE flights (
  ts TIMESTAMP(3), origin STRING, delay INT, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'fake', 'my.password' = 'hunter2');
CREATE TABLE pt (i INT, p AS PROCTIME(), j AS i * 2, s STRING, PRIMARY KEY (i) NOT ENFORCED)
  COMMENT 'tab' PARTITIONED BY (s) WITH ('connector' = 'fake');
CREATE TABLE snk (a INT, b2 STRING NOT NULL, c2 DECIMAL(10, 2), d2 DOUBLE, e2 TIMESTAMP(3)) WITH ('connector' = 'fake');
CREATE TABLE appends (k STRING, n BIGINT) WITH ('connector' = 'append-only');
";

/// A session with the tables.
pub(crate) fn session() -> Session {
    let mut session = Session::new(Arc::new(Accepting), Settings::new());
    run(&mut session, TABLES).expect("the tables are right");
    session
}

/// Executes all statements of a script; the answer is the last one's.
pub(crate) fn run(session: &mut Session, script: &str) -> SqlResult<Outcome> {
    let mut last = Outcome::Text(String::new());
    for (ordinal, statement) in parse_script(script)?.iter().enumerate() {
        last = session.execute(statement, script, ordinal)?;
    }
    Ok(last)
}

/// The plan of a statement.
pub(crate) fn plan(session: &mut Session, script: &str) -> SqlResult<JobPlan> {
    match run(session, script)? {
        Outcome::Job(plan) => Ok(plan),
        other => panic!("`{script}` is no job, but {other:?}"),
    }
}
