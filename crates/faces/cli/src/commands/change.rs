//! What the commands have in common that change a few fields of an object and wait until that is carried out.

use std::cell::RefCell;
use std::time::Duration;

use kobel_kubernetes::objects::metadata;
use kobel_model::{Error, ErrorKind, Result};
use serde_json::Value;

use super::client::{Session, explained, print};
use super::finding;
use super::follow::Follow;
use super::interruption::{self, Interruption};
use super::reported::{REFUSED, Reported, SETTLED};
use super::settling::{Change, Goal, Step};
use super::target::Target;
use super::wanted::Wanted;
use super::withdrawal::withdrawal;
use super::{pair, stateless};
use crate::args::lifecycle::WaitArguments;
use crate::args::resources::ApiArguments;
use crate::exit::Exit;
use crate::terminal::Terminal;

/// How soon the control loop looks again at what it refused, with some time to spare.
const RENEWED_WITHIN: Duration = Duration::from_secs(13);

/// What is wanted of which object.
pub(crate) struct Order<'a> {
    /// The object, and the command it was named to.
    pub(crate) wanted: Wanted<'a>,
    pub(crate) wait: &'a WaitArguments,
    pub(crate) api: &'a ApiArguments,
    /// What the object is then: `suspended`.
    pub(crate) outcome: &'a str,
    /// What is said when nobody waits: `suspension asked for`.
    pub(crate) asked: &'a str,
    /// What is said of an object that is so before anything is done: `is suspended already`.
    pub(crate) already: &'a str,
}

/// What is done to it.
pub(crate) struct Plan {
    /// What is to come of it.
    pub(crate) goal: Goal,
    /// What is merged into the object.
    pub(crate) patch: Value,
}

impl Order<'_> {
    /// Merges what `plan` makes of the object into it, and waits until that is carried out. `plan` is also told the
    /// words by which other commands are told of the object.
    pub(crate) async fn carry_out(
        &self,
        plan: impl FnOnce(&Target, &str) -> Result<Plan>,
        terminal: &Terminal,
    ) -> Result<Exit> {
        let session = Session::open(self.api).await?;
        let mut target = finding::job(&session, &self.wanted).await?;
        if Reported::of(&target.object).leaving_since().is_some() {
            let hint =
                format!("`kobel explain {}` tells since when; apply it anew once it is gone", target.typed(&session));
            return Err(Error::invalid(format!("`{}` is being deleted", target.name())).with_hint(hint));
        }
        if let Some(pair) = pair::owner(&session, &target).await
            && let Some(error) = pair::objection(&self.wanted, target.name(), pair.name())
        {
            return Err(error);
        }
        let Plan { goal, patch } = plan(&target, &target.typed(&session))?;
        if is_there(goal, &patch, &target.object) {
            print(terminal, &format!("{} {}\n", target.shown(), self.already))?;
            return Ok(Exit::Done);
        }
        // Whoever reads along may go; what was begun is done to its end.
        terminal.drop_unread_rows();
        let (namespace, name) = (target.namespace(), target.name());
        let merged = session.cluster.merge(&target.served, namespace, name, &patch).await.map_err(explained)?;
        merged.warnings.iter().for_each(|warning| terminal.warn(warning));
        let is_unchanged = metadata(&merged.object, "resourceVersion") == metadata(&target.object, "resourceVersion");
        target.object = merged.object;
        if self.wait.no_wait {
            let word = if is_unchanged { "asked for already" } else { self.asked };
            print(terminal, &format!("{} {word}; {}\n", target.shown(), told_by(&target.typed(&session))))?;
            return Ok(Exit::Done);
        }
        let interruption = Interruption::listen();
        let words = target.typed(&session);
        let plan = Plan { goal, patch };
        let waiting = async {
            if is_unchanged {
                target.object = self.renewed(&session, &target, terminal).await?;
            }
            self.carried_out(&session, &target, &plan, terminal).await
        };
        match interruption.or(waiting).await {
            Some(outcome) => outcome,
            None => Ok(interruption::left(terminal, &format!("kobel explain {words}"))),
        }
    }

    /// Waits until what was merged is carried out.
    async fn carried_out(&self, session: &Session, target: &Target, plan: &Plan, terminal: &Terminal) -> Result<Exit> {
        let generation = Reported::of(&target.object).generation();
        let change = Change { goal: plan.goal, patch: &plan.patch, generation };
        let follow = Follow { session, target, timeout: self.wait.timeout, terminal };
        let refused = RefCell::new(None);
        let judge = |object: &Value| {
            let step = change.judge(object);
            if matches!(step, Step::Failed { .. }) && refusal(object).is_some() {
                *refused.borrow_mut() = Some(object.clone());
            }
            step
        };
        let words = target.typed(session);
        let ended = follow.until(judge).await;
        let object = ended.map_err(|error| match refused.into_inner() {
            Some(refused) => error.with_hint(stays_asked_for(&refused, &words)),
            None => error,
        })?;
        print(terminal, &format!("{} {}\n", target.shown(), self.outcome))?;
        if self.wanted.verb == "suspend"
            && !stateless::keeps_nothing(&object)
            && let Some(loss) = stateless::loss(&object)
        {
            terminal.warn(&format!("{loss}: `kobel resume {words}` starts it WITHOUT state"));
        }
        Ok(Exit::Done)
    }

    /// The object once a refusal that stood before is renewed: what it is about may have been put right since.
    async fn renewed(&self, session: &Session, target: &Target, terminal: &Terminal) -> Result<Value> {
        let Some(old) = refusal(&target.object) else { return Ok(target.object.clone()) };
        let follow = Follow { session, target, timeout: self.wait.timeout.min(RENEWED_WITHIN), terminal };
        let is_renewed = |object: &Value| match refusal(object) {
            Some(refusal) if refusal == old => Step::Going("what was refused is being looked at again".to_owned()),
            _ => Step::Done,
        };
        match follow.until(is_renewed).await {
            Err(error) if error.kind() == ErrorKind::Unavailable => Ok(target.object.clone()),
            renewed => renewed,
        }
    }
}

