//! Csv as Flink 2.3 reads and writes it; the expected rows were observed there.

use kobel_sql::catalog::TableSpec;
use kobel_sql::types::{STRING, TypeKind};

use crate::formats::tests::{decode, decode_columns, rewrite};
use crate::tests::table;

fn spec(columns: &[(&str, TypeKind)], options: &[(&str, &str)]) -> TableSpec {
    let columns: Vec<_> = columns.iter().map(|(name, kind)| (*name, kind.nullable())).collect();
    let fixed = [("connector", "filesystem"), ("path", "in"), ("format", "csv")];
    let options: Vec<_> = fixed.iter().chain(options).copied().collect();
    table(&columns, &options)
}

fn three(options: &[(&str, &str)]) -> TableSpec {
    spec(&[("a", TypeKind::Int), ("b", STRING), ("c", TypeKind::Int)], options)
}

#[test]
fn rows_are_read_as_flink_reads_them() {
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (&[], "", &[]),
        (&[], "1,x,2\n3,,4", &["1, x, 2", "3, , 4"]),
        (&[], "1,x,2,\n", &["1, x, 2"]),
        (&[], "1,\"x\"\"y\",2\n3,\"a\nb\",4\n", &["1, x\"y, 2", "3, a\nb, 4"]),
        (&[], "1,x\"y\",2\n1, \"x\" ,2\n1,\"x\"  ,2\n", &["1, x\"y\", 2", "1,  \"x\" , 2", "1, x, 2"]),
        (&[], "1,x,2\r\n3,y,4\r5,z,6", &["1, x, 2", "3, y, 4", "5, z, 6"]),
        (&[], " 1 , x ,\t2\n", &["1,  x , 2"]),
        (&[], "1,\"\r\n\",2\n", &["1, \r\n, 2"]),
        (&[("csv.trim-spaces", "true")], " 1 , x , 2 \n1, \"  y \" ,2\n", &["1, x, 2", "1,   y , 2"]),
        (&[("csv.field-delimiter", ";")], "1;x;2\n", &["1, x, 2"]),
        (&[("csv.field-delimiter", "\\t")], "1\tx\t2\n", &["1, x, 2"]),
        (&[("csv.field-delimiter", "\\u007C")], "1|x|2\n", &["1, x, 2"]),
        (&[("csv.allow-comments", "true")], "#c\n1,x,2\n\n  # d\n   \n3,#y,4\n", &["1, x, 2", "3, #y, 4"]),
        (&[("csv.null-literal", "n/a")], "1,n/a,n/a\nn/a,\"n/a\",2\n", &["1, null, null", "null, null, 2"]),
        (&[("csv.null-literal", "")], "1,,\n,\"\",2\n", &["1, null, null", "null, null, 2"]),
        (&[("csv.empty-string-as-null", "true")], "1,,\n,\"\",2\n", &["1, null, null", "null, null, 2"]),
        (
            &[("csv.escape-character", "\\")],
            "1,x\\,y,2\n1,x\\n,2\n1,\"x\\\"y\",2\n",
            &["1, x,y, 2", "1, x\n, 2", "1, x\"y, 2"],
        ),
        (&[("csv.quote-character", "'")], "1,'x,''y',2\n", &["1, x,'y, 2"]),
        (&[("csv.disable-quote-character", "true")], "1,\"x,2\n", &["1, \"x, 2"]),
        (&[("csv.ignore-trailing-unmappable", "true")], "1,x,2,3,4\n", &["1, x, 2"]),
        (
            &[("csv.ignore-parse-errors", "true")],
            "q,y,z\n1,x,2,3\n1,x\n1,\"x\"y,2\n4,,5\n",
            &["null, y, null", "1, x, null", "4, , 5"],
        ),
    ];
    for (options, input, expected) in cases {
        let rows = decode(&three(options), input.as_bytes());
        assert_eq!(rows, Ok(expected.iter().map(|row| (*row).to_owned()).collect()), "for {input:?} with {options:?}");
    }
}

