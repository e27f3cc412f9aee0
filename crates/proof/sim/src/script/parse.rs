//! Reads scripts. A line that begins with `>` is a command, one that begins with `#` is a comment. What is indented
//! tells what happened, and is not read.

use std::sync::Arc;

use super::command::{Command, Deletion, Ending, Held, Lost, Word};
use super::cursor::{Script, Step};
use super::words::{self, Fault, Words};
use super::{claims, creations, faults, lists, settings};

/// How long is waited for a word that says no other limit.
const PATIENCE_MS: i64 = 300_000;
/// The column of the first letter of a command, after `> `.
const COMMAND_COLUMN: usize = 3;

/// Reads a script.
///
/// # Errors
/// The first line that cannot be read, with its place and why.
pub fn parse(name: &str, text: &str) -> Result<Script, String> {
    let (mut steps, mut before) = (Vec::new(), String::new());
    for (line, number) in text.lines().zip(1..) {
        let at = |fault: Fault| format!("{name}.txt:{number}:{}: {}", fault.column, fault.message);
        if line.trim().is_empty() || line.starts_with('#') {
            before.push_str(line.trim_end());
            before.push('\n');
        } else if let Some(command) = line.strip_prefix("> ") {
            let written = command.trim_end();
            let command = self::command(Words::of(written, COMMAND_COLUMN)).map_err(at)?;
            steps.push(Step { before: std::mem::take(&mut before), text: written.to_owned(), command });
        } else if !line.starts_with("  ") {
            let message = "expected a command after `> `, a comment after `#`, or what happened, indented by two";
            return Err(at(Fault { column: 1, message: message.to_owned() }));
        } else if steps.is_empty() {
            return Err(at(Fault { column: 1, message: "nothing happens before the first command".to_owned() }));
        }
    }
    if !before.trim().is_empty() {
        return Err(format!("{name}.txt: a comment stands behind the last command"));
    }
    if steps.is_empty() {
        return Err(format!("{name}.txt: there is no command"));
    }
    Ok(Script { name: name.to_owned(), steps: steps.into() })
}

fn command(mut words: Words<'_>) -> Result<Command, Fault> {
    let command = verb(&mut words)?;
    words.end()?;
    Ok(command)
}

fn verb(words: &mut Words<'_>) -> Result<Command, Fault> {
    let verb = words.need("a command")?;
    Ok(match verb.text {
        "world" => settings::parse(words)?,
        "deploy" | "session-job" | "snapshot" | "pair" => creations::parse(verb.text, words)?,
        "set" | "unset" | "edit" | "edit-status" | "conf" | "delete" | "suspend" | "resume" => write(verb.text, words)?,
        "redeploy" => Command::Redeploy { name: name(words)?, nonce: words::number(words.need("a nonce")?)? },
        "refused" => Command::Refused(Box::new(self::verb(words)?)),
        "await" => awaited(words)?,
        "run" => Command::Run(words::span(words.need("a span of time")?)?),
        "kill" => Command::Kill { name: name(words)?, role: words.need("a role, or `*`")?.text.to_owned() },
        "fail" => fail(words)?,
        "finish" => Command::Finish { name: name(words)? },
        "hold" => Command::Hold(held(words)?),
        "release" => Command::Release(held(words)?),
        "disk-fails" => Command::DiskFails(words::span(words.need("a span of time")?)?),
        "lose" => {
            let lost =
                words::one_of(words.need("`newest` or `all`")?, &[("newest", Lost::Newest), ("all", Lost::All)])?;
            Command::Lose { lost, name: name_after(words, "of")? }
        }
        "lose-node" => Command::LoseNode,
        "fault" => faults::parse(words)?,
        "restart-controller" => Command::RestartController,
        "show" => Command::Show { name: name(words)? },
        "expect" => claims::parse(words)?,
        other => return Err(verb.fault(format!("`{other}` is no command"))),
    })
}

