//! The kubeconfig with which `kubectl` and kube clients reach this API.
//!
//! It holds a token, so only its owner may read it.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kobel_model::Result;
use serde_json::Value;

use crate::auth::secret_file;

/// What a kubeconfig says.
#[derive(Clone, Copy)]
pub struct Kubeconfig<'a> {
    /// The address of the server: `https://127.0.0.1:6443`.
    pub server: &'a str,
    /// The certificate of the authority that signed the server's, as PEM.
    pub authority_pem: &'a str,
    /// The bearer token.
    pub token: &'a str,
}

impl Kubeconfig<'_> {
    /// The text of the file: one cluster, one user, the context `kobel` in the namespace `default`.
    pub fn text(&self) -> String {
        let authority = STANDARD.encode(self.authority_pem);
        // A JSON string is a YAML string too, so nothing in a value can end it.
        let (server, token) = (Value::from(self.server), Value::from(self.token));
        format!(
            "apiVersion: v1
kind: Config
clusters:
- name: kobel
  cluster:
    server: {server}
    certificate-authority-data: {authority}
users:
- name: kobel
  user:
    token: {token}
contexts:
- name: kobel
  context:
    cluster: kobel
    user: kobel
    namespace: default
current-context: kobel
preferences: {{}}
"
        )
    }

    /// Writes the file whole or not at all; only its owner may read it.
    pub fn write(&self, path: &Path) -> Result<()> {
        secret_file::write(path, &self.text())
    }
}

impl std::fmt::Debug for Kubeconfig<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kubeconfig").field("server", &self.server).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const CONFIG: Kubeconfig<'static> =
        Kubeconfig { server: "https://127.0.0.1:6443", authority_pem: "PEM\n", token: "abc-_1" };

    #[test]
    fn the_text_is_a_kubeconfig() {
        let config: Value = serde_saphyr::from_str(&CONFIG.text()).unwrap();
        assert_eq!(config["current-context"], "kobel");
        assert_eq!(config["contexts"][0]["context"]["namespace"], "default");
        assert_eq!(config["users"][0]["user"]["token"], "abc-_1");
        assert_eq!(config["clusters"][0]["cluster"]["server"], "https://127.0.0.1:6443");
        assert_eq!(config["clusters"][0]["cluster"]["certificate-authority-data"], "UEVNCg==");
    }

    #[test]
    fn only_the_owner_may_read_it_whatever_was_there_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kubeconfig");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        CONFIG.write(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&path).unwrap(), CONFIG.text());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn its_debug_form_does_not_show_the_token() {
        assert!(!format!("{CONFIG:?}").contains("abc"));
    }
}
