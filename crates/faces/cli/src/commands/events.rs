//! `kobel events`: what happened to an object, to those of a namespace, or to all; with `-w` what happens next.
//!
//! Events outlive their object for a while, so they are told of an object that is gone, too.

use jiff::Timestamp;
use kobel_kubernetes::context::yaml;
use kobel_kubernetes::objects::{Selection, metadata, seen};
use kobel_kubernetes::watch::{Shape, Watch};
use kobel_model::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::age::age;
use super::chronology;
use super::client::{Session, complete, print, reference};
use super::columns::Columns;
use super::target::Target;
use super::wanted::Wanted;
use crate::args::inspection::{EventsArguments, Form};
use crate::args::target::joined;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// The command.
const VERB: &str = "events";

/// Prints events and reports what goes wrong.
pub(crate) fn run(arguments: &EventsArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    complete(&terminal, events(arguments, &terminal))
}

async fn events(arguments: &EventsArguments, terminal: &Terminal) -> Result<Exit> {
    let session = Session::open(&arguments.api).await?;
    let served = session.kinds.of_manifest("v1", "Event")?;
    let typed = arguments.target.as_deref().map(|target| joined(target, arguments.name.as_deref()));
    let Meant { selection, absence } = meant(&session, arguments, typed.as_deref()).await?;
    let mut list = session.cluster.list(served, &selection).await?;
    let version = metadata(&list, "resourceVersion").to_owned();
    let mut found = match list.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    chronology::sort(&mut found);
    if let Some(absence) = absence {
        terminal.note(&afterlife(absence, &found)?);
    }
    if found.is_empty() && !arguments.watch && arguments.output == Form::Text {
        terminal.say(&nothing(&selection));
        return Ok(Exit::Done);
    }
    let mut page = Page { columns: Columns::default(), arguments };
    print(terminal, &page.first(&found, Timestamp::now())?)?;
    if !arguments.watch {
        return Ok(Exit::Done);
    }
    let mut watch = Watch::after(&session.cluster, served, selection, Shape::Objects, &version);
    loop {
        let change = watch.next().await?;
        // An event that is forgotten after its time is no event.
        if change.kind != "DELETED" {
            print(terminal, &page.next(&change.object, Timestamp::now())?)?;
        }
    }
}

/// Which events are meant.
struct Meant {
    selection: Selection,
    /// That the object is not there.
    absence: Option<Error>,
}

async fn meant(session: &Session, arguments: &EventsArguments, typed: Option<&str>) -> Result<Meant> {
    let Some(typed) = typed else {
        let namespace = (!arguments.all_namespaces).then(|| session.namespace.clone());
        return Ok(Meant { selection: Selection { namespace, ..Selection::default() }, absence: None });
    };
    // Events of objects without a namespace stand in `default`.
    let selection = |namespace: Option<&str>, fields: String| Selection {
        namespace: Some(namespace.unwrap_or("default").to_owned()),
        labels: None,
        fields: Some(fields),
    };
    match Target::of_any_kind(session, &Wanted::new(VERB, typed)).await {
        Ok(target) => {
            let uid = metadata(&target.object, "uid");
            let fields = format!("involvedObject.name={},involvedObject.uid={uid}", target.name());
            Ok(Meant { selection: selection(target.namespace(), fields), absence: None })
        }
        Err(error) if error.kind() == ErrorKind::Missing => {
            let selection = match reference(VERB, typed, None)? {
                (kind, Some(name)) => {
                    let served = session.kinds.named(kind)?;
                    let fields = format!("involvedObject.kind={},involvedObject.name={name}", served.kind);
                    selection(session.namespace_of(served), fields)
                }
                (name, None) => selection(Some(&session.namespace), format!("involvedObject.name={name}")),
            };
            Ok(Meant { selection, absence: Some(error) })
        }
        Err(error) => Err(error),
    }
}

/// Whose events they are, if not those of what was named.
const WHOSE: &str = "these are events of another kind of object with that name, or of one that is gone";

/// What is said of an object that is not there; without a trace of it, that is the error.
fn afterlife(absence: Error, events: &[Value]) -> Result<String> {
    if events.is_empty() { Err(absence) } else { Ok(format!("{absence}; {WHOSE}")) }
}

fn nothing(selection: &Selection) -> String {
    match (&selection.fields, &selection.namespace) {
        (Some(_), _) => "No events found for it; they are kept for a while only.".to_owned(),
        (None, Some(namespace)) => format!("No events found in {namespace} namespace."),
        (None, None) => "No events found".to_owned(),
    }
}

/// Events as they are printed, one after the other.
struct Page<'a> {
    columns: Columns,
    arguments: &'a EventsArguments,
}

