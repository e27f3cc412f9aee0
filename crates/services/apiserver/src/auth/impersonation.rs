//! Impersonation: whoever may do everything may act as somebody else, to see what that one may do.
//!
//! A header that asks for it is never passed over: it is followed, or the request is refused.
//!
//! # Source
//! Kubernetes, `apiserver/pkg/endpoints/filters/impersonation.go`: headers, groups and texts.

use hyper::HeaderMap;

use crate::auth::caller::{AUTHENTICATED, Caller, UNAUTHENTICATED};
use crate::status::{Answer, Resource, Status};

/// How every header that asks for it begins.
const PREFIX: &str = "impersonate-";
/// Names the user.
const USER: &str = "impersonate-user";
/// Names a group; it may stand several times.
const GROUP: &str = "impersonate-group";
/// The user of requests without a token.
const ANONYMOUS: &str = "system:anonymous";

/// Who acts: the caller, or the one whom the headers name.
///
/// # Errors
/// 403 if the caller may not act as somebody else, 400 if groups or extras are named and no user.
pub fn acting(caller: Caller, headers: &HeaderMap) -> Answer<Caller> {
    if !headers.keys().any(|name| name.as_str().starts_with(PREFIX)) {
        return Ok(caller);
    }
    let text = |value: &hyper::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let user = headers.get(USER).map(text).unwrap_or_default();
    if !caller.is_master() {
        let resource = Resource { group: "", plural: "users" };
        let why = format!(
            "User {:?} cannot impersonate resource \"users\" in API group \"\" at the cluster scope",
            caller.user
        );
        return Err(Status::forbidden(&resource, &user, why));
    }
    if user.is_empty() {
        return Err(Status::bad_request("requested groups or extras without impersonating a user"));
    }
    let mut groups: Vec<String> = headers.get_all(GROUP).iter().map(text).filter(|group| !group.is_empty()).collect();
    if groups.is_empty()
        && let Some((namespace, name)) = account(&user)
    {
        return Ok(Caller::service_account(namespace, name));
    }
    let own = if user == ANONYMOUS { UNAUTHENTICATED } else { AUTHENTICATED };
    if !groups.iter().any(|group| group == own) {
        groups.push(own.to_owned());
    }
    Ok(Caller { user, groups })
}

fn account(user: &str) -> Option<(&str, &str)> {
    user.strip_prefix("system:serviceaccount:")?.split_once(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, hyper::header::HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_who_may_do_everything_acts_as_another() {
        let as_ann = headers(&[("impersonate-user", "ann"), ("impersonate-group", "team")]);
        let ann = acting(Caller::admin(), &as_ann).unwrap();
        assert_eq!((ann.user.as_str(), ann.groups.join(" ")), ("ann", "team system:authenticated".to_owned()));
        let refused = acting(Caller::service_account("a", "robot"), &as_ann).unwrap_err();
        assert_eq!(
            (refused.code, refused.message.as_str()),
            (
                403,
                "users \"ann\" is forbidden: User \"system:serviceaccount:a:robot\" cannot impersonate resource \
                 \"users\" in API group \"\" at the cluster scope"
            )
        );
    }

    #[test]
    fn a_request_without_such_headers_is_the_callers_own() {
        let caller = Caller::service_account("a", "robot");
        assert_eq!(acting(caller.clone(), &headers(&[("accept", "x")])).unwrap(), caller);
        let robot = headers(&[("impersonate-user", "system:serviceaccount:a:robot")]);
        assert_eq!(acting(Caller::admin(), &robot).unwrap(), caller);
        assert_eq!(acting(Caller::admin(), &headers(&[("impersonate-group", "x")])).unwrap_err().code, 400);
    }
}
