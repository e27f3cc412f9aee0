//! `kobel delete`: objects by name, or those of manifests, the last first.

use std::time::Duration;

use kobel_kubernetes::kinds::Served;
use kobel_kubernetes::objects::Propagation;
use kobel_model::{Error, Result};
use serde_json::Value;

use super::client::{Session, all_or_nothing, complete, documents, print, reference};
use super::meant_kind::kind_meant;
use super::namesakes::missing_in;
use super::pair;
use super::reported::Reported;
use super::target::{DEPLOYMENT, PAIR, Target};
use crate::args::resources::DeleteArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// The command.
const VERB: &str = "delete";
/// How long `--wait` waits for each object.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// Deletes objects and reports what goes wrong.
pub(crate) fn run(arguments: &DeleteArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    complete(&terminal, delete(arguments, &terminal))
}

/// One object to delete.
struct Doomed {
    served: Served,
    namespace: Option<String>,
    name: String,
}

async fn delete(arguments: &DeleteArguments, terminal: &Terminal) -> Result<Exit> {
    let session = Session::open(&arguments.api).await?;
    let doomed = doomed(&session, arguments, terminal).await?;
    // Whoever reads along may go; what was begun is done to its end.
    terminal.drop_unread_rows();
    let mut problems = Vec::new();
    let mut waiting = Vec::new();
    for one in doomed {
        let namespace = one.namespace.as_deref();
        // What is there now is what is waited for, not what somebody creates after it.
        let before = session.cluster.find(&one.served, namespace, &one.name).await?;
        match session.cluster.delete(&one.served, namespace, &one.name, Propagation::Background).await {
            Ok(()) => {
                if let Some(object) = before.as_ref().filter(|_| one.served.kind == DEPLOYMENT)
                    && let Some(warning) = of_a_pair(&session, &one.served, object).await
                {
                    terminal.warn(&warning);
                }
                print(terminal, &format!("{} \"{}\" deleted\n", one.served.shown(), one.name))?;
                if let Some(object) = &before
                    && let Some(path) = Reported::of(object).restore_path()
                {
                    let of = object.pointer("/metadata/namespace").and_then(Value::as_str);
                    let elsewhere = of.filter(|of| *of != session.cluster.namespace());
                    let words = elsewhere.map_or_else(|| one.name.clone(), |of| format!("{} -n {of}", one.name));
                    let tells = format!("`kobel events {words}` names the newest");
                    terminal.note(&format!("its snapshots stay, such as `{path}`; {tells}"));
                }
                waiting.extend(before.map(|object| (one.served, object)));
            }
            Err(failure) if failure.is_missing() && arguments.ignore_not_found => {}
            Err(failure) => {
                let namespace = namespace.unwrap_or(&session.namespace);
                problems.push(missing_in(&session, failure, &one.served, namespace, &one.name).await);
            }
        }
    }
    if arguments.wait {
        for (served, object) in &waiting {
            session.cluster.wait_until_gone(served, object, WAIT_MAX).await?;
            if served.kind == PAIR {
                // Its deployments are deleted after it; what is still there of them now is what is left to wait for.
                let pair = Target { served: served.clone(), object: object.clone() };
                for left in pair::deployments(&session, &pair).await? {
                    session.cluster.wait_until_gone(&left.served, &left.object, WAIT_MAX).await?;
                }
            }
        }
    }
    all_or_nothing(Exit::Done, problems, terminal)
}

/// What is lost with a deployment that serves for a pair.
async fn of_a_pair(session: &Session, served: &Served, object: &Value) -> Option<String> {
    let target = Target { served: served.clone(), object: object.clone() };
    let owner = pair::owner(session, &target).await?;
    pair::loss(object, &owner.object)
}

async fn doomed(session: &Session, arguments: &DeleteArguments, terminal: &Terminal) -> Result<Vec<Doomed>> {
    let Some(kind) = &arguments.kind else {
        let asked = arguments.api.namespace.as_deref();
        let documents = documents(session, &arguments.files, asked, |_, _| Vec::new(), terminal)?;
        let doomed = documents.into_iter().rev().map(|document| Doomed {
            namespace: document.manifest.namespace,
            name: document.manifest.name,
            served: document.served,
        });
        return Ok(doomed.collect());
    };
    let (kind, name) = reference(VERB, kind, arguments.name.as_deref())?;
    let served = kind_meant(session, VERB, kind, name).await?;
    let Some(name) = name else {
        return Err(Error::invalid(format!("which `{kind}` is to be deleted"))
            .with_hint(format!("name it, as in `kobel {VERB} {kind}/NAME`; `kobel get {kind}` lists them")));
    };
    let namespace = session.namespace_of(served).map(str::to_owned);
    Ok(vec![Doomed { served: served.clone(), namespace, name: name.to_owned() }])
}
