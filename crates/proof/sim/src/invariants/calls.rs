//! How often the controller calls somebody about one thing.

use std::collections::BTreeMap;

use crate::call::{Call, Port};
use crate::entry::ObjectKey;

/// The most calls about one thing in a second that are no storm, however long it lasts.
const STORM: u32 = 40;
/// For how long the calls about an object are counted that does not change.
pub const LONG_MS: i64 = 60_000;
/// So many of them are too many. Whoever finds out whether a change fits looks four times a second, with some two calls
/// about the object: 450, and whoever waits for a snapshot of it makes 240 more. Who repeats an act without a pause to
/// speak of makes more than 1,000.
pub const LONG_STORM: u32 = 900;

/// How often somebody was called about one thing, second by second.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    second: i64,
    counts: BTreeMap<String, u32>,
    /// For how many seconds in a row there were too many.
    streaks: BTreeMap<String, u32>,
    /// How many there were about an object, and since when they are counted.
    long: BTreeMap<String, (i64, u32)>,
}

impl Calls {
    /// Takes a call in.
    pub fn note(&mut self, call: &Call, at_ms: i64) {
        let second = at_ms.div_euclid(1_000);
        if second != self.second {
            let is_next = second == self.second + 1;
            let counts = std::mem::take(&mut self.counts);
            self.streaks.retain(|about, _| is_next && counts.get(about).is_some_and(|count| *count > STORM));
            for (about, _) in counts.into_iter().filter(|(_, count)| *count > STORM) {
                *self.streaks.entry(about).or_default() += 1;
            }
            self.second = second;
        }
        if call.about.is_empty() {
            return;
        }
        match self.counts.get_mut(&call.about) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(call.about.clone(), 1);
            }
        }
        if is_about_an_object(call) {
            match self.long.get_mut(&call.about) {
                Some((since_ms, count)) if at_ms - *since_ms < LONG_MS => *count += 1,
                Some(known) => *known = (at_ms, 1),
                None => {
                    self.long.insert(call.about.clone(), (at_ms, 1));
                }
            }
        }
    }

    /// Objects of this name have changed.
    pub fn changed(&mut self, key: &ObjectKey) {
        self.long.remove(&format!("{}/{}", key.namespace, key.name));
    }

    /// How many calls about this object there were lately, since it changed.
    pub fn long(&self, about: &str, at_ms: i64) -> u32 {
        self.long.get(about).filter(|(since_ms, _)| at_ms - since_ms < LONG_MS).map_or(0, |(_, count)| *count)
    }

    /// For how many seconds in a row there were too many calls about this.
    pub fn streak(&self, about: &str) -> u32 {
        self.streaks.get(about).copied().unwrap_or_default()
    }
}

/// Whether a call is about an object: what is asked of a JobManager is about a job, and files are looked at by paths.
fn is_about_an_object(call: &Call) -> bool {
    let is_of_the_host =
        call.port == Port::Host && matches!(call.name, "observe" | "start" | "end" | "revive" | "forget");
    call.port == Port::Api || is_of_the_host
}
