//! `kobel operator`: the control loop over a cluster of Kubernetes, until somebody ends it or another operator leads.

use std::sync::Arc;

use kobel_admission::{Webhook, WebhookSettings};
use kobel_controller::{Controller, Election, Operating, Reach, Settings};
use kobel_logs::{Format, Level, Scrubber};
use kobel_model::Result;

use super::up::listen_for_the_end;
use crate::args::operator::OperatorArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// Operates until the end and reports what goes wrong.
pub(crate) fn run(arguments: &OperatorArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    terminal.conclude(operate(arguments, &terminal).map(|()| Exit::Done))
}

fn operate(arguments: &OperatorArguments, terminal: &Terminal) -> Result<()> {
    let ended = listen_for_the_end()?;
    kobel_logs::start_on_stderr(Level::Info, Format::Text, Arc::new(Scrubber::new()))?;
    let settings = Settings {
        defaults: arguments.defaults.iter().cloned().collect(),
        image: arguments.image.clone(),
        reach: if arguments.by_address { Reach::Addresses } else { Reach::Services },
    };
    let kubeconfig = arguments.kubeconfig.as_deref();
    // It answers beside one that leads as well. It ends with this function.
    let _webhook = match (arguments.webhook, arguments.webhook_service.clone()) {
        (Some(address), Some(service)) => {
            Some(Webhook::start(WebhookSettings::of(address, service, settings.defaults.clone()), kubeconfig)?)
        }
        _ => None,
    };
    let (lease, identity) = (arguments.lease.clone(), arguments.identity.clone());
    let operating = Operating {
        settings,
        namespaces: arguments.namespaces.clone(),
        listen: arguments.listen,
        election: lease.map(|lease| Election { lease, identity }),
    };
    let controller = Controller::operate(kubeconfig, operating)?;
    terminal.inform("operating");
    controller.run_until(ended)
}
