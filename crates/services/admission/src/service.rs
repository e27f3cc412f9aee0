//! The Service through which API servers call the webhook, and the names of what belongs to it.

use std::fmt;
use std::str::FromStr;

use kobel_model::Error;
use serde_json::Value;

/// The longest name of a Service and of a namespace.
const NAME_MAX: usize = 63;

/// A Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The namespace of the operator.
    pub namespace: String,
    /// Its name there.
    pub name: String,
}

impl Service {
    /// The names by which it is called.
    pub fn names(&self) -> Vec<String> {
        let name = format!("{}.{}.svc", self.name, self.namespace);
        vec![name.clone(), format!("{name}.cluster.local")]
    }

    /// The Secret of its certificates, in the same namespace.
    pub fn secret(&self) -> String {
        format!("{}-tls", self.name)
    }

    /// The configurations that make API servers call it: one that validates and one that mutates, of one name, which no
    /// other release has.
    pub fn configurations(&self) -> String {
        format!("{}.{}", self.name, self.namespace)
    }

    /// Whether a webhook of a configuration calls this Service.
    pub(crate) fn is_called_by(&self, webhook: &Value) -> bool {
        let part = |part: &str| webhook.pointer(&format!("/clientConfig/service/{part}")).and_then(Value::as_str);
        part("namespace") == Some(self.namespace.as_str()) && part("name") == Some(self.name.as_str())
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl FromStr for Service {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.split_once('/').filter(|(namespace, name)| is_label(namespace) && is_label(name));
        let Some((namespace, name)) = parts else {
            return Err(Error::invalid(format!("`{text}` names no Service"))
                .with_hint("write NAMESPACE/NAME, such as `kobel-system/kobel-webhook`"));
        };
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

/// Whether a text is a DNS label.
fn is_label(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_MAX).contains(&text.len())
        && text.bytes().all(is_allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_is_named_with_its_namespace() {
        let service: Service = "kobel-system/kobel-webhook".parse().unwrap();
        assert_eq!(service.to_string(), "kobel-system/kobel-webhook");
        assert_eq!(service.names(), ["kobel-webhook.kobel-system.svc", "kobel-webhook.kobel-system.svc.cluster.local"]);
        assert_eq!(
            (service.secret().as_str(), service.configurations().as_str()),
            ("kobel-webhook-tls", "kobel-webhook.kobel-system")
        );
        for wrong in ["kobel", "/kobel", "a/", "a/b/c", "A/b", "a/-b", "a/b."] {
            let error = wrong.parse::<Service>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{wrong}` names no Service"));
        }
    }

    #[test]
    fn a_webhook_that_calls_another_service_is_not_ours() {
        let service: Service = "team/hook".parse().unwrap();
        for (config, expected) in [
            (json!({"service": {"namespace": "team", "name": "hook", "path": "/validate"}}), true),
            (json!({"service": {"namespace": "other", "name": "hook"}}), false),
            (json!({"url": "https://example.org"}), false),
        ] {
            assert_eq!(service.is_called_by(&json!({"name": "a", "clientConfig": config})), expected, "{config}");
        }
    }
}
