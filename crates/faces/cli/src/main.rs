//! The `kobel` command: reads the command line, runs one command, answers with an exit code.
//!
//! Rows go to standard output and nothing else does; whatever is said to a person goes to standard error. No panic
//! reaches the person raw, and the process ends by returning from `main`, so that what is open is closed.

mod args;
mod clock;
mod collect;
mod commands;
mod exit;
mod interrupts;
mod panics;
mod terminal;

use std::ffi::OsStr;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};
use kobel_model::{Error, nearest};
use mimalloc::MiMalloc;

use crate::args::{Arguments, Command};
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help goes to standard output, a usage error to standard error; if that is closed nobody listens.
            let _ = error.print();
            let command = std::env::args_os().nth(1);
            if let Some(hint) = meant(&error, command.as_deref().and_then(OsStr::to_str)) {
                Terminal::new(Verbosity::Normal).note(&hint);
            }
            return ExitCode::from(if error.use_stderr() { Exit::Usage.code() } else { Exit::Done.code() });
        }
    };
    panics::catch_silently();
    let exit = std::panic::catch_unwind(|| dispatch(&arguments.command)).unwrap_or_else(|panic| {
        let error = Error::bug(format!("internal error: {}", panics::message(panic.as_ref())));
        Terminal::new(Verbosity::Normal).error(&error);
        Exit::Failed(error.kind())
    });
    ExitCode::from(exit.code())
}

/// What a wrong command line was probably meant to be.
fn meant(error: &clap::Error, command: Option<&str>) -> Option<String> {
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::UnknownArgument if matches!(command, Some("apply" | "diff")) => {
            let typed = text(ContextKind::InvalidArg)?;
            let is_manifest = [".yaml", ".yml", ".json"].iter().any(|ending| typed.ends_with(ending));
            (is_manifest && !typed.starts_with('-')).then(|| format!("did you mean `-f {typed}`?"))
        }
        ErrorKind::UnknownArgument if command == Some("delete") => {
            let all = text(ContextKind::InvalidArg)? == "--all";
            let list = if all { "; `kobel get KIND -o name` lists them" } else { "" };
            Some(format!("`kobel delete` takes one object at a time, or those of manifests with `-f`{list}"))
        }
        ErrorKind::MissingRequiredArgument => Some(format!("for example: `{}`", example(command?)?)),
        ErrorKind::InvalidSubcommand => match text(ContextKind::InvalidSubcommand)? {
            "list" | "ls" | "ps" => Some("`kobel get flinkdeployments` lists applications".to_owned()),
            "status" => Some("`kobel explain NAME` tells how an application is".to_owned()),
            // The parser has its own question for most of them.
            typed if error.get(ContextKind::SuggestedSubcommand).is_none() => {
                let line = Arguments::command();
                let near = nearest(
                    typed,
                    line.get_subcommands().filter(|one| !one.is_hide_set()).map(clap::Command::get_name),
                )?;
                Some(format!("did you mean `kobel {near}`?"))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The first example in the help of a command.
fn example(command: &str) -> Option<String> {
    let line = Arguments::command();
    let help = line.find_subcommand(command)?.get_after_help()?.to_string();
    help.lines().map(str::trim).find(|line| line.starts_with("kobel ")).map(str::to_owned)
}

fn dispatch(command: &Command) -> Exit {
    match command {
        Command::Run(arguments) => commands::run::run(arguments),
        Command::Runtime(arguments) => commands::runtime::run(arguments),
        Command::Up(arguments) => commands::up::run(arguments),
        Command::Operator(arguments) => commands::operator::run(arguments),
        Command::Fetch(arguments) => commands::fetch::run(arguments),
        Command::Logship(arguments) => commands::logship::run(arguments),
        Command::Apply(arguments) => commands::apply::run(arguments),
        Command::Get(arguments) => commands::get::run(arguments),
        Command::Describe(arguments) => commands::describe::run(arguments),
        Command::Delete(arguments) => commands::delete::run(arguments),
        Command::Diff(arguments) => commands::diff::run(arguments),
        Command::Down(arguments) => commands::down::run(arguments),
        Command::Suspend(arguments) => commands::suspend::run(arguments),
        Command::Resume(arguments) => commands::resume::run(arguments),
        Command::Restart(arguments) => commands::restart::run(arguments),
        Command::Rescale(arguments) => commands::rescale::run(arguments),
        Command::Savepoint(arguments) => commands::savepoint::run(arguments),
        Command::Explain(arguments) => commands::explain::run(arguments),
        Command::Logs(arguments) => commands::logs::run(arguments),
        Command::Events(arguments) => commands::events::run(arguments),
        Command::Open(arguments) => commands::open::run(arguments),
        Command::Doctor(arguments) => commands::doctor::run(arguments),
        Command::Completions(arguments) => commands::completions::run(arguments),
        Command::Flink(command) => commands::flink::run(command),
        Command::Crd => commands::crd::run(),
        Command::Token(arguments) => commands::token::run(arguments),
        Command::Version => commands::version::run(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_command_line_is_told_what_was_probably_meant() {
        for (words, expected) in [
            (["kobel", "apply", "orders.yaml"], Some("did you mean `-f orders.yaml`?")),
            (["kobel", "diff", "orders.yml"], Some("did you mean `-f orders.yml`?")),
            (["kobel", "apply", "orders"], None),
            (["kobel", "apply", "--x.yaml"], None),
            (["kobel", "status", "orders"], Some("`kobel explain NAME` tells how an application is")),
            (["kobel", "list", "orders"], Some("`kobel get flinkdeployments` lists applications")),
            (["kobel", "nonsense", "orders"], None),
            (["kobel", "gte", "orders"], Some("did you mean `kobel get`?")),
            (["kobel", "rescale", "orders"], Some("for example: `kobel rescale flights 4`")),
            (
                ["kobel", "delete", "--all"],
                Some(
                    "`kobel delete` takes one object at a time, or those of manifests with `-f`; `kobel get KIND -o \
                     name` lists them",
                ),
            ),
        ] {
            let error = Arguments::try_parse_from(words).unwrap_err();
            assert_eq!(meant(&error, words.get(1).copied()).as_deref(), expected, "{words:?}");
        }
    }
}
