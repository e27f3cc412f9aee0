//! Laziness of AND, OR, CASE and COALESCE, constants, and empty batches.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, BooleanArray, Int32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use datafusion_expr::ColumnarValue;
use jiff::tz::TimeZone;

use super::{fold_constant, lower_expr};
use crate::error::Span;
use crate::lower::{EvaluationClock, ExprContext};
use crate::plan::{CastMode, Expr, ExprKind, Function, Scalar};
use crate::types::{STRING, TypeKind};

fn context() -> ExprContext {
    ExprContext { time_zone: TimeZone::UTC, clock: EvaluationClock::default() }
}

fn expr(kind: ExprKind, ty: TypeKind) -> Expr {
    Expr { kind, ty: ty.nullable(), span: Span::default() }
}

fn int(value: i64) -> Expr {
    expr(ExprKind::Literal(Scalar::Integer(value)), TypeKind::Int)
}

fn call(function: Function, args: Vec<Expr>, ty: TypeKind) -> Expr {
    expr(ExprKind::Call(function, args), ty)
}

/// The INT column 0.
fn number() -> Expr {
    expr(ExprKind::Column(0), TypeKind::Int)
}

/// The STRING column 1.
fn word() -> Expr {
    expr(ExprKind::Column(1), STRING)
}

/// `12 / number`, which fails for zero.
fn share() -> Expr {
    call(Function::Divide, vec![int(12), number()], TypeKind::Int)
}

fn compare(function: Function, left: Expr, right: Expr) -> Expr {
    call(function, vec![left, right], TypeKind::Boolean)
}

fn batch(numbers: Vec<Option<i32>>) -> RecordBatch {
    let words: StringArray = numbers.iter().map(|number| number.map(|number| format!("w{number}"))).collect();
    let schema = Schema::new(vec![Field::new("n", DataType::Int32, true), Field::new("w", DataType::Utf8, true)]);
    let arrays: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(numbers)), Arc::new(words)];
    RecordBatch::try_new(Arc::new(schema), arrays).unwrap()
}

fn evaluate(expr: &Expr, numbers: Vec<Option<i32>>) -> Result<ArrayRef, String> {
    let rows = numbers.len();
    let lowered = lower_expr(expr, &context()).unwrap();
    let value = lowered.evaluate(&batch(numbers)).map_err(|error| error.strip_backtrace())?;
    assert_eq!(value.data_type(), expr.ty.kind.arrow());
    Ok(match value {
        ColumnarValue::Array(array) => array,
        ColumnarValue::Scalar(value) => value.to_array_of_size(rows).unwrap(),
    })
}

fn truths(expr: &Expr, numbers: Vec<Option<i32>>) -> Vec<Option<bool>> {
    evaluate(expr, numbers).unwrap().as_boolean().iter().collect()
}

fn numbers(expr: &Expr, numbers: Vec<Option<i32>>) -> Vec<Option<i32>> {
    evaluate(expr, numbers).unwrap().as_primitive::<Int32Type>().iter().collect()
}

fn case(branches: Vec<(Expr, Expr)>, otherwise: Expr, ty: TypeKind) -> Expr {
    expr(ExprKind::Case { branches, otherwise: Box::new(otherwise) }, ty)
}

#[test]
fn and_protects_its_right_side() {
    let guard = compare(Function::NotEqual, number(), int(0));
    let test = compare(Function::Greater, share(), int(2));
    let both = call(Function::And, vec![guard, test], TypeKind::Boolean);
    let found = truths(&both, vec![Some(0), Some(4), None, Some(12)]);
    assert_eq!(found, [Some(false), Some(true), None, Some(false)]);
    assert_eq!(truths(&both, vec![Some(0), Some(0)]), [Some(false), Some(false)]);
    assert_eq!(truths(&both, vec![Some(1)]), [Some(true)]);
    assert!(truths(&both, vec![]).is_empty());
}

#[test]
fn or_protects_its_right_side() {
    let guard = compare(Function::Equal, number(), int(0));
    let test = compare(Function::Greater, share(), int(2));
    let either = call(Function::Or, vec![guard, test], TypeKind::Boolean);
    assert_eq!(truths(&either, vec![Some(0), Some(4), None, Some(12)]), [Some(true), Some(true), None, Some(false)]);
}

#[test]
fn connectives_are_three_valued() {
    let truth =
        |value: Option<bool>| expr(ExprKind::Literal(value.map_or(Scalar::Null, Scalar::Boolean)), TypeKind::Boolean);
    let all = [Some(true), Some(false), None];
    for left in all {
        for right in all {
            let and = call(Function::And, vec![truth(left), truth(right)], TypeKind::Boolean);
            let or = call(Function::Or, vec![truth(left), truth(right)], TypeKind::Boolean);
            let expected_and = match (left, right) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
            let expected_or = match (left, right) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
            assert_eq!(truths(&and, vec![Some(1), Some(2)]), [expected_and; 2], "{left:?} AND {right:?}");
            assert_eq!(truths(&or, vec![Some(1), Some(2)]), [expected_or; 2], "{left:?} OR {right:?}");
        }
    }
}

