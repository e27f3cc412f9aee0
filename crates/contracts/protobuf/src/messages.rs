//! The messages of the API's own kinds: which number means which field of the JSON form.
//!
//! # Invariants
//! No message holds itself, not even through others.

use Shape::{Bool, Bytes, Int32, Int64, Json, Map, MicroTime, Text, Texts, Time};

/// One message: its fields in the order in which the JSON form has them.
#[derive(Debug)]
pub struct Message(pub &'static [Field]);

/// One field of a message.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its number on the wire.
    pub number: u64,
    /// Its name in JSON.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// When it is in JSON.
    pub presence: Presence,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Text.
    Text,
    /// Bytes; base64 in JSON.
    Bytes,
    /// A number of 32 bits.
    Int32,
    /// A number of 64 bits.
    Int64,
    /// Whether it is so.
    Bool,
    /// A moment, to the second.
    Time,
    /// A moment, to the microsecond.
    MicroTime,
    /// JSON as it stands.
    Json,
    /// A message that is a list of texts and nothing else.
    Texts,
    /// A message.
    Message(&'static Message),
    /// A map from text.
    Map(&'static Shape),
}

/// When a field is in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// When it is on the wire, even if it says nothing.
    Sent,
    /// When it says something.
    Filled,
    /// As a list of all that is on the wire.
    Repeated,
}

/// A field that is in JSON when it is sent.
const fn sent(number: u64, name: &'static str, shape: Shape) -> Field {
    Field { number, name, shape, presence: Presence::Sent }
}

/// A field that is in JSON when it is not empty.
const fn filled(number: u64, name: &'static str, shape: Shape) -> Field {
    Field { number, name, shape, presence: Presence::Filled }
}

/// A field that holds a message; an empty one is `{}` in JSON.
const fn inner(number: u64, name: &'static str, message: &'static Message) -> Field {
    sent(number, name, Shape::Message(message))
}

/// A field that is a list.
const fn list(number: u64, name: &'static str, shape: Shape) -> Field {
    Field { number, name, shape, presence: Presence::Repeated }
}

/// A field that is a list of messages.
const fn inners(number: u64, name: &'static str, message: &'static Message) -> Field {
    list(number, name, Shape::Message(message))
}

/// The message of a kind; nothing if it is not read in this form.
pub fn of(api_version: &str, kind: &str) -> Option<&'static Message> {
    // Options of a delete carry the version of whatever is deleted.
    if kind == "DeleteOptions" {
        return Some(&DELETE_OPTIONS);
    }
    Some(match (api_version, kind) {
        ("v1", "ConfigMap") => &CONFIG_MAP,
        ("v1", "Secret") => &SECRET,
        ("v1", "Namespace") => &NAMESPACE,
        ("v1", "ServiceAccount") => &SERVICE_ACCOUNT,
        ("v1", "Event") => &EVENT,
        ("events.k8s.io/v1", "Event") => &EVENTS_EVENT,
        ("coordination.k8s.io/v1", "Lease") => &LEASE,
        ("rbac.authorization.k8s.io/v1", "Role") => &ROLE,
        ("rbac.authorization.k8s.io/v1", "ClusterRole") => &CLUSTER_ROLE,
        ("rbac.authorization.k8s.io/v1", "RoleBinding" | "ClusterRoleBinding") => &BINDING,
        ("authentication.k8s.io/v1", "TokenRequest") => &TOKEN_REQUEST,
        ("authentication.k8s.io/v1", "SelfSubjectReview") => &SELF_SUBJECT_REVIEW,
        ("authorization.k8s.io/v1", "SelfSubjectAccessReview") => &SELF_SUBJECT_ACCESS_REVIEW,
        ("authorization.k8s.io/v1", "SubjectAccessReview" | "LocalSubjectAccessReview") => &SUBJECT_ACCESS_REVIEW,
        ("authorization.k8s.io/v1", "SelfSubjectRulesReview") => &SELF_SUBJECT_RULES_REVIEW,
        _ => return None,
    })
}

/// Version and kind, as the envelope has them.
pub static TYPE_META: Message = Message(&[filled(1, "apiVersion", Text), filled(2, "kind", Text)]);

