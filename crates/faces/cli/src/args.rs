//! The command line as types; what it means is for the commands.

pub(crate) mod flink;
pub(crate) mod inspection;
pub(crate) mod lifecycle;
pub(crate) mod machine;
pub(crate) mod operator;
pub(crate) mod pod;
pub(crate) mod resources;
pub(crate) mod target;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use self::flink::FlinkCommand;
use self::inspection::{EventsArguments, ExplainArguments, LogsArguments, OpenArguments};
use self::lifecycle::{RescaleArguments, RestartArguments, ResumeArguments, SavepointArguments, SuspendArguments};
use self::machine::{CompletionsArguments, DoctorArguments, DownArguments};
use self::operator::OperatorArguments;
use self::pod::{FetchArguments, LogshipArguments};
use self::resources::{
    ApplyArguments, DeleteArguments, DescribeArguments, DiffArguments, GetArguments, TokenArguments, UpArguments,
};

const EXAMPLES: &str = "\
Examples:
  kobel run examples/flights/delays.sql
  kobel run -e \"SELECT UPPER('hello')\"
  kobel up --detach
  kobel apply -f examples/deployments/native-sql.yaml
  kobel explain orders
  kobel run --help

`kobel run` runs a script until it ends or you stop it. `kobel up` keeps
applications running that are described in files: `kobel apply` hands them
over, `kobel get` and `kobel explain` tell how they are.";

const CRD_EXAMPLES: &str = "\
Examples:
  kobel crd | kubectl apply -f -

`kobel up` has them built in.";

const RUN_EXAMPLES: &str = "\
Examples:
  kobel run job.sql
  kobel run -e \"SELECT 1 + 1\"
  kobel run - < job.sql
  kobel run job.sql --parallelism 2 --set execution.checkpointing.interval=10s
  kobel run job.sql --recover
  kobel run job.sql --rest 8081
  kobel run job.sql --from-savepoint .kobel/savepoints/savepoint-0a1b2c-d3e4f5
  kobel run --quiet job.sql > rows.txt

Rows go to standard output, everything else to standard error.

Ctrl-C stops the running job with a savepoint and prints the command that
resumes from it; Ctrl-C again stops it at once.

Exit codes: 0 done, or stopped with a savepoint; 1 edit the script, the
options or the data; 2 wrong command line; 3 try again later; 70 a bug;
130 stopped at once.";

/// What was typed.
#[derive(Debug, Parser)]
#[command(
    name = "kobel",
    version,
    about = "Run Apache Flink applications: SQL on an engine of its own, JARs and Python on Flink"
)]
#[command(after_help = EXAMPLES, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Which command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the statements of a Flink SQL script, one after the other
    Run(RunArguments),
    /// Run one application for a controller; `kobel up` starts this
    #[command(hide = true)]
    Runtime(RuntimeArguments),
    /// Start what keeps applications running on this machine, and the API that `kubectl` can use, too
    Up(UpArguments),
    /// Run applications as pods of a Kubernetes cluster; it is not complete yet
    #[command(hide = true)]
    Operator(OperatorArguments),
    /// Fetch a program to a file; the pods of the operator start this before Flink
    #[command(hide = true)]
    Fetch(FetchArguments),
    /// Ship the logs of a pod; the pods of the operator start this beside Flink
    #[command(hide = true)]
    Logship(LogshipArguments),
    /// Stop the `kobel up` in the background; applications go on running
    Down(DownArguments),
    /// Create or change what manifests describe, such as applications
    Apply(ApplyArguments),
    /// List applications and other objects, or print them whole
    Get(GetArguments),
    /// Print everything about one object: its fields, its conditions, its events
    Describe(DescribeArguments),
    /// Delete applications and other objects; what runs is stopped
    Delete(DeleteArguments),
    /// Print what `kobel apply` would change, and change nothing
    Diff(DiffArguments),
    /// Stop a job and keep its state
    Suspend(SuspendArguments),
    /// Start a suspended job from where it stopped
    Resume(ResumeArguments),
    /// Stop a job or a session cluster and start it again, after its program has changed for instance
    Restart(RestartArguments),
    /// Change the parallelism of a job
    Rescale(RescaleArguments),
    /// Take a savepoint of a running job and print where it lies
    Savepoint(SavepointArguments),
    /// Tell how an application is, what it waits for, and what to do
    Explain(ExplainArguments),
    /// Print what the processes of an application write
    Logs(LogsArguments),
    /// Print what happened to an object, or to all of them
    Events(EventsArguments),
    /// Print the address of an application's REST API and web UI
    Open(OpenArguments),
    /// Check whether this machine has what is needed, and tell what to do if not
    Doctor(DoctorArguments),
    /// Print a script that lets your shell complete these commands
    Completions(CompletionsArguments),
    /// Install distributions of Apache Flink, or list them
    #[command(subcommand, after_help = "Examples:\n  kobel flink install 2.3 --from pip\n  kobel flink list")]
    Flink(FlinkCommand),
    /// Print the CustomResourceDefinitions, to install them in a Kubernetes cluster
    #[command(after_help = CRD_EXAMPLES)]
    Crd,
    /// Let somebody else into a namespace: print a kubeconfig for them
    Token(TokenArguments),
    /// Print the version
    #[command(after_help = "Examples:\n  kobel version\n  kobel --version")]
    Version,
}