#[test]
fn case_evaluates_only_the_branch_that_a_row_takes() {
    let is_zero = compare(Function::Equal, number(), int(0));
    let guarded = case(vec![(is_zero, int(-1))], share(), TypeKind::Int);
    assert_eq!(numbers(&guarded, vec![Some(0), Some(3), None, Some(0)]), [Some(-1), Some(4), None, Some(-1)]);
    assert_eq!(numbers(&guarded, vec![Some(0)]), [Some(-1)]);
    assert!(numbers(&guarded, vec![]).is_empty());

    let positive = compare(Function::Greater, number(), int(0));
    let flipped = case(vec![(positive, share())], number(), TypeKind::Int);
    assert_eq!(numbers(&flipped, vec![Some(0), Some(3), None]), [Some(0), Some(4), None]);

    let unguarded = case(vec![(compare(Function::Equal, number(), int(1)), int(1))], share(), TypeKind::Int);
    assert!(evaluate(&unguarded, vec![Some(1), Some(0)]).unwrap_err().contains("division by zero"));
}

#[test]
fn conditions_of_case_are_evaluated_for_rows_that_are_left() {
    let is_zero = compare(Function::Equal, number(), int(0));
    let is_large = compare(Function::Greater, share(), int(5));
    let sized = case(vec![(is_zero, int(0)), (is_large, int(1))], int(2), TypeKind::Int);
    assert_eq!(numbers(&sized, vec![Some(0), Some(1), Some(12), None]), [Some(0), Some(1), Some(2), Some(2)]);
}

#[test]
fn coalesce_takes_the_first_value_and_protects_the_rest() {
    let positive = compare(Function::Greater, number(), int(0));
    let only_positive =
        case(vec![(positive, int(7))], expr(ExprKind::Literal(Scalar::Null), TypeKind::Int), TypeKind::Int);
    let share_of_others = call(Function::Coalesce, vec![only_positive, share(), int(9)], TypeKind::Int);
    assert_eq!(numbers(&share_of_others, vec![Some(5), Some(-3), None]), [Some(7), Some(-4), Some(9)]);
    assert!(evaluate(&share_of_others, vec![Some(0)]).is_err());

    let words =
        call(Function::Coalesce, vec![word(), expr(ExprKind::Literal(Scalar::String("-".into())), STRING)], STRING);
    let found = evaluate(&words, vec![Some(1), None]).unwrap();
    assert_eq!(found.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("w1"), Some("-")]);
    let nothing = call(Function::Coalesce, vec![number(), number()], TypeKind::Int);
    assert_eq!(numbers(&nothing, vec![None]), [None]);
}

#[test]
fn constants_fold_unless_they_fail_or_change() {
    let fold = |expr: &Expr| fold_constant(expr, &context()).unwrap();
    assert_eq!(fold(&call(Function::Add, vec![int(1), int(2)], TypeKind::Int)), Some(Scalar::Integer(3)));
    assert_eq!(fold(&call(Function::Divide, vec![int(1), int(0)], TypeKind::Int)), None);
    assert_eq!(fold(&call(Function::Add, vec![int(1), number()], TypeKind::Int)), None);
    assert_eq!(fold(&call(Function::CurrentDate, vec![], TypeKind::Date)), None);
    let text = expr(ExprKind::Literal(Scalar::String("abc".into())), STRING);
    assert_eq!(fold(&expr(ExprKind::Cast(Box::new(text), CastMode::Try), TypeKind::Int)), Some(Scalar::Null));
    let guarded =
        case(vec![(expr(ExprKind::Literal(Scalar::Boolean(false)), TypeKind::Boolean), int(1))], int(2), TypeKind::Int);
    assert_eq!(fold(&guarded), Some(Scalar::Integer(2)));
}

#[test]
fn expressions_can_be_made_again_with_other_children() {
    let compared = compare(Function::Greater, number(), int(2));
    let lowered = lower_expr(&compared, &context()).unwrap();
    let children = vec![Arc::clone(lowered.children()[0]), lower_expr(&int(5), &context()).unwrap()];
    let replaced = Arc::clone(&lowered).with_new_children(children).unwrap();
    assert_ne!(&lowered, &replaced);
    let array = replaced.evaluate(&batch(vec![Some(3), Some(6)])).unwrap().into_array(2).unwrap();
    assert_eq!(array.as_boolean(), &BooleanArray::from(vec![false, true]));
    assert_eq!(lowered.to_string(), "Greater(c0@0, 2)");
}