static OBJECT_META: Message = Message(&[
    filled(1, "name", Text),
    filled(2, "generateName", Text),
    filled(3, "namespace", Text),
    filled(4, "selfLink", Text),
    filled(5, "uid", Text),
    filled(6, "resourceVersion", Text),
    filled(7, "generation", Int64),
    filled(8, "creationTimestamp", Time),
    filled(9, "deletionTimestamp", Time),
    sent(10, "deletionGracePeriodSeconds", Int64),
    filled(11, "labels", Map(&Text)),
    filled(12, "annotations", Map(&Text)),
    inners(13, "ownerReferences", &OWNER_REFERENCE),
    list(14, "finalizers", Text),
    inners(17, "managedFields", &MANAGED_FIELDS_ENTRY),
]);

static OWNER_REFERENCE: Message = Message(&[
    sent(5, "apiVersion", Text),
    sent(1, "kind", Text),
    sent(3, "name", Text),
    sent(4, "uid", Text),
    sent(6, "controller", Bool),
    sent(7, "blockOwnerDeletion", Bool),
]);

static MANAGED_FIELDS_ENTRY: Message = Message(&[
    filled(1, "manager", Text),
    filled(2, "operation", Text),
    filled(3, "apiVersion", Text),
    filled(4, "time", Time),
    filled(6, "fieldsType", Text),
    filled(7, "fieldsV1", Json),
    filled(8, "subresource", Text),
]);

static DELETE_OPTIONS: Message = Message(&[
    sent(1, "gracePeriodSeconds", Int64),
    inner(2, "preconditions", &PRECONDITIONS),
    sent(3, "orphanDependents", Bool),
    sent(4, "propagationPolicy", Text),
    list(5, "dryRun", Text),
    sent(6, "ignoreStoreReadErrorWithClusterBreakingPotential", Bool),
]);

static PRECONDITIONS: Message = Message(&[sent(1, "uid", Text), sent(2, "resourceVersion", Text)]);

static LABEL_SELECTOR: Message =
    Message(&[filled(1, "matchLabels", Map(&Text)), inners(2, "matchExpressions", &SELECTOR_REQUIREMENT)]);

static SELECTOR_REQUIREMENT: Message =
    Message(&[sent(1, "key", Text), sent(2, "operator", Text), list(3, "values", Text)]);

static CONFIG_MAP: Message = Message(&[
    inner(1, "metadata", &OBJECT_META),
    sent(4, "immutable", Bool),
    filled(2, "data", Map(&Text)),
    filled(3, "binaryData", Map(&Bytes)),
]);

static SECRET: Message = Message(&[
    inner(1, "metadata", &OBJECT_META),
    sent(5, "immutable", Bool),
    filled(2, "data", Map(&Bytes)),
    filled(4, "stringData", Map(&Text)),
    filled(3, "type", Text),
]);

static NAMESPACE: Message = Message(&[
    inner(1, "metadata", &OBJECT_META),
    inner(2, "spec", &NAMESPACE_SPEC),
    inner(3, "status", &NAMESPACE_STATUS),
]);

static NAMESPACE_SPEC: Message = Message(&[list(1, "finalizers", Text)]);

static NAMESPACE_STATUS: Message = Message(&[filled(1, "phase", Text), inners(2, "conditions", &NAMESPACE_CONDITION)]);

static NAMESPACE_CONDITION: Message = Message(&[
    sent(1, "type", Text),
    sent(2, "status", Text),
    filled(4, "lastTransitionTime", Time),
    filled(5, "reason", Text),
    filled(6, "message", Text),
]);

static SERVICE_ACCOUNT: Message = Message(&[
    inner(1, "metadata", &OBJECT_META),
    inners(2, "secrets", &OBJECT_REFERENCE),
    inners(3, "imagePullSecrets", &LOCAL_REFERENCE),
    sent(4, "automountServiceAccountToken", Bool),
]);

static OBJECT_REFERENCE: Message = Message(&[
    filled(1, "kind", Text),
    filled(2, "namespace", Text),
    filled(3, "name", Text),
    filled(4, "uid", Text),
    filled(5, "apiVersion", Text),
    filled(6, "resourceVersion", Text),
    filled(7, "fieldPath", Text),
]);

