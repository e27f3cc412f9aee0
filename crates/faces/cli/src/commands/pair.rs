//! A pair of deployments, of which one serves and the other may take over from it: which they are, and what a command
//! that works on a job says of the pair.

use kobel_kubernetes::objects::metadata;
use kobel_model::{Error, ErrorKind, Result};
use kobel_resources::API_VERSION;
use serde_json::Value;

use super::client::Session;
use super::target::{DEPLOYMENT, PAIR, Target};
use super::wanted::Wanted;

/// Which deployment serves, and what is under way.
pub(crate) const STATE: &str = "/status/blueGreenState";

/// The deployments of a pair that are there, the one that serves first.
pub(crate) async fn deployments(session: &Session, pair: &Target) -> Result<Vec<Target>> {
    let served = session.kinds.of_manifest(API_VERSION, DEPLOYMENT)?;
    let mut found = Vec::new();
    for colour in colours(&pair.object) {
        let name = format!("{}-{colour}", pair.name());
        if let Some(object) = session.cluster.find(served, pair.namespace(), &name).await?
            && belongs(&object, &pair.object)
        {
            found.push(Target { served: served.clone(), object });
        }
    }
    Ok(found)
}

/// The pair that a deployment belongs to. Where it cannot be read, the deployment is told of as one that has none.
pub(crate) async fn owner(session: &Session, target: &Target) -> Option<Target> {
    let name = owner_name(&target.object)?;
    let served = session.kinds.of_manifest(API_VERSION, PAIR).ok()?;
    let object = session.cluster.find(served, target.namespace(), name).await.ok()??;
    belongs(&target.object, &object).then(|| Target { served: served.clone(), object })
}

/// That a command works on jobs and not on pairs; `words` are those by which commands are told of the pair, and
/// `deployments` those for its deployments.
pub(crate) fn refusal(wanted: &Wanted<'_>, name: &str, words: &str, deployments: &[String]) -> Error {
    let (kind, hint) = match (in_template(wanted), deployments) {
        (Some(field), _) => (
            ErrorKind::Invalid,
            format!(
                "set {field} in the manifest of `{name}` and `kobel apply -f FILE`; what is done to its deployments \
                 by hand is not kept"
            ),
        ),
        (None, []) => {
            (ErrorKind::Missing, format!("it has no deployment yet; `kobel explain {words}` tells what it waits for"))
        }
        (None, [one]) => (ErrorKind::Invalid, format!("name its deployment: {}", wanted.command(one))),
        (None, [serving, others @ ..]) => {
            let others: Vec<String> = others.iter().map(|other| wanted.command(other)).collect();
            let hint = format!(
                "name one of its deployments: {} for the one that serves, or {}",
                wanted.command(serving),
                others.join(" or ")
            );
            (ErrorKind::Invalid, hint)
        }
    };
    Error::new(kind, format!("`{name}` is a FlinkBlueGreenDeployment, which has no job of its own")).with_hint(hint)
}

/// That a pair would undo at once what a command does to one of its deployments; absent if it would not.
pub(crate) fn objection(wanted: &Wanted<'_>, name: &str, pair: &str) -> Option<Error> {
    let field = in_template(wanted).filter(|_| ["suspend", "resume"].contains(&wanted.verb))?;
    let message = format!("`{name}` belongs to the FlinkBlueGreenDeployment `{pair}`, which would undo that");
    Some(
        Error::invalid(message).with_hint(format!("set {field} in the manifest of `{pair}` and `kobel apply -f FILE`")),
    )
}

/// What is lost if a deployment of a pair is deleted, of which it is known whether it serves.
pub(crate) fn loss(deployment: &Value, pair: &Value) -> Option<String> {
    let (name, of) = (metadata(deployment, "name"), metadata(pair, "name"));
    let is_leaving = pair.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
    if is_leaving || name != format!("{of}-{}", colours(pair)[0]) {
        return None;
    }
    Some(format!(
        "`{name}` serves for the FlinkBlueGreenDeployment `{of}`, which does not make it anew by itself: nothing \
         serves until `spec.template.spec.job.initialSavepointPath` in the manifest of `{of}` names a snapshot and \
         `spec.template.spec.job.savepointRedeployNonce` is another number; `kobel events {name}` tells where its \
         newest snapshot lies (`SnapshotKept`)"
    ))
}

/// What a command changes in the template of a pair rather than in one of its deployments.
fn in_template(wanted: &Wanted<'_>) -> Option<String> {
    let field = match wanted.verb {
        "suspend" => "job.state: suspended",
        "resume" => "job.state: running",
        "rescale" => return Some(format!("`spec.template.spec.job.parallelism: {}`", wanted.rest.unwrap_or("N"))),
        "restart" => return Some("`spec.template.spec.restartNonce` to another number".to_owned()),
        _ => return None,
    };
    Some(format!("`spec.template.spec.{field}`"))
}

/// The colours, that of the deployment that serves first.
fn colours(pair: &Value) -> [&'static str; 2] {
    let state = pair.pointer(STATE).and_then(Value::as_str).unwrap_or_default();
    match state {
        "ACTIVE_GREEN" | "SAVEPOINTING_GREEN" | "TRANSITIONING_TO_BLUE" => ["green", "blue"],
        _ => ["blue", "green"],
    }
}

