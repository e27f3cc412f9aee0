//! The arguments of the commands that deal with this machine: its background process, its fitness, its shell.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::lifecycle::parse_wait;
use super::resources::ApiArguments;

const DOWN_EXAMPLES: &str = "\
Examples:
  kobel up --detach
  kobel down
  kobel down --data-dir ./data

Applications go on running; the next `kobel up` finds them again. To stop
them too, suspend or delete them first.";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  kobel doctor
  kobel doctor --data-dir ./data

Exit codes: 0 nothing is wrong, warnings count as nothing; 1 something is.";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  source <(kobel completions bash)
  kobel completions zsh > ~/.zfunc/_kobel
  kobel completions fish > ~/.config/fish/completions/kobel.fish";

/// Whether `kobel up` goes to the background.
#[derive(Debug, Default, Args)]
pub(crate) struct DetachArguments {
    /// Go on in the background once it is ready; `kobel down` ends it
    #[arg(long)]
    pub(crate) detach: bool,

    /// Is the process in the background.
    #[arg(long, hide = true, conflicts_with = "detach")]
    pub(crate) detached: bool,
}

/// What `kobel down` takes.
#[derive(Debug, Args)]
#[command(after_help = DOWN_EXAMPLES)]
pub(crate) struct DownArguments {
    /// Directory that keeps everything [default: $KOBEL_DATA_DIR, $XDG_DATA_HOME/kobel, ~/.local/share/kobel]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// How long to wait for its end: a number with ms, s, min, h or d
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_wait)]
    pub(crate) timeout: Duration,
}

/// What `kobel doctor` takes.
#[derive(Debug, Args)]
#[command(after_help = DOCTOR_EXAMPLES)]
pub(crate) struct DoctorArguments {
    /// Directory that keeps everything [default: $KOBEL_DATA_DIR, $XDG_DATA_HOME/kobel, ~/.local/share/kobel]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// The API.
    #[command(flatten)]
    pub(crate) api: ApiArguments,
}

/// What `kobel completions` takes.
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct CompletionsArguments {
    /// For which shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// The shells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    enum Line {
        Up {
            /// Whether it goes to the background.
            #[command(flatten)]
            detaching: DetachArguments,
        },
        Down(DownArguments),
        Doctor(DoctorArguments),
        Completions(CompletionsArguments),
    }

    #[test]
    fn lines_are_taken_or_refused() {
        for (line, is_taken) in [
            ("up --detach", true),
            ("up --detached", true),
            ("up --detach --detached", false),
            ("down", true),
            ("down --data-dir d --timeout 5s", true),
            ("down --timeout 5", false),
            ("doctor --kubeconfig k", true),
            ("completions", false),
            ("completions zsh", true),
            ("completions tcsh", false),
        ] {
            let parsed = Line::try_parse_from(std::iter::once("kobel").chain(line.split_whitespace()));
            assert_eq!(parsed.is_ok(), is_taken, "{line}");
        }
    }
}