static LOCAL_REFERENCE: Message = Message(&[filled(1, "name", Text)]);

static EVENT: Message = Message(&[
    inner(1, "metadata", &OBJECT_META),
    inner(2, "involvedObject", &OBJECT_REFERENCE),
    filled(3, "reason", Text),
    filled(4, "message", Text),
    inner(5, "source", &EVENT_SOURCE),
    filled(6, "firstTimestamp", Time),
    filled(7, "lastTimestamp", Time),
    filled(8, "count", Int32),
    filled(9, "type", Text),
    filled(10, "eventTime", MicroTime),
    inner(11, "series", &EVENT_SERIES),
    filled(12, "action", Text),
    inner(13, "related", &OBJECT_REFERENCE),
    sent(14, "reportingComponent", Text),
    sent(15, "reportingInstance", Text),
]);

static EVENT_SOURCE: Message = Message(&[filled(1, "component", Text), filled(2, "host", Text)]);

static EVENT_SERIES: Message = Message(&[filled(1, "count", Int32), filled(2, "lastObservedTime", MicroTime)]);

static EVENTS_EVENT: Message = Message(&[
    inner(1, "metadata", &OBJECT_META),
    filled(2, "eventTime", MicroTime),
    inner(3, "series", &EVENTS_SERIES),
    filled(4, "reportingController", Text),
    filled(5, "reportingInstance", Text),
    filled(6, "action", Text),
    filled(7, "reason", Text),
    inner(8, "regarding", &OBJECT_REFERENCE),
    inner(9, "related", &OBJECT_REFERENCE),
    filled(10, "note", Text),
    filled(11, "type", Text),
    inner(12, "deprecatedSource", &EVENT_SOURCE),
    filled(13, "deprecatedFirstTimestamp", Time),
    filled(14, "deprecatedLastTimestamp", Time),
    filled(15, "deprecatedCount", Int32),
]);

static EVENTS_SERIES: Message = Message(&[sent(1, "count", Int32), filled(2, "lastObservedTime", MicroTime)]);

static LEASE: Message = Message(&[inner(1, "metadata", &OBJECT_META), inner(2, "spec", &LEASE_SPEC)]);

static LEASE_SPEC: Message = Message(&[
    sent(1, "holderIdentity", Text),
    sent(2, "leaseDurationSeconds", Int32),
    filled(3, "acquireTime", MicroTime),
    filled(4, "renewTime", MicroTime),
    sent(5, "leaseTransitions", Int32),
    sent(6, "strategy", Text),
    sent(7, "preferredHolder", Text),
]);

static ROLE: Message = Message(&[inner(1, "metadata", &OBJECT_META), inners(2, "rules", &POLICY_RULE)]);

static CLUSTER_ROLE: Message = Message(&[
    inner(1, "metadata", &OBJECT_META),
    inners(2, "rules", &POLICY_RULE),
    inner(3, "aggregationRule", &AGGREGATION_RULE),
]);

static POLICY_RULE: Message = Message(&[
    list(1, "verbs", Text),
    list(2, "apiGroups", Text),
    list(3, "resources", Text),
    list(4, "resourceNames", Text),
    list(5, "nonResourceURLs", Text),
]);

static AGGREGATION_RULE: Message = Message(&[inners(1, "clusterRoleSelectors", &LABEL_SELECTOR)]);

static BINDING: Message =
    Message(&[inner(1, "metadata", &OBJECT_META), inners(2, "subjects", &SUBJECT), inner(3, "roleRef", &ROLE_REF)]);

static SUBJECT: Message =
    Message(&[sent(1, "kind", Text), filled(2, "apiGroup", Text), sent(3, "name", Text), filled(4, "namespace", Text)]);

static ROLE_REF: Message = Message(&[sent(1, "apiGroup", Text), sent(2, "kind", Text), sent(3, "name", Text)]);

static TOKEN_REQUEST: Message = Message(&[
    inner(1, "metadata", &OBJECT_META),
    inner(2, "spec", &TOKEN_REQUEST_SPEC),
    inner(3, "status", &TOKEN_REQUEST_STATUS),
]);

static TOKEN_REQUEST_SPEC: Message = Message(&[
    list(1, "audiences", Text),
    sent(4, "expirationSeconds", Int64),
    inner(3, "boundObjectRef", &BOUND_REFERENCE),
]);

