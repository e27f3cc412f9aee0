//! The start of a deployment: everything of it is made, the last word of its job manager last.
//!
//! # Order
//! What nothing else depends on is asked for and made side by side, so that a start takes few times as long as an answer.
//! The job manager is made unfinished first, since the rest needs its uid; then all that its pods need, and the note that it
//! is made; then what says that it is finished, and so lets it go on.

use futures::future::{join_all, join3};
use kobel_lifecycle::record::LAST_STATE_DUMMY;
use kobel_manifest::configuration::Configuration;
use kobel_manifest::kubernetes::{self, Start};
use kobel_manifest::launch::JobStart;
use kobel_model::deployment::{Deployment, Identity};
use kobel_model::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::book::{self, Stage};
use super::calls::{CONFIG_MAP, DEPLOYMENT, INGRESS};
use super::manager::{self, JOB_ID};
use super::{Manager, Pods, availability, is_of, lacking, text};
use crate::launching::Launching;

/// What a start finds.
enum Ground<'a> {
    /// A job manager of this uid that the same start has made.
    Made(String),
    /// No job manager. The job is one that nobody has made for certain, if it is named.
    Bare(Option<&'a str>),
}

impl Pods {
    /// Starts a deployment. It may be asked for again, and is finished then.
    ///
    /// # Errors
    /// Conflict beside another launch, or what is left of one; Unsupported if it does not run in pods; what the API refuses.
    pub(crate) async fn start(&self, deployment: &Deployment, launching: &Launching) -> Result<()> {
        let of = &deployment.identity;
        if let Some(why) = lacking::declared(deployment) {
            return Err(Error::unsupported(why));
        }
        let (restore, label) = (launching.restore.as_deref(), &launching.label);
        let job_id = label.job_id.as_deref();
        let asked = join3(self.manager(of), availability::of(&self.calls, of), self.unmade(of, job_id));
        let (found, kept, unmade) = asked.await;
        let ground = match found? {
            Manager::Theirs => {
                let message = format!("Deployment `{}/{}` belongs to somebody else", of.namespace, of.name);
                let hint = "give the FlinkDeployment another name";
                return Err(Error::new(ErrorKind::Conflict, message).with_hint(hint));
            }
            Manager::Ours(manager) => {
                let found = self.launched(of, &manager).await?;
                let is_its = (found.generation, &found.job_id) == (label.generation, &label.job_id);
                if !is_its || !manager::is_whole(&manager) {
                    return Err(another(of));
                }
                // Once there is a job manager, what is kept is its own.
                Ground::Made(text(&manager, "/metadata/uid").to_owned())
            }
            Manager::Absent => {
                self.prepare(&kept?, restore).await?;
                Ground::Bare(unmade?)
            }
        };
        let fresh = format!("{:032x}", self.surroundings.fresh());
        let start = Start {
            deployment,
            job: job_id.map(|job_id| JobStart { job_id, restore }),
            generation: label.generation,
            uid: &launching.uid,
            defaults: &self.settings.defaults,
            fresh: &fresh,
            kobel_image: &self.settings.image,
        };
        self.carry_out(&start, &ground).await
    }

