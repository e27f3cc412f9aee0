//! What the commands have in common that change a few fields of an object and wait until that is carried out.

use kobel_kubernetes::objects::metadata;
use kobel_model::{Error, Result};
use serde_json::Value;

use super::client::{Session, explained, print};
use super::follow::Follow;
use super::reported::Reported;
use super::settling::{Change, Goal};
use super::target::Target;
use crate::args::lifecycle::WaitArguments;
use crate::args::resources::ApiArguments;
use crate::exit::Exit;
use crate::terminal::Terminal;

/// What is wanted of which object.
pub(crate) struct Order<'a> {
    /// The object as it was typed.
    pub(crate) target: &'a str,
    pub(crate) wait: &'a WaitArguments,
    pub(crate) api: &'a ApiArguments,
    /// What the object is then: `suspended`.
    pub(crate) outcome: &'a str,
}

/// What is done to it.
pub(crate) struct Plan {
    /// What is to come of it.
    pub(crate) goal: Goal,
    /// What is merged into the object.
    pub(crate) patch: Value,
}

impl Order<'_> {
    /// Merges what `plan` makes of the object into it, and waits until that is carried out.
    pub(crate) async fn carry_out(
        &self,
        plan: impl FnOnce(&Target) -> Result<Plan>,
        terminal: &Terminal,
    ) -> Result<Exit> {
        let session = Session::open(self.api).await?;
        let mut target = Target::find(&session, self.target).await?;
        if Reported::of(&target.object).leaving_since().is_some() {
            return Err(Error::invalid(format!("`{}` is being deleted", target.name())));
        }
        let Plan { goal, patch } = plan(&target)?;
        // Whoever reads along may go; what was begun is done to its end.
        terminal.drop_unread_rows();
        let (namespace, name) = (target.namespace(), target.name());
        let merged = session.cluster.merge(&target.served, namespace, name, &patch).await.map_err(explained)?;
        merged.warnings.iter().for_each(|warning| terminal.warn(warning));
        let is_unchanged = metadata(&merged.object, "resourceVersion") == metadata(&target.object, "resourceVersion");
        target.object = merged.object;
        if self.wait.no_wait {
            let word = if is_unchanged { "patched (no change)" } else { "patched" };
            print(terminal, &format!("{} {word}\n", target.shown()))?;
            return Ok(Exit::Done);
        }
        let generation = Reported::of(&target.object).generation();
        let change = Change { goal, patch: &patch, generation };
        let follow = Follow { session: &session, target: &target, timeout: self.wait.timeout, terminal };
        follow.until(|object| change.judge(object)).await?;
        print(terminal, &format!("{} {}\n", target.shown(), self.outcome))?;
        Ok(Exit::Done)
    }
}

/// Refuses a session cluster, which has no job of its own.
pub(crate) fn job_of(target: &Target) -> Result<&Value> {
    target.object.pointer("/spec/job").filter(|_| target.has_job()).ok_or_else(|| {
        Error::invalid(format!("`{}` is a session cluster, which has no job of its own", target.name()))
            .with_hint("name one of its jobs; `kobel get flinksessionjobs` lists them")
    })
}

/// Whether the job is asked to be stopped.
pub(crate) fn is_suspended(target: &Target) -> bool {
    target.object.pointer("/spec/job/state").and_then(Value::as_str) == Some("suspended")
}
