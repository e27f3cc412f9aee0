//! `kobel operator`: the control loop over a cluster of Kubernetes, until somebody ends it.

use std::sync::Arc;

use kobel_controller::{Controller, Reach, Settings};
use kobel_logs::{Format, Level, Scrubber};
use kobel_model::Result;

use super::up::listen_for_the_end;
use crate::args::operator::OperatorArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// Operates until the end and reports what goes wrong.
pub(crate) fn run(arguments: &OperatorArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    let Err(error) = operate(arguments, &terminal) else { return Exit::Done };
    terminal.error(&error);
    Exit::Failed(error.kind())
}

fn operate(arguments: &OperatorArguments, terminal: &Terminal) -> Result<()> {
    let ended = listen_for_the_end()?;
    kobel_logs::start_on_stderr(Level::Info, Format::Text, Arc::new(Scrubber::new()))?;
    let settings = Settings {
        defaults: arguments.defaults.iter().cloned().collect(),
        image: arguments.image.clone(),
        reach: if arguments.by_address { Reach::Addresses } else { Reach::Services },
    };
    let controller = Controller::operate(arguments.kubeconfig.as_deref(), settings, arguments.listen)?;
    terminal.inform("operating");
    // The channel ends only with the process, so an error means the same.
    let _ = ended.recv();
    drop(controller);
    Ok(())
}
