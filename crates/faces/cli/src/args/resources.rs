//! The arguments of the commands that deal with resources and with the API that keeps them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::machine::DetachArguments;

const UP_EXAMPLES: &str = "\
Examples:
  kobel up
  kobel up --detach
  kobel up --data-dir ./data --listen 127.0.0.1:6443
  export KUBECONFIG=~/.local/share/kobel/kubeconfig
  kubectl get flinkdeployments

It runs until Ctrl-C, or in the background with `--detach`. Applications go
on running without it, and the next `kobel up` finds them; what they were
asked for is in the data directory. Next: `kobel apply --help`.";

const APPLY_EXAMPLES: &str = "\
Examples:
  kobel apply -f basic.yaml
  kobel apply -f manifests/ -n team
  kobel apply -f basic.yaml --dry-run
  generate | kobel apply -f -

Nothing is applied if any document is refused. It does not wait until what
is applied runs: `kobel get flinkdep` and `kobel explain NAME` tell. There
are manifests to begin with in `examples/deployments`.";

const GET_EXAMPLES: &str = "\
Examples:
  kobel get flinkdeployments
  kobel get flinkdep basic -o yaml
  kobel get flinksessionjobs -A -o wide
  kobel get flinkdep -l team=flights -w

Kinds: flinkdeployments (flinkdep), flinksessionjobs (sessionjob),
flinkstatesnapshots (flinksnp), events, secrets, and others.";

const DESCRIBE_EXAMPLES: &str = "\
Examples:
  kobel describe flinkdep basic
  kobel describe flinkdep/basic -n team";

const DELETE_EXAMPLES: &str = "\
Examples:
  kobel delete flinkdep basic
  kobel delete flinkdep/basic --wait
  kobel delete -f manifests/ --ignore-not-found

A job is canceled; its checkpoints and savepoints stay. `kobel suspend`
before it takes a last savepoint.";

const DIFF_EXAMPLES: &str = "\
Examples:
  kobel diff -f basic.yaml
  kobel diff -f manifests/ -n team

Exit codes: 0 nothing would change; 1 something would.";

const TOKEN_EXAMPLES: &str = "\
Examples:
  kobel token ann --role viewer --output ann.kubeconfig
  kobel token deploy --role operator -n team --duration 30d > deploy.kubeconfig
  KUBECONFIG=ann.kubeconfig kubectl get flinkdeployments

The role replaces the one that an earlier call gave.";

/// The shortest life of a token, in seconds.
const LIFE_MIN: u64 = 600;
/// The longest life of a token, in seconds.
const LIFE_MAX: u64 = 1 << 32;

/// Which API is asked.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ApiArguments {
    /// Kubeconfig to use [default: $KUBECONFIG, that of `kobel up`, ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig, instead of its current one
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,

    /// Namespace, instead of that of the context
    #[arg(short, long, value_name = "NAMESPACE")]
    pub(crate) namespace: Option<String>,
}

/// What `kobel up` takes.
#[derive(Debug, Args)]
#[command(after_help = UP_EXAMPLES)]
pub(crate) struct UpArguments {
    /// Directory that keeps everything [default: $KOBEL_DATA_DIR, $XDG_DATA_HOME/kobel, ~/.local/share/kobel]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Address to listen on [default: 127.0.0.1 and the port of the last time]
    #[arg(long, value_name = "IP:PORT", value_parser = parse_listen)]
    pub(crate) listen: Option<SocketAddr>,

    /// Only keep what is applied: start nothing, and report nothing of it
    #[arg(long)]
    pub(crate) api_only: bool,

    /// Whether it goes to the background.
    #[command(flatten)]
    pub(crate) detaching: DetachArguments,
}

/// Reads an address; what is no address is answered with one that is near.
fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
        // A name is not resolved: which of its addresses is meant would be left to chance.
        let host = host.parse::<Ipv4Addr>().or_else(|_| text.parse::<Ipv4Addr>()).unwrap_or(Ipv4Addr::LOCALHOST);
        let port = port.parse::<u16>().unwrap_or(8080);
        format!("expected IP:PORT, such as `{host}:{port}`; port 0 takes any free one")
    })
}

/// What `kobel apply` takes.
#[derive(Debug, Args)]
#[command(after_help = APPLY_EXAMPLES)]
pub(crate) struct ApplyArguments {
    /// Files or directories with manifests, or `-` for standard input
    #[arg(short, long = "filename", value_name = "FILE", required = true, num_args = 1..)]
    pub(crate) files: Vec<PathBuf>,

    /// Check everything, write nothing, and tell what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Take over fields that another tool has set, such as `kubectl`
    #[arg(long)]
    pub(crate) force_conflicts: bool,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

/// What `kobel get` takes.
#[derive(Debug, Args)]
#[command(after_help = GET_EXAMPLES)]
pub(crate) struct GetArguments {
    /// Kind, such as `flinkdeployments`, `flinkdep` or `flinkdep/NAME`
    #[arg(value_name = "KIND")]
    pub(crate) kind: String,

    /// Name of one object
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Objects of all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,

    /// How to print
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,

    /// Only objects with these labels: `team=flights,tier!=test`
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub(crate) selector: Option<String>,

