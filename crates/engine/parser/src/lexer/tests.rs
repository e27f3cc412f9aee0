//! What the lexer makes of each kind of token, and where it points when it cannot.

use super::*;

/// The tokens of `text` as `Kind(text)`, without the end.
fn shown(text: &str) -> String {
    let tokens = lex(text, 0, text.len()).expect("should be lexed");
    let shown: Vec<_> = tokens
        .iter()
        .filter(|token| token.kind != TokenKind::End)
        .map(|token| format!("{:?}({})", token.kind, &text[token.span.start as usize..token.span.end as usize]))
        .collect();
    shown.join(" ")
}

#[test]
fn every_kind_of_token_is_recognised() {
    for (text, expected) in [
        ("", ""),
        (" \t\r\n\u{c}", ""),
        ("\u{feff}a", "Word(a)"),
        ("select a_1 $b", "Word(select) Word(a_1) Word($b)"),
        ("größe 数量 x1", "Word(größe) Word(数量) Word(x1)"),
        ("`a b` `a``b` ```` `select`", "Quoted(`a b`) Quoted(`a``b`) Quoted(````) Quoted(`select`)"),
        ("```a` `a```", "Quoted(```a`) Quoted(`a```)"),
        ("'' 'it''s' 'a--b' 'a\nb' 'ü'", "String('') String('it''s') String('a--b') String('a\nb') String('ü')"),
        (
            "1 0042 1.5 .5 1. 1e3 1.5E-3 2.e+1",
            "Integer(1) Integer(0042) Decimal(1.5) Decimal(.5) Decimal(1.) \
            Double(1e3) Double(1.5E-3) Double(2.e+1)",
        ),
        ("1e 1e+ 1a", "Integer(1) Word(e) Integer(1) Word(e) Plus(+) Integer(1) Word(a)"),
        ("X'CAFE' x'' x1", "Binary(X'CAFE') Binary(x'') Word(x1)"),
        ("a.b", "Word(a) Dot(.) Word(b)"),
        ("a-- c\nb--", "Word(a) Word(b)"),
        ("a/* ; ' */b/**/c/***/", "Word(a) Word(b) Word(c)"),
        ("/*+ OPTIONS('a'='b') */", "Hint(/*+ OPTIONS('a'='b') */)"),
        (
            "=> || <> != <= >= < > = + - * / %",
            "Arrow(=>) Concat(||) NotEqual(<>) NotEqual(!=) LessOrEqual(<=) \
            GreaterOrEqual(>=) Less(<) Greater(>) Equal(=) Plus(+) Minus(-) Star(*) Slash(/) Percent(%)",
        ),
        ("()[],;.", "LeftParen(() RightParen()) LeftBracket([) RightBracket(]) Comma(,) Semicolon(;) Dot(.)"),
        ("a//b", "Word(a) Slash(/) Slash(/) Word(b)"),
        ("! | € \"", "Unknown(!) Unknown(|) Unknown(€) Unknown(\")"),
        ("\0", "Unknown(\0)"),
    ] {
        assert_eq!(shown(text), expected, "for {text:?}");
    }
}

#[test]
fn what_is_not_closed_is_reported_where_it_opens() {
    for (text, start, message) in [
        ("a 'b", 2, "string is not closed"),
        ("'a''", 0, "string is not closed"),
        ("  X'ab", 3, "string is not closed"),
        ("a /* b", 2, "comment is not closed"),
        ("a /*/", 2, "comment is not closed"),
        ("a /*+ b", 2, "comment is not closed"),
        ("a `b", 2, "name in backticks is not closed on its line"),
        ("`b\n`", 0, "name in backticks is not closed on its line"),
        ("a ``", 2, "a name in backticks must not be empty"),
        ("X'ABC'", 0, "a binary string must hold pairs of hexadecimal digits"),
        ("X'XY'", 0, "a binary string must hold pairs of hexadecimal digits"),
        ("a U&'b'", 2, "a string with Unicode escapes, `U&'…'`, is not supported by the native engine"),
    ] {
        let error = lex(text, 0, text.len()).expect_err(text);
        assert_eq!((error.span.start, error.message.as_str()), (start, message), "for {text:?}");
    }
}

#[test]
fn a_part_is_lexed_with_places_of_the_whole() {
    let text = "abc /*+ d */";
    let tokens = lex(text, 7, 9).expect("should be lexed");
    let places: Vec<_> = tokens.iter().map(|token| (token.kind, token.span)).collect();
    assert_eq!(places, [(TokenKind::Word, Span::new(8, 9)), (TokenKind::End, Span::new(9, 9))]);
}

#[test]
fn quotes_are_taken_off() {
    assert_eq!(unquote("'it''s'", '\''), "it's");
    assert_eq!(unquote("''''", '\''), "'");
    assert_eq!(unquote("`a``b`", '`'), "a`b");
    assert_eq!(hexadecimal_bytes("X'CAfe00'"), [0xca, 0xfe, 0]);
    assert_eq!(hexadecimal_bytes("x''"), [0u8; 0]);
}
