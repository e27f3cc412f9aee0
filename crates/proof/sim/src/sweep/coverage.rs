//! Which calls were made, and at which the controller was killed: before their effect, and after it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::call::{Call, NAMES, Port};
use crate::fault::Side;

/// How often a call of one name was made, and the controller killed at it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// How often it was made.
    pub calls: u32,
    /// At how many of these the controller was killed before the effect.
    pub before: u32,
    /// At how many after it.
    pub after: u32,
    /// How often it was killed in the middle of the effect.
    pub within: u32,
}

/// The counts of every call that there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    counts: BTreeMap<(Port, &'static str), Count>,
}

impl Default for Coverage {
    fn default() -> Self {
        Self { counts: NAMES.iter().map(|(port, name, _)| ((*port, *name), Count::default())).collect() }
    }
}

impl Coverage {
    /// Counts a call that was made.
    pub fn called(&mut self, call: &Call) {
        self.count(call).calls += 1;
    }

    /// Counts a call at which the controller was killed.
    pub fn crashed(&mut self, call: &Call, side: Side) {
        let count = self.count(call);
        match side {
            Side::Before => count.before += 1,
            Side::After => count.after += 1,
            Side::Within(_) => count.within += 1,
        }
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        for (name, more) in &other.counts {
            let count = self.counts.entry(*name).or_default();
            count.calls += more.calls;
            count.before += more.before;
            count.after += more.after;
            count.within += more.within;
        }
    }

    /// What is not covered, in words: calls of every name at which the controller was not killed on both sides.
    pub fn missing(&self) -> Vec<String> {
        let is_covered = |count: &Count| count.calls > 0 && count.before == count.calls && count.after == count.calls;
        let missing = self.counts.iter().filter(|(_, count)| !is_covered(count));
        let told = missing.map(|((port, name), Count { calls, before, after, .. })| {
            format!("{port:?} {name} is called {calls} times, killed {before} times before it and {after} after")
        });
        told.collect()
    }

    /// The counts as a table, a line for each name.
    pub fn table(&self) -> String {
        let mut table = format!("{:<48} {:>7} {:>7} {:>7} {:>7}\n", "call", "calls", "before", "after", "within");
        for ((port, name), count) in &self.counts {
            let (Count { calls, before, after, within }, name) = (*count, format!("{port:?} {name}"));
            // Writing to a string cannot fail.
            let _ = writeln!(table, "{name:<48} {calls:>7} {before:>7} {after:>7} {within:>7}");
        }
        table
    }

    fn count(&mut self, call: &Call) -> &mut Count {
        self.counts.entry((call.port, call.name)).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_killed_on_both_sides_is_missing() {
        let call = Call::of(Port::Host, "start", "default/orders").unwrap();
        let said = |coverage: &Coverage| coverage.missing().into_iter().find(|line| line.contains("Host start "));
        let mut coverage = Coverage::default();
        assert!(said(&coverage).unwrap().contains("called 0 times"));
        assert_eq!(coverage.missing().len(), NAMES.len());
        coverage.called(&call);
        assert!(said(&coverage).unwrap().ends_with("0 times before it and 0 after"));
        coverage.crashed(&call, Side::Before);
        coverage.crashed(&call, Side::Within(1));
        assert!(said(&coverage).unwrap().ends_with("1 times before it and 0 after"));
        coverage.crashed(&call, Side::After);
        assert_eq!((said(&coverage), coverage.missing().len()), (None, NAMES.len() - 1));
        let mut both = coverage.clone();
        both.add(&coverage);
        assert!(both.table().lines().any(|line| line.split_whitespace().eq(["Host", "start", "2", "2", "2", "2"])));
    }
}
