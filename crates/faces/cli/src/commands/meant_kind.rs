//! A kind on a command line, where the name of an object may stand instead: then the commands that mean the object.

use kobel_kubernetes::kinds::Served;
use kobel_model::{Error, Result};
use kobel_resources::API_VERSION;

use super::client::{Session, kind_of};
use super::target::{DEPLOYMENT, PAIR, SESSION_JOB, SNAPSHOT};

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
            let owners = owners(session, verb, kind).await;
            // It is known now that no application has this name, if none has.
            Err(meaning(session.kinds.named(kind).err().unwrap_or(error), &owners))
        }
        found => found,
    }
}

/// The commands that name an object that is called `word`.
async fn owners(session: &Session, verb: &str, word: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for kind in [DEPLOYMENT, SESSION_JOB, PAIR, SNAPSHOT] {
        let Ok(served) = session.kinds.of_manifest(API_VERSION, kind) else { continue };
        // Whoever may not read them is not told of them.
        if let Ok(Some(_)) = session.cluster.find(served, session.namespace_of(served), word).await {
            let short = served.short_names.first().unwrap_or(&served.singular);
            commands.push(format!("`kobel {verb} {short}/{word}{}`", session.namespace_flag()));
        }
    }
    commands
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
    use super::*;

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
