//! Spreads runs over threads. Each run is on one thread alone, and what comes of them is put together in the order of
//! the runs, so nothing depends on the threads.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};

use super::outcome::Sweep;
use crate::script::Script;

/// After how many scripts that fail no other is begun. What fails often lasts until its time is up.
const FAILED_MAX: usize = 3;
/// The stack of a thread: futures are large where they are not optimised.
const STACK: usize = 32 << 20;

/// Sweeps over scripts. The first failure is the same however many threads there are, because whatever stands before
/// something that was begun was begun as well.
pub fn over(scripts: &[Script], sweep: impl Fn(&Script) -> Sweep + Sync) -> Sweep {
    let failed = AtomicUsize::new(0);
    let swept = spread(scripts.len(), |index| {
        if failed.load(Ordering::Relaxed) >= FAILED_MAX {
            return None;
        }
        let found = scripts.get(index).map(&sweep)?;
        if !found.failures.is_empty() {
            failed.fetch_add(1, Ordering::Relaxed);
        }
        Some(found)
    });
    let mut all = Sweep::default();
    swept.into_iter().flatten().for_each(|found| all.add(found));
    all
}

/// Does the pieces of work 0 to `count`, and gives what came of them in this order.
pub fn spread<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(count.max(1));
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, work(index)));
        }
    };
    let mut done = thread::scope(|scope| {
        let spawn = |_| Builder::new().stack_size(STACK).spawn_scoped(scope, take).ok();
        let spawned: Vec<_> = (0..threads).filter_map(spawn).collect();
        // Where no thread can be made, this one does it all.
        let mut done = if spawned.is_empty() { take() } else { Vec::new() };
        for thread in spawned {
            done.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::broken::Broken;
    use crate::sweep::outcome::{Case, Failure};

    #[test]
    fn results_come_in_the_order_of_the_work() {
        let doubled = spread(1_000, |index| index * 2);
        assert_eq!(doubled, (0..1_000).map(|index| index * 2).collect::<Vec<_>>());
        assert!(spread(0, |index| index).is_empty());
    }

    #[test]
    fn the_first_failure_is_that_of_the_first_script_and_the_last_scripts_are_not_begun() {
        let script = |index: usize| Script { name: index.to_string(), steps: Arc::new([]) };
        let scripts: Vec<Script> = (0..500).map(script).collect();
        let swept = over(&scripts, |script| {
            let broken = Broken { invariant: "x", why: String::new(), entry: 0, at_ms: 0 };
            let failure = Failure { case: Case::of(script), broken, before: Vec::new(), run: 1 };
            Sweep { runs: 1, failures: vec![failure], ..Sweep::default() }
        });
        assert_eq!(swept.failures[0].case.script.name, "0");
        assert!(swept.runs < 500, "{} runs", swept.runs);
    }
}