#[test]
fn broken_rows_are_named_by_line_and_column() {
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
    let cases: &[Case<'_>] = &[
        (&[], "1,x,2\n3,y\n", "2: the row has 2 fields: expected 3"),
        (&[], "1,x,2\n\n", "2: the row has 1 field: expected 3"),
        (&[], "1,x,2,9\n", "1: the row has 4 fields: expected 3"),
        (&[], "1,x,2,,\n", "1: the row has 5 fields: expected 3"),
        (&[("csv.allow-trailing-comma", "false")], "1,x,2,\n", "1: the row has 4 fields: expected 3"),
        (&[("csv.fail-on-missing-columns", "true")], "1,x\n", "1: the row has 2 fields: expected 3"),
        (&[], "1,\"a\n\nb\",2\n1,\"x\"y,2\n", "4: `y` follows a closing quote: expected `,` or a line end"),
        (&[], "1,x,2\n1,\"x,2\n", "2: the closing quote is missing"),
        (&[("csv.escape-character", "\\")], "1,x\\", "1: nothing follows the escape character"),
        (&[], "1,x,q\n", "1: c: `q` is no `INT`: expected a whole number from -2147483648 to 2147483647"),
        (&[], "1,x,\n", "1: c: `` is no `INT`: expected a whole number from -2147483648 to 2147483647"),
    ];
    for (options, input, expected) in cases {
        let rows = decode(&three(options), input.as_bytes());
        assert_eq!(rows, Err((*expected).to_owned()), "for {input:?}");
    }
    let invalid = decode(&three(&[]), b"1,x,2\n1,a\xff,2\n");
    assert_eq!(invalid, Err("2: byte 4 is no UTF-8".to_owned()));
}

#[test]
fn null_in_a_not_null_column_is_named() {
    let options = [("connector", "filesystem"), ("path", "in"), ("format", "csv"), ("csv.null-literal", "")];
    let spec = table(&[("a", TypeKind::Int.not_null()), ("b", STRING.not_null())], &options);
    let expected = "2: a: is NOT NULL, but the value is missing or NULL";
    assert_eq!(decode(&spec, b"1,x\n,y\n"), Err(expected.to_owned()));
}

#[test]
fn only_the_columns_asked_for_are_parsed() {
    let input = b"q,x,2\n1,y,z\n";
    assert_eq!(decode_columns(&three(&[]), &[1], input), Ok(vec!["x".to_owned(), "y".to_owned()]));
    assert_eq!(decode_columns(&three(&[]), &[], input), Ok(vec![String::new(); 2]));
    assert_eq!(decode_columns(&three(&[]), &[0], b"1,x\n"), Ok(vec!["1".to_owned()]), "c is missing unnoticed");
    let reordered = decode_columns(&three(&[]), &[1, 0], b"1,x,2\n");
    assert_eq!(reordered, Ok(vec!["x, 1".to_owned()]));
}

