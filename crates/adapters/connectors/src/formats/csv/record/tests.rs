//! Laws of splitting: it neither depends on where the window ends nor loses bytes, whatever the input.

use proptest::prelude::*;

use super::*;

fn dialect(escape: Option<u8>, is_trimmed: bool) -> Dialect {
    Dialect { delimiter: b',', quote: Some(b'"'), escape, has_comments: false, is_trimmed }
}

/// Fields of a record, and how many bytes it took.
fn split(splitter: &mut Splitter, input: &[u8], tail: Tail) -> (Split, Vec<Vec<u8>>) {
    let found = splitter.split(input, tail);
    let fields = match &found {
        Split::Record(_) => {
            (0..splitter.fields()).map(|index| splitter.field(index, input).unwrap().to_vec()).collect()
        }
        _ => Vec::new(),
    };
    (found, fields)
}

#[test]
fn the_quick_way_and_the_long_way_agree() {
    let mut plain = Splitter::new(Dialect { quote: None, ..dialect(None, false) }, usize::MAX);
    let mut long = Splitter::new(dialect(None, false), usize::MAX);
    for input in ["a,b,c\n", "a,,\r\n", ",", "a", "\n", "ä,ö\rx"] {
        let quick = split(&mut plain, input.as_bytes(), Tail::End);
        long.forget();
        let extent = long.walk(input.as_bytes(), Tail::End).ok().unwrap();
        let fields: Vec<_> =
            (0..long.fields()).map(|index| long.field(index, input.as_bytes()).unwrap().to_vec()).collect();
        assert_eq!(quick, (Split::Record(extent), fields), "for {input:?}");
    }
}

#[test]
fn fields_beyond_those_kept_are_counted_only() {
    let mut splitter = Splitter::new(dialect(None, false), 2);
    for input in ["a,b,c,d\n", "a,\"b\",c,\"\"\"\"\n"] {
        assert!(matches!(splitter.split(input.as_bytes(), Tail::End), Split::Record(_)), "{input}");
        let kept: Vec<_> = (0..3).map(|index| splitter.field(index, input.as_bytes())).collect();
        assert_eq!((splitter.fields(), kept), (4, vec![Some(&b"a"[..]), Some(&b"b"[..]), None]), "{input}");
        assert_eq!(splitter.places.len(), 2);
    }
}

proptest! {
    #[test]
    fn a_short_window_is_incomplete_or_says_the_same(
        input in "[ab,\"\\\\\r\n é]{1,24}",
        has_escape in any::<bool>(),
        is_trimmed in any::<bool>(),
    ) {
        let mut splitter = Splitter::new(dialect(has_escape.then_some(b'\\'), is_trimmed), usize::MAX);
        let input = input.as_bytes();
        let whole = split(&mut splitter, input, Tail::End);
        for end in 1..input.len() {
            let window = split(&mut splitter, &input[..end], Tail::More);
            prop_assert!(window.0 == Split::Incomplete || window == whole, "{:?} is not {:?}", window, whole);
        }
    }

    #[test]
    fn records_cover_the_input(input in "[ab,\"\r\n]{1,40}") {
        let mut splitter = Splitter::new(dialect(None, false), usize::MAX);
        let mut rest = input.as_bytes();
        while !rest.is_empty() {
            let taken = match splitter.split(rest, Tail::End) {
                Split::Record(extent) | Split::Skipped(extent) | Split::Broken(extent, _) => extent,
                Split::Incomplete => return Err(TestCaseError::fail("incomplete at the end")),
            };
            prop_assert!(taken.bytes > 0 && taken.text <= taken.bytes && taken.bytes <= rest.len());
            rest = &rest[taken.bytes..];
        }
    }
}
