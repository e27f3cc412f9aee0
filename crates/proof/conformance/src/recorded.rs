//! Answers of Apache Flink, recorded as tab-separated text: an expression, its type, its value.

/// One recorded answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Line of the file, from 1.
    pub line: usize,
    /// The SQL expression.
    pub expression: String,
    /// Flink's type of it, e.g. `INT NOT NULL`.
    pub ty: String,
    /// What Flink answered.
    pub value: Value,
}

/// What Flink answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// NULL
    Null,
    /// A value, cast to STRING.
    Text(String),
    /// An error with this text.
    Error(String),
}

/// Reads a file of recorded answers; lines that begin with `#` and lines without three columns are passed over.
pub fn read(text: &str) -> Vec<Recorded> {
    let record = |(index, line): (usize, &str)| {
        let mut columns = line.splitn(3, '\t');
        let (expression, ty, value) = (columns.next()?, columns.next()?, columns.next()?);
        let value = match value {
            "<NULL>" => Value::Null,
            other => match other.strip_prefix("ERROR: ") {
                Some(error) => Value::Error(unescape(error)),
                None => Value::Text(unescape(other)),
            },
        };
        Some(Recorded { line: index + 1, expression: unescape(expression), ty: ty.to_owned(), value })
    };
    text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')).filter_map(record).collect()
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, if char == '\\' { chars.next() } else { None }) {
            ('\\', Some('t')) => out.push('\t'),
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('r')) => out.push('\r'),
            ('\\', Some(other)) => out.push(other),
            _ => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_answers() {
        let answers = read("# Flink\n1 + 1\tINT NOT NULL\t2\nNULLIF(1, 1)\tINT\t<NULL>\n'a\\tb'\tCHAR(3)\tERROR: no\n");
        let values: Vec<_> = answers.iter().map(|answer| answer.value.clone()).collect();
        assert_eq!(values, [Value::Text("2".into()), Value::Null, Value::Error("no".into())]);
        assert_eq!((answers[0].line, answers[2].expression.as_str()), (2, "'a\tb'"));
    }
}
