//! The webhook over TLS, with an API of a cluster behind it that is played.

mod cluster;
mod visitor;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use kube::Client;
use serde_json::{Value, json};

use self::cluster::Cluster;
use self::visitor::{Visitor, whole};
use super::{Webhook, WebhookSettings, runtime};
use crate::certificates::Pace;

/// How long something may take that happens at once.
const PATIENCE: Duration = Duration::from_secs(60);
/// More than two thirds of the time of a certificate.
const LONG: SignedDuration = SignedDuration::from_hours(61 * 24);
/// How many more requests are answered before the next step.
const SOME: usize = 5;

/// Starts a webhook over the cluster; `pace` is that of a process which is in a hurry to look and not to act.
fn start(cluster: &Cluster) -> Webhook {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let service = "team/hook".parse().unwrap();
    let pace = Pace { look: Duration::from_millis(10), ..Pace::default() };
    let settings = WebhookSettings { pace, ..WebhookSettings::of(address, service, BTreeMap::new()) };
    let runtime = runtime(address).unwrap();
    let client = {
        let _inside = runtime.enter();
        Client::new(cluster.clone(), "default")
    };
    Webhook::over(runtime, settings, client, cluster.clock()).unwrap()
}

/// Waits until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn count(bundle: &str) -> usize {
    bundle.matches("BEGIN CERTIFICATE").count()
}

/// Waits until both configurations hold a bundle of so many certificates.
fn bundled(cluster: &Cluster, certificates: usize) {
    until("the configurations hold the bundle", || {
        let bundles = cluster.bundles();
        bundles.iter().all(|bundle| count(bundle) == certificates) && bundles.windows(2).all(|two| two[0] == two[1])
    });
}

fn review(spec: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u-1", "kind": {"group": "flink.apache.org", "version": "v1beta1", "kind": "FlinkStateSnapshot"},
            "name": "orders-1", "namespace": "team", "operation": "CREATE",
            "object": {"metadata": {"name": "orders-1", "namespace": "team"}, "spec": spec},
        },
    })
}

/// Asks without a break, each time on a new connection, until it is dropped.
struct Crowd {
    visitor: Visitor,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(BTreeSet<Vec<u8>>, Vec<String>)>,
}

impl Crowd {
    fn gather(visitor: &Visitor) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (asking, stopped) = (visitor.clone(), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let body = review(&json!({"checkpoint": {}, "savepoint": {}})).to_string();
            let (mut shown, mut lost) = (BTreeSet::new(), Vec::new());
            while !stopped.load(Ordering::Relaxed) {
                match asking.ask(&whole("POST", "/validate", &body)) {
                    Ok((answer, certificate)) if answer.contains("exactly one of the two") => {
                        shown.insert(certificate);
                    }
                    Ok((answer, _)) => lost.push(answer),
                    Err(error) => lost.push(error),
                }
            }
            (shown, lost)
        });
        Self { visitor: visitor.clone(), stop, thread }
    }

    /// Waits until some more have been answered.
    fn wait(&self) {
        let before = self.visitor.answered();
        until("requests are answered", || self.visitor.answered() >= before + SOME);
    }

    /// The certificates that were shown, and what was not answered.
    fn end(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let (shown, lost) = self.thread.join().unwrap();
        (shown.len(), lost)
    }
}

#[test]
fn certificates_are_exchanged_twice_and_no_request_is_lost() {
    let cluster = Cluster::new();
    let webhook = start(&cluster);
    bundled(&cluster, 1);
    let visitor = Visitor::new(webhook.address(), &cluster);
    visitor.trust(&cluster.bundles()[0]);
    until("the webhook answers", || visitor.ask(&whole("GET", "/", "")).is_ok());
    let crowd = Crowd::gather(&visitor);
    crowd.wait();
    for _ in 0..2 {
        cluster.pass(LONG);
        bundled(&cluster, 2);
        // API servers have not noticed yet.
        crowd.wait();
        assert!(cluster.has("next.crt"), "the other certificate is not served before it is trusted for a while");
        visitor.trust(&cluster.bundles()[0]);
        crowd.wait();
        until("the other certificate is served", || {
            cluster.pass(SignedDuration::from_secs(31));
            thread::sleep(Duration::from_millis(20));
            !cluster.has("next.crt")
        });
        crowd.wait();
        assert_eq!(count(&visitor.trusted()), 2);
        until("the authority before is forgotten", || {
            cluster.pass(SignedDuration::from_hours(1));
            thread::sleep(Duration::from_millis(20));
            !cluster.has("former.ca")
        });
        bundled(&cluster, 1);
        crowd.wait();
        visitor.trust(&cluster.bundles()[0]);
        crowd.wait();
    }
    let (shown, lost) = crowd.end();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(shown, 3);
}

