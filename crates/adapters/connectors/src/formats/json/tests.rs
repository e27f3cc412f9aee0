//! JSON as Flink 2.3 reads and writes it; the expected rows were observed there.

use kobel_sql::catalog::TableSpec;
use kobel_sql::types::{STRING, TypeKind};

use crate::formats::tests::{decode, decode_columns, rewrite};
use crate::tests::table;

const IGNORE: &[(&str, &str)] = &[("json.ignore-parse-errors", "true")];
const ISO: &[(&str, &str)] = &[("json.timestamp-format.standard", "ISO-8601")];

fn spec(columns: &[(&str, TypeKind)], options: &[(&str, &str)]) -> TableSpec {
    let columns: Vec<_> = columns.iter().map(|(name, kind)| (*name, kind.nullable())).collect();
    let fixed = [("connector", "filesystem"), ("path", "in"), ("format", "json")];
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
        (&[], "{\"a\":1,\"b\":\"x\",\"c\":2}\n{\"c\":3}", &["1, x, 2", "null, null, 3"]),
        (
            &[],
            "{\"a\":1}\r\n\r\n\n{ \"c\" : 2 , \"a\" : 1 }\n{}\n",
            &["1, null, null", "1, null, 2", "null, null, null"],
        ),
        (&[], "{\"a\":1,\"a\":2,\"b\":null}\n", &["2, null, null"]),
        (&[], "{\"A\":1,\"b\":\"x\"}\n", &["null, x, null"]),
        (&[], "{\"a\":1,\"z\":{\"q\":[1,2,{\"a\":5},[],{}]},\"c\":7}\n", &["1, null, 7"]),
        (&[], "{\"b\":\"a\tb\u{1}\"}\n", &["null, a\tb\u{1}, null"]),
        (&[], "{\"b\":\"\\ud800x\"}\n{\"b\":\"\\udc00\\ud800\"}\n", &["null, ?x, null", "null, ??, null"]),
        (&[], "{\"b\":\"\\ud83d\\ude00 \\u00e9 \\n\\/\\\"\\\\\"}\n", &["null, 😀 é \n/\"\\, null"]),
        (&[], "{\"\\u0062\":\"x\"}\n", &["null, x, null"]),
        (
            &[],
            "{\"b\":{\"x\": 1,  \"y\":[ 2.50, true, null, \"q\\n\" ], \"z\":{}}}\n",
            &["null, {\"x\":1,\"y\":[2.5,true,null,\"q\\n\"],\"z\":{}}, null"],
        ),
        (&[], "{\"b\":[1, 2.0, 1e5, []]}\n", &["null, [1,2.0,100000.0,[]], null"]),
        (
            &[],
            "{\"b\":1.50}\n{\"b\":1E5}\n{\"b\":-0}\n{\"b\":true}\n",
            &["null, 1.50, null", "null, 1E5, null", "null, -0, null", "null, true, null"],
        ),
        (
            IGNORE,
            "{\"a\":\"x\",\"b\":\"y\",\"c\":5}\nqqq\n \n{\"a\":1,\"b\":\"z\"\n{\"a\":[6]}\n",
            &["null, y, 5", "null, null, null"],
        ),
        (&[("json.fail-on-missing-field", "true")], "{\"a\":1,\"b\":null,\"c\":null}\n", &["1, null, null"]),
    ];
    for (options, input, expected) in cases {
        let rows = decode(&three(options), input.as_bytes());
        assert_eq!(rows, Ok(expected.iter().map(|row| (*row).to_owned()).collect()), "for {input:?} with {options:?}");
    }
}

