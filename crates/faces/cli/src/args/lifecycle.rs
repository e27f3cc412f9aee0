//! The arguments of the commands that change what runs and wait until it is done.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use kobel_model::quantity::parse_duration;

use super::resources::ApiArguments;
use super::target::TargetArguments;

const SUSPEND_EXAMPLES: &str = "\
Examples:
  kobel suspend flights
  kobel suspend sessionjob/delays -n team
  kobel suspend flights --no-wait

The job is stopped as its upgrade mode says; `kobel resume` goes on from
there. With `stateless` no state is kept. Ctrl-C ends the waiting, not the
suspension.";

const RESUME_EXAMPLES: &str = "\
Examples:
  kobel resume flights
  kobel resume sessionjob/delays -n team --timeout 2min

The job goes on from its newest snapshot, unless its upgrade mode is
`stateless`. Ctrl-C ends the waiting, not the start.";

const RESTART_EXAMPLES: &str = "\
Examples:
  kobel restart flights
  kobel restart flinkdeployment/session -n team
  kobel restart sessionjob/delays --no-wait
  kobel restart flights --withdraw

The job is stopped and started again as its upgrade mode says, with the spec
as it is and its program as it is now. Ctrl-C ends the waiting, not the
restart.";

const RESCALE_EXAMPLES: &str = "\
Examples:
  kobel rescale flights 4
  kobel rescale sessionjob/delays 2 -n team

Sets `spec.job.parallelism`. Ctrl-C ends the waiting, not the change.";

const SAVEPOINT_EXAMPLES: &str = "\
Examples:
  kobel savepoint flights
  kobel savepoint flights --path file:///backup/flights
  path=$(kobel savepoint sessionjob/delays -n team)
  kobel get flinksnp

The job runs on. Where the savepoint lies goes to standard output. Deleting
the FlinkStateSnapshot that is made for it deletes its files.";

/// The most subtasks that an operator may have.
const PARALLELISM_MAX: u32 = 32_768;

/// Whether and how long a command waits for what it asked for.
#[derive(Debug, Args)]
pub(crate) struct WaitArguments {
    /// Return once the API has taken it, without waiting until it is done
    #[arg(long, conflicts_with = "timeout")]
    pub(crate) no_wait: bool,

    /// How long to wait: a number with ms, s, min, h or d
    #[arg(long, value_name = "TIME", default_value = "10min", value_parser = parse_wait)]
    pub(crate) timeout: Duration,
}

/// What `kobel suspend` takes.
#[derive(Debug, Args)]
#[command(after_help = SUSPEND_EXAMPLES)]
pub(crate) struct SuspendArguments {
    /// What is meant.
    #[command(flatten)]
    pub(crate) target: TargetArguments,

    /// How to wait.
    #[command(flatten)]
    pub(crate) wait: WaitArguments,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

/// What `kobel resume` takes.
#[derive(Debug, Args)]
#[command(after_help = RESUME_EXAMPLES)]
pub(crate) struct ResumeArguments {
    /// What is meant.
    #[command(flatten)]
    pub(crate) target: TargetArguments,

    /// How to wait.
    #[command(flatten)]
    pub(crate) wait: WaitArguments,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

/// What `kobel restart` takes.
#[derive(Debug, Args)]
#[command(after_help = RESTART_EXAMPLES)]
pub(crate) struct RestartArguments {
    /// What is meant.
    #[command(flatten)]
    pub(crate) target: TargetArguments,

    /// Take back a restart that was asked for and is not carried out
    #[arg(long)]
    pub(crate) withdraw: bool,

    /// How to wait.
    #[command(flatten)]
    pub(crate) wait: WaitArguments,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

/// What `kobel rescale` takes.
#[derive(Debug, Args)]
#[command(after_help = RESCALE_EXAMPLES, allow_missing_positional = true)]
pub(crate) struct RescaleArguments {
    /// What is meant.
    #[command(flatten)]
    pub(crate) target: TargetArguments,

    /// How many subtasks of each operator run from now on
    #[arg(value_name = "PARALLELISM", value_parser = parse_parallelism, allow_negative_numbers = true)]
    pub(crate) parallelism: u32,

