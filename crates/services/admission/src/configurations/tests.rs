//! Whom a configuration tells API servers to trust, and what is written into it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Fit, fit};
use crate::service::Service;

fn webhook(name: &str, service: &str, bundle: Option<&str>) -> Value {
    let mut webhook = json!({
        "name": name, "sideEffects": "None",
        "clientConfig": {"service": {"namespace": "team", "name": service, "path": "/validate", "port": 443}},
    });
    if let Some(bundle) = bundle {
        webhook["clientConfig"]["caBundle"] = json!(STANDARD.encode(bundle));
    }
    webhook
}

fn found(webhooks: &[Value]) -> Fit {
    let service: Service = "team/hook".parse().unwrap();
    let configuration = json!({"metadata": {"name": "hook.team", "resourceVersion": "7"}, "webhooks": webhooks});
    fit(&configuration, &service, "new")
}

#[test]
fn only_the_bundle_of_our_webhooks_is_written_and_only_if_it_is_another() {
    let encoded = STANDARD.encode("new");
    let lacks = |names: &[&str]| {
        let change = |name: &&str| json!({"name": name, "clientConfig": {"caBundle": encoded}});
        let changes: Vec<Value> = names.iter().map(change).collect();
        Fit::Lacks(json!({"metadata": {"resourceVersion": "7"}, "webhooks": changes}))
    };
    let (with, without) = (webhook("a.b.c", "hook", Some("new")), webhook("d.e.f", "hook", None));
    let (old, other) = (webhook("g.h.i", "hook", Some("old")), webhook("j.k.l", "other", None));
    for (webhooks, expected) in [
        (vec![with.clone()], Fit::Trusts),
        (vec![with.clone(), other.clone()], Fit::Trusts),
        (vec![without.clone()], lacks(&["d.e.f"])),
        (vec![with, without, other.clone(), old], lacks(&["d.e.f", "g.h.i"])),
        (vec![other], Fit::Foreign),
        (vec![], Fit::Foreign),
    ] {
        assert_eq!(found(&webhooks), expected, "{webhooks:?}");
    }
}
