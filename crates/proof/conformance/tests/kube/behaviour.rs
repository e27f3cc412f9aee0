//! What a kube client relies on, against the embedded API or a cluster.

use std::time::Duration;

use kobel_testkit::behaviour::check_all;
use kube::api::{Api, Patch, PatchParams};
use kube::{Client, ResourceExt};

use crate::client::{connect, runtime};
use crate::server::Server;
use crate::transcript::Side;

#[test]
fn a_kube_client_finds_what_it_relies_on() {
    let server = Server::find();
    runtime().block_on(async {
        let client = connect(server.kubeconfig()).await;
        if server.side() == Side::Cluster {
            install_crds(&client).await;
        }
        check_all(&client, &std::process::id().to_string(), |name| println!("{name}")).await;
    });
}

async fn install_crds(client: &Client) {
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in kobel_resources::crd::crds() {
        let params = PatchParams::apply("conformance").force();
        api.patch(&crd.name_any(), &params, &Patch::Apply(&crd)).await.expect("a CRD is applied");
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
}