#[test]
fn broken_lines_are_named_by_line_and_byte() {
    for (input, expected) in [
        ("{}\n{\"a\":1", "2: broken JSON: the line ends, expected `}`"),
        ("{\"a\":1,}", "1: broken JSON: `}` at byte 8, expected `\"`"),
        ("{'a':1}", "1: broken JSON: `'` at byte 2, expected `\"`"),
        ("{\"a\" 1}", "1: broken JSON: `1` at byte 6, expected `:`"),
        ("{\"a\":}", "1: broken JSON: `}` at byte 6, expected a value"),
        ("{\"z\":tru,\"c\":7}", "1: broken JSON: `t` at byte 6, expected a value"),
        ("{\"z\":truex}", "1: broken JSON: `t` at byte 6, expected a value"),
        ("{\"a\":NaN}", "1: broken JSON: `N` at byte 6, expected a value"),
        ("{\"a\":01}", "1: broken JSON: the number at byte 6 starts with a zero"),
        ("{\"a\":+1}", "1: broken JSON: `+` at byte 6, expected a value"),
        ("{\"a\":.5}", "1: broken JSON: `.` at byte 6, expected a value"),
        ("{\"a\":5.}", "1: broken JSON: `}` at byte 8, expected a digit"),
        ("{\"a\":1x}", "1: broken JSON: `x` at byte 7, expected the end of the number"),
        ("{\"b\":\"x}", "1: broken JSON: a string has no closing quote"),
        ("{\"b\":\"\\x\"}", "1: broken JSON: `x` at byte 8, expected an escape sequence such as `\\n` or `\\u0041`"),
        ("{\"b\":\"\\u00g0\"}", "1: broken JSON: `0` at byte 9, expected four hexadecimal digits"),
        ("{\"z\":[1,2}", "1: broken JSON: `}` at byte 10, expected `]`"),
        ("{\"a\":1}{\"a\":2}", "1: broken JSON: `{` at byte 8, expected the end of the line"),
        ("[{\"a\":1}]", "1: an array on a line is not supported by the native engine: expected one object per line"),
        ("5", "1: broken JSON: `5` at byte 1, expected an object"),
        ("   ", "1: broken JSON: the line ends, expected an object"),
        ("{\"a\":{}}", "1: a: `{…}` is no `INT`: expected a whole number from -2147483648 to 2147483647"),
    ] {
        assert_eq!(decode(&three(&[]), input.as_bytes()), Err(expected.to_owned()), "for `{input}`");
    }
    assert_eq!(decode(&three(&[]), b"{\"b\":\"\xff\"}"), Err("1: byte 7 is no UTF-8".to_owned()));
    let strict = three(&[("json.fail-on-missing-field", "true")]);
    let missing = "1: c: is missing, and `json.fail-on-missing-field` is set";
    assert_eq!(decode(&strict, b"{\"a\":1,\"b\":\"x\"}"), Err(missing.to_owned()));
}

#[test]
fn depth_costs_no_stack_and_is_limited() {
    let nested = |depth: usize| format!("{{\"z\":{}{},\"a\":1}}\n", "[".repeat(depth), "]".repeat(depth));
    let read = |input: &str| decode_columns(&three(&[]), &[0], input.as_bytes());
    assert_eq!(read(&nested(999)), Ok(vec!["1".to_owned()]));
    assert_eq!(read(&nested(1_000)), Err("1: the JSON is nested deeper than 1000 levels".to_owned()));
    // Shown byte by byte this would take long.
    let deep = nested(100_000);
    let mut decoder = crate::formats::tests::format(&three(&[])).decoder(&three(&[]).physical, &[0]).unwrap();
    assert!(decoder.decode(deep.as_bytes(), crate::formats::Tail::End).is_err());
}

