//! How often the controller calls somebody about one thing.

use std::collections::BTreeMap;

use crate::call::Call;

/// The most calls about one thing in a second that are no storm, however long it lasts.
const STORM: u32 = 40;

/// How often somebody was called about one thing, second by second.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    second: i64,
    counts: BTreeMap<String, u32>,
    /// For how many seconds in a row there were too many.
    streaks: BTreeMap<String, u32>,
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
    }

    /// For how many seconds in a row there were too many calls about this.
    pub fn streak(&self, about: &str) -> u32 {
        self.streaks.get(about).copied().unwrap_or_default()
    }
}
