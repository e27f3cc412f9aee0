//! Expressions: type and value of each must be what Apache Flink 2.3 recorded.
//!
//! Every expression is evaluated twice: as Flink got it, and with each literal moved into a column, so that kernels are
//! met with arrays and not only with constants. What the engine refuses as unsupported is listed with its reason.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, RecordBatchOptions};
use kobel_conformance::memory::MemoryConnectors;
use kobel_conformance::recorded::{self, Recorded, Value};
use kobel_dataflow::operators::calc::evaluate;
use kobel_model::ErrorKind;
use kobel_model::settings::Settings;
use kobel_sql::lower::expression::lower_expr;
use kobel_sql::lower::{EvaluationClock, ExprContext};
use kobel_sql::parser::parse_script;
use kobel_sql::plan::{Expr, ExprKind, RelKind};
use kobel_sql::session::{Outcome, Session};

const EXPRESSIONS: &str = include_str!("../../data/flink-2.3-expressions.tsv");
/// Expressions whose answer differs on purpose, with the reason: `expression <TAB> reason`.
const DIFFERENCES: &str = include_str!("../../data/differences.tsv");

/// How an expression came out.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Unsupported(String),
    Value(String, Value),
    Error(String),
}

/// What CURRENT_TIMESTAMP and the like answer: 2020-03-15 14:14:15.123 UTC.
const NOW_MS: i64 = 1_584_281_655_123;

/// The bound expressions of `SELECT expressions`.
fn bind(select: &str) -> Result<Vec<Expr>, (ErrorKind, String)> {
    let statements = parse_script(select).map_err(|error| (error.kind, error.to_string()))?;
    let mut session = Session::new(Arc::new(MemoryConnectors::default()), Settings::new());
    let outcome = session.execute(&statements[0], select, 0).map_err(|error| (error.kind, error.to_string()))?;
    let Outcome::Job(mut job) = outcome else { panic!("{select} is no query") };
    match job.sinks.remove(0).input.kind {
        RelKind::Values(mut rows) => Ok(rows.remove(0)),
        RelKind::Project { .. } => Err((ErrorKind::Unsupported, "an aggregate has a value only in a job".to_owned())),
        other => panic!("{select} became {other:?}"),
    }
}

/// Replaces literals by columns; answers the literals.
fn without_literals(expr: &Expr, literals: &mut Vec<Expr>) -> Expr {
    let mut again = |expr: &Expr| without_literals(expr, literals);
    let kind = match &expr.kind {
        ExprKind::Literal(_) => {
            literals.push(expr.clone());
            ExprKind::Column(literals.len() - 1)
        }
        ExprKind::Column(column) => ExprKind::Column(*column),
        ExprKind::Call(function, args) => ExprKind::Call(*function, args.iter().map(again).collect()),
        ExprKind::Cast(input, mode) => ExprKind::Cast(Box::new(again(input)), *mode),
        ExprKind::Case { branches, otherwise } => ExprKind::Case {
            branches: branches.iter().map(|(condition, value)| (again(condition), again(value))).collect(),
            otherwise: Box::new(again(otherwise)),
        },
    };
    Expr { kind, ..expr.clone() }
}

fn unit() -> RecordBatch {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    RecordBatch::try_new_with_options(Arc::new(arrow_schema::Schema::empty()), vec![], &options).expect("a unit")
}

fn context() -> ExprContext {
    let clock = EvaluationClock::default();
    clock.set(NOW_MS);
    ExprContext { time_zone: jiff::tz::TimeZone::UTC, clock }
}

fn value(expr: &Expr, rows: &RecordBatch) -> Result<Value, String> {
    let value = lower_expr(expr, &context()).and_then(|expr| evaluate(&expr, rows));
    let value = value.map_err(|error| kobel_model::chain(&error))?;
    let value = value.as_string_opt::<i32>().ok_or_else(|| format!("got {}", value.data_type()))?;
    Ok(if value.is_null(0) { Value::Null } else { Value::Text(value.value(0).to_owned()) })
}