impl Page<'_> {
    /// What is there at the beginning.
    fn first(&mut self, events: &[Value], now: Timestamp) -> Result<String> {
        match self.arguments.output {
            Form::Text => {
                let mut rows = vec![self.header()];
                rows.extend(events.iter().map(|event| self.row(event, now)));
                Ok(self.columns.whole_lines(&rows))
            }
            _ if self.arguments.watch => {
                let mut text = String::new();
                for event in events {
                    text.push_str(&self.next(event, now)?);
                }
                Ok(text)
            }
            form => whole(
                form,
                &json!({"apiVersion": "v1", "items": events, "kind": "List", "metadata": {"resourceVersion": ""}}),
            ),
        }
    }

    /// One more.
    fn next(&mut self, event: &Value, now: Timestamp) -> Result<String> {
        match self.arguments.output {
            Form::Text => {
                let row = self.row(event, now);
                Ok(self.columns.whole_lines(&[row]))
            }
            Form::Yaml => Ok(format!("---\n{}", whole(Form::Yaml, event)?)),
            Form::Json => whole(Form::Json, event),
        }
    }

    fn header(&self) -> Vec<String> {
        let namespace = self.arguments.all_namespaces.then_some("NAMESPACE");
        let names = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
        namespace.into_iter().chain(names).map(str::to_owned).collect()
    }

    fn row(&self, event: &Value, now: Timestamp) -> Vec<String> {
        let text = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let namespace = self.arguments.all_namespaces.then(|| text("/metadata/namespace").to_owned());
        let object = format!("{}/{}", text("/involvedObject/kind").to_lowercase(), text("/involvedObject/name"));
        let cells = [
            last_seen(event, now),
            text("/type").to_owned(),
            text("/reason").to_owned(),
            object,
            text("/message").to_owned(),
        ];
        namespace.into_iter().chain(cells).collect()
    }
}

/// `5s`, or `5s (x3 over 2m)` of what happened more than once.
fn last_seen(event: &Value, now: Timestamp) -> String {
    let last = age(seen(event), now);
    let count = event.get("count").and_then(Value::as_i64).unwrap_or(1);
    match event.get("firstTimestamp").and_then(Value::as_str) {
        Some(first) if count > 1 => format!("{last} (x{count} over {})", age(first, now)),
        _ => last,
    }
}

fn whole(form: Form, value: &Value) -> Result<String> {
    let mut text = match form {
        Form::Yaml => yaml(value)?,
        _ => serde_json::to_string_pretty(value).map_err(|error| Error::bug("cannot write JSON").with_source(error))?,
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::resources::ApiArguments;

    fn arguments(output: Form) -> EventsArguments {
        EventsArguments {
            target: None,
            name: None,
            all_namespaces: false,
            watch: true,
            output,
            api: ApiArguments::default(),
        }
    }

    fn event() -> Value {
        json!({
            "kind": "Event", "type": "Warning", "reason": "SavepointError", "message": "disk full", "count": 3,
            "metadata": {"namespace": "team"}, "involvedObject": {"kind": "FlinkDeployment", "name": "flights"},
            "firstTimestamp": "2026-01-01T23:58:00Z", "lastTimestamp": "2026-01-01T23:59:55Z",
        })
    }

    fn page(arguments: &EventsArguments) -> Page<'_> {
        Page { columns: Columns::default(), arguments }
    }

    #[test]
    fn a_table_tells_when_what_and_of_which_object() {
        let now = "2026-01-02T00:00:00Z".parse().unwrap();
        let mut arguments = arguments(Form::Text);
        let expected = "\
LAST SEEN       TYPE      REASON           OBJECT                    MESSAGE
5s (x3 over 2m)   Warning   SavepointError   flinkdeployment/flights   disk full
";
        let printed = page(&arguments).first(&[event()], now).unwrap();
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&printed), squeezed(expected));
        assert_eq!(printed.lines().count(), 2);
        arguments.all_namespaces = true;
        let printed = page(&arguments).first(&[event()], now).unwrap();
        assert!(printed.starts_with("NAMESPACE") && printed.contains("\nteam "), "{printed}");
    }

    #[test]
    fn the_whole_message_of_an_event_is_told() {
        let now = "2026-01-02T00:00:00Z".parse().unwrap();
        let mut event = event();
        event["message"] = "the savepoint failed: it said:\n  disk full\n  no room; `a-blue` goes on serving".into();
        let arguments = arguments(Form::Text);
        for printed in [page(&arguments).first(std::slice::from_ref(&event), now), page(&arguments).next(&event, now)] {
            let printed = printed.unwrap();
            let end = "it said:\n      disk full\n      no room; `a-blue` goes on serving\n";
            assert!(printed.ends_with(end), "{printed}");
        }
    }

    #[test]
    fn the_events_of_what_is_gone_are_told_with_a_note() {
        let absence = || Error::new(ErrorKind::Missing, "there is no FlinkDeployment `flights`");
        let note = afterlife(absence(), &[event()]).unwrap();
        assert_eq!(note, format!("there is no FlinkDeployment `flights`; {WHOSE}"));
        assert_eq!(afterlife(absence(), &[]).unwrap_err().kind(), ErrorKind::Missing);
    }

    #[test]
    fn a_watched_page_is_documents_one_after_the_other() {
        let now = Timestamp::UNIX_EPOCH;
        let yaml = page(&arguments(Form::Yaml)).first(&[event(), event()], now).unwrap();
        assert_eq!(yaml.matches("---\n").count(), 2, "{yaml}");
        let json = page(&arguments(Form::Json)).next(&event(), now).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), event());
    }
}
