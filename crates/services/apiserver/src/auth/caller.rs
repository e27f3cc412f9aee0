//! Who calls.

/// The group of those who may do everything.
pub const MASTERS: &str = "system:masters";
/// The group of everybody whose token is known.
pub const AUTHENTICATED: &str = "system:authenticated";
/// The group of everybody else.
pub const UNAUTHENTICATED: &str = "system:unauthenticated";
/// The group of every service account; with a colon and a namespace behind it, of those in that namespace.
pub const SERVICE_ACCOUNTS: &str = "system:serviceaccounts";

/// Who calls: a user and the groups that the user is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user's name.
    pub user: String,
    /// The groups, in the order in which they are told.
    pub groups: Vec<String>,
}

impl Caller {
    /// Somebody who gave no token.
    pub fn anonymous() -> Self {
        Self { user: "system:anonymous".to_owned(), groups: vec![UNAUTHENTICATED.to_owned()] }
    }

    /// Whoever started the server, or may read its data directory.
    pub fn admin() -> Self {
        Self { user: "admin".to_owned(), groups: vec![MASTERS.to_owned(), AUTHENTICATED.to_owned()] }
    }

    /// A program that calls as a service account.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        let groups =
            vec![SERVICE_ACCOUNTS.to_owned(), format!("{SERVICE_ACCOUNTS}:{namespace}"), AUTHENTICATED.to_owned()];
        Self { user: service_account_user(namespace, name), groups }
    }

    /// Whether the caller may do everything.
    pub fn is_master(&self) -> bool {
        self.groups.iter().any(|group| group == MASTERS)
    }

    /// The namespace and the name of the service account that calls, if one does.
    pub fn account(&self) -> Option<(&str, &str)> {
        self.user.strip_prefix("system:serviceaccount:")?.split_once(':')
    }
}

/// The user name of a service account.
pub fn service_account_user(namespace: &str, name: &str) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}
