//! At every watermark the streamed result equals the batch answer over the same prefix, for every query, batch size,
//! parallelism and order in which slots are run.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use kobel_conformance::memory::{MemoryConnectors, MemorySink, Splits};
use kobel_conformance::oracle::{Multiset, Oracle, row};
use kobel_model::ids::JobId;
use kobel_model::keygroup::MaxParallelism;
use kobel_model::settings::Settings;
use kobel_runtime::job::{Clock, Job, JobOptions, RestartStrategy};
use kobel_runtime::stepping;
use kobel_sql::lower::job::{LowerOptions, lower_job};
use kobel_sql::lower::{EvaluationClock, ExprContext};
use kobel_sql::optimizer::optimize;
use kobel_sql::parser::parse_script;
use kobel_sql::plan::JobPlan;
use kobel_sql::session::{Outcome, Session};

const TABLES: &str = "
CREATE TABLE orders (
  id BIGINT NOT NULL, item STRING, price DOUBLE, quantity INT, gift BOOLEAN, ts TIMESTAMP(3),
  total AS price * quantity,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'memory');
CREATE TABLE refunds (
  id BIGINT NOT NULL, item STRING, quantity INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'memory');
CREATE TEMPORARY VIEW bulky AS SELECT item, quantity, ts FROM orders WHERE quantity > 3;
CREATE TEMPORARY VIEW counts AS
  SELECT item, window_time AS t, COUNT(*) AS n
  FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY item, window_start, window_end, window_time;
";

/// Every query is checked at every prefix.
const QUERIES: &[&str] = &[
    "SELECT id, item FROM orders",
    "SELECT id, quantity * 2 + 1, UPPER(item), total FROM orders WHERE quantity > 2 AND item IS NOT NULL",
    "SELECT CASE WHEN quantity > 5 THEN 'many' WHEN quantity IS NULL THEN 'none' ELSE 'few' END, COALESCE(item, '-') FROM orders",
    "SELECT id, quantity FROM orders UNION ALL SELECT id, -quantity FROM refunds",
    "SELECT * FROM bulky",
    "SELECT item, COUNT(*), COUNT(quantity), SUM(quantity), MIN(quantity), MAX(quantity), AVG(quantity) FROM orders GROUP BY item",
    "SELECT COUNT(*), SUM(price), MAX(item), MIN(ts) FROM orders",
    "SELECT item, gift, COUNT(DISTINCT quantity), SUM(DISTINCT quantity) FROM orders GROUP BY item, gift",
    "SELECT quantity, COUNT(*) FILTER (WHERE gift), MIN(item) FROM orders GROUP BY quantity HAVING COUNT(*) > 1",
    "SELECT DISTINCT item, quantity FROM orders",
    "SELECT n, COUNT(*), MIN(s), MAX(s) FROM (SELECT item, COUNT(*) AS n, SUM(quantity) AS s FROM orders GROUP BY item) GROUP BY n",
    "SELECT SUM(n), COUNT(DISTINCT n), AVG(n) FROM (SELECT item, COUNT(*) AS n FROM orders GROUP BY item)",
    "SELECT DISTINCT n FROM (SELECT item, COUNT(*) AS n FROM orders GROUP BY item)",
    "SELECT item, COUNT(*) FROM (SELECT item FROM orders UNION ALL SELECT item FROM refunds) GROUP BY item",
    "SELECT window_start, window_end, COUNT(*), SUM(quantity) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end",
    "SELECT item, window_time, COUNT(*), MIN(price), MAX(item), AVG(quantity) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '7' SECOND)) GROUP BY item, window_start, window_end, window_time",
    "SELECT item, gift, window_end, COUNT(DISTINCT quantity) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '3' SECOND)) GROUP BY item, gift, window_start, window_end",
    "SELECT window_start, SUM(n), MAX(n) FROM TABLE(TUMBLE(TABLE counts, DESCRIPTOR(t), INTERVAL '10' SECOND)) GROUP BY window_start, window_end",
    "SELECT id, window_start, window_end FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND))",
    "SELECT item, COUNT(*) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND)) WHERE quantity > 1 GROUP BY item, window_start, window_end",
    "VALUES (1, 'a'), (2, CAST(NULL AS STRING))",
    "SELECT k, COUNT(*) FROM (VALUES (1), (2), (1)) AS t(k) GROUP BY k",
];