static TOKEN_REQUEST_STATUS: Message = Message(&[sent(1, "token", Text), filled(2, "expirationTimestamp", Time)]);

static BOUND_REFERENCE: Message =
    Message(&[filled(1, "kind", Text), filled(2, "apiVersion", Text), filled(3, "name", Text), filled(4, "uid", Text)]);

static SELF_SUBJECT_REVIEW: Message =
    Message(&[inner(1, "metadata", &OBJECT_META), inner(2, "status", &SELF_SUBJECT_REVIEW_STATUS)]);

static SELF_SUBJECT_REVIEW_STATUS: Message = Message(&[inner(1, "userInfo", &USER_INFO)]);

static USER_INFO: Message = Message(&[
    filled(1, "username", Text),
    filled(2, "uid", Text),
    list(3, "groups", Text),
    filled(4, "extra", Map(&Texts)),
]);

static SELF_SUBJECT_ACCESS_REVIEW: Message = Message(&[
    inner(1, "metadata", &OBJECT_META),
    inner(2, "spec", &SELF_SUBJECT_ACCESS_REVIEW_SPEC),
    inner(3, "status", &ACCESS_REVIEW_STATUS),
]);

static SELF_SUBJECT_ACCESS_REVIEW_SPEC: Message = Message(&[
    inner(1, "resourceAttributes", &RESOURCE_ATTRIBUTES),
    inner(2, "nonResourceAttributes", &NON_RESOURCE_ATTRIBUTES),
]);

static SUBJECT_ACCESS_REVIEW: Message = Message(&[
    inner(1, "metadata", &OBJECT_META),
    inner(2, "spec", &SUBJECT_ACCESS_REVIEW_SPEC),
    inner(3, "status", &ACCESS_REVIEW_STATUS),
]);

static SUBJECT_ACCESS_REVIEW_SPEC: Message = Message(&[
    inner(1, "resourceAttributes", &RESOURCE_ATTRIBUTES),
    inner(2, "nonResourceAttributes", &NON_RESOURCE_ATTRIBUTES),
    filled(3, "user", Text),
    list(4, "groups", Text),
    filled(5, "extra", Map(&Texts)),
    filled(6, "uid", Text),
]);

static ACCESS_REVIEW_STATUS: Message = Message(&[
    sent(1, "allowed", Bool),
    filled(4, "denied", Bool),
    filled(2, "reason", Text),
    filled(3, "evaluationError", Text),
]);

static RESOURCE_ATTRIBUTES: Message = Message(&[
    filled(1, "namespace", Text),
    filled(2, "verb", Text),
    filled(3, "group", Text),
    filled(4, "version", Text),
    filled(5, "resource", Text),
    filled(6, "subresource", Text),
    filled(7, "name", Text),
    inner(8, "fieldSelector", &SELECTOR_ATTRIBUTES),
    inner(9, "labelSelector", &SELECTOR_ATTRIBUTES),
]);

static NON_RESOURCE_ATTRIBUTES: Message = Message(&[filled(1, "path", Text), filled(2, "verb", Text)]);

static SELECTOR_ATTRIBUTES: Message =
    Message(&[filled(1, "rawSelector", Text), inners(2, "requirements", &SELECTOR_REQUIREMENT)]);

static SELF_SUBJECT_RULES_REVIEW: Message = Message(&[
    inner(1, "metadata", &OBJECT_META),
    inner(2, "spec", &SELF_SUBJECT_RULES_REVIEW_SPEC),
    inner(3, "status", &RULES_REVIEW_STATUS),
]);

static SELF_SUBJECT_RULES_REVIEW_SPEC: Message = Message(&[filled(1, "namespace", Text)]);

static RULES_REVIEW_STATUS: Message = Message(&[
    inners(1, "resourceRules", &POLICY_RULE),
    inners(2, "nonResourceRules", &NON_RESOURCE_RULE),
    sent(3, "incomplete", Bool),
    filled(4, "evaluationError", Text),
]);

static NON_RESOURCE_RULE: Message = Message(&[list(1, "verbs", Text), list(2, "nonResourceURLs", Text)]);
