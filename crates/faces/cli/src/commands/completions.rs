//! `kobel completions`: a script that teaches a shell to complete the commands and their options.

use clap::CommandFactory as _;

use super::client::print;
use crate::args::Arguments;
use crate::args::machine::{CompletionsArguments, Shell};
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// Prints the script.
pub(crate) fn run(arguments: &CompletionsArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    terminal.conclude(print(&terminal, &script(arguments.shell)).map(|()| Exit::Done))
}

fn script(shell: Shell) -> String {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "kobel", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_knows_the_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = script(shell);
            for word in ["kobel", "apply", "suspend", "context"] {
                assert!(script.contains(word), "{shell:?} does not know `{word}`");
            }
        }
    }
}
