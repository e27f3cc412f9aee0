//! The arguments of the commands that look at what runs and change nothing.

use clap::{Args, ValueEnum};

use super::resources::ApiArguments;
use super::target::TargetArguments;

const LOGS_EXAMPLES: &str = "\
Examples:
  kobel logs flights
  kobel logs flights -f --tail 100
  kobel logs flinkdeployment/session --role taskmanager -n team
  kobel logs sessionjob/delays

With several processes, each line begins with the one that wrote it. Of each
there is what it prints, and its log. A session job has the logs of its
session cluster. `-f` ends with Ctrl-C.";

const EVENTS_EXAMPLES: &str = "\
Examples:
  kobel events
  kobel events flights -w
  kobel events sessionjob/delays -n team
  kobel events -A -o json

Events are kept for an hour, also those of what was deleted since.";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  kobel explain flights
  kobel explain sessionjob/delays -n team
  kobel explain flinkdep flights -o json
  kobel explain flinkbgdep/flights

Tells whether it runs, what is awaited and since when, what went wrong last,
and what to do.";

const OPEN_EXAMPLES: &str = "\
Examples:
  kobel open flights
  curl -s \"$(kobel open flights)/jobs/overview\"

Prints the address of Flink's REST API and of its web UI, where there is one.";

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people
    Text,
    /// As YAML
    Yaml,
    /// As JSON
    Json,
}

/// What `kobel logs` takes.
#[derive(Debug, Args)]
#[command(after_help = LOGS_EXAMPLES)]
pub(crate) struct LogsArguments {
    /// What is meant.
    #[command(flatten)]
    pub(crate) target: TargetArguments,

    /// Go on printing what is written
    #[arg(short, long)]
    pub(crate) follow: bool,

    /// Only the last N lines of each file
    #[arg(long, value_name = "N", value_parser = parse_lines)]
    pub(crate) tail: Option<usize>,

    /// Only the processes of a role: `application`, `jobmanager`, `taskmanager`, `taskmanager-1`
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

fn parse_lines(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "expected a number of lines, such as `--tail 100`".to_owned())
}

/// What `kobel events` takes.
#[derive(Debug, Args)]
#[command(after_help = EVENTS_EXAMPLES)]
pub(crate) struct EventsArguments {
    /// `NAME` or `KIND/NAME`: only the events of this object
    #[arg(value_name = "[KIND/]NAME", conflicts_with = "all_namespaces")]
    pub(crate) target: Option<String>,

    /// Its name, if only its kind stands before it
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Events of all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,

    /// Go on printing what happens
    #[arg(short, long)]
    pub(crate) watch: bool,

    /// How to print
    #[arg(short, long, value_enum, default_value_t = Form::Text)]
    pub(crate) output: Form,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

/// What `kobel explain` takes.
#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(crate) struct ExplainArguments {
    /// What is meant.
    #[command(flatten)]
    pub(crate) target: TargetArguments,

    /// How to print
    #[arg(short, long, value_enum, default_value_t = Form::Text)]
    pub(crate) output: Form,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

/// What `kobel open` takes.
#[derive(Debug, Args)]
#[command(after_help = OPEN_EXAMPLES)]
pub(crate) struct OpenArguments {
    /// What is meant.
    #[command(flatten)]
    pub(crate) target: TargetArguments,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    enum Line {
        Logs(LogsArguments),
        Events(EventsArguments),
        Explain(ExplainArguments),
        Open(OpenArguments),
    }

    #[test]
    fn what_is_no_number_of_lines_is_answered_with_one() {
        assert_eq!(parse_lines("10"), Ok(10));
        for text in ["x", "-1", ""] {
            assert!(parse_lines(text).unwrap_err().contains("`--tail 100`"), "{text}");
        }
    }

    #[test]
    fn lines_are_taken_or_refused() {
        for (line, is_taken) in [
            ("logs", false),
            ("logs a -f --tail 10 --role jobmanager -n team", true),
            ("logs a --tail all", false),
            ("events", true),
            ("events a -w -o yaml", true),
            ("events -A", true),
            ("events a -A", false),
            ("events -A -n team", false),
            ("explain", false),
            ("explain a -o json", true),
            ("explain flinkdep a -o json", true),
            ("explain flinkdep a b", false),
            ("logs sessionjob a -f", true),
            ("events flinkbgdep a -w", true),
            ("events flinkbgdep a -A", false),
            ("open flinkdep a", true),
            ("explain a -o wide", false),
            ("open a --context here", true),
        ] {
            let parsed = Line::try_parse_from(std::iter::once("kobel").chain(line.split_whitespace()));
            assert_eq!(parsed.is_ok(), is_taken, "{line}");
        }
    }
}