/// A type, and texts with the value that each is read as; `None` if it is refused.
type Reading = (TypeKind, &'static [(&'static str, Option<&'static str>)]);

const READINGS: &[Reading] = &[
    (
        TypeKind::Int,
        &[
            ("1.5", Some("1")),
            ("1e2", Some("100")),
            ("\" 1 \"", Some("1")),
            ("\"+1\"", Some("1")),
            ("-0", Some("0")),
            ("null", Some("null")),
            ("\"1.5\"", None),
            ("\"\"", None),
            ("true", None),
            ("2147483648", None),
            ("3e9", None),
            ("[1]", None),
        ],
    ),
    (TypeKind::TinyInt, &[("127", Some("127")), ("128", None), ("1.7", None)]),
    (TypeKind::SmallInt, &[("-32768", Some("-32768")), ("32768", None)]),
    (
        TypeKind::BigInt,
        &[("1e3", Some("1000")), ("-9223372036854775808", Some("-9223372036854775808")), ("9223372036854775808", None)],
    ),
    (
        TypeKind::Float,
        &[
            ("1.5", Some("1.5")),
            ("\"NaN\"", Some("NaN")),
            ("1e40", Some("Infinity")),
            ("\"abc\"", None),
            ("true", None),
        ],
    ),
    (
        TypeKind::Double,
        &[
            ("12345678901234567890", Some("1.2345678901234567E19")),
            ("\"1d\"", Some("1.0")),
            ("1e400", Some("Infinity")),
            ("\"\"", None),
        ],
    ),
    (
        TypeKind::Boolean,
        &[
            ("true", Some("true")),
            ("\"TRUE\"", Some("true")),
            ("\"x\"", Some("false")),
            ("1", Some("false")),
            ("1.5", Some("false")),
        ],
    ),
    (
        TypeKind::Decimal(5, 2),
        &[
            ("1.005", Some("1.01")),
            ("\" 1 \"", Some("1.00")),
            ("1e2", Some("100.00")),
            ("1234.5", Some("null")),
            ("true", None),
            ("\"\"", None),
        ],
    ),
    (TypeKind::Decimal(38, 10), &[("12345678901234567890.1234567890", Some("12345678901234567890.1234567890"))]),
    (
        TypeKind::Date,
        &[("\"2013-01-31\"", Some("2013-01-31")), ("\"2013-1-1\"", None), ("\"2013-02-29\"", None), ("15000", None)],
    ),
    (
        TypeKind::Time(0),
        &[("\"12:34:56.789\"", Some("12:34:56.789")), ("\"24:00:00\"", Some("00:00")), ("\"12:34\"", None)],
    ),
    (
        TypeKind::Timestamp(3),
        &[
            ("\"2013-01-01 05:15:00.123456\"", Some("2013-01-01T05:15:00.123")),
            ("\"2013-02-30 00:00:00\"", Some("2013-02-28T00:00")),
            ("\"2013-01-01T05:15:00\"", None),
            ("\" 2013-01-01 05:15:00\"", None),
            ("1357017300000", None),
        ],
    ),
    (
        TypeKind::TimestampLtz(3),
        &[("\"2013-01-01 05:15:00Z\"", Some("2013-01-01T05:15:00Z")), ("\"2013-01-01 05:15:00\"", None)],
    ),
    (TypeKind::Varbinary(9), &[("\"YWI=\"", Some("[97, 98]")), ("\"YWI\"", None)]),
    (TypeKind::Char(3), &[("\"abcd\"", Some("abcd")), ("{}", Some("{}"))]),
];

#[test]
fn every_type_is_read_as_flink_reads_it() {
    for (kind, values) in READINGS {
        for (text, expected) in *values {
            let rows = decode(&spec(&[("a", *kind)], &[]), format!("{{\"a\":{text}}}\n").as_bytes());
            let expected = expected.map(|value| vec![value.to_owned()]);
            assert_eq!(rows.clone().ok(), expected, "{text} as `{kind}`: {rows:?}");
            if let Err(message) = rows {
                assert!(message.starts_with("1: a: `") && message.contains(&format!("is no `{kind}`")), "{message}");
            }
        }
    }
}

#[test]
fn iso_timestamps_are_read_and_written() {
    for (kind, text, expected) in [
        (TypeKind::Timestamp(3), "2013-01-01T05:15:00.123", Some("2013-01-01T05:15:00.123")),
        (TypeKind::Timestamp(3), "2013-01-01T05:15", Some("2013-01-01T05:15")),
        (TypeKind::Timestamp(3), "2013-01-01 05:15:00", None),
        (TypeKind::Timestamp(3), "2013-02-30T00:00:00", None),
        (TypeKind::TimestampLtz(3), "2013-01-01T05:15:00Z", Some("2013-01-01T05:15:00Z")),
        (TypeKind::TimestampLtz(3), "2013-01-01T05:15:00", None),
    ] {
        let rows = decode(&spec(&[("a", kind)], ISO), format!("{{\"a\":\"{text}\"}}\n").as_bytes());
        assert_eq!(rows.ok(), expected.map(|value| vec![value.to_owned()]), "for `{text}`");
    }
    let columns = [("a", TypeKind::Timestamp(3)), ("b", TypeKind::TimestampLtz(3))];
    let line = "{\"a\":\"2013-01-01T05:15:00.12\",\"b\":\"1970-01-01T00:00:00Z\"}\n";
    assert_eq!(rewrite(&spec(&columns, ISO), &spec(&columns, ISO), line.as_bytes()), line);
}

#[test]
fn rows_are_written_as_flink_writes_them() {
    let columns = [
        ("s", STRING),
        ("d", TypeKind::Double),
        ("f", TypeKind::Float),
        ("e", TypeKind::Decimal(30, 15)),
        ("y", TypeKind::Varbinary(9)),
        ("n", TypeKind::Date),
        ("t", TypeKind::Time(3)),
        ("r", TypeKind::Timestamp(3)),
    ];
    let table = spec(&columns, &[]);
    for (input, expected) in [
        (
            "{\"s\":\"pl\\\"ain\\\\/\\n\\t\\u0001\\u007fünï\\ud83d\\ude00<&>\",\"d\":1,\"f\":1e7,\
             \"e\":1e-10,\"y\":\"YQ==\"}\n",
            "{\"s\":\"pl\\\"ain\\\\/\\n\\t\\u0001\u{7f}ünï\\uD83D\\uDE00<&>\",\"d\":1.0,\"f\":1.0E7,\
             \"e\":1E-10,\"y\":\"YQ==\",\"n\":null,\"t\":null,\"r\":null}\n",
        ),
        (
            "{\"s\":\"\",\"d\":\"NaN\",\"f\":\"-Infinity\",\"e\":100000,\"y\":\"\",\"n\":\"2013-01-01\",\
             \"t\":\"12:34:56.700\",\"r\":\"2013-01-01 05:15:00.120\"}\n",
            "{\"s\":\"\",\"d\":\"NaN\",\"f\":\"-Infinity\",\"e\":1E+5,\"y\":\"\",\"n\":\"2013-01-01\",\
             \"t\":\"12:34:56.7\",\"r\":\"2013-01-01 05:15:00.12\"}\n",
        ),
    ] {
        assert_eq!(rewrite(&table, &table, input.as_bytes()), expected);
    }
    let short =
        spec(&columns, &[("json.encode.ignore-null-fields", "true"), ("json.encode.decimal-as-plain-number", "true")]);
    assert_eq!(rewrite(&table, &short, b"{}\n{\"e\":1e2}\n"), "{}\n{\"e\":100.000000000000000}\n");
}