/// What `kobel run` takes.
#[derive(Debug, Default, Args)]
#[command(about = "Run the statements of a Flink SQL script, one after the other")]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunArguments {
    /// File with the script, or `-` for standard input
    #[arg(value_name = "SCRIPT", required_unless_present = "sql")]
    pub(crate) script: Option<PathBuf>,

    /// The script itself, instead of a file
    #[arg(short = 'e', long, value_name = "SQL", conflicts_with = "script", allow_hyphen_values = true)]
    pub(crate) sql: Option<String>,

    /// Start from a savepoint, or from a checkpoint (a directory `chk-…`)
    #[arg(long, value_name = "DIR", conflicts_with = "recover")]
    pub(crate) from_savepoint: Option<PathBuf>,

    /// Start from the last snapshot that the script's last run took, or from the beginning if there is none
    #[arg(long)]
    pub(crate) recover: bool,

    /// Set an option; it wins over every `SET` of the same option in the script
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = parse_setting)]
    pub(crate) settings: Vec<(String, String)>,

    /// Run N subtasks of each operator; the same as `--set parallelism.default=N`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=32768))]
    pub(crate) parallelism: Option<u32>,

    /// The engine that runs the jobs; the same as `--set kobel.engine=…`
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub(crate) engine: Option<Engine>,

    /// Answer Flink's REST API on this port while the script runs; the same as `--set rest.port=PORT`
    ///
    /// With a host, `--set rest.bind-address=HOST` as well. Port 0 takes any free port.
    #[arg(long, value_name = "[HOST:]PORT", value_parser = parse_address)]
    pub(crate) rest: Option<(Option<String>, u16)>,

    /// Show no progress and no notes; rows, errors and the place of a savepoint remain
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Leave behind state of the snapshot that no operator of the script claims
    #[arg(long)]
    pub(crate) allow_non_restored_state: bool,

    /// For whom the script runs
    #[arg(skip)]
    pub(crate) role: Role,

    /// Nothing runs; it is only found out whether the script can go on from this snapshot
    #[arg(skip)]
    pub(crate) check: Option<Option<PathBuf>>,
}

/// For whom a script runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// For a person, who may stop it with a savepoint.
    #[default]
    Person,
    /// For a controller, which asks over REST for what it wants and only ends the process by a signal.
    Application,
}

/// What `kobel runtime` takes.
#[derive(Debug, Args)]
pub(crate) struct RuntimeArguments {
    /// File with the script
    #[arg(long, value_name = "FILE")]
    pub(crate) script: PathBuf,

    /// File with the configuration: a JSON object of texts
    #[arg(long, value_name = "FILE")]
    pub(crate) configuration: PathBuf,

    /// Run nothing, and find out whether the script can be run, and go on from this snapshot if one is named
    #[arg(long, value_name = "SNAPSHOT", num_args = 0..=1)]
    pub(crate) check: Option<Option<PathBuf>>,
}

/// The engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// Kobel's own engine, in this process
    Native,
    /// Apache Flink: not in this version; `kobel apply` runs applications on it
    Flink,
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, such as `parallelism.default=2`".to_owned()),
    }
}

fn parse_address(text: &str) -> Result<(Option<String>, u16), String> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (Some(host.trim_start_matches('[').trim_end_matches(']').to_owned()), port),
        None => (None, text),
    };
    let wrong = || "expected a port or HOST:PORT, such as `8081` or `127.0.0.1:8081`".to_owned();
    if host.as_ref().is_some_and(String::is_empty) {
        return Err(wrong());
    }
    port.parse().map(|port| (host, port)).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        fn look(command: &clap::Command) {
            for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
                let after = inner.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(after.starts_with("Examples:\n"), "{}: {after}", inner.get_name());
                look(inner);
            }
        }
        look(&Arguments::command());
    }

    #[test]
    fn a_setting_is_a_key_and_a_value() {
        for (text, expected) in [
            ("a.b=c", Some(("a.b", "c"))),
            (" a = b=c", Some(("a", " b=c"))),
            ("a=", Some(("a", ""))),
            ("a", None),
            ("=b", None),
        ] {
            let parsed = parse_setting(text).ok();
            assert_eq!(parsed.as_ref().map(|(key, value)| (key.as_str(), value.as_str())), expected, "{text}");
        }
    }

    #[test]
    fn an_address_is_a_port_with_or_without_a_host() {
        for (text, expected) in [
            ("8081", Some((None, 8081))),
            ("localhost:0", Some((Some("localhost"), 0))),
            ("[::1]:80", Some((Some("::1"), 80))),
            (":80", None),
            ("70000", None),
            ("localhost", None),
        ] {
            let parsed = parse_address(text).ok();
            assert_eq!(parsed.as_ref().map(|(host, port)| (host.as_deref(), *port)), expected, "{text}");
        }
    }
}
