//! An operator that looks after one namespace, with rights there and nowhere else.

use kobel_resources::flink_deployment::FlinkDeployment;
use kube::api::{Api, ApiResource, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::chart::Release;
use crate::client::resource;
use crate::manifests::application;
use crate::objects::{NATIVE, is_deployed};
use crate::operator::Operator;
use crate::stage::{Stage, on_stage};

#[test]
fn an_operator_of_one_namespace_makes_objects_there_and_nothing_elsewhere() {
    on_stage("one", async |stage: &mut Stage| {
        // It would look after all of them.
        stage.operator.kill();
        let watched = stage.namespace().to_owned();
        // The account of jobs is there.
        let values = json!({"watchNamespaces": [watched], "jobServiceAccount": {"create": false}});
        let release = stage.install_besides(values);
        stage.take_as_bare().await;
        for (namespace, expected) in [(Some(watched.as_str()), true), (Some(release.namespace()), false), (None, false)]
        {
            assert_eq!(may_watch(stage, &release, namespace).await, expected, "in {namespace:?}");
        }
        let elsewhere = elsewhere(stage, &release);
        let manifest = Patch::Apply(application("orders"));
        let params = PatchParams::apply("conformance").force();
        elsewhere.patch("orders", &params, &manifest).await.expect("it is applied");
        let arguments = release.arguments().await;
        assert_eq!(arguments, [format!("--namespaces={watched}")]);
        let mut operator = Operator::start_with(&release.account().await, arguments);
        stage.apply(&application("orders")).await;
        stage.stands(&NATIVE).await;
        stage.status("orders", "it is deployed", is_deployed).await;
        stage.delete("orders").await;
        stage.cleared("orders").await;
        let untouched = elsewhere.get("orders").await.expect("it is there");
        assert_eq!((untouched.metadata.finalizers, untouched.data.get("status")), (None, None));
        let deployments = release.api("apps/v1", "Deployment").list(&ListParams::default()).await.expect("a list");
        let names: Vec<String> = deployments.items.into_iter().filter_map(|found| found.metadata.name).collect();
        assert_eq!(names, ["kobel"], "there is the operator of the release alone");
        operator.end();
        release.uninstall().await;
    });
}

/// What is declared in the namespace of the release, which is not watched.
fn elsewhere(stage: &Stage, release: &Release) -> Api<DynamicObject> {
    Api::namespaced_with(stage.client().clone(), release.namespace(), &ApiResource::erase::<FlinkDeployment>(&()))
}

/// Whether the account of a release may watch deployments in a namespace, or in all of them at once.
async fn may_watch(stage: &Stage, release: &Release, namespace: Option<&str>) -> bool {
    let attributes = json!({
        "namespace": namespace,
        "group": "flink.apache.org",
        "resource": "flinkdeployments",
        "verb": "watch",
    });
    let user = format!("system:serviceaccount:{}:kobel", release.namespace());
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "metadata": {},
        "spec": {"user": user, "resourceAttributes": attributes},
    });
    let review: DynamicObject = serde_json::from_value(review).expect("an object");
    let kind = resource("authorization.k8s.io/v1", "SubjectAccessReview");
    let reviews: Api<DynamicObject> = Api::all_with(stage.client().clone(), &kind);
    let reviewed = reviews.create(&PostParams::default(), &review).await.expect("a review");
    reviewed.data["status"]["allowed"] == true
}