#[test]
fn a_certificate_that_was_taken_away_is_followed_by_another_and_no_request_is_lost() {
    let cluster = Cluster::new();
    let webhook = start(&cluster);
    bundled(&cluster, 1);
    let visitor = Visitor::new(webhook.address(), &cluster);
    visitor.trust(&cluster.bundles()[0]);
    until("the webhook answers", || visitor.ask(&whole("GET", "/", "")).is_ok());
    let crowd = Crowd::gather(&visitor);
    crowd.wait();
    cluster.forget_secret();
    bundled(&cluster, 2);
    // API servers have not noticed yet.
    crowd.wait();
    assert!(cluster.has("next.crt"), "the other certificate is not served before it is trusted for a while");
    visitor.trust(&cluster.bundles()[0]);
    until("the other certificate is served", || {
        cluster.pass(SignedDuration::from_secs(31));
        thread::sleep(Duration::from_millis(20));
        !cluster.has("next.crt")
    });
    crowd.wait();
    let (shown, lost) = crowd.end();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(shown, 2);
}

#[test]
fn replicas_agree_on_one_certificate() {
    let cluster = Cluster::new();
    let replicas = [start(&cluster), start(&cluster), start(&cluster)];
    bundled(&cluster, 1);
    let bundle = cluster.bundles()[0].clone();
    for replica in &replicas {
        let visitor = Visitor::new(replica.address(), &cluster);
        visitor.trust(&bundle);
        until("a replica is trusted", || visitor.ask(&whole("GET", "/", "")).is_ok());
    }
    cluster.pass(LONG);
    bundled(&cluster, 2);
    until("the other certificate is served", || {
        cluster.pass(SignedDuration::from_secs(31));
        thread::sleep(Duration::from_millis(20));
        !cluster.has("next.crt")
    });
    let visitors = replicas.each_ref().map(|replica| Visitor::new(replica.address(), &cluster));
    visitors.iter().for_each(|visitor| visitor.trust(&cluster.bundles()[0]));
    until("all show the same", || {
        let shown = visitors.iter().map(|visitor| visitor.ask(&whole("GET", "/", "")).unwrap().1);
        shown.collect::<BTreeSet<_>>().len() == 1
    });
}

#[test]
fn what_is_asked_wrongly_is_told_so() {
    let cluster = Cluster::new();
    let webhook = start(&cluster);
    bundled(&cluster, 1);
    let visitor = Visitor::new(webhook.address(), &cluster);
    visitor.trust(&cluster.bundles()[0]);
    until("the webhook answers", || visitor.ask(&whole("GET", "/", "")).is_ok());
    let large = "POST /validate HTTP/1.1\r\nhost: x\r\ncontent-length: 8388609\r\nconnection: close\r\n\r\n".to_owned();
    let found = json!({"checkpoint": {}, "jobReference": {"kind": "FlinkDeployment", "name": "orders"}});
    let missing = json!({"checkpoint": {}, "jobReference": {"kind": "FlinkDeployment", "name": "gone"}});
    let unknown = json!({"checkpoint": {}, "jobReference": {"kind": "FlinkSessionJob", "name": "orders"}});
    let ask = |spec: &Value| whole("POST", "/validate", &review(spec).to_string());
    for (request, status, part) in [
        (whole("GET", "/", ""), "404 Not Found", "there are /validate and /mutate"),
        (whole("GET", "/validate", ""), "405 Method Not Allowed", "\r\nallow: POST\r\n"),
        (whole("POST", "/validate", "{"), "400 Bad Request", "the body is no JSON: EOF"),
        (whole("POST", "/mutate", "{}"), "400 Bad Request", "the body must be an `AdmissionReview`"),
        (large, "413 Payload Too Large", "the body has more than 8388608 bytes"),
        (ask(&json!({})), "200 OK", "\"allowed\":false"),
        (ask(&found), "200 OK", "\"allowed\":true"),
        (ask(&missing), "200 OK", "must name a FlinkDeployment of this namespace"),
        (ask(&unknown), "500 Internal Server Error", "cannot read FlinkSessionJob `team/orders`: no rights"),
        (whole("POST", "/mutate", &review(&found).to_string()), "200 OK", "\"allowed\":true"),
    ] {
        let (answer, _) = visitor.ask(&request).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")) && answer.contains(part), "{request}: {answer}");
    }
    let kept = request_that_keeps("/validate", &review(&found).to_string());
    let (answers, _) = visitor.ask(&format!("{kept}{}", ask(&missing))).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "one connection serves many requests: {answers}");
}

/// A request after which the connection stays.
fn request_that_keeps(path: &str, body: &str) -> String {
    whole("POST", path, body).replace("connection: close\r\n", "")
}

#[test]
fn what_was_taken_away_from_a_configuration_is_put_back() {
    let cluster = Cluster::new();
    let webhook = start(&cluster);
    bundled(&cluster, 1);
    let bundle = cluster.bundles()[0].clone();
    cluster.forget_bundles();
    bundled(&cluster, 1);
    assert_eq!(cluster.bundles()[0], bundle);
    let begun = Instant::now();
    drop(webhook);
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}
