//! Objects as they are sent and received: decoded once, and no more of them than is needed.
//!
//! The types of the client decode an object into pieces and put it together again, twice for each change, which costs more
//! than everything else that is done with it. A watch is only asked which object it was, so nothing else of it is kept.

use std::borrow::Cow;

use kube::Resource;
use kube::api::{ApiResource, ObjectMeta};
use kube::core::DynamicResourceScope;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// An object with everything that it has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Whole {
    /// The object.
    pub(crate) value: Value,
    /// What the client may ask for, though it does not: it stays empty.
    meta: ObjectMeta,
}

impl From<Value> for Whole {
    fn from(value: Value) -> Self {
        Self { value, meta: ObjectMeta::default() }
    }
}

impl Serialize for Whole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}

/// Which object it is, and nothing else of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "Sent")]
pub(crate) struct Named {
    meta: ObjectMeta,
}

/// What is read of an object that was sent; the rest is passed over.
#[derive(Deserialize)]
struct Sent {
    metadata: SentMeta,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentMeta {
    name: Option<String>,
    namespace: Option<String>,
    resource_version: Option<String>,
}

impl From<Sent> for Named {
    fn from(sent: Sent) -> Self {
        let SentMeta { name, namespace, resource_version } = sent.metadata;
        Self { meta: ObjectMeta { name, namespace, resource_version, ..ObjectMeta::default() } }
    }
}

/// The client is told which kind it is when it is asked for objects.
macro_rules! any_kind {
    ($name:ident) => {
        impl Resource for $name {
            type DynamicType = ApiResource;
            type Scope = DynamicResourceScope;

            fn kind(of: &ApiResource) -> Cow<'_, str> {
                of.kind.as_str().into()
            }

            fn group(of: &ApiResource) -> Cow<'_, str> {
                of.group.as_str().into()
            }

            fn version(of: &ApiResource) -> Cow<'_, str> {
                of.version.as_str().into()
            }

            fn plural(of: &ApiResource) -> Cow<'_, str> {
                of.plural.as_str().into()
            }

            fn meta(&self) -> &ObjectMeta {
                &self.meta
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.meta
            }
        }
    };
}

any_kind!(Whole);
any_kind!(Named);

#[cfg(test)]
mod tests {
    use kube::ResourceExt;
    use kube::core::{ObjectList, WatchEvent};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_comes_and_goes_as_it_is() {
        let text = r#"{"kind":"X","metadata":{"name":"a","labels":{"b":"c"}},"spec":{"z":1,"a":[null]}}"#;
        let whole: Whole = serde_json::from_str(text).unwrap();
        assert_eq!(whole.value["spec"]["z"], 1);
        assert_eq!(serde_json::to_string(&whole).unwrap(), text);
    }

    #[test]
    fn which_object_it_is_is_read_from_events_and_lists() {
        let object = json!({"apiVersion": "g/v1", "kind": "X", "spec": {"deep": [1, {"a": 2}]}, "status": {},
            "metadata": {"resourceVersion": "7", "name": "a", "namespace": "n", "uid": "u", "labels": {"b": "c"}}});
        let event = json!({"type": "MODIFIED", "object": object}).to_string();
        let Ok(WatchEvent::Modified(named)) = serde_json::from_str::<WatchEvent<Named>>(&event) else {
            panic!("it is a change");
        };
        let list =
            json!({"kind": "XList", "apiVersion": "g/v1", "metadata": {"resourceVersion": "9"}, "items": [object]});
        let list: ObjectList<Named> = serde_json::from_str(&list.to_string()).unwrap();
        for named in [&named, &list.items[0]] {
            assert_eq!((named.name_any().as_str(), named.namespace().as_deref()), ("a", Some("n")));
            assert_eq!(named.resource_version().as_deref(), Some("7"));
        }
    }
}
