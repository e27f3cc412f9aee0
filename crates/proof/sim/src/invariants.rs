//! What must hold in every run, whatever goes wrong in it. Each invariant judges one entry of the history by what was
//! seen before it, so looking through a history costs no more than its length.

mod calls;
mod clusters;
mod order;
pub(crate) mod read;
mod seen;
mod snapshots;
mod state;
mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::broken::Broken;
use crate::entry::Happened;
use crate::world::World;

pub use seen::Seen;

/// An invariant: its name, and whether an entry keeps it after what was seen; what was seen instead if not.
pub type Invariant = (&'static str, fn(&Seen, &Happened) -> Result<(), String>);

/// Every invariant; a history is at first told to break the one that stands first.
pub const ALL: &[Invariant] = &[
    ("intent_comes_first", order::intent_comes_first),
    ("one_cluster_per_deployment", clusters::one_cluster_per_deployment),
    ("one_job_per_lineage", clusters::one_job_per_lineage),
    ("state_is_handed_over", state::state_is_handed_over),
    ("foreign_state_is_never_taken", state::foreign_state_is_never_taken),
    ("scratch_is_never_started_from", state::scratch_is_never_started_from),
    ("no_snapshot_is_lost", snapshots::no_snapshot_is_lost),
    ("no_savepoint_is_forgotten", snapshots::no_savepoint_is_forgotten),
    ("one_trigger_one_snapshot", snapshots::one_trigger_one_snapshot),
    ("declared_jobs_are_not_ended", clusters::declared_jobs_are_not_ended),
    ("nothing_is_left_behind", clusters::nothing_is_left_behind),
    ("a_reason_is_set", words::a_reason_is_set),
    ("running_is_never_claimed", words::running_is_never_claimed),
    ("observed_generation_grows", words::observed_generation_grows),
    ("finalizers_of_others_stay", order::finalizers_of_others_stay),
    ("users_fields_stay", order::users_fields_stay),
    ("no_storm", order::no_storm),
    ("no_secret_is_told", words::no_secret_is_told),
    ("names_fit", words::names_fit),
];

/// Looks through what has happened since the last look, and notes the first invariant that was broken.
pub fn check(world: &mut World) {
    while let Some(happened) = world.history.get(world.checked).map(Arc::clone) {
        if world.broken.is_none()
            && let Some((invariant, why)) = judge(&world.seen, &happened)
        {
            world.broken = Some(Broken { invariant, why, entry: world.checked, at_ms: happened.at_ms });
        }
        world.seen.note(&happened);
        world.checked += 1;
    }
}

/// The first invariant that an entry breaks, and how.
fn judge(seen: &Seen, happened: &Happened) -> Option<(&'static str, String)> {
    ALL.iter().find_map(|(name, holds)| Some((*name, holds(seen, happened).err()?)))
}