/// A generator of small numbers, the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn maybe<T>(&mut self, value: T) -> Option<T> {
        (self.next(8) > 0).then_some(value)
    }
}

const ITEMS: [&str; 4] = ["pen", "ink", "paper", ""];

/// Rows in which no row is late: at most four seconds behind the latest before it.
fn times(rows: usize, random: &mut Random) -> ArrayRef {
    let time = |row: usize, random: &mut Random| 1_000_000 + row as i64 * 900 - random.next(4000) as i64;
    Arc::new((0..rows).map(|row| Some(time(row, random))).collect::<TimestampMillisecondArray>())
}

fn orders(rows: usize, random: &mut Random) -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new((0..rows).map(|_| Some(random.next(1000) as i64)).collect::<Int64Array>())),
        (
            "item",
            Arc::new(
                (0..rows)
                    .map(|_| {
                        let item = ITEMS[random.next(4) as usize];
                        random.maybe(item)
                    })
                    .collect::<StringArray>(),
            ),
        ),
        (
            "price",
            Arc::new(
                (0..rows)
                    .map(|_| {
                        let price = random.next(40) as f64 / 4.0;
                        random.maybe(price)
                    })
                    .collect::<Float64Array>(),
            ),
        ),
        (
            "quantity",
            Arc::new(
                (0..rows)
                    .map(|_| {
                        let quantity = random.next(9) as i32;
                        random.maybe(quantity)
                    })
                    .collect::<Int32Array>(),
            ),
        ),
        (
            "gift",
            Arc::new(
                (0..rows)
                    .map(|_| {
                        let gift = random.next(2) == 0;
                        random.maybe(gift)
                    })
                    .collect::<BooleanArray>(),
            ),
        ),
        ("ts", times(rows, random)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
        .expect("columns fit")
}

fn refunds(rows: usize, random: &mut Random) -> RecordBatch {
    orders(rows, random).project(&[0, 1, 3, 5]).expect("columns exist")
}

fn tables(rows: usize) -> BTreeMap<String, Splits> {
    let mut random = Random(42);
    let orders = (0..3).map(|_| orders(rows, &mut random)).collect();
    let refunds = (0..3).map(|_| refunds(rows, &mut random)).collect();
    BTreeMap::from([("orders".to_owned(), orders), ("refunds".to_owned(), refunds)])
}

fn prefix(tables: &BTreeMap<String, Splits>, rows: usize) -> BTreeMap<String, Splits> {
    let cut = |splits: &Splits| splits.iter().map(|split| split.slice(0, rows.min(split.num_rows()))).collect();
    tables.iter().map(|(name, splits)| (name.clone(), cut(splits))).collect()
}

struct FixedClock;

impl Clock for FixedClock {
    fn now_ms(&self) -> i64 {
        0
    }
}

fn context() -> ExprContext {
    ExprContext { time_zone: jiff::tz::TimeZone::UTC, clock: EvaluationClock::default() }
}

fn plan(connectors: &Arc<MemoryConnectors>, query: &str) -> JobPlan {
    let script = format!("{TABLES}{query}");
    let mut session = Session::new(Arc::clone(connectors) as _, Settings::new());
    let statements = parse_script(&script).unwrap_or_else(|error| panic!("{query}: {error}"));
    for (ordinal, statement) in statements.iter().enumerate() {
        match session.execute(statement, &script, ordinal) {
            Ok(Outcome::Job(job)) => return job,
            Ok(_) => {}
            Err(error) => panic!("{:?}", error.render("query", &script)),
        }
    }
    panic!("{query} is no job")
}

