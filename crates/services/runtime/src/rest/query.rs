//! The query of a request as parameters, each decoded once.

use percent_encoding::percent_decode_str;

use crate::rest::call::Refusal;

/// More parameters than any client of Flink sends.
const PARAMETERS_MAX: usize = 1_024;

/// The parameters of a query in their order; one without `=` has an empty value.
///
/// # Errors
/// 400 if there are too many.
pub(crate) fn parse(query: Option<&str>) -> Result<Vec<(String, String)>, Refusal> {
    let Some(query) = query.filter(|query| !query.is_empty()) else {
        return Ok(Vec::new());
    };
    let mut parameters = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        if parameters.len() == PARAMETERS_MAX {
            return Err(Refusal::plain(400, format!("Too many query parameters, at most {PARAMETERS_MAX} are read.")));
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        parameters.push((decode(name), decode(value)));
    }
    Ok(parameters)
}

/// Undoes the encoding of forms. Bytes that are no UTF-8 become replacement characters, and so match nothing.
fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::{PARAMETERS_MAX, parse};

    #[test]
    fn parameters_are_decoded_once_and_keep_their_order() {
        for (query, expected) in [
            (None, vec![]),
            (Some(""), vec![]),
            (Some("&&"), vec![]),
            (Some("get=a,b&agg=max"), vec![("get", "a,b"), ("agg", "max")]),
            (Some("get=a%2Cb+c"), vec![("get", "a,b c")]),
            (Some("get=%252F"), vec![("get", "%2F")]),
            (Some("g%65t=1&get=2"), vec![("get", "1"), ("get", "2")]),
            (Some("flag&x="), vec![("flag", ""), ("x", "")]),
            (Some("a=b=c"), vec![("a", "b=c")]),
            (Some("a=%zz%f"), vec![("a", "%zz%f")]),
            (Some("a=%ff"), vec![("a", "\u{fffd}")]),
        ] {
            let found = parse(query).unwrap();
            let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(found, expected, "for {query:?}");
        }
    }

    #[test]
    fn a_flood_of_parameters_is_refused() {
        let query = vec!["a=1"; PARAMETERS_MAX].join("&");
        assert_eq!(parse(Some(&query)).unwrap().len(), PARAMETERS_MAX);
        assert_eq!(parse(Some(&format!("{query}&a=1"))).unwrap_err().status, 400);
    }
}
