//! Label selectors: `app=web,tier in (a, b),!old,size>3`.
//!
//! The text is cut into words first; `in` and `notin` are operators only where an operator can stand.

use std::collections::{BTreeMap, BTreeSet};

use crate::status::{Answer, Status};

/// What is tested of one label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Greater,
    Less,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
    values: BTreeSet<String>,
}

/// A label selector; an empty one selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

impl LabelSelector {
    /// Reads a selector; 400 if it is malformed.
    pub fn parse(text: &str) -> Answer<Self> {
        let mut parser = Parser { words: words(text), position: 0 };
        let requirements = parser.requirements().map_err(Status::bad_request)?;
        Ok(Self { requirements })
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether labels fulfil every requirement.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels.get(&requirement.key)))
    }
}

impl Requirement {
    fn matches(&self, value: Option<&String>) -> bool {
        let number = |text: &str| text.parse::<i64>().ok();
        let compare = |is_true: fn(&i64, &i64) -> bool| {
            let wanted = self.values.first().and_then(|wanted| number(wanted));
            value.and_then(|value| number(value)).zip(wanted).is_some_and(|(value, wanted)| is_true(&value, &wanted))
        };
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Greater => compare(i64::gt),
            Operator::Less => compare(i64::lt),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    /// A key, a value, `in` or `notin`.
    Name(String),
    /// One of `! = == != > < ( ) ,`.
    Sign(&'static str),
    /// Signs that mean nothing together.
    Nonsense(String),
    End,
}

impl Word {
    fn text(&self) -> &str {
        match self {
            Self::Name(text) | Self::Nonsense(text) => text,
            Self::Sign(sign) => sign,
            Self::End => "",
        }
    }
}

const SIGNS: [&str; 9] = ["==", "!=", "=", "!", ">", "<", "(", ")", ","];

fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut rest = text;
    let is_blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    loop {
        rest = rest.trim_start_matches(is_blank);
        let Some(first) = rest.chars().next() else {
            found.push(Word::End);
            return found;
        };
        if let Some(&sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            found.push(Word::Sign(sign));
            rest = rest.get(sign.len()..).unwrap_or_default();
        } else if first == '\0' {
            found.push(Word::Nonsense(first.to_string()));
            rest = rest.get(1..).unwrap_or_default();
        } else {
            let is_end = |c: char| is_blank(c) || "=!<>(),".contains(c) || c == '\0';
            let (name, after) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
            found.push(Word::Name(name.to_owned()));
            rest = after;
        }
    }
}

struct Parser {
    words: Vec<Word>,
    position: usize,
}

impl Parser {
    fn look(&self) -> &Word {
        self.words.get(self.position).unwrap_or(&Word::End)
    }

    fn take(&mut self) -> Word {
        let word = self.look().clone();
        self.position += 1;
        word
    }

    fn requirements(&mut self) -> Result<Vec<Requirement>, String> {
        let mut found = Vec::new();
        loop {
            match self.look() {
                Word::End => return Ok(found),
                Word::Name(_) | Word::Sign("!") => {}
                other => return Err(format!("found '{}', expected: !, identifier, or 'end of string'", other.text())),
            }
            let requirement = self.requirement().map_err(|why| format!("unable to parse requirement: {why}"))?;
            found.push(requirement);
            match self.take() {
                Word::End => return Ok(found),
                Word::Sign(",") => {
                    let next = self.look();
                    if !matches!(next, Word::Name(_) | Word::Sign("!")) {
                        return Err(format!("found '{}', expected: identifier after ','", next.text()));
                    }
                }
                other => return Err(format!("found '{}', expected: ',' or 'end of string'", other.text())),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let is_negated = *self.look() == Word::Sign("!");
        if is_negated {
            self.take();
        }
        let key = match self.take() {
            Word::Name(key) => key,
            other => return Err(format!("found '{}', expected: identifier", other.text())),
        };
        check_key(&key)?;
        let values = BTreeSet::new();
        if is_negated {
            return Ok(Requirement { key, operator: Operator::DoesNotExist, values });
        }
        if matches!(self.look(), Word::End | Word::Sign(",")) {
            return Ok(Requirement { key, operator: Operator::Exists, values });
        }
        let word = self.take();
        let (operator, values) = match (&word, word.text()) {
            (Word::Sign(_), "=" | "==") => (Operator::In, self.exact()?),
            (Word::Sign(_), "!=") => (Operator::NotIn, self.exact()?),
            (Word::Sign(_), ">") => (Operator::Greater, self.exact()?),
            (Word::Sign(_), "<") => (Operator::Less, self.exact()?),
            (Word::Name(_), "in") => (Operator::In, self.list()?),
            (Word::Name(_), "notin") => (Operator::NotIn, self.list()?),
            (_, text) => return Err(format!("found '{text}', expected: in, notin, =, ==, !=, gt, lt")),
        };
        let requirement = Requirement { key, operator, values };
        check_values(&requirement)?;
        Ok(requirement)
    }

    fn exact(&mut self) -> Result<BTreeSet<String>, String> {
        if matches!(self.look(), Word::End | Word::Sign(",")) {
            return Ok(BTreeSet::from([String::new()]));
        }
        match self.take() {
            Word::Name(value) => Ok(BTreeSet::from([value])),
            other => Err(format!("found '{}', expected: identifier", other.text())),
        }
    }

    /// `(a, b)`; an entry may be empty.
    fn list(&mut self) -> Result<BTreeSet<String>, String> {
        let opening = self.take();
        if opening != Word::Sign("(") {
            return Err(format!("found '{}' expected: '('", opening.text()));
        }
        let mut values = BTreeSet::new();
        let mut entry = String::new();
        let mut has_entry = false;
        loop {
            match self.take() {
                Word::Name(value) if !has_entry => (entry, has_entry) = (value, true),
                Word::Sign(",") => {
                    values.insert(std::mem::take(&mut entry));
                    has_entry = false;
                }
                Word::Sign(")") => {
                    values.insert(entry);
                    return Ok(values);
                }
                other if has_entry => return Err(format!("found '{}', expected: ',' or ')'", other.text())),
                other => return Err(format!("found '{}', expected: ',', ')' or identifier", other.text())),
            }
        }
    }
}

const NAME_RULE: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end \
    with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_RULE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
    '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex \
    used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const LENGTH_RULE: &str = "must be no more than 63 bytes";

/// Whether a text is a name in the sense of labels; an empty one is.
fn is_name(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_edge = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    text.bytes().all(is_inner) && is_edge(text.as_bytes().first()) && is_edge(text.as_bytes().last())
}

fn check_key(key: &str) -> Result<(), String> {
    let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
    let why = match name {
        _ if name.is_empty() || !is_name(name) || key.matches('/').count() > 1 => NAME_RULE,
        _ if name.len() > 63 => "name part must be no more than 63 bytes",
        _ => return Ok(()),
    };
    Err(format!("key: Invalid value: {key:?}: {why}"))
}

fn check_values(requirement: &Requirement) -> Result<(), String> {
    let is_number = matches!(requirement.operator, Operator::Greater | Operator::Less);
    for (index, value) in requirement.values.iter().enumerate() {
        if is_number && value.parse::<i64>().is_err() {
            let why = "for 'Gt', 'Lt' operators, the value must be an integer";
            return Err(format!("values[{index}]: Invalid value: {value:?}: {why}"));
        }
        let why = match value {
            value if value.len() > 63 => LENGTH_RULE,
            value if !is_name(value) => VALUE_RULE,
            _ => continue,
        };
        return Err(format!("values[{index}][{}]: Invalid value: {value:?}: {why}", requirement.key));
    }
    Ok(())
}
