//! What Amazon Web Services ask of whoever calls them: credentials, signatures; and the log streams of CloudWatch.

pub mod cloudwatch;
pub mod identity;
mod signature;

/// A text with more than blanks.
pub(crate) fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Whether a text can stand between two dots of a host, as it is written.
pub(crate) fn is_label(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(is_plain) && !text.starts_with('-') && !text.ends_with('-')
}

/// What ends the host of a service in a region.
pub(crate) fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// What an element of an answer in XML holds, if it is plain text.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    (!text.contains(['<', '&'])).then_some(text.trim())
}

/// What AWS calls an error: a word, which holds no secret.
pub(crate) fn code(text: &str) -> Option<&str> {
    let is_word = (1..=80).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_word.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_and_what_would_have_to_be_decoded_is_not_taken() {
        let xml = "<a><Code>Slow</Code><Key> x/+= </Key><Odd>a&amp;b</Odd><Open>";
        for (name, expected) in
            [("Code", Some("Slow")), ("Key", Some("x/+=")), ("Odd", None), ("Open", None), ("None", None)]
        {
            assert_eq!(element(xml, name), expected, "{name}");
        }
        assert_eq!((code("AccessDenied"), code("a b"), code("")), (Some("AccessDenied"), None, None));
    }
}
