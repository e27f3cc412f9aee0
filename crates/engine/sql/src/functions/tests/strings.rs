//! Functions of strings.

use super::{bigint, boolean, check, check_fails, int, null, text};
use crate::plan::Function;
use crate::types::{STRING, TypeKind};

#[test]
fn letters_change_case_as_in_java() {
    use Function::{Initcap, Lower, Reverse, Upper};
    check(Upper, &[text("straße")], text("STRASSE"));
    check(Upper, &[text("abc")], text("ABC"));
    check(Lower, &[text("ÄBC")], text("äbc"));
    check(Initcap, &[text("hello wORLD-foo 1aBC éA aé_b")], text("Hello World-Foo 1abc éA Aé_B"));
    check(Reverse, &[text("aé😀")], text("😀éa"));
    check(Upper, &[null(STRING)], null(STRING));
}

#[test]
fn concatenation_treats_nulls_by_function() {
    use Function::{Concat, ConcatWs};
    check(Concat, &[text("a"), text("b"), text("c")], text("abc"));
    check(Concat, &[text("a"), null(STRING)], null(STRING));
    check(ConcatWs, &[text(","), text("a"), null(STRING), text("b")], text("a,b"));
    check(ConcatWs, &[text(","), null(STRING)], text(""));
    check(ConcatWs, &[null(STRING), text("a")], null(STRING));
}

#[test]
fn lengths_and_positions_count_code_points() {
    use Function::{Ascii, CharLength, Instr, Locate, Position};
    check(CharLength, &[text("äö😀")], int(3));
    check(Ascii, &[text("A")], int(65));
    check(Ascii, &[text("")], int(0));
    check(Ascii, &[text("é")], int(-61));
    check(Position, &[text("c"), text("äbc")], int(3));
    check(Position, &[text("x"), text("abc")], int(0));
    check(Position, &[text(""), text("abc")], int(1));
    check(Locate, &[text("b"), text("äbcb"), int(3)], int(4));
    check(Locate, &[text("b"), text("abc"), int(0)], int(2));
    check(Locate, &[text(""), text("abc"), int(3)], int(1));
    check(Locate, &[text("a"), text("abc"), int(9)], int(0));
    check(Instr, &[text("abc"), text("c")], int(3));
}

#[test]
fn parts_of_strings_are_cut_as_flink_cuts_them() {
    use Function::{Left, Right, Substring};
    for (value, start, length, expected) in [
        ("abcdef", 2, 3, "bcd"),
        ("abc", 0, 2, "ab"),
        ("abc", -2, 9, "bc"),
        ("abc", -4, 2, ""),
        ("abc", 4, 1, ""),
        ("äöü", 2, 1, "ö"),
        ("", 1, 1, ""),
    ] {
        check(Substring, &[text(value), int(start), int(length)], text(expected));
    }
    check(Substring, &[text("abcdef"), int(2)], text("bcdef"));
    check(Substring, &[text("abc"), int(1), int(-1)], null(STRING));
    check(Left, &[text("äbc"), int(2)], text("äb"));
    check(Left, &[text("abc"), int(-1)], text(""));
    check(Right, &[text("abä"), int(2)], text("bä"));
    check(Right, &[text("abc"), int(9)], text("abc"));
    check(Right, &[text("abc"), int(0)], text(""));
}

#[test]
fn ends_are_trimmed_and_padded() {
    use Function::{Lpad, Rpad, TrimBoth, TrimLeading, TrimTrailing};
    check(TrimBoth, &[text(" "), text("  a ")], text("a"));
    check(TrimBoth, &[text("xy"), text("xyaxyx")], text("a"));
    check(TrimLeading, &[text("x"), text("xxaxx")], text("axx"));
    check(TrimTrailing, &[text("x"), text("xxaxx")], text("xxa"));
    check(TrimBoth, &[text(""), text(" a ")], text(" a "));
    check(Lpad, &[text("abc"), int(5), text("xy")], text("xyabc"));
    check(Rpad, &[text("abc"), int(7), text("xy")], text("abcxyxy"));
    check(Lpad, &[text("abc"), int(2), text("x")], text("ab"));
    check(Lpad, &[text("é"), int(3), text("ü")], text("üüé"));
    check(Lpad, &[text("abc"), int(-1), text("x")], null(STRING));
    check(Rpad, &[text("a"), int(3), text("")], null(STRING));
}

#[test]
fn strings_are_replaced_repeated_and_split() {
    use Function::{Chr, EndsWith, Repeat, Replace, SplitIndex, StartsWith};
    check(Replace, &[text("aXbX"), text("X"), text("yy")], text("ayybyy"));
    check(Replace, &[text("ab"), text(""), text("-")], text("-a-b-"));
    check(Repeat, &[text("ab"), int(3)], text("ababab"));
    check(Repeat, &[text("ab"), int(-1)], text(""));
    check(SplitIndex, &[text("a,b,c"), text(","), int(1)], text("b"));
    check(SplitIndex, &[text("a,b,"), text(","), int(2)], text(""));
    check(SplitIndex, &[text("a||b"), text("||"), int(1)], text("b"));
    check(SplitIndex, &[text("a b"), text(""), int(1)], text("b"));
    check(SplitIndex, &[text("a,b"), text(","), int(2)], null(STRING));
    check(SplitIndex, &[text("a,b"), text(","), int(-1)], null(STRING));
    check(SplitIndex, &[text(""), text(","), int(0)], null(STRING));
    check(SplitIndex, &[text("a,b"), int(44), int(1)], text("b"));
    check(Chr, &[bigint(65)], text("A"));
    check(Chr, &[bigint(233)], text("é"));
    check(Chr, &[bigint(-1)], text(""));
    check(StartsWith, &[text("abc"), text("ab")], boolean(true));
    check(EndsWith, &[text("abc"), text("ab")], boolean(false));
}

#[test]
fn small_rows_cannot_make_huge_strings() {
    let most = "the most is 67108864";
    check_fails(Function::Repeat, &[text("abc"), int(i32::MAX.into())], STRING, most);
    check_fails(Function::Lpad, &[text("abc"), int(i32::MAX.into()), text("x")], STRING, "LPAD would make");
    let long = "a".repeat(100_000);
    check_fails(Function::Replace, &[text(&long), text("a"), text(&long)], STRING, most);
    check_fails(Function::DateFormat, &[null(TypeKind::Timestamp(3)), text("VV")], STRING, "`VV` is not supported");
}
