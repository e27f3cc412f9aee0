//! Several operators and one Lease: one of them acts, and the next one does when it is killed, ends, or leads no more.

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::chart::Release;
use crate::manifests::application;
use crate::objects::{NATIVE, is_deployed};
use crate::operator::Operator;
use crate::stage::{Stage, on_stage};

/// The name of the Lease, which is that of the release.
const LEASE: &str = "kobel";

#[test]
fn the_next_operator_acts_when_the_leader_is_killed_or_ends() {
    on_stage("election", async |stage: &mut Stage| {
        let (release, account) = release_of_two(stage).await;
        let mut first = candidate(&release, &account, "first").await;
        leads(stage, &release, "first").await;
        let mut second = candidate(&release, &account, "second").await;
        second.says("stands by");
        first.kill();
        stage.apply(&application("orders")).await;
        leads(stage, &release, "second").await;
        stage.stands(&NATIVE).await;
        stage.status("orders", "it is deployed", is_deployed).await;
        let mut third = candidate(&release, &account, "third").await;
        third.says("stands by");
        second.end();
        leads(stage, &release, "third").await;
        stage.delete("orders").await;
        stage.cleared("orders").await;
        third.end();
        leads(stage, &release, "").await;
        release.uninstall().await;
    });
}

#[test]
fn a_leader_that_finds_another_in_its_lease_ends() {
    on_stage("overthrown", async |stage: &mut Stage| {
        let (release, account) = release_of_two(stage).await;
        let mut first = candidate(&release, &account, "first").await;
        leads(stage, &release, "first").await;
        let another = Patch::Merge(json!({"spec": {"holderIdentity": "another"}}));
        let leases = release.api("coordination.k8s.io/v1", "Lease");
        leases.patch(LEASE, &PatchParams::default(), &another).await.expect("the Lease is changed");
        let (code, words) = first.ends();
        assert_eq!(code, Some(3), "{words}");
        assert!(words.contains("is held by `another` now"), "{words}");
        release.uninstall().await;
    });
}

/// A release of two operators, none of which runs, with a kubeconfig of them. The operator of the other checks, which
/// takes part in no election, is ended.
async fn release_of_two(stage: &mut Stage) -> (Release, Value) {
    stage.operator.kill();
    // What jobs need stays when a release goes; they have it from the other release.
    let rbac = json!({"jobRole": {"create": false}, "jobRoleBinding": {"create": false}});
    let release = stage.install_besides(json!({"replicas": 2, "rbac": rbac}));
    let account = release.account().await;
    (release, account)
}

/// Starts an operator as the chart does, under a name.
async fn candidate(release: &Release, account: &Value, name: &str) -> Operator {
    let mut arguments = release.arguments().await;
    assert_eq!(arguments, [format!("--lease={}/{LEASE}", release.namespace())]);
    arguments.push(format!("--identity={name}"));
    Operator::start_with(account, arguments)
}

/// Waits until an operator holds the Lease; nobody does if its name is empty.
async fn leads(stage: &Stage, release: &Release, name: &str) {
    let leases = release.api("coordination.k8s.io/v1", "Lease");
    stage
        .until(&format!("`{name}` holds the Lease"), async || {
            let lease = leases.get_opt(LEASE).await.expect("an answer")?;
            (lease.data.pointer("/spec/holderIdentity")? == name).then_some(())
        })
        .await;
}
