//! What a kube client relies on, of the API that the operator is checked against: the suite by which our own APIs are
//! measured holds in a real one too. It says in the end what it does not check, and why.

use kobel_testkit::behaviour::check_all;
use kobel_testkit::or_skip;

use crate::chart::{Helm, install};
use crate::client::{connect, runtime};
use crate::fixture::{cluster, turn};

#[test]
fn a_kube_client_finds_in_a_cluster_what_it_relies_on() {
    let cluster = or_skip!(cluster());
    let helm = or_skip!(Helm::over(cluster));
    // Nobody but the checks writes, so no operator may run meanwhile.
    let _turn = turn();
    runtime().block_on(async {
        let client = connect(cluster.kubeconfig()).await;
        install(&client, &helm).await;
        check_all(&client, &format!("operator-{}", std::process::id()), |name| println!("{name}")).await;
    });
}
