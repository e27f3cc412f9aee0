//! Which keys hold secrets, and how their values are shown.
//!
//! Whatever prints a setting sends it through [`redact`] first.
//!
//! # Source
//! Apache Flink 2.3, `GlobalConfiguration.SENSITIVE_KEYS` and `HIDDEN_CONTENT`.

/// A key that contains one of these, in any case, holds a secret.
const SENSITIVE: [&str; 12] = [
    "password",
    "secret",
    "fs.azure.account.key",
    "apikey",
    "api-key",
    "auth-params",
    "service-key",
    "token",
    "basic-auth",
    "jaas.config",
    "http-headers",
    // Of programs that are fetched: `kubernetes.operator.user.artifacts.http.header`.
    "http.header",
];

/// What is shown in place of a secret.
const HIDDEN: &str = "******";

/// Whether the value of `key` must not be shown.
pub fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    SENSITIVE.iter().any(|word| key.contains(word))
}

/// The value of `key` as it may be shown.
pub fn redact<'a>(key: &str, value: &'a str) -> &'a str {
    if is_secret(key) { HIDDEN } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_sensitive_keys_are_hidden() {
        for (key, secret) in [
            ("s3.secret-key", true),
            ("Kafka.SASL.JAAS.Config", true),
            ("my.PASSWORD.file", true),
            ("fs.azure.account.key.store", true),
            ("kubernetes.operator.user.artifacts.http.header", true),
            ("pipeline.name", false),
            ("parallelism.default", false),
        ] {
            assert_eq!(is_secret(key), secret, "for `{key}`");
            assert_eq!(redact(key, "v"), if secret { "******" } else { "v" }, "for `{key}`");
        }
    }
}
