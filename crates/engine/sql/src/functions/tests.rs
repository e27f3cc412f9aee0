//! Kernels against what Flink 2.3 answers, each as constants, as columns, as a mixture, and over no rows.

mod arithmetic;
mod casts;
mod conditions;
mod strings;
mod times;

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::Schema;
use datafusion_common::{DataFusionError, ScalarValue};
use datafusion_expr::ColumnarValue;
use jiff::tz::TimeZone;

use crate::error::Span;
use crate::lower::expression::{lower_expr, scalar_value};
use crate::lower::{EvaluationClock, ExprContext};
use crate::plan::{CastMode, Expr, ExprKind, Function, Scalar};
use crate::types::{STRING, TypeKind};

/// A value with its type.
type Typed = (TypeKind, Scalar);

fn int(value: i64) -> Typed {
    (TypeKind::Int, Scalar::Integer(value))
}

fn bigint(value: i64) -> Typed {
    (TypeKind::BigInt, Scalar::Integer(value))
}

fn double(value: f64) -> Typed {
    (TypeKind::Double, Scalar::Float(value))
}

fn decimal(unscaled: i128, precision: u8, scale: u8) -> Typed {
    (TypeKind::Decimal(precision, scale), Scalar::Decimal(unscaled))
}

fn text(value: &str) -> Typed {
    (STRING, Scalar::String(value.to_owned()))
}

fn boolean(value: bool) -> Typed {
    (TypeKind::Boolean, Scalar::Boolean(value))
}

fn null(kind: TypeKind) -> Typed {
    (kind, Scalar::Null)
}

fn context(zone: &str) -> ExprContext {
    let clock = EvaluationClock::default();
    clock.set(1_584_278_055_123);
    ExprContext { time_zone: TimeZone::get(zone).unwrap(), clock }
}

fn expr(kind: ExprKind, ty: TypeKind) -> Expr {
    Expr { kind, ty: ty.nullable(), span: Span::default() }
}

fn literal((kind, value): &Typed) -> Expr {
    expr(ExprKind::Literal(value.clone()), *kind)
}

fn column(index: usize, kind: TypeKind) -> Expr {
    expr(ExprKind::Column(index), kind)
}

/// A batch with each value in rows 0 and 2 and NULL in row 1.
fn columns(values: &[Typed], rows: usize) -> RecordBatch {
    let fields: Vec<_> =
        values.iter().enumerate().map(|(index, (kind, _))| kind.nullable().field(&format!("c{index}"))).collect();
    let arrays: Vec<ArrayRef> = values
        .iter()
        .map(|(kind, value)| {
            let present = scalar_value(value, *kind).unwrap();
            let absent = scalar_value(&Scalar::Null, *kind).unwrap();
            let all = [present.clone(), absent, present];
            ScalarValue::iter_to_array(all).unwrap().slice(0, rows)
        })
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).unwrap()
}

fn evaluate(expr: &Expr, batch: &RecordBatch, zone: &str) -> Result<ArrayRef, String> {
    let lowered = lower_expr(expr, &context(zone)).map_err(|error| error.to_string())?;
    match lowered.evaluate(batch) {
        Ok(ColumnarValue::Array(array)) => Ok(array),
        Ok(ColumnarValue::Scalar(value)) => Ok(value.to_array_of_size(batch.num_rows()).unwrap()),
        Err(DataFusionError::Execution(message)) => Err(message),
        Err(error) => Err(error.strip_backtrace()),
    }
}

/// Evaluates in four ways and answers the one result of them; `make` builds the expression from its arguments.
fn answer(args: &[Typed], zone: &str, make: impl Fn(Vec<Expr>) -> Expr) -> Result<ScalarValue, String> {
    let batch = columns(args, 3);
    let literals: Vec<Expr> = args.iter().map(literal).collect();
    let all_columns: Vec<Expr> = args.iter().enumerate().map(|(index, (kind, _))| column(index, *kind)).collect();
    let mut mixed = literals.clone();
    if let Some(first) = mixed.first_mut() {
        *first = column(0, args[0].0);
    }
    let none = evaluate(&make(all_columns.clone()), &columns(args, 0), zone).unwrap();
    assert_eq!(none.len(), 0);
    let results = [literals, all_columns, mixed].map(|args| {
        let array = evaluate(&make(args), &batch, zone)?;
        assert_eq!(array.len(), 3);
        let (first, last) = (ScalarValue::try_from_array(&array, 0), ScalarValue::try_from_array(&array, 2));
        assert_eq!(first.as_ref().unwrap(), &last.unwrap(), "the same value in two rows");
        first.map_err(|error| error.to_string())
    });
    let [constant, columns, mixture] = results;
    assert_eq!(constant, columns, "constants and columns");
    assert_eq!(columns, mixture, "columns and a mixture");
    constant
}

/// Asserts the value of a function.
fn check(function: Function, args: &[Typed], expected: Typed) {
    check_in("UTC", function, args, expected);
}

fn check_in(zone: &str, function: Function, args: &[Typed], (kind, value): Typed) {
    let found = answer(args, zone, |args| expr(ExprKind::Call(function, args), kind));
    assert_eq!(found, Ok(scalar_value(&value, kind).unwrap()), "{function:?} of {args:?} in {zone}");
}

/// Asserts that a function fails with a message that has `part`.
fn check_fails(function: Function, args: &[Typed], returns: TypeKind, part: &str) {
    let found = answer(args, "UTC", |args| expr(ExprKind::Call(function, args), returns));
    assert!(found.as_ref().is_err_and(|message| message.contains(part)), "{function:?} of {args:?}: {found:?}");
}

fn cast(arg: &Typed, to: TypeKind, mode: CastMode, zone: &str) -> Result<ScalarValue, String> {
    answer(std::slice::from_ref(arg), zone, |mut args| {
        expr(ExprKind::Cast(Box::new(args.pop().expect("answer gives one argument for one value")), mode), to)
    })
}

fn check_cast(arg: Typed, (kind, value): Typed) {
    let expected = Ok(scalar_value(&value, kind).unwrap());
    assert_eq!(cast(&arg, kind, CastMode::Strict, "UTC"), expected, "{arg:?} as {kind}");
    assert_eq!(cast(&arg, kind, CastMode::Try, "UTC"), expected, "{arg:?} as {kind}, tried");
}

/// Asserts that CAST fails with the value and type in its message, and TRY_CAST is NULL.
fn check_no_cast(arg: Typed, to: TypeKind) {
    let message = cast(&arg, to, CastMode::Strict, "UTC").unwrap_err();
    assert!(message.contains("cannot cast `") && message.contains(&to.to_string()), "{message}");
    let nothing = scalar_value(&Scalar::Null, to).unwrap();
    assert_eq!(cast(&arg, to, CastMode::Try, "UTC"), Ok(nothing), "{arg:?} as {to}, tried");
}