/// The expression with its literals in columns.
fn value_over_columns(expr: &Expr) -> Result<Value, String> {
    let mut literals = Vec::new();
    let expr = without_literals(expr, &mut literals);
    let literal = |literal: &Expr| lower_expr(literal, &context()).and_then(|expr| evaluate(&expr, &unit()));
    let columns =
        literals.iter().map(literal).collect::<Result<Vec<_>, _>>().map_err(|error| kobel_model::chain(&error))?;
    let fields: Vec<_> =
        columns.iter().map(|column| arrow_schema::Field::new("c", column.data_type().clone(), true)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let rows = RecordBatch::try_new_with_options(Arc::new(arrow_schema::Schema::new(fields)), columns, &options);
    value(&expr, &rows.expect("columns fit"))
}

fn answer(expression: &str) -> Answer {
    let typed = match bind(&format!("SELECT {expression}")) {
        Ok(exprs) => exprs[0].ty.to_string(),
        Err((ErrorKind::Unsupported, message)) => return Answer::Unsupported(message),
        Err((_, message)) => return Answer::Error(message),
    };
    let text = match bind(&format!("SELECT CAST({expression} AS STRING)")) {
        Ok(exprs) => exprs,
        Err((ErrorKind::Unsupported, message)) => return Answer::Unsupported(message),
        Err((_, message)) => return Answer::Error(message),
    };
    match (value(&text[0], &unit()), value_over_columns(&text[0])) {
        (Ok(constant), Ok(over_columns)) if constant == over_columns => Answer::Value(typed, constant),
        (Err(message), Err(_)) => Answer::Error(message),
        (constant, over_columns) => Answer::Error(format!("constant {constant:?}, over columns {over_columns:?}")),
    }
}

fn fits(recorded: &Recorded, answer: &Answer) -> bool {
    match (answer, &recorded.value) {
        (Answer::Error(message), Value::Error(_)) => !message.starts_with("constant "),
        (Answer::Value(ty, value), expected) => value == expected && same_type(ty, &recorded.ty),
        _ => false,
    }
}

/// Flink names interval types by their parts; the engine knows their two kinds.
fn same_type(ours: &str, flinks: &str) -> bool {
    let interval = |ty: &str| ty.split("INTERVAL").nth(1).map(|unit| unit.contains("MONTH"));
    ours == flinks || (interval(ours).is_some() && interval(ours) == interval(flinks))
}

#[test]
fn expressions_have_the_types_and_values_that_flink_recorded() {
    let known: Vec<_> = DIFFERENCES.lines().filter_map(|line| line.split_once('\t')).collect();
    let (mut wrong, mut unsupported, mut equal) = (Vec::new(), Vec::new(), 0);
    let all = recorded::read(EXPRESSIONS);
    for (expression, _) in &known {
        if !all.iter().any(|recorded| recorded.expression == *expression) {
            wrong.push(format!("{expression}: not recorded, so that it cannot differ"));
        }
    }
    for recorded in all {
        let answer = answer(&recorded.expression);
        let is_known = known.iter().any(|(expression, _)| *expression == recorded.expression);
        match (&answer, fits(&recorded, &answer)) {
            (_, true) if is_known => wrong.push(format!("{}: no longer differs", recorded.expression)),
            (_, true) => equal += 1,
            (Answer::Unsupported(message), _) => unsupported.push(format!("{}: {message}", recorded.expression)),
            _ if is_known => {}
            _ => wrong.push(format!(
                "line {}: {}\n  Flink {} {:?}\n  ours  {answer:?}",
                recorded.line, recorded.expression, recorded.ty, recorded.value
            )),
        }
    }
    println!("{equal} equal, {} unsupported:\n{}", unsupported.len(), unsupported.join("\n"));
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(equal > 3_100, "only {equal} expressions are equal");
}