/// What a change was refused with.
fn refusal(object: &Value) -> Option<&str> {
    let settled = Reported::of(object).condition(SETTLED)?;
    (settled.status != "True" && settled.reason == REFUSED).then_some(settled.message)
}

/// What becomes of a change that was refused, and how it is withdrawn.
fn stays_asked_for(object: &Value, words: &str) -> String {
    format!(
        "it stays asked for and is tried again by itself; to withdraw it: {}; `kobel explain {words}` tells more",
        withdrawal(object, words)
    )
}

/// Where to see how it goes on.
fn told_by(typed: &str) -> String {
    format!("`kobel explain {typed}` tells how it goes")
}

/// Whether an object already is what is wanted, so that there is nothing to ask for.
fn is_there(goal: Goal, patch: &Value, object: &Value) -> bool {
    let generation = Reported::of(object).generation();
    Change { goal, patch, generation }.judge(object) == Step::Done
}

/// Refuses a session cluster, which has no job of its own.
pub(crate) fn job_of(target: &Target) -> Result<&Value> {
    target.object.pointer("/spec/job").filter(|_| target.has_job()).ok_or_else(|| {
        Error::invalid(format!("`{}` is a session cluster, which has no job of its own", target.name()))
            .with_hint("name one of its jobs as `sessionjob/NAME`; `kobel get flinksessionjobs -A` lists them")
    })
}

/// Whether the job is asked to be stopped.
pub(crate) fn is_suspended(target: &Target) -> bool {
    target.object.pointer("/spec/job/state").and_then(Value::as_str) == Some("suspended")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_is_refused_is_told_that_it_stays_asked_for_and_how_to_withdraw_it() {
        let recorded = json!({"spec": {"job": {"parallelism": 1}}}).to_string();
        let object = json!({
            "spec": {"job": {"parallelism": 2}},
            "status": {"reconciliationStatus": {"lastReconciledSpec": recorded}},
        });
        assert_eq!(
            stays_asked_for(&object, "orders"),
            "it stays asked for and is tried again by itself; to withdraw it: `kobel rescale orders 1`; `kobel \
             explain orders` tells more"
        );
    }

    #[test]
    fn what_already_is_so_is_not_asked_for_again() {
        let suspend = || (Goal::Suspended, json!({"spec": {"job": {"state": "suspended"}}}));
        let resume = || (Goal::Running, json!({"spec": {"job": {"state": "running"}}}));
        let rescale = |parallelism: u32| (Goal::Running, json!({"spec": {"job": {"parallelism": parallelism}}}));
        let restart = || (Goal::Running, json!({"spec": {"restartNonce": 1}}));
        for ((goal, patch), state, lifecycle, observed, expected) in [
            (suspend(), "suspended", "SUSPENDED", 2, true),
            (suspend(), "suspended", "UPGRADING", 2, false),
            (suspend(), "suspended", "STABLE", 1, false),
            (suspend(), "running", "STABLE", 2, false),
            (resume(), "running", "STABLE", 2, true),
            (resume(), "running", "FAILED", 2, false),
            (resume(), "suspended", "SUSPENDED", 2, false),
            (rescale(2), "running", "STABLE", 2, true),
            (rescale(3), "running", "STABLE", 2, false),
            (restart(), "running", "STABLE", 2, false),
        ] {
            let object = json!({
                "metadata": {"generation": 2}, "spec": {"job": {"state": state, "parallelism": 2}},
                "status": {"observedGeneration": observed, "lifecycleState": lifecycle},
            });
            assert_eq!(is_there(goal, &patch, &object), expected, "{patch} {object}");
        }
    }
}
