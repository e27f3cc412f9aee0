//! Makes a failure smaller: fewer faults, fewer commands, milder faults, as long as the same invariant breaks.

use crate::fault::{Aim, At, Fault, Side};
use crate::script::{Script, Step};
use crate::sweep::outcome::{Case, Failure};

/// What breaks if a script awaits something that does not come.
const AWAITED: &str = "script";
/// How many runs it may take.
const RUNS_MAX: u32 = 300;

/// A failure that is as small as could be found. One that does not come again is left as it is.
pub fn shrink(failure: Failure) -> Failure {
    let mut shrinker = Shrinker { smallest: failure, runs: 0 };
    let case = shrinker.smallest.case.clone();
    if shrinker.keep(case) {
        shrinker.drop_aims();
        // With other commands a script awaits other things in vain.
        if shrinker.smallest.broken.invariant != AWAITED {
            shrinker.drop_steps();
        }
        shrinker.soften();
        // What is not needed any more may be found only now.
        shrinker.drop_aims();
    }
    shrinker.smallest
}

struct Shrinker {
    smallest: Failure,
    runs: u32,
}

impl Shrinker {
    /// Keeps a case if the same invariant breaks in it.
    fn keep(&mut self, case: Case) -> bool {
        if self.runs >= RUNS_MAX {
            return false;
        }
        self.runs += 1;
        let (broken, world) = case.judge();
        let Some(broken) = broken.filter(|broken| broken.invariant == self.smallest.broken.invariant) else {
            return false;
        };
        let run = self.smallest.run;
        self.smallest = Failure { run, ..Failure::seen(case, broken, &world) };
        true
    }

    fn drop_aims(&mut self) {
        for index in (0..self.smallest.case.aims.len()).rev() {
            let mut case = self.smallest.case.clone();
            case.aims.remove(index);
            self.keep(case);
        }
        if self.smallest.case.knobs.is_some() {
            let case = Case { knobs: None, ..self.smallest.case.clone() };
            self.keep(case);
        }
    }

    /// Leaves out stretches of commands, long ones first, from the end on.
    fn drop_steps(&mut self) {
        let mut length = self.smallest.case.script.steps.len() / 2;
        while length > 0 {
            let mut end = self.smallest.case.script.steps.len();
            while end > 0 {
                let begin = end.saturating_sub(length);
                let script = without(&self.smallest.case.script, begin, end);
                if !script.steps.is_empty() {
                    let case = Case { script, ..self.smallest.case.clone() };
                    self.keep(case);
                }
                end = begin;
            }
            length /= 2;
        }
    }

    fn soften(&mut self) {
        for index in 0..self.smallest.case.aims.len() {
            while let Some(milder) = self.smallest.case.aims.get(index).and_then(milder) {
                let mut case = self.smallest.case.clone();
                if let Some(aim) = case.aims.get_mut(index) {
                    *aim = milder;
                }
                if !self.keep(case) {
                    break;
                }
            }
        }
    }
}

/// A script without the steps from `begin` to before `end`.
fn without(script: &Script, begin: usize, end: usize) -> Script {
    let kept = script.steps.iter().enumerate().filter(|(index, _)| !(begin..end).contains(index));
    let steps: Vec<Step> = kept.map(|(_, step)| step.clone()).collect();
    Script { name: script.name.clone(), steps: steps.into() }
}

/// What goes wrong less than this.
fn milder(aim: &Aim) -> Option<Aim> {
    let fault = match &aim.fault {
        Fault::Ghost { .. } => Fault::Crash(Side::After),
        Fault::Crash(Side::Within(_)) => Fault::Crash(Side::Before),
        Fault::Crash(Side::After) | Fault::Silent(_) if is_at_a_call(aim) => Fault::Lost,
        Fault::Lost => Fault::Late { ms: 2_000 },
        _ => return None,
    };
    Some(Aim { at: aim.at.clone(), fault })
}

fn is_at_a_call(aim: &Aim) -> bool {
    matches!(aim.at, At::Call(_) | At::Nth { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_of_steps_is_left_out() {
        let script = crate::script::parse("one", "> run 1s\n> run 2s\n> run 3s\n> run 4s\n").unwrap();
        assert_eq!(without(&script, 1, 3).text(), "> run 1s\n> run 4s\n");
    }

    #[test]
    fn faults_become_milder_until_nothing_is() {
        let mut aim = Aim { at: At::Call(3), fault: Fault::Ghost { ms: 5 } };
        let mut faults = Vec::new();
        while let Some(milder) = milder(&aim) {
            faults.push(milder.fault.clone());
            aim = milder;
        }
        assert_eq!(faults, [Fault::Crash(Side::After), Fault::Lost, Fault::Late { ms: 2_000 }]);
        assert_eq!(milder(&Aim { at: At::Time(5), fault: Fault::Crash(Side::After) }), None);
    }
}