/// Whether a deployment is one of this pair, and not one that happens to have its name.
pub(crate) fn belongs(deployment: &Value, pair: &Value) -> bool {
    let uid = metadata(pair, "uid");
    !uid.is_empty() && owners(deployment).any(|owner| owner.get("uid").and_then(Value::as_str) == Some(uid))
}

fn owner_name(deployment: &Value) -> Option<&str> {
    let pair = owners(deployment).find(|owner| owner.get("kind").and_then(Value::as_str) == Some(PAIR))?;
    pair.get("name")?.as_str()
}

fn owners(object: &Value) -> impl Iterator<Item = &Value> {
    object.pointer("/metadata/ownerReferences").and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_one_that_serves_is_named_first() {
        for (state, expected) in [
            ("INITIALIZING_BLUE", "blue"),
            ("ACTIVE_BLUE", "blue"),
            ("ACTIVE_GREEN", "green"),
            ("SAVEPOINTING_GREEN", "green"),
            ("TRANSITIONING_TO_BLUE", "green"),
            ("TRANSITIONING_TO_GREEN", "blue"),
        ] {
            assert_eq!(colours(&json!({"status": {"blueGreenState": state}}))[0], expected, "{state}");
        }
        assert_eq!(colours(&json!({})), ["blue", "green"]);
    }

    #[test]
    fn a_command_on_a_pair_is_told_how_to_be_written() {
        let deployments = ["orders-green -n team", "orders-blue -n team"].map(str::to_owned);
        for (verb, deployments, expected) in [
            (
                "logs",
                &deployments[..],
                "name one of its deployments: `kobel logs orders-green -n team` for the one that serves, or `kobel \
                 logs orders-blue -n team`",
            ),
            ("open", &deployments[..1], "name its deployment: `kobel open orders-green -n team`"),
            (
                "savepoint",
                &[],
                "it has no deployment yet; `kobel explain flinkbgdep/orders -n team` tells what it waits for",
            ),
            (
                "suspend",
                &deployments[..],
                "set `spec.template.spec.job.state: suspended` in the manifest of `orders` and `kobel apply -f FILE`; \
                 what is done to its deployments by hand is not kept",
            ),
            (
                "restart",
                &[],
                "set `spec.template.spec.restartNonce` to another number in the manifest of `orders` and `kobel apply \
                 -f FILE`; what is done to its deployments by hand is not kept",
            ),
        ] {
            let error = refusal(&Wanted::new(verb, "orders"), "orders", "flinkbgdep/orders -n team", deployments);
            assert_eq!(error.hint(), Some(expected));
            assert!(error.to_string().starts_with("`orders` is a FlinkBlueGreenDeployment"), "{error}");
        }
    }

    #[test]
    fn what_a_pair_would_undo_is_refused_with_what_to_set_instead() {
        for (verb, expected) in [
            ("suspend", Some("`spec.template.spec.job.state: suspended`")),
            ("resume", Some("`spec.template.spec.job.state: running`")),
            ("restart", None),
            ("rescale", None),
        ] {
            let error = objection(&Wanted::new(verb, "orders-blue"), "orders-blue", "orders");
            let hint = error.as_ref().and_then(Error::hint).map(str::to_owned);
            let expected =
                expected.map(|field| format!("set {field} in the manifest of `orders` and `kobel apply -f FILE`"));
            assert_eq!(hint, expected, "{verb}");
        }
        let rescale = Wanted { verb: "rescale", typed: "orders", rest: Some("4") };
        assert_eq!(in_template(&rescale).as_deref(), Some("`spec.template.spec.job.parallelism: 4`"));
    }

    #[test]
    fn whoever_deletes_the_one_that_serves_is_warned() {
        let deployment = |name: &str| json!({"metadata": {"name": name}});
        let pair = json!({"metadata": {"name": "orders"}, "status": {"blueGreenState": "ACTIVE_GREEN"}});
        let told = loss(&deployment("orders-green"), &pair).unwrap();
        assert!(told.starts_with("`orders-green` serves") && told.contains("`kobel events orders-green`"), "{told}");
        assert_eq!(loss(&deployment("orders-blue"), &pair), None);
        let mut leaving = pair.clone();
        leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(loss(&deployment("orders-green"), &leaving), None);
    }

    #[test]
    fn a_deployment_belongs_to_the_pair_that_made_it() {
        let owners = json!([{"kind": PAIR, "name": "orders", "uid": "1"}]);
        let deployment = json!({"metadata": {"name": "orders-blue", "ownerReferences": owners}});
        assert_eq!(owner_name(&deployment), Some("orders"));
        for (pair, expected) in [
            (json!({"metadata": {"name": "orders", "uid": "1"}}), true),
            (json!({"metadata": {"name": "orders", "uid": "2"}}), false),
            (json!({"metadata": {"name": "orders"}}), false),
        ] {
            assert_eq!(belongs(&deployment, &pair), expected, "{pair}");
        }
        let alone = json!({"metadata": {"name": "orders-blue"}});
        assert_eq!(owner_name(&alone), None);
        assert!(!belongs(&alone, &json!({"metadata": {"uid": "1"}})));
    }
}
