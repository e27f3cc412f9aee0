//! What a program that could not start said last, in a line: where it is wrong, what is wrong, and what may have been
//! meant.
//!
//! Pure: an error of several lines in, one out.

/// Begins what a program said of its end.
const SAID: &str = "it said: error: ";

/// The line about an error that shows the last words of a program; absent if it shows none.
pub(crate) fn last_words(error: &str) -> Option<String> {
    let (_, said) = error.split_once(SAID)?;
    let mut lines = said.lines().map(str::trim);
    let what = lines.next().filter(|what| !what.is_empty())?;
    let (mut place, mut causes, mut hint) = (String::new(), String::new(), String::new());
    for line in lines {
        if let Some(path) = line.strip_prefix("--> ") {
            let name = path.rsplit('/').next().unwrap_or(path);
            place = format!("{name}: ");
        } else if let Some(cause) = line.strip_prefix("caused by: ") {
            causes.push_str(": ");
            causes.push_str(cause);
        } else if let Some(advice) = line.strip_prefix("hint: ") {
            hint = format!("; {advice}");
        }
    }
    Some(format!("{place}{what}{causes}{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_many_lines_is_told_in_one() {
        let script = "application: exit code 1; it said: error: table `ordres` does not exist\n  --> \
                      ~/orders/s1.sql:28:6\n   |\n28 | FROM ordres\n   |      ^^^^^^\n  hint: did you mean `orders`?\n";
        let failed = "application: exit code 1; it said: error: cannot start job `s1`\n  caused by: disk full";
        for (error, expected) in [
            (script, Some("s1.sql:28:6: table `ordres` does not exist; did you mean `orders`?")),
            (failed, Some("cannot start job `s1`: disk full")),
            ("jobmanager: killed by SIGKILL; it said: out of memory", None),
            ("no process of its cluster is there", None),
            ("application: exit code 1; it said: error: ", None),
        ] {
            assert_eq!(last_words(error).as_deref(), expected, "{error}");
        }
    }
}
