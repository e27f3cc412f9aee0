//! `kobel open`: prints the address of an application's REST API, and of its web UI where there is one.

use kobel_model::{Error, ErrorKind, Result};

use super::client::{Session, complete, print};
use super::finding;
use super::reported::Reported;
use super::wanted::Wanted;
use crate::args::inspection::OpenArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// The fact that names the address.
const REST_URL: &str = "rest-url";

/// Prints an address and reports what goes wrong.
pub(crate) fn run(arguments: &OpenArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    complete(&terminal, open(arguments, &terminal))
}

async fn open(arguments: &OpenArguments, terminal: &Terminal) -> Result<Exit> {
    let session = Session::open(&arguments.api).await?;
    let target = finding::job(&session, &Wanted::new("open", &arguments.target.typed())).await?;
    let cluster = target.cluster(&session).await?;
    let Some(address) = Reported::of(&cluster.object).fact(REST_URL) else {
        let message = format!("`{}` has no address: it does not run", cluster.name());
        return Err(Error::new(ErrorKind::Missing, message)
            .with_hint(format!("`kobel explain {}` tells what it waits for", target.typed(&session))));
    };
    print(terminal, &format!("{address}\n"))?;
    Ok(Exit::Done)
}
