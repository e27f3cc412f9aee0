//! Finds the application or session job that a command works on; a pair of deployments is none, and is told apart.

use kobel_model::Result;

use super::client::Session;
use super::pair;
use super::target::{PAIR, Target};
use super::wanted::Wanted;

/// Finds the application or session job that is meant.
///
/// # Errors
/// That there is none, or that it is a pair: then how the command is written for the deployments of the pair.
pub(crate) async fn job(session: &Session, wanted: &Wanted<'_>) -> Result<Target> {
    let target = Target::find(session, wanted).await?;
    if target.served.kind != PAIR {
        return Ok(target);
    }
    let deployments = pair::deployments(session, &target).await?;
    let words: Vec<String> = deployments.iter().map(|deployment| deployment.typed(session)).collect();
    Err(pair::refusal(wanted, target.name(), &target.typed(session), &words))
}