fn name(words: &mut Words<'_>) -> Result<String, Fault> {
    Ok(words.need("the name of an object")?.text.to_owned())
}

fn name_after(words: &mut Words<'_>, keyword: &str) -> Result<String, Fault> {
    let word = words.need(&format!("`{keyword}`"))?;
    if word.text != keyword {
        return Err(word.fault(format!("expected `{keyword}`, not `{}`", word.text)));
    }
    name(words)
}

fn held(words: &mut Words<'_>) -> Result<Held, Fault> {
    words::one_of(words.need("what is held")?, &Held::ALL)
}

/// Something that changes an object which is there.
fn write(verb: &str, words: &mut Words<'_>) -> Result<Command, Fault> {
    let name = name(words)?;
    Ok(match verb {
        "set" => {
            let word = words.remainder("`PATH=VALUE`")?;
            let Some((path, value)) = words::split_outside_quotes(word.text, '=') else {
                return Err(word.fault(format!("`{}` sets nothing; expected `PATH=VALUE`", word.text)));
            };
            let value = creations::value(value);
            let (path, value) = match (path.strip_suffix('+'), path.strip_suffix('-')) {
                (Some(path), _) => (path, lists::with(value)),
                (_, Some(path)) => (path, lists::without(value)),
                _ => (path, value),
            };
            Command::Edit { name, patch: Arc::new(creations::patch(&words::path(path), value)) }
        }
        "unset" => {
            let path = words::path(words.need("a path")?.text);
            Command::Edit { name, patch: Arc::new(creations::patch(&path, serde_json::Value::Null)) }
        }
        "suspend" | "resume" => {
            let state = if verb == "suspend" { "suspended" } else { "running" };
            let path = words::path("spec.job.state");
            Command::Edit { name, patch: Arc::new(creations::patch(&path, state.into())) }
        }
        "edit" => Command::Edit { name, patch: Arc::new(json(words)?) },
        "edit-status" => Command::EditStatus { name, patch: Arc::new(json(words)?) },
        "conf" => {
            let word = words.remainder("`KEY=VALUE`")?;
            let Some((key, value)) = words::split_outside_quotes(word.text, '=') else {
                return Err(word.fault(format!("`{}` sets nothing; expected `KEY=VALUE`", word.text)));
            };
            let value = if value == "null" { serde_json::Value::Null } else { words::unquote(value).into() };
            Command::Configure { name, key: words::unquote(key).to_owned(), value }
        }
        _ => {
            let mut ahead = *words;
            let deletion = match ahead.next() {
                Some(word) if word.text == "force" => {
                    *words = ahead;
                    Deletion::Forced
                }
                _ => Deletion::Asked,
            };
            Command::Delete { name, deletion }
        }
    })
}

/// A merge patch in JSON, which takes the rest of the line.
fn json(words: &mut Words<'_>) -> Result<serde_json::Value, Fault> {
    let word = words.remainder("a merge patch in JSON")?;
    let parsed = serde_json::from_str(word.text);
    parsed.map_err(|error| Fault {
        column: word.column + error.column().saturating_sub(1),
        message: format!("the patch is no JSON: {error}"),
    })
}

/// `NAME WORD|WORD… [within TIME]`.
fn awaited(words: &mut Words<'_>) -> Result<Command, Fault> {
    let name = name(words)?;
    let said = words.need("a word that is said of it")?.text.split('|').map(Word::read).collect();
    let mut within_ms = PATIENCE_MS;
    if let Some(limit) = words.next() {
        if limit.text != "within" {
            return Err(limit.fault(format!("expected `within`, not `{}`", limit.text)));
        }
        within_ms = words::span(words.need("a span of time")?)?;
    }
    Ok(Command::Await { name, words: said, within_ms })
}