fn options(parallelism: usize, batch_rows: usize) -> JobOptions {
    JobOptions {
        name: "test".into(),
        statement: 0,
        job_id: JobId::from_bytes([1; 16]),
        lineage: JobId::from_bytes([1; 16]),
        parallelism,
        vertex_parallelism: None,
        max_parallelism: MaxParallelism::default(),
        batch_rows,
        checkpoint_interval: None,
        checkpoint_min_pause: std::time::Duration::ZERO,
        checkpoint_timeout: std::time::Duration::from_secs(600),
        checkpoint_failures_tolerated: 0,
        checkpoint_dir: "unused".into(),
        checkpoints_retained: 1,
        savepoint_dir: "unused".into(),
        next_checkpoint_id: 1,
        restart: RestartStrategy::None,
        settings: Vec::new(),
        restore: None,
        clock: Arc::new(FixedClock),
    }
}

/// What the sink holds once the prefix has been read and its watermark has passed.
fn streamed(tables: BTreeMap<String, Splits>, query: &str, parallelism: usize, batch_rows: usize) -> Multiset {
    let connectors = Arc::new(MemoryConnectors::new(tables));
    let job = optimize(plan(&connectors, query));
    let sink = MemorySink::default();
    let lower = LowerOptions { expressions: context(), watermark_interval_ms: 200, idle_timeout_ms: 0 };
    let graph = lower_job(&job, connectors.as_ref(), Some(Arc::new(sink.clone())), &lower).expect("lowers");
    let job = Job::new(graph, options(parallelism, batch_rows)).expect("starts");
    let mut random = Random(parallelism as u64 * 31 + batch_rows as u64);
    stepping::run_until_idle(job, 0, |slots| random.next(slots as u64) as usize)
        .unwrap_or_else(|error| panic!("{query}: {error:?}"));
    let mut rows = Multiset::new();
    for batch in sink.batches() {
        for index in 0..batch.num_rows() {
            let count = rows.entry(row(batch.records(), index).expect("a row")).or_insert(0);
            *count += if batch.kind(index).is_addition() { 1 } else { -1 };
        }
    }
    rows.retain(|_, count| *count != 0);
    rows
}

fn check(query: &str, tables: &BTreeMap<String, Splits>, rows: usize) {
    let tables = prefix(tables, rows);
    let connectors = Arc::new(MemoryConnectors::new(tables.clone()));
    let job = plan(&connectors, query);
    let oracle = Oracle { tables: &tables, context: context() };
    let mut expected = oracle.answer(&job.sinks[0].input).unwrap_or_else(|error| panic!("{query}: {error:?}"));
    if rows == 0 && query.starts_with("SELECT COUNT(*), SUM(price)") {
        // Over no rows a stream has said nothing yet, where a batch answers with one row of NULLs.
        expected.clear();
    }
    for parallelism in [1, 3] {
        for batch_rows in [1, 7, 8192] {
            let streamed = streamed(tables.clone(), query, parallelism, batch_rows);
            assert_eq!(
                streamed, expected,
                "{query}\nprefix {rows}, parallelism {parallelism}, batches of {batch_rows}"
            );
        }
    }
}

#[test]
fn streamed_results_equal_the_batch_answer_at_every_watermark() {
    let tables = tables(60);
    for query in QUERIES {
        for rows in [0, 1, 2, 5, 13, 30, 60] {
            check(query, &tables, rows);
        }
    }
}

#[test]
fn the_oracle_itself_counts_what_can_be_counted_by_hand() {
    let tables = tables(10);
    let connectors = Arc::new(MemoryConnectors::new(tables.clone()));
    let job = plan(&connectors, "SELECT COUNT(*) FROM orders");
    let answer = Oracle { tables: &tables, context: context() }.answer(&job.sinks[0].input).expect("answers");
    assert_eq!(answer.into_iter().collect::<Vec<_>>(), [(vec!["Int64(30)".to_owned()], 1)]);
}
