//! Which texts are names: of objects, of labels, of keys in a ConfigMap.
//!
//! Every check answers what is wrong, in the words of apimachinery; an empty answer means that the text is a name.

/// What is said of a text that is no RFC 1123 subdomain.
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
    '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
/// What is said of a text that is no RFC 1123 label.
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
    start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
/// What is said of a text that is no name of a label, an annotation or a finalizer.
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
/// What is said of a text that is no value of a label.
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
    '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex \
    used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
/// What is said of a text that is no key of a ConfigMap or Secret.
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. \
    'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/// The longest subdomain, and the longest key of a ConfigMap.
const SUBDOMAIN_MAX: usize = 253;
/// The longest label.
const LABEL_MAX: usize = 63;

/// Checks an RFC 1123 subdomain.
pub fn subdomain(text: &str) -> Vec<String> {
    let mut faults = too_long(text, SUBDOMAIN_MAX, "characters");
    if !text.split('.').all(is_label) {
        faults.push(SUBDOMAIN.to_owned());
    }
    faults
}

/// Checks an RFC 1123 label.
pub fn label(text: &str) -> Vec<String> {
    let mut faults = too_long(text, LABEL_MAX, "characters");
    if !is_label(text) {
        // A dot is the usual mistake and gets words of its own.
        faults.push(if text.contains('.') { "must not contain dots" } else { LABEL }.to_owned());
    }
    faults
}

/// Checks the key of a label or an annotation, or the name of a finalizer.
pub fn qualified(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let name = match text.split_once('/') {
        None => text,
        Some((_, name)) if name.contains('/') => {
            let optional = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a valid label key {QUALIFIED} {optional}")];
        }
        Some(("", name)) => {
            faults.push("prefix part must be non-empty".to_owned());
            name
        }
        Some((prefix, name)) => {
            faults.extend(subdomain(prefix).into_iter().map(|fault| format!("prefix part {fault}")));
            name
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    }
    faults.extend(too_long(name, LABEL_MAX, "bytes").into_iter().map(|fault| format!("name part {fault}")));
    if name.is_empty() || !is_word(name) {
        faults.push(format!("name part {QUALIFIED}"));
    }
    faults
}

/// Checks the value of a label.
pub fn label_value(text: &str) -> Vec<String> {
    let mut faults = too_long(text, LABEL_MAX, "bytes");
    if !is_word(text) {
        faults.push(LABEL_VALUE.to_owned());
    }
    faults
}

/// Checks a key of a ConfigMap or Secret.
pub fn config_key(text: &str) -> Vec<String> {
    let mut faults = too_long(text, SUBDOMAIN_MAX, "characters");
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        faults.push(CONFIG_KEY.to_owned());
    }
    match text {
        "." => faults.push("must not be '.'".to_owned()),
        ".." => faults.push("must not be '..'".to_owned()),
        _ if text.starts_with("..") => faults.push("must not start with '..'".to_owned()),
        _ => {}
    }
    faults
}

fn too_long(text: &str, max: usize, unit: &str) -> Vec<String> {
    if text.len() > max { vec![format!("must be no more than {max} {unit}")] } else { Vec::new() }
}

/// Whether the text is lower-case letters, digits and inner hyphens.
fn is_label(text: &str) -> bool {
    let inner = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    inner && !text.is_empty() && !text.starts_with('-') && !text.ends_with('-')
}

/// Whether the text is letters and digits, with `-`, `_` and `.` inside; so is the empty text.
fn is_word(text: &str) -> bool {
    let inner = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let edge = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_alphanumeric());
    inner && edge(text.bytes().next()) && edge(text.bytes().last())
}