    /// How to wait.
    #[command(flatten)]
    pub(crate) wait: WaitArguments,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

/// What `kobel savepoint` takes.
#[derive(Debug, Args)]
#[command(after_help = SAVEPOINT_EXAMPLES)]
pub(crate) struct SavepointArguments {
    /// What is meant.
    #[command(flatten)]
    pub(crate) target: TargetArguments,

    /// Directory for the savepoint [default: `execution.checkpointing.savepoint-dir` of the job]
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,

    /// Format of the savepoint
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,

    /// How to wait.
    #[command(flatten)]
    pub(crate) wait: WaitArguments,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

/// The formats of savepoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The same for every state backend
    Canonical,
    /// That of the state backend
    Native,
}

fn parse_parallelism(text: &str) -> Result<u32, String> {
    let read = text.parse::<u32>().ok().filter(|parallelism| (1..=PARALLELISM_MAX).contains(parallelism));
    read.ok_or_else(|| format!("expected a whole number from 1 to {PARALLELISM_MAX}"))
}

/// Reads a time to wait. A bare number would be milliseconds to Flink and seconds to most people, so it is refused.
pub(super) fn parse_wait(text: &str) -> Result<Duration, String> {
    let has_unit = text.trim_end().ends_with(|c: char| !c.is_ascii_digit());
    let read = parse_duration(text).ok().filter(|time| has_unit && !time.is_zero());
    read.ok_or_else(|| "expected a number with a unit, such as `90s` or `10min`".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    enum Line {
        Suspend(SuspendArguments),
        Resume(ResumeArguments),
        Restart(RestartArguments),
        Rescale(RescaleArguments),
        Savepoint(SavepointArguments),
    }

    fn parse(line: &str) -> Option<Line> {
        Line::try_parse_from(std::iter::once("kobel").chain(line.split_whitespace())).ok()
    }

    #[test]
    fn lines_are_taken_or_refused() {
        for (line, is_taken) in [
            ("suspend", false),
            ("suspend a", true),
            ("suspend flinkdep a", true),
            ("suspend flinkdep a b", false),
            ("suspend sessionjob/a -n team --no-wait", true),
            ("suspend a --no-wait --timeout 1s", false),
            ("resume a --timeout 2min --context here", true),
            ("resume a --timeout 2", false),
            ("restart a", true),
            ("restart a --withdraw", true),
            ("suspend a --withdraw", false),
            ("rescale a", false),
            ("rescale a 0", false),
            ("rescale a 32769", false),
            ("rescale a two", false),
            ("rescale a 32768", true),
            ("rescale a 4 --timeout 90s", true),
            ("rescale sessionjob a", false),
            ("rescale sessionjob a 4", true),
            ("rescale sessionjob a 4 5", false),
            ("savepoint a --path file:///x --format native", true),
            ("savepoint a --format full", false),
            ("savepoint flinkdep a --format native", true),
        ] {
            assert_eq!(parse(line).is_some(), is_taken, "{line}");
        }
    }

    #[test]
    fn a_wrong_parallelism_is_told_the_right_ones() {
        for line in ["rescale a -1", "rescale a 0", "rescale flinkdep a -1", "rescale flinkdep/a two"] {
            let refused = Line::try_parse_from(std::iter::once("kobel").chain(line.split_whitespace())).unwrap_err();
            assert!(refused.to_string().contains("a whole number from 1 to 32768"), "{line}: {refused}");
        }
    }

    #[test]
    fn the_parallelism_stands_last_however_the_job_is_named() {
        for (line, target, parallelism) in [
            ("rescale a 4", "a", 4),
            ("rescale flinkdep/a 4 --no-wait", "flinkdep/a", 4),
            ("rescale flinkdep a 4", "flinkdep/a", 4),
            ("rescale -n team flinkdep a 4", "flinkdep/a", 4),
        ] {
            let Some(Line::Rescale(arguments)) = parse(line) else { panic!("`{line}` is not taken") };
            assert_eq!((arguments.target.typed().as_str(), arguments.parallelism), (target, parallelism), "{line}");
        }
    }

    #[test]
    fn a_time_to_wait_has_a_unit() {
        for (text, expected) in [
            ("90s", Some(90)),
            ("10min", Some(600)),
            ("1 h", Some(3_600)),
            ("90", None),
            ("0s", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(parse_wait(text).ok(), expected.map(Duration::from_secs), "{text}");
        }
    }
}
