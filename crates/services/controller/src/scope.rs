//! Which namespaces are looked after: all of them, or those that are listed.
//!
//! Whoever has rights in some namespaces alone can list and watch nothing across all of them, so each that is listed is
//! asked for on its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::api::{Api, ApiResource};
use kube::core::DynamicResourceScope;
use kube::{Client, Resource};

/// The namespaces that are looked after. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// None is listed: it is all of them.
    listed: Arc<BTreeSet<String>>,
}

impl Scope {
    /// All namespaces.
    pub(crate) fn all() -> Self {
        Self::of(Vec::new())
    }

    /// The namespaces that are listed; all of them if none is.
    pub(crate) fn of(namespaces: Vec<String>) -> Self {
        Self { listed: Arc::new(namespaces.into_iter().collect()) }
    }

    /// Where the objects of a kind are listed and watched: in all namespaces at once, or in each by itself.
    pub(crate) fn apis<K>(&self, client: &Client, kind: &ApiResource) -> Vec<Api<K>>
    where
        K: Resource<DynamicType = ApiResource, Scope = DynamicResourceScope>,
    {
        if self.listed.is_empty() {
            return vec![Api::all_with(client.clone(), kind)];
        }
        self.listed.iter().map(|namespace| Api::namespaced_with(client.clone(), namespace, kind)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{Ready, ready};
    use std::task::{Context, Poll};

    use hyper::{Request, Response};
    use kube::api::GroupVersionKind;
    use kube::client::Body;
    use tower_service::Service;

    use super::*;
    use crate::wire::Named;

    /// Is never asked.
    struct Nobody;

    impl Service<Request<Body>> for Nobody {
        type Response = Response<Body>;
        type Error = Infallible;
        type Future = Ready<Result<Response<Body>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<Body>) -> Self::Future {
            ready(Ok(Response::new(Body::empty())))
        }
    }

    #[tokio::test]
    async fn each_namespace_that_is_listed_is_asked_for_once_and_by_itself() {
        let client = Client::new(Nobody, "default");
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("flink.apache.org", "v1beta1", "FlinkDeployment"));
        let all = "/apis/flink.apache.org/v1beta1/flinkdeployments";
        let of = |namespace: &str| format!("/apis/flink.apache.org/v1beta1/namespaces/{namespace}/flinkdeployments");
        for (listed, expected) in [
            (vec![], vec![all.to_owned()]),
            (vec!["team"], vec![of("team")]),
            (vec!["team", "other", "team"], vec![of("other"), of("team")]),
        ] {
            let scope = Scope::of(listed.into_iter().map(str::to_owned).collect());
            let apis = scope.apis::<Named>(&client, &kind);
            let paths: Vec<&str> = apis.iter().map(Api::resource_url).collect();
            assert_eq!(paths, expected);
        }
    }
}
