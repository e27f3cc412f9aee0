//! A kind on a command line, where the name of an object may stand instead: then the commands that mean the object.

use kobel_kubernetes::kinds::Served;
use kobel_model::{Error, Result};

use super::client::{Session, kind_of};
use super::namesakes::kinds_of;

/// The kind that was typed after the command `verb`.
///
/// # Errors
/// That there is no such kind; then which objects have the word as their name, if no name was typed.
pub(crate) async fn kind_meant<'a>(
    session: &'a Session,
    verb: &str,
    kind: &str,
    name: Option<&str>,
) -> Result<&'a Served> {
    match kind_of(session, verb, kind, name) {
        Err(error) if name.is_none() && !kind.trim().is_empty() => {
            let flag = session.namespace_flag();
            let kinds = kinds_of(session, &session.namespace, kind).await;
            let owners: Vec<String> = kinds.iter().map(|served| command(verb, served, kind, &flag)).collect();
            // It is known now that no application has this name, if none has.
            Err(meaning(session.kinds.named(kind).err().unwrap_or(error), &owners))
        }
        found => found,
    }
}

/// The command that means an object of a kind.
fn command(verb: &str, served: &Served, name: &str, flag: &str) -> String {
    format!("`kobel {verb} {}/{name}{flag}`", served.short())
}

fn meaning(error: Error, commands: &[String]) -> Error {
    match commands {
        [] => error,
        [one] => error.with_hint(format!("it is the name of an object: {one}")),
        several => error.with_hint(format!("several objects have this name: {}", several.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::target::Target;
    use super::*;

    #[test]
    fn a_command_names_the_kind_and_the_namespace() {
        let served = Target::deployment(serde_json::Value::Null).served;
        for (verb, flag, expected) in [
            ("delete", "", "`kobel delete flinkdep/orders`"),
            ("get", " -n team", "`kobel get flinkdep/orders -n team`"),
        ] {
            assert_eq!(command(verb, &served, "orders", flag), expected);
        }
    }

    #[test]
    fn a_name_where_a_kind_is_expected_is_told_with_its_command() {
        let told = |commands: &[&str]| {
            let commands: Vec<String> = commands.iter().map(|command| (*command).to_owned()).collect();
            meaning(Error::invalid("no kind `orders`").with_hint("it serves secrets"), &commands)
        };
        for (commands, expected) in [
            (&[] as &[&str], "it serves secrets"),
            (&["`kobel get flinkbgdep/a`"], "it is the name of an object: `kobel get flinkbgdep/a`"),
            (&["`b`", "`c`"], "several objects have this name: `b`, `c`"),
        ] {
            assert_eq!(told(commands).hint(), Some(expected));
        }
    }
}