    /// Go on printing what changes
    #[arg(short, long)]
    pub(crate) watch: bool,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

/// How objects are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A table
    Table,
    /// A table with every column
    Wide,
    /// Whole objects as YAML
    Yaml,
    /// Whole objects as JSON
    Json,
    /// Kind and name
    Name,
}

/// What `kobel describe` takes.
#[derive(Debug, Args)]
#[command(after_help = DESCRIBE_EXAMPLES)]
pub(crate) struct DescribeArguments {
    /// Kind, such as `flinkdep`, or `KIND/NAME`
    #[arg(value_name = "KIND")]
    pub(crate) kind: String,

    /// Name of the object
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

/// What `kobel delete` takes.
#[derive(Debug, Args)]
#[command(after_help = DELETE_EXAMPLES)]
pub(crate) struct DeleteArguments {
    /// Kind, such as `flinkdep`, or `KIND/NAME`
    #[arg(value_name = "KIND", required_unless_present = "files", conflicts_with = "files")]
    pub(crate) kind: Option<String>,

    /// Name of the object
    #[arg(value_name = "NAME", conflicts_with = "files")]
    pub(crate) name: Option<String>,

    /// Files or directories whose objects are deleted, the last first, or `-` for standard input
    #[arg(short, long = "filename", value_name = "FILE", num_args = 1..)]
    pub(crate) files: Vec<PathBuf>,

    /// Wait until they are gone
    #[arg(long)]
    pub(crate) wait: bool,

    /// What does not exist is as good as deleted
    #[arg(long)]
    pub(crate) ignore_not_found: bool,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

/// What `kobel diff` takes.
#[derive(Debug, Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub(crate) struct DiffArguments {
    /// Files or directories with manifests, or `-` for standard input
    #[arg(short, long = "filename", value_name = "FILE", required = true, num_args = 1..)]
    pub(crate) files: Vec<PathBuf>,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

/// What `kobel token` takes.
#[derive(Debug, Args)]
#[command(after_help = TOKEN_EXAMPLES)]
pub(crate) struct TokenArguments {
    /// Who the token is for; becomes a service account
    #[arg(value_name = "USER")]
    pub(crate) user: String,

    /// What they may do in the namespace
    #[arg(long, value_enum)]
    pub(crate) role: Role,

    /// How long the token is good: a number with s, m, h or d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_life)]
    pub(crate) duration: Duration,

    /// Write the kubeconfig to a file that only you can read, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

/// What somebody may do in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Read everything but secrets
    Viewer,
    /// Read, and change what runs
    Operator,
    /// Everything
    Admin,
}

fn parse_life(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a time from 10m to 49710d, such as `90m`, `24h` or `30d`".to_owned();
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let read = units.iter().find_map(|(unit, seconds)| {
        let number = text.strip_suffix(*unit)?;
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
        number.parse::<u64>().ok().filter(|_| is_plain)?.checked_mul(*seconds)
    });
    read.filter(|seconds| (LIFE_MIN..=LIFE_MAX).contains(seconds)).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    enum Line {
        Apply(ApplyArguments),
        Get(GetArguments),
        Delete(DeleteArguments),
        Token(TokenArguments),
        Up(UpArguments),
    }

    fn parse(line: &str) -> Option<Line> {
        Line::try_parse_from(std::iter::once("kobel").chain(line.split_whitespace())).ok()
    }

    #[test]
    fn what_is_no_address_is_answered_with_one() {
        for (text, expected) in [
            ("localhost:8080", "such as `127.0.0.1:8080`"),
            ("8081", "such as `127.0.0.1:8081`"),
            ("10.0.0.1", "such as `10.0.0.1:8080`"),
            ("10.0.0.1:99999", "such as `10.0.0.1:8080`"),
            ("foo", "such as `127.0.0.1:8080`"),
        ] {
            assert!(parse_listen(text).unwrap_err().contains(expected), "{text}: {:?}", parse_listen(text));
        }
        assert_eq!(parse_listen("[::1]:0"), Ok(SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 0))));
    }

    #[test]
    fn lines_are_taken_or_refused() {
        for (line, is_taken) in [
            ("apply", false),
            ("apply -f a.yaml", true),
            ("apply -f a.yaml b.yaml -f - -n team --dry-run", true),
            ("get", false),
            ("get flinkdep -A -n team", false),
            ("get flinkdep -o toml", false),
            ("get flinkdep a -o wide -l a=b -w", true),
            ("delete", false),
            ("delete flinkdep a --wait", true),
            ("delete flinkdep -f a.yaml", false),
            ("delete -f a.yaml", true),
            ("token ann", false),
            ("token ann --role owner", false),
            ("token ann --role viewer -n team", true),
            ("token ann --role viewer --duration 30d --output a.kubeconfig", true),
            ("token ann --role viewer --duration 9m", false),
            ("up --listen 127.0.0.1", false),
            ("up --listen 127.0.0.1:0 --data-dir d", true),
        ] {
            assert_eq!(parse(line).is_some(), is_taken, "{line}");
        }
    }

    #[test]
    fn a_life_is_a_number_with_a_unit() {
        for (text, expected) in [
            ("600s", Some(600)),
            ("90m", Some(5_400)),
            ("24h", Some(86_400)),
            ("30d", Some(2_592_000)),
            ("599s", None),
            ("49711d", None),
            ("99999999999999999999d", None),
            ("24", None),
            ("+24h", None),
            ("h", None),
        ] {
            assert_eq!(parse_life(text).ok(), expected.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn several_files_are_taken_together() {
        let Some(Line::Apply(arguments)) = parse("apply -f a.yaml b.yaml -f -") else { panic!("no apply") };
        assert_eq!(arguments.files, ["a.yaml", "b.yaml", "-"].map(PathBuf::from));
    }
}