/// A type, and texts with the value that each is read as; `None` if it is refused.
type Reading = (TypeKind, &'static [(&'static str, Option<&'static str>)]);

const READINGS: &[Reading] = &[
    (
        TypeKind::TinyInt,
        &[
            ("127", Some("127")),
            ("+5", Some("5")),
            ("\"7\"", Some("7")),
            ("005", Some("5")),
            ("128", None),
            ("1e1", None),
            ("", None),
        ],
    ),
    (TypeKind::SmallInt, &[("32767", Some("32767")), ("-32769", None)]),
    (TypeKind::Int, &[("- 1", None), ("1_000", None), ("2147483648", None), ("3.0", None)]),
    (TypeKind::BigInt, &[("-9223372036854775808", Some("-9223372036854775808")), ("9223372036854775808", None)]),
    (
        TypeKind::Float,
        &[
            ("1.5f", Some("1.5")),
            ("1e40", Some("Infinity")),
            ("NaN", Some("NaN")),
            ("nan", None),
            ("inf", None),
            ("+.5", Some("0.5")),
            ("5.", Some("5.0")),
        ],
    ),
    (
        TypeKind::Double,
        &[
            (" 2D ", Some("2.0")),
            ("1e400", Some("Infinity")),
            ("-Infinity", Some("-Infinity")),
            ("1e-400", Some("0.0")),
            ("1_0", None),
            ("", None),
        ],
    ),
    (
        TypeKind::Boolean,
        &[("TRUE", Some("true")), (" true ", Some("true")), ("1", Some("false")), ("yes", Some("false"))],
    ),
    (
        TypeKind::Decimal(5, 2),
        &[
            ("1.005", Some("1.01")),
            ("-1.005", Some("-1.01")),
            ("999.995", Some("null")),
            ("1234.5", Some("null")),
            ("1e2", Some("100.00")),
            (".5", Some("0.50")),
            ("1E-3", Some("0.00")),
            (" 1.2", None),
            ("abc", None),
            ("1e", None),
        ],
    ),
    (
        TypeKind::Date,
        &[
            ("2013-1-1", Some("2013-01-01")),
            ("2013-02-31", Some("2013-03-03")),
            ("2013-13-01", None),
            ("10000-01-01", None),
            (" 2013-01-01", None),
            ("2013-01-01 00:00:00", None),
            ("9999-12-31", Some("9999-12-31")),
        ],
    ),
    (
        TypeKind::Time(0),
        &[
            ("12:34", Some("12:34")),
            ("12:34:56.789", Some("12:34:56")),
            ("24:00:00", None),
            ("1:2:3", None),
            ("23:59:60", None),
        ],
    ),
    (TypeKind::Time(3), &[("12:34:56.7891", Some("12:34:56.789")), ("12:34:56.", Some("12:34:56"))]),
    (
        TypeKind::Timestamp(3),
        &[
            ("2013-01-01 05:15:00.1239", Some("2013-01-01T05:15:00.123")),
            (" 2013-01-01 05:15:00 ", Some("2013-01-01T05:15")),
            ("2013-02-30 00:00:00", Some("2013-02-28T00:00")),
            ("2013-01-01 24:00:00", Some("2013-01-02T00:00")),
            ("2013-01-01 24:00:01", None),
            ("2013-01-01T05:15:00", None),
            ("2013-01-01 05:15", None),
            ("2013-01-01 05:15:00Z", None),
            ("10000-01-01 00:00:00", None),
            ("+10000-01-01 00:00:00", Some("+10000-01-01T00:00")),
            ("-0001-01-01 00:00:00", Some("-0001-01-01T00:00")),
            ("2013-01-32 00:00:00", None),
            ("", None),
        ],
    ),
    (
        TypeKind::Timestamp(9),
        &[
            ("2013-01-01 05:15:00.123456789", Some("2013-01-01T05:15:00.123456789")),
            ("2013-01-01 05:15:00.1234567891", None),
            ("1600-01-01 00:00:00", None),
        ],
    ),
    (
        TypeKind::TimestampLtz(3),
        &[
            ("2013-01-01 05:15:00.123Z", Some("2013-01-01T05:15:00.123Z")),
            ("2013-01-01 05:15:00", None),
            ("2013-01-01 05:15:00+02:00", None),
        ],
    ),
    (TypeKind::Varbinary(9), &[("YWI=", Some("[97, 98]")), ("", Some("[]")), ("YWI", None), ("a b=", None)]),
    (TypeKind::Char(3), &[("abcd", Some("abcd")), ("ab", Some("ab"))]),
];

#[test]
fn every_type_is_read_as_flink_reads_it() {
    for (kind, values) in READINGS {
        let spec = spec(&[("z", TypeKind::Int), ("a", *kind)], &[]);
        for (text, expected) in *values {
            let rows = decode(&spec, format!("1,{text}\n").as_bytes());
            let expected_rows = expected.map(|value| vec![format!("1, {value}")]);
            assert_eq!(rows.clone().ok(), expected_rows, "`{text}` as `{kind}`: {rows:?}");
            if let Err(message) = rows {
                let text = text.trim_matches('"');
                let wrong = format!("1: a: `{text}` is no `{kind}`: expected");
                let far = format!("1: a: `{text}` is out of range of `{kind}`");
                assert!(message.starts_with(&wrong) || message.starts_with(&far), "{message}");
            }
        }
    }
}

#[test]
fn text_is_quoted_by_the_loose_rule() {
    for (value, expected) in [
        ("plain", "plain"),
        ("with space", "\"with space\""),
        ("com,ma", "\"com,ma\""),
        ("qu\"ote", "\"qu\"\"ote\""),
        ("new\nline", "\"new\nline\""),
        ("#hash", "\"#hash\""),
        ("a'b", "\"a'b\""),
        ("back\\slash", "\"back\\slash\""),
        ("ünï", "ünï"),
        ("a-b_c.d/e:f;g", "a-b_c.d/e:f;g"),
        ("", ""),
        ("abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx"),
        ("abcdefghijklmnopqrstuvwxy", "\"abcdefghijklmnopqrstuvwxy\""),
        ("äöüäöüäöüäöüäöüäöüäöüäöü", "äöüäöüäöüäöüäöüäöüäöüäöü"),
    ] {
        let from =
            spec(&[("a", STRING)], &[("csv.field-delimiter", "\\u0001"), ("csv.disable-quote-character", "true")]);
        let from = if value.contains('\n') { spec(&[("a", STRING)], &[]) } else { from };
        let input = if value.contains('\n') { format!("\"{value}\"") } else { format!("{value}\n") };
        let out = rewrite(&from, &spec(&[("a", STRING)], &[]), input.as_bytes());
        assert_eq!(out, format!("{expected}\n"), "for {value:?}");
    }
}

#[test]
fn dialects_are_written_as_flink_writes_them() {
    let columns = [("a", STRING), ("b", TypeKind::Int), ("c", STRING)];
    let quoted = [("csv.null-literal", "n/a"), ("csv.field-delimiter", ";"), ("csv.quote-character", "'")];
    let bare = [("csv.disable-quote-character", "true")];
    let escaped = [("csv.escape-character", "\\")];
    let from = spec(&columns, &[("csv.null-literal", "NULL")]);
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
    let cases: &[Case<'_>] = &[
        (&quoted, "a;b,NULL,NULL\nit's,1,n/a\n", "'a;b';n/a;n/a\n'it''s';1;'n/a'\n"),
        (&bare, "\"a,b\",NULL,x y\n", "a,b,,x y\n"),
        (&escaped, "back\\slash,1,\"qu\"\"ote\"\n", "\"back\\\\slash\",1,\"qu\"\"ote\"\n"),
        (&[], "NULL,NULL,\n", ",,\n"),
    ];
    for (options, input, expected) in cases {
        assert_eq!(rewrite(&from, &spec(&columns, options), input.as_bytes()), *expected);
    }
}

#[test]
fn every_type_is_written_as_flink_writes_it() {
    let columns = [
        ("a", TypeKind::Boolean),
        ("b", TypeKind::Float),
        ("c", TypeKind::Double),
        ("d", TypeKind::Decimal(10, 2)),
        ("e", TypeKind::Varbinary(9)),
        ("f", TypeKind::Date),
        ("g", TypeKind::Time(3)),
        ("h", TypeKind::Timestamp(9)),
        ("i", TypeKind::TimestampLtz(3)),
    ];
    let input = "true,1.5,1e10,100000,AQID,2013-01-01,12:34:56.700,2013-01-01 05:15:00.123400,2013-01-01 05:15:00.12Z\n\
                 false,1e-5,0.1,0.05,+/+/,0001-01-01,00:00:00,1970-01-01 00:00:00,1969-12-31 23:59:59Z\n\
                 false,NaN,-Infinity,0,,9999-12-31,12:34,2013-01-01 05:15:00,1970-01-01 00:00:00Z\n";
    let written = "true,1.5,1.0E10,1E+5,AQID,2013-01-01,12:34:56.7,\"2013-01-01 05:15:00.1234\",\
     \"2013-01-01 05:15:00.12Z\"\n\
                   false,1.0E-5,0.1,0.05,\"+/+/\",0001-01-01,00:00:00,\"1970-01-01 00:00:00\",\
                    \"1969-12-31 23:59:59Z\"\n\
                   false,NaN,-Infinity,0,,9999-12-31,12:34:00,\"2013-01-01 05:15:00\",\"1970-01-01 00:00:00Z\"\n";
    let table = spec(&columns, &[]);
    assert_eq!(rewrite(&table, &table, input.as_bytes()), written);
    assert_eq!(rewrite(&table, &table, written.as_bytes()), written, "what was written is read back");
    let plain = spec(&[("d", TypeKind::Decimal(10, 2))], &[("csv.write-bigdecimal-in-scientific-notation", "false")]);
    assert_eq!(rewrite(&plain, &plain, b"100000\n0\n"), "100000.00\n0.00\n");
}
