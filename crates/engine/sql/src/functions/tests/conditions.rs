//! Comparisons, logic, membership, and LIKE.

use super::{boolean, check, check_fails, decimal, double, int, null, text};
use crate::plan::{Function, Scalar};
use crate::types::{STRING, TypeKind};

#[test]
fn comparisons_are_three_valued() {
    use Function::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let cases = [
        (Equal, text("a"), text("a "), false),
        (Less, text("a"), text("b"), true),
        (Less, text("Z"), text("a"), true),
        (Less, text("z"), text("é"), true),
        (NotEqual, int(1), int(2), true),
        (GreaterOrEqual, int(2), int(2), true),
        (LessOrEqual, decimal(150, 3, 2), decimal(15, 2, 1), true),
        (Greater, decimal(151, 3, 2), decimal(15, 2, 1), true),
        (Equal, double(0.0), double(-0.0), true),
        (Equal, double(f64::NAN), double(f64::NAN), false),
        (NotEqual, double(f64::NAN), double(f64::NAN), true),
        (Less, double(f64::NAN), double(1.0), false),
    ];
    for (function, left, right, expected) in cases {
        check(function, &[left, right], boolean(expected));
    }
    check(Equal, &[int(1), null(TypeKind::Int)], null(TypeKind::Boolean));
    check(Equal, &[double(1.0), null(TypeKind::Double)], null(TypeKind::Boolean));
}

#[test]
fn distinctness_treats_nulls_as_values() {
    for (left, right, distinct) in [
        (int(1), int(2), true),
        (int(1), int(1), false),
        (int(1), null(TypeKind::Int), true),
        (null(TypeKind::Int), null(TypeKind::Int), false),
        (null(TypeKind::Double), null(TypeKind::Double), false),
        (double(1.0), null(TypeKind::Double), true),
        (double(1.0), double(1.0), false),
        (decimal(10, 2, 1), decimal(100, 3, 2), false),
    ] {
        check(Function::IsDistinctFrom, &[left.clone(), right.clone()], boolean(distinct));
        check(Function::IsNotDistinctFrom, &[left, right], boolean(!distinct));
    }
}

#[test]
fn truth_tests_are_never_null() {
    use Function::{IsFalse, IsNotFalse, IsNotNull, IsNotTrue, IsNull, IsTrue};
    let unknown = || null(TypeKind::Boolean);
    for (function, of_true, of_false, of_null) in [
        (IsTrue, true, false, false),
        (IsNotTrue, false, true, true),
        (IsFalse, false, true, false),
        (IsNotFalse, true, false, true),
        (IsNull, false, false, true),
        (IsNotNull, true, true, false),
    ] {
        check(function, &[boolean(true)], boolean(of_true));
        check(function, &[boolean(false)], boolean(of_false));
        check(function, &[unknown()], boolean(of_null));
    }
    check(Function::Not, &[boolean(true)], boolean(false));
    check(Function::Not, &[unknown()], unknown());
}

#[test]
fn extremes_are_null_if_any_argument_is() {
    check(Function::Greatest, &[int(1), int(3), int(2)], int(3));
    check(Function::Least, &[int(2), int(1), int(3)], int(1));
    check(Function::Greatest, &[int(1), null(TypeKind::Int)], null(TypeKind::Int));
    check(Function::Least, &[text("b"), text("a")], text("a"));
    check(Function::Greatest, &[double(1.5), double(-2.0)], double(1.5));
}

#[test]
fn membership_is_three_valued_for_short_and_long_lists() {
    let lists = [(vec![1, 2], false), ((0..20).collect::<Vec<i64>>(), false), ((0..20).collect(), true)];
    for (list, with_null) in lists {
        for (value, contained) in [(1, true), (99, false)] {
            let mut args = vec![int(value)];
            args.extend(list.iter().map(|member| int(*member)));
            let expected = match (contained, with_null) {
                (true, _) => Scalar::Boolean(true),
                (false, true) => Scalar::Null,
                (false, false) => Scalar::Boolean(false),
            };
            if with_null {
                args.push(null(TypeKind::Int));
            }
            check(Function::In, &args, (TypeKind::Boolean, expected));
        }
    }
    let mut words = vec![text("k")];
    words.extend("abcdefghijklm".chars().map(|letter| text(&letter.to_string())));
    check(Function::In, &words, boolean(true));
    words[0] = text("z");
    check(Function::In, &words, boolean(false));
    words[0] = null(STRING);
    check(Function::In, &words, null(TypeKind::Boolean));
}

#[test]
fn like_matches_the_whole_text() {
    let cases = [
        ("abc", "abc", true),
        ("abc", "ab", false),
        ("abc", "a%", true),
        ("abc", "%c", true),
        ("abc", "%b%", true),
        ("abc", "_b_", true),
        ("abc", "__", false),
        ("", "", true),
        ("a", "", false),
        ("", "%", true),
        ("abc", "%%", true),
        ("abcabc", "a%c", true),
        ("ab", "a%b%b", false),
        ("abb", "a%b%b", true),
        ("xaybzc", "%a_b%c", true),
        ("xaybzd", "%a_b%c", false),
        ("xaab", "%a_", true),
        ("a😀b", "a_b", true),
        ("a\nb", "a_b", false),
        ("a\nb", "a%b", true),
        ("a%b", "a\\%b", false),
        ("a.c", "a.c", true),
        ("abc", "a.c", false),
    ];
    for (value, pattern, expected) in cases {
        check(Function::Like, &[text(value), text(pattern)], boolean(expected));
    }
    check(Function::Like, &[text("a"), null(STRING)], null(TypeKind::Boolean));
}

#[test]
fn like_takes_escaped_characters_literally() {
    for (value, pattern, expected) in
        [("a%c", "a!%c", true), ("abc", "a!%c", false), ("a_c", "a!_c", true), ("a!c", "a!!c", true)]
    {
        check(Function::Like, &[text(value), text(pattern), text("!")], boolean(expected));
    }
    check(Function::Like, &[text("abc"), text("a%"), text("")], boolean(true));
    for (pattern, escape) in [("a!c", "!"), ("a!", "!"), ("a", "!!")] {
        let args = [text("a"), text(pattern), text(escape)];
        check_fails(Function::Like, &args, TypeKind::Boolean, "invalid escape");
    }
}

#[test]
fn like_does_not_blow_up() {
    let value = "a".repeat(20_000);
    let pattern = "%a".repeat(40) + "b";
    check(Function::Like, &[text(&value), text(&pattern)], boolean(false));
    let pattern = "%a_".repeat(40) + "b";
    check(Function::Like, &[text(&value), text(&pattern)], boolean(false));
}
