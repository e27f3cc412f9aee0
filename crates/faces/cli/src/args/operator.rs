//! What `kobel operator` takes.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use kobel_controller::LeaseName;

/// What `kobel operator` takes.
#[derive(Debug, Args)]
pub(crate) struct OperatorArguments {
    /// File that says where the API of the cluster is [default: the service account of the pod]
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// Image of this program, which fetches programs and ships logs beside Flink
    #[arg(long, value_name = "IMAGE", default_value = concat!("kobel:", env!("CARGO_PKG_VERSION")))]
    pub(crate) image: String,

    /// Look after these namespaces alone, with commas between them or given several times [default: all]
    #[arg(long, value_name = "NAMESPACES", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    pub(crate) namespaces: Vec<String>,

    /// Act only while holding this Lease, so that several operators can stand by for each other
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub(crate) lease: Option<LeaseName>,

    /// What this operator is called in the Lease, and no other [default: its host with a random ending]
    #[arg(long, value_name = "NAME", requires = "lease", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) identity: Option<String>,

    /// Reach REST APIs by the addresses of their pods, and not by the names of their services
    #[arg(long)]
    pub(crate) by_address: bool,

    /// Answer `/healthz` and `/metrics` at this address
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,

    /// Answer API servers that ask before they store a resource, at this address
    #[arg(long, value_name = "ADDRESS:PORT", requires = "webhook_service")]
    pub(crate) webhook: Option<SocketAddr>,

    /// The Service through which they ask
    #[arg(long, value_name = "NAMESPACE/NAME", requires = "webhook")]
    pub(crate) webhook_service: Option<kobel_admission::Service>,

    /// Option of Flink or of the operator that holds where a resource is silent; may be given several times
    #[arg(long = "default", value_name = "KEY=VALUE", value_parser = parse_default)]
    pub(crate) defaults: Vec<(String, String)>,
}

fn parse_default(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, such as `web.refresh-interval=1 s`")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}