/// `NAME [for-good] WHY`.
fn fail(words: &mut Words<'_>) -> Result<Command, Fault> {
    let name = name(words)?;
    let mut ahead = *words;
    let ending = match ahead.next() {
        Some(word) if word.text == "for-good" => {
            *words = ahead;
            Ending::ForGood
        }
        _ => Ending::Restarts,
    };
    let why = words.remainder("why the job fails")?.unquoted().to_owned();
    Ok(Command::Fail { name, ending, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_and_what_happened_is_not() {
        let text =
            "# Why.\n> deploy orders mode=savepoint\n   0.003  api  create orders\n\n> await orders Settled|gone\n";
        let script = parse("one", text).unwrap();
        assert_eq!(script.text(), "# Why.\n> deploy orders mode=savepoint\n\n> await orders Settled|gone\n");
        let words = vec![Word::Says("Settled".to_owned()), Word::Gone];
        let expected = Command::Await { name: "orders".to_owned(), words, within_ms: PATIENCE_MS };
        assert_eq!(script.steps.last().map(|step| &step.command), Some(&expected));
    }

    #[test]
    fn a_value_comes_into_a_list_and_goes_out_of_it() {
        for (sign, change) in [("+", lists::with("a/b".into())), ("-", lists::without("a/b".into()))] {
            let script = parse("one", &format!("> set orders metadata.finalizers{sign}=a/b\n")).unwrap();
            let patch = Arc::new(serde_json::json!({"metadata": {"finalizers": change}}));
            let expected = Command::Edit { name: "orders".to_owned(), patch };
            assert_eq!(script.steps.first().map(|step| &step.command), Some(&expected));
        }
    }

    #[test]
    fn every_command_is_read() {
        for text in [
            "world savepoint=800ms latency=1ms-30ms seed=7 in-vain=goes-on",
            "deploy orders engine=flink mode=last-state parallelism=2 ha conf restart-strategy.type=none",
            "deploy shared session engine=flink",
            "session-job a in shared mode=savepoint",
            "snapshot s of orders checkpoint backoff=2",
            "pair orders mode=savepoint abort=1m",
            "set orders spec.flinkConfiguration.\"a.b\"=\"x y\"",
            "set orders metadata.finalizers+=example.com/hold",
            "unset orders spec.restartNonce",
            "edit orders {\"spec\": {\"restartNonce\": 1}}",
            "edit-status orders {\"status\": {}}",
            "conf orders a.b=10 s",
            "delete orders force",
            "suspend orders",
            "redeploy orders 1",
            "refused set orders spec.job.parallelism=\"x\"",
            "await orders event=Submit within 3m",
            "run 12s",
            "kill orders *",
            "fail orders for-good out of memory",
            "finish orders",
            "hold ends",
            "disk-fails 30s",
            "lose newest of orders",
            "lose-node",
            "fault lost at \"host start default/orders\"",
            "fault crash before at 12400ms",
            "fault hold at revision 1017",
            "restart-controller",
            "show orders",
            "expect orders count>=1200 from=savepoint starts=1",
        ] {
            assert!(parse("one", &format!("> {text}\n")).is_ok(), "{:?}", parse("one", &format!("> {text}\n")));
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        for (text, expected) in [
            ("deploy orders\n", "one.txt:1:1: expected a command"),
            ("> launch orders\n", "one.txt:1:3: `launch` is no command"),
            ("# a\n\n> run fast\n", "one.txt:3:7: `fast` is no span of time"),
            ("> await orders\n", "one.txt:1:15: expected a word"),
            ("> show orders twice\n", "one.txt:1:15: `twice` is one word too many"),
            ("> edit orders {\"a\" 1}\n", "one.txt:1:20: the patch is no JSON"),
            ("> hold breath\n", "one.txt:1:8: `breath` is not known here"),
            ("  0.1 x\n> run 1s\n", "one.txt:1:1: nothing happens before"),
            ("> run 1s\n# why\n", "one.txt: a comment stands behind"),
            ("# why\n", "one.txt: a comment"),
            ("\n", "one.txt: there is no command"),
        ] {
            let error = parse("one", text).unwrap_err();
            assert!(error.starts_with(expected), "{error}, not {expected}");
        }
    }
}