    /// The job, if nobody has made it for certain.
    async fn unmade<'a>(&self, of: &Identity, job_id: Option<&'a str>) -> Result<Option<&'a str>> {
        let Some(job_id) = job_id else { return Ok(None) };
        Ok(self.is_unmade(of, job_id).await?.then_some(job_id))
    }

    /// Makes everything of a start, the job manager as it is meant to be last: whoever sees that sees a whole cluster.
    async fn carry_out(&self, start: &Start<'_>, ground: &Ground<'_>) -> Result<()> {
        let configuration = kubernetes::configuration::effective(start);
        if let Some(why) = lacking::configured(start, &configuration) {
            return Err(Error::unsupported(why));
        }
        let mut owned = kubernetes::owned_by_resource(start, &configuration);
        let Some(mut manager) = owned.pop() else { return Err(Error::bug("a cluster has no job manager")) };
        let (workers, others): (Vec<Value>, Vec<Value>) =
            owned.into_iter().partition(|object| object["kind"] == DEPLOYMENT.1);
        // One after the other: a role has to be there before it is bound.
        for object in &others {
            self.calls.apply(object).await?;
        }
        let has_ingress = others.iter().any(|object| object["kind"] == INGRESS.1);
        let uid = match ground {
            Ground::Made(uid) => uid.clone(),
            Ground::Bare(unmade) => self.begin(start, &manager, *unmade).await?,
        };
        if let Some(job) = &start.job {
            manager::annotate(&mut manager, JOB_ID, job.job_id);
        }
        let objects = kubernetes::owned_by_manager(start, &configuration, &uid);
        let made: Vec<_> = objects.iter().map(|object| self.put(object, ground)).collect();
        let cleared = async { if has_ingress { Ok(()) } else { self.clear_ingress(start, &configuration).await } };
        let (made, cleared, noted) = join3(join_all(made), cleared, self.note(start)).await;
        // All were waited for, so whatever is refused is told in the same way each time.
        made.into_iter().collect::<Result<()>>()?;
        cleared.and(noted)?;
        for object in &workers {
            self.put(object, ground).await?;
        }
        let place = (start.namespace(), start.name());
        match ground {
            Ground::Bare(_) => self.calls.change(DEPLOYMENT, place, &manager::finishing(&manager, &uid)).await,
            Ground::Made(_) => {
                manager::name(&mut manager, &uid);
                self.calls.apply(&manager).await.map(drop)
            }
        }
    }

    /// Makes a job manager without letting it run; tells its uid.
    async fn begin(&self, start: &Start<'_>, manager: &Value, unmade: Option<&str>) -> Result<String> {
        let made = self.calls.create(&manager::unfinished(manager, unmade)).await?;
        // None was there a moment ago.
        let made = made.ok_or_else(|| another(&start.deployment.identity))?;
        Ok(text(&made, "/metadata/uid").to_owned())
    }

    /// Makes an object of a start; where that was made before, most objects are there.
    async fn put(&self, object: &Value, ground: &Ground<'_>) -> Result<()> {
        match ground {
            Ground::Made(_) => self.calls.apply(object).await.map(drop),
            Ground::Bare(_) => self.calls.make(object).await,
        }
    }

    /// Writes down that the job of a start is made.
    async fn note(&self, start: &Start<'_>) -> Result<()> {
        let (Some(job), of) = (&start.job, &start.deployment.identity) else { return Ok(()) };
        book::write(&self.calls, of, &book::owner(of, start.uid), &[(job.job_id, Stage::Made)]).await
    }

    /// Removes the ingress that an earlier launch was reached by, if one is there.
    async fn clear_ingress(&self, start: &Start<'_>, configuration: &Configuration) -> Result<()> {
        if !kubernetes::ingress::is_managed(configuration) {
            return Ok(());
        }
        let found = match self.calls.get(INGRESS, start.namespace(), start.name()).await {
            // Whoever may not look at ingresses has made none.
            Err(error) if error.kind() == ErrorKind::Denied => None,
            found => found?,
        };
        match found.filter(|found| is_ingress_of(found, start.name())) {
            Some(ingress) => self.calls.delete(INGRESS, &ingress).await,
            None => Ok(()),
        }
    }

    /// Sees to it that Flink finds the metadata that it is to go on from, and no other.
    async fn prepare(&self, kept: &[Value], restore: Option<&str>) -> Result<()> {
        if restore != Some(LAST_STATE_DUMMY) {
            return self.remove(kept).await;
        }
        for map in kept {
            let graphs = availability::graphs(map);
            if graphs.is_empty() {
                continue;
            }
            // The job is submitted anew, and as it was its graph could not be read by another version.
            let gone: serde_json::Map<String, Value> = graphs.into_iter().map(|key| (key, Value::Null)).collect();
            let place = (text(map, "/metadata/namespace"), text(map, "/metadata/name"));
            self.calls.merge(CONFIG_MAP, place, &json!({ "data": gone })).await?;
        }
        Ok(())
    }
}

fn another(of: &Identity) -> Error {
    let message = format!("another launch of `{}/{}` is there, or what is left of one", of.namespace, of.name);
    Error::new(ErrorKind::Conflict, message)
}

/// Whether an ingress was made for the FlinkDeployment of this name.
fn is_ingress_of(ingress: &Value, name: &str) -> bool {
    let labels = ingress.pointer("/metadata/labels");
    let is = |key: &str, value: &str| labels.and_then(|labels| labels.get(key)).is_some_and(|found| found == value);
    is("app", name) && is("component", "ingress") && is_of(ingress, name)
}

#[cfg(test)]
mod tests;
