//! The arguments of the commands that deal with distributions of Apache Flink on this machine.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

const INSTALL_EXAMPLES: &str = "\
Examples:
  kobel flink install 2.3
  kobel flink install 1.20 2.3.0 --from pip
  kobel flink install 2.3 --mirror https://dlcdn.apache.org/flink
  kobel flink install 2.3 --from /opt/flink
  FLINK_HOME=$(kobel flink install 2.3)

The folder of each distribution goes to standard output. An installation is
whole or not there; what is installed already is not fetched again.

`--from pip` takes the Python packages through your own pip. They lack the
SQL gateway, the object stores and the examples.";

const LIST_EXAMPLES: &str = "\
Examples:
  kobel flink list
  kobel flink list -o json";

/// The commands for distributions of Apache Flink.
#[derive(Debug, Subcommand)]
pub(crate) enum FlinkCommand {
    /// Install distributions, each the newest of a line (2.3) or one release (2.3.0)
    Install(InstallArguments),
    /// Print what is installed
    List(ListArguments),
}

/// What `kobel flink install` takes.
#[derive(Debug, Args)]
#[command(after_help = INSTALL_EXAMPLES)]
pub(crate) struct InstallArguments {
    /// Lines of Flink, such as `2.3`, whose newest release is meant, or releases, such as `2.3.0`
    #[arg(value_name = "VERSION", required = true)]
    pub(crate) versions: Vec<String>,

    /// Where from: `archive`, which is Apache's, `pip`, or the path of a distribution's folder or .tgz
    #[arg(long, value_name = "SOURCE", default_value = "archive", value_parser = parse_origin)]
    pub(crate) from: Origin,

    /// Address of a mirror of Apache's archive, with the folders `flink-VERSION`
    #[arg(long, value_name = "URL")]
    pub(crate) mirror: Option<String>,

    /// Data directory [default: that of `kobel up`]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// Where a distribution is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The release archive.
    Archive,
    /// The Python packages.
    Pip,
    /// A folder or an archive of this machine.
    Path(PathBuf),
}

/// What `kobel flink list` takes.
#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub(crate) struct ListArguments {
    /// How to print
    #[arg(short, long, value_enum, default_value_t = ListOutput::Table)]
    pub(crate) output: ListOutput,

    /// Data directory [default: that of `kobel up`]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// How the list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListOutput {
    /// A table
    Table,
    /// A JSON array
    Json,
}

fn parse_origin(text: &str) -> Result<Origin, String> {
    match text {
        "" => Err("expected `archive`, `pip` or a path".to_owned()),
        "archive" => Ok(Origin::Archive),
        "pip" => Ok(Origin::Pip),
        path => Ok(Origin::Path(PathBuf::from(path))),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        command: FlinkCommand,
    }

    fn parse(line: &str) -> Option<FlinkCommand> {
        Line::try_parse_from(std::iter::once("kobel").chain(line.split_whitespace())).ok().map(|line| line.command)
    }

    #[test]
    fn lines_are_taken_or_refused() {
        for (line, is_taken) in [
            ("install", false),
            ("install 2.3", true),
            ("install 2.3 1.20 --from pip --data-dir /tmp", true),
            ("install 2.3 --mirror https://mirror.example/flink", true),
            ("list", true),
            ("list -o json", true),
            ("list -o wide", false),
            ("remove 2.3", false),
        ] {
            assert_eq!(parse(line).is_some(), is_taken, "{line}");
        }
    }

    #[test]
    fn an_origin_is_a_word_or_a_path() {
        for (text, expected) in [
            ("archive", Some(Origin::Archive)),
            ("pip", Some(Origin::Pip)),
            ("./pip", Some(Origin::Path(PathBuf::from("./pip")))),
            ("/opt/flink", Some(Origin::Path(PathBuf::from("/opt/flink")))),
            ("", None),
        ] {
            assert_eq!(parse_origin(text).ok(), expected, "{text}");
        }
        let Some(FlinkCommand::Install(install)) = parse("install 2.3") else { unreachable!() };
        assert_eq!(install.from, Origin::Archive);
    }
}
