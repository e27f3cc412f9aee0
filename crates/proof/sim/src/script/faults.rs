//! Faults and their places, read and written the same way, so that what a sweep has found can be pasted into a script.

use crate::call::{NAMES, Port};
use crate::fault::{Aim, At, Fault, Side};

use super::command::{About, Command, Place, Settings};
use super::words::{self, Word, Words};

/// The words of the ports.
const PORTS: [(&str, Port); 3] = [("api", Port::Api), ("rest", Port::Rest), ("host", Port::Host)];
/// How many digits the id of a job has.
const ID_DIGITS: usize = 32;

/// Reads a fault and its place, after the word `fault`.
pub(super) fn parse(words: &mut Words<'_>) -> Result<Command, words::Fault> {
    let fault = fault(words)?;
    let word = words.need("`at` or `now`")?;
    match word.text {
        "now" if comes_alone(&fault) => Ok(Command::Fault { fault, place: Place::Now }),
        "now" => Err(word.fault("this fault hits a call or an event; expected `at`")),
        "at" => placed(fault, words),
        other => Err(word.fault(format!("`{other}` is no place; expected `at` or `now`"))),
    }
}

/// Whether a fault comes without a call or an event that it hits.
fn comes_alone(fault: &Fault) -> bool {
    matches!(fault, Fault::Stale { .. } | Fault::Close410 | Fault::CloseWatch)
}

fn fault(words: &mut Words<'_>) -> Result<Fault, words::Fault> {
    let word = words.need("a fault")?;
    Ok(match word.text {
        "crash" => Fault::Crash(side(words)?),
        "ghost" => Fault::Ghost { ms: span(words)? },
        "lost" => Fault::Lost,
        "silent" => Fault::Silent(side(words)?),
        "refuse" => Fault::Refuse(words::number(words.need("an HTTP status")?)?),
        "conflict" => Fault::Conflict,
        "stale" => {
            let for_ms = span(words)?;
            keyword(words, "back")?;
            Fault::Stale { for_ms, back: words::number(words.need("how many revisions")?)? }
        }
        "hold" => Fault::Hold,
        "twice" => Fault::Twice,
        "late" => Fault::Late { ms: span(words)? },
        "close410" => Fault::Close410,
        "close" => Fault::CloseWatch,
        "disk" => Fault::DiskError,
        other => return Err(word.fault(format!("`{other}` is no fault"))),
    })
}

fn side(words: &mut Words<'_>) -> Result<Side, words::Fault> {
    let word = words.need("`before`, `after` or `within`")?;
    match word.text {
        "before" => Ok(Side::Before),
        "after" => Ok(Side::After),
        "within" => Ok(Side::Within(words::number(words.need("how many processes")?)?)),
        other => Err(word.fault(format!("`{other}` is no side; expected `before`, `after` or `within`"))),
    }
}

fn span(words: &mut Words<'_>) -> Result<i64, words::Fault> {
    words::span(words.need("a span of time")?)
}

fn keyword(words: &mut Words<'_>, expected: &str) -> Result<(), words::Fault> {
    let word = words.need(&format!("`{expected}`"))?;
    if word.text == expected { Ok(()) } else { Err(word.fault(format!("expected `{expected}`, not `{}`", word.text))) }
}

/// Reads the place of a fault. A time and a revision are those of the world, whenever the command is played.
fn placed(fault: Fault, words: &mut Words<'_>) -> Result<Command, words::Fault> {
    let word = words.need("a call, `call`, `event`, `revision` or a time")?;
    let place = match word.text {
        "call" => Place::Number(words::number(words.need("the number of a call")?)?),
        "event" => Place::Event(words::number(words.need("how many revisions from now on")?)?),
        "revision" => {
            let rev = words::number(words.need("a revision")?)?;
            return Ok(aimed(Aim { at: At::Event { rev }, fault }));
        }
        text if text.starts_with(|first: char| first.is_ascii_digit()) => {
            if !comes_alone(&fault) && !matches!(fault, Fault::Crash(_)) {
                return Err(word.fault("this fault hits a call or an event, and comes at no time of its own"));
            }
            return Ok(aimed(Aim { at: At::Time(words::span(word)?), fault }));
        }
        _ => call(word, words)?,
    };
    Ok(Command::Fault { fault, place })
}

fn aimed(aim: Aim) -> Command {
    Command::World(Settings { aims: vec![aim], ..Settings::default() })
}

/// A call such as `"host start default/orders"`, and `nth 2` if it is not the first.
fn call(word: Word<'_>, words: &mut Words<'_>) -> Result<Place, words::Fault> {
    let text = word.unquoted();
    let (port, rest) = text.split_once(' ').unwrap_or((text, ""));
    let port = words::one_of(Word { column: word.column, text: port }, &PORTS)?;
    let fits = |name: &&str| rest.strip_prefix(*name).is_some_and(|about| about.is_empty() || about.starts_with(' '));
    // The longest one, for one name may begin another.
    let names = NAMES.iter().filter(|known| known.0 == port).map(|known| known.1).filter(fits);
    let Some(name) = names.max_by_key(|name| name.len()) else {
        return Err(word.fault(format!("there is no call `{text}`")));
    };
    let about = rest.strip_prefix(name).unwrap_or_default().trim();
    let is_id = about.len() == ID_DIGITS && about.bytes().all(|byte| byte.is_ascii_hexdigit());
    let about = match port {
        Port::Rest if !is_id && !about.is_empty() && about != "*" => About::JobOf(about.to_owned()),
        _ => About::Exactly(about.to_owned()),
    };
    let mut ahead = *words;
    let nth = match ahead.next() {
        Some(next) if next.text == "nth" => {
            *words = ahead;
            words::number(words.need("which one, from 1")?)?
        }
        _ => 1,
    };
    Ok(Place::Call { port, name, about, nth })
}

