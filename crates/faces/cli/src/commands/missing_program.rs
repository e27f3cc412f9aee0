//! A program that is applied before its file is there: the object is made all the same, so the file is looked for.
//!
//! Only for the API of `kobel up` on this machine: to a cluster, `local:` is inside of an image.

use std::fs;
use std::path::Path;

use kobel_kubernetes::kinds::Served;
use serde_json::Value;

use super::changed_program::local;
use super::client::Session;
use super::nearby::sibling;
use super::reported::Reported;
use super::target::Target;

/// The context that `kobel up` writes.
const EMBEDDED_CONTEXT: &str = "kobel";
/// Where an application, a session job or a pair of applications names its program.
const PROGRAMS: [&str; 2] = ["/spec/job/jarURI", "/spec/template/spec/job/jarURI"];
/// Whether the program of a pair is to run.
const PAIR_STATE: &str = "/spec/template/spec/job/state";
/// Whether the program is to run; what is absent is to run.
const STATES: [&str; 2] = ["/spec/job/state", PAIR_STATE];

/// What to say of an object whose program is no file of this machine.
pub(crate) fn warning(session: &Session, served: &Served, object: &Value) -> Option<String> {
    if session.context.name() != EMBEDDED_CONTEXT || !is_this_machine(session.cluster.server()) {
        return None;
    }
    let target = Target { served: served.clone(), object: object.clone() };
    sentence(object, target.name(), &target.typed(session))
}

fn sentence(object: &Value, name: &str, words: &str) -> Option<String> {
    let uri = PROGRAMS.iter().find_map(|place| object.pointer(place)?.as_str())?;
    let path = local(uri)?;
    let what = what_is_wrong(&path)?;
    let suspended = STATES.iter().find(|place| object.pointer(place).and_then(Value::as_str) == Some("suspended"));
    let then = match suspended {
        Some(&PAIR_STATE) => format!("it must be there before `{}: running` is asked for", field(PAIR_STATE)),
        Some(_) => format!("it must be there before `kobel resume {words}`"),
        None if Reported::of(object).job_state() == Some("RUNNING") => {
            format!("`{name}` runs on as it is, and can be started again only once it is there")
        }
        None => format!("`{name}` waits until it is there, and `kobel explain {words}` tells how it is"),
    };
    let near = sibling(&path).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    Some(format!("{what}; {then}{near}"))
}

/// A place in an object as messages write it.
fn field(place: &str) -> String {
    place.trim_start_matches('/').replace('/', ".")
}

fn what_is_wrong(path: &Path) -> Option<String> {
    let shown = path.display();
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            Some(format!("`{shown}` is a directory, and a file is expected in its place"))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Some(format!("there is no file `{shown}` on this machine"))
        }
        // What this user may not see, the one of `kobel up` may.
        Ok(_) | Err(_) => None,
    }
}

/// Whether an address is one of the machine itself.
fn is_this_machine(server: &str) -> bool {
    let host = server.split_once("://").map_or(server, |(_, rest)| rest);
    ["127.", "localhost", "[::1]"].iter().any(|own| host.starts_with(own))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_told_with_what_happens_then() {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path().display().to_string();
        fs::write(directory.path().join("orders.sql"), "SELECT 1;").unwrap();
        fs::write(directory.path().join("flights.yaml"), "").unwrap();
        let job = |file: &str, state: &str| json!({"jarURI": format!("local://{here}/{file}"), "state": state});
        let waits = "`orders` waits until it is there, and `kobel explain orders -n team` tells how it is";
        for (spec, expected) in [
            (json!({"job": job("orders.sql", "running")}), None),
            (json!({}), None),
            (json!({"job": {"jarURI": "https://example.com/a.jar"}}), None),
            (
                json!({"job": job("flights.sql", "running")}),
                Some(format!("there is no file `{here}/flights.sql` on this machine; {waits}")),
            ),
            (
                json!({"template": {"spec": {"job": job("order.sql", "running")}}}),
                Some(format!(
                    "there is no file `{here}/order.sql` on this machine; {waits}; did you mean `{here}/orders.sql`?"
                )),
            ),
            (
                json!({"template": {"spec": {"job": job("flights.sql", "suspended")}}}),
                Some(format!(
                    "there is no file `{here}/flights.sql` on this machine; it must be there before \
                     `spec.template.spec.job.state: running` is asked for"
                )),
            ),
            (
                json!({"job": job("flights.sql", "suspended")}),
                Some(format!(
                    "there is no file `{here}/flights.sql` on this machine; it must be there before \
                     `kobel resume orders -n team`"
                )),
            ),
        ] {
            let object = json!({"spec": spec});
            assert_eq!(sentence(&object, "orders", "orders -n team"), expected, "{object}");
        }
        let folder = json!({"spec": {"job": {"jarURI": format!("local://{here}")}}});
        let said = sentence(&folder, "orders", "orders");
        assert!(said.as_ref().is_some_and(|said| said.contains("is a directory, and a file is expected")), "{said:?}");
    }

    #[test]
    fn what_runs_does_not_wait_for_its_program() {
        let directory = tempfile::tempdir().unwrap();
        let job = json!({"jarURI": format!("local://{}/flights.sql", directory.path().display()), "state": "running"});
        for spec in [json!({"job": job}), json!({"template": {"spec": {"job": job}}})] {
            for (state, part) in [
                ("RUNNING", "; `orders` runs on as it is, and can be started again only once it is there"),
                ("RECONCILING", "; `orders` waits until it is there, and `kobel explain o` tells how it is"),
            ] {
                let object = json!({"spec": spec, "status": {"jobStatus": {"state": state}}});
                let said = sentence(&object, "orders", "o");
                assert!(said.as_ref().is_some_and(|said| said.ends_with(part)), "{state}: {said:?}");
            }
        }
    }

    #[test]
    fn only_an_address_of_this_machine_is_one() {
        for (server, expected) in [
            ("https://127.0.0.1:6443", true),
            ("https://[::1]:6443", true),
            ("https://localhost:6443", true),
            ("https://10.0.0.1:6443", false),
            ("https://kobel.example.com", false),
        ] {
            assert_eq!(is_this_machine(server), expected, "{server}");
        }
    }
}
