//! Arithmetic, decimals, and functions of numbers.

use super::{bigint, check, check_fails, decimal, double, int, null};
use crate::plan::{Function, Scalar};
use crate::types::TypeKind;

#[test]
fn integers_wrap_and_truncate() {
    use Function::{Abs, Add, Divide, Modulo, Multiply, Negate, Subtract};
    let cases = [
        (Add, int(i32::MAX.into()), int(1), int(i32::MIN.into())),
        (Subtract, int(i32::MIN.into()), int(1), int(i32::MAX.into())),
        (Multiply, int(i32::MAX.into()), int(2), int(-2)),
        (Divide, int(7), int(2), int(3)),
        (Divide, int(-7), int(2), int(-3)),
        (Divide, bigint(i64::MIN), bigint(-1), bigint(i64::MIN)),
        (Modulo, int(-7), int(2), int(-1)),
        (Modulo, int(7), int(-2), int(1)),
        (Add, bigint(i64::MAX), bigint(1), bigint(i64::MIN)),
        (Add, int(1), null(TypeKind::Int), null(TypeKind::Int)),
        (Divide, null(TypeKind::Int), int(0), null(TypeKind::Int)),
    ];
    for (function, left, right, expected) in cases {
        check(function, &[left, right], expected);
    }
    check(Negate, &[int(i32::MIN.into())], int(i32::MIN.into()));
    check(Abs, &[int(i32::MIN.into())], int(i32::MIN.into()));
    let tiny = |value| (TypeKind::TinyInt, Scalar::Integer(value));
    check(Add, &[tiny(127), tiny(1)], tiny(-128));
}

#[test]
fn division_by_zero_fails_for_exact_numbers_only() {
    for function in [Function::Divide, Function::Modulo] {
        check_fails(function, &[int(1), int(0)], TypeKind::Int, "division by zero");
        check_fails(function, &[decimal(10, 3, 1), decimal(0, 3, 1)], TypeKind::Decimal(10, 6), "division by zero");
    }
    check(Function::Divide, &[double(1.0), double(0.0)], double(f64::INFINITY));
    check(Function::Divide, &[double(-1.0), double(0.0)], double(f64::NEG_INFINITY));
    check(Function::Modulo, &[double(7.5), double(2.0)], double(1.5));
}

#[test]
fn decimals_round_half_up_and_overflow_to_null() {
    use Function::{Add, Divide, Modulo, Multiply, Subtract};
    let cases = [
        (Add, decimal(15, 2, 1), decimal(125, 3, 2), decimal(275, 4, 2)),
        (Subtract, decimal(15, 2, 1), decimal(125, 3, 2), decimal(25, 4, 2)),
        (Multiply, decimal(15, 2, 1), decimal(125, 3, 2), decimal(1_875, 6, 3)),
        (Divide, decimal(50, 2, 1), decimal(3, 1, 0), decimal(1_666_666_666_667, 13, 12)),
        (Divide, decimal(-2, 1, 0), decimal(3, 1, 0), decimal(-67, 10, 2)),
        (Divide, decimal(100, 10, 2), decimal(300, 10, 2), decimal(3_333_333_333_333, 23, 13)),
        (Modulo, decimal(-75, 2, 1), decimal(2, 1, 0), decimal(-15, 10, 1)),
        (Add, decimal(10_i128.pow(10), 38, 10), decimal(100, 38, 2), decimal(2_000_000, 38, 6)),
        (Multiply, decimal(10_i128.pow(18), 38, 18), decimal(10_i128.pow(18), 38, 18), decimal(1_000_000, 38, 6)),
        (Multiply, decimal(10_i128.pow(38) - 1, 38, 18), decimal(1, 38, 18), decimal(100_000_000, 38, 6)),
    ];
    for (function, left, right, expected) in cases {
        check(function, &[left, right], expected);
    }
    let largest = decimal(10_i128.pow(38) - 1, 38, 0);
    check(Add, &[largest.clone(), decimal(1, 1, 0)], null(TypeKind::Decimal(38, 0)));
    check(Multiply, &[largest.clone(), largest.clone()], null(TypeKind::Decimal(38, 0)));
    check(Divide, &[largest, decimal(1, 1, 1)], null(TypeKind::Decimal(38, 6)));
}

#[test]
fn numbers_are_rounded_as_java_rounds() {
    use Function::{Ceil, Floor, Round, Sign, Truncate};
    check(Round, &[decimal(1_255, 4, 3), int(2)], decimal(126, 4, 2));
    check(Round, &[decimal(1_255, 4, 3), int(-1)], decimal(0, 3, 0));
    check(Truncate, &[decimal(1_259, 4, 3), int(2)], decimal(125, 4, 2));
    check(Ceil, &[decimal(12, 2, 1)], decimal(2, 2, 0));
    check(Floor, &[decimal(-12, 2, 1)], decimal(-2, 2, 0));
    check(Sign, &[decimal(-1_255, 4, 3)], decimal(-1_000, 4, 3));
    let doubles = [
        (Round, 1.255, 2, 1.26),
        (Round, -2.5, 0, -3.0),
        (Round, 123.4, -2, 100.0),
        (Round, 0.4, -20, 0.0),
        (Truncate, -1.259, 2, -1.25),
    ];
    for (function, value, places, expected) in doubles {
        check(function, &[double(value), int(places)], double(expected));
    }
    check(Round, &[int(15), int(-1)], int(20));
    check(Round, &[int(i32::MAX.into()), int(-1)], int(-2_147_483_646));
    check(Truncate, &[int(19), int(-1)], int(10));
    check_fails(Round, &[double(f64::INFINITY), int(1)], TypeKind::Double, "cannot round `inf`");
}

#[test]
fn real_functions_follow_java() {
    use Function::{Exp, Ln, Log2, Log10, Power, Sqrt};
    check(Power, &[double(2.0), double(10.0)], double(1024.0));
    check(Sqrt, &[double(2.0)], double(std::f64::consts::SQRT_2));
    check(Exp, &[double(0.0)], double(1.0));
    check(Ln, &[double(0.0)], double(f64::NEG_INFINITY));
    check(Log10, &[double(100.0)], double(2.0));
    check(Log2, &[double(8.0)], double(3.0));
    check(Function::Sign, &[double(-2.5)], double(-1.0));
    check(Function::Abs, &[double(-2.5)], double(2.5));
}