/// An aim as a command of a script. One that counts its calls from the beginning of the run belongs before the first
/// other command; the others may stand anywhere before they come.
pub fn aim(aim: &Aim) -> String {
    let place = match &aim.at {
        At::Call(n) => format!("at call {n}"),
        At::Nth { call, nth } => format!("at \"{}\" nth {nth}", call.to_string().trim_end()),
        At::Event { rev } => format!("at revision {rev}"),
        At::Time(at_ms) => format!("at {at_ms}ms"),
    };
    format!("fault {} {place}", told(&aim.fault))
}

/// A fault in the words of a script.
pub fn told(fault: &Fault) -> String {
    match fault {
        Fault::Crash(side) => format!("crash {}", side_told(*side)),
        Fault::Ghost { ms } => format!("ghost {ms}ms"),
        Fault::Lost => "lost".to_owned(),
        Fault::Silent(side) => format!("silent {}", side_told(*side)),
        Fault::Refuse(status) => format!("refuse {status}"),
        Fault::Conflict => "conflict".to_owned(),
        Fault::Stale { for_ms, back } => format!("stale {for_ms}ms back {back}"),
        Fault::Hold => "hold".to_owned(),
        Fault::Twice => "twice".to_owned(),
        Fault::Late { ms } => format!("late {ms}ms"),
        Fault::Close410 => "close410".to_owned(),
        Fault::CloseWatch => "close".to_owned(),
        Fault::DiskError => "disk".to_owned(),
    }
}

fn side_told(side: Side) -> String {
    match side {
        Side::Before => "before".to_owned(),
        Side::After => "after".to_owned(),
        Side::Within(count) => format!("within {count}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::call::Call;

    use super::*;

    fn read(text: &str) -> Result<Command, words::Fault> {
        let mut words = Words::of(text, 1);
        let command = parse(&mut words)?;
        words.end()?;
        Ok(command)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let faults = [
            Fault::Crash(Side::Before),
            Fault::Crash(Side::Within(2)),
            Fault::Ghost { ms: 700 },
            Fault::Lost,
            Fault::Silent(Side::After),
            Fault::Refuse(503),
            Fault::Conflict,
            Fault::Stale { for_ms: 2_000, back: 3 },
            Fault::Hold,
            Fault::Twice,
            Fault::Late { ms: 5_000 },
            Fault::Close410,
            Fault::CloseWatch,
            Fault::DiskError,
        ];
        for fault in faults {
            let call = Call::of(Port::Api, "PUT flinkdeployments/status", "default/orders").unwrap();
            let written = aim(&Aim { at: At::Nth { call, nth: 2 }, fault: fault.clone() });
            let place = Place::Call {
                port: Port::Api,
                name: "PUT flinkdeployments/status",
                about: About::Exactly("default/orders".to_owned()),
                nth: 2,
            };
            assert_eq!(read(written.strip_prefix("fault ").unwrap()), Ok(Command::Fault { fault, place }), "{written}");
        }
    }

    #[test]
    fn a_fault_of_a_time_or_a_revision_is_read_as_it_was_aimed() {
        for aim in [
            Aim { at: At::Time(12_400), fault: Fault::Crash(Side::Before) },
            Aim { at: At::Time(0), fault: Fault::Close410 },
            Aim { at: At::Event { rev: 1_017 }, fault: Fault::Late { ms: 300 } },
        ] {
            let written = super::aim(&aim);
            assert_eq!(read(written.strip_prefix("fault ").unwrap()), Ok(aimed(aim)), "{written}");
        }
    }

    #[test]
    fn a_call_of_rest_is_about_the_job_of_an_object() {
        let command = read("lost at \"rest POST /jobs/:id/stop orders\"").unwrap();
        let Command::Fault { place: Place::Call { about, nth, .. }, .. } = command else { panic!("no call") };
        assert_eq!((about, nth), (About::JobOf("orders".to_owned()), 1));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_column() {
        for (text, column) in [
            ("lost", 5),
            ("lots now", 1),
            ("lost now", 6),
            ("lost at \"host restart default/orders\"", 9),
            ("lost at \"disk start\"", 9),
            ("crash now", 7),
            ("stale 2s 3 now", 10),
            ("lost at call x", 14),
            ("lost at 5s", 9),
            ("crash before at 5", 17),
            ("hold at revision", 17),
        ] {
            assert_eq!(read(text).map_err(|fault| fault.column), Err(column), "{text}");
        }
    }
}
