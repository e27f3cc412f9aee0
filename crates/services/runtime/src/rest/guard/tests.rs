//! The rules as tables: addresses, hosts, origins, tokens.

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue, ORIGIN};
use kobel_model::ErrorKind;

use super::{Denial, Guard, Scheme};

fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
    }
    headers
}

#[test]
fn only_loopback_is_served_without_protection() {
    use Scheme::{Http, Https};
    for (host, scheme, token, is_allowed) in [
        ("127.0.0.1", Http, None, true),
        ("127.8.9.1", Http, None, true),
        ("localhost", Http, None, true),
        ("LocalHost", Http, None, true),
        ("::1", Http, None, true),
        ("[::1]", Http, None, true),
        ("0.0.0.0", Http, None, false),
        ("::", Http, None, false),
        ("", Http, None, false),
        ("192.168.0.7", Http, None, false),
        ("kobel.example", Http, None, false),
        ("localhost.evil.example", Http, None, false),
        ("0.0.0.0", Http, Some("t0ken"), true),
        ("0.0.0.0", Https, None, true),
        ("kobel.example", Https, Some("t0ken"), true),
    ] {
        match Guard::new(host, "kobel.example", scheme, token) {
            Ok(_) => assert!(is_allowed, "`{host}` was allowed"),
            Err(error) => {
                assert!(!is_allowed, "`{host}` was refused: {error:?}");
                assert_eq!(error.kind(), ErrorKind::Denied);
                assert!(error.hint().is_some_and(|hint| hint.contains("`localhost`")));
            }
        }
    }
}

#[test]
fn an_open_server_hears_every_host_and_no_page_of_another_origin() {
    let guard = Guard::open("0.0.0.0", "orders-rest.team", Scheme::Http);
    for host in ["10.244.1.7:8081", "orders-rest.team:8081", "localhost:8081"] {
        assert_eq!(guard.check(&headers(&[(HOST, host)])), Ok(()), "{host}");
    }
    let foreign = headers(&[(HOST, "orders-rest.team:8081"), (ORIGIN, "http://evil.example")]);
    assert_eq!(guard.check(&foreign), Err(Denial::ForeignOrigin));
    assert!(Guard::open("127.0.0.1", "a", Scheme::Http).check(&headers(&[(HOST, "evil.example")])).is_err());
}

#[test]
fn an_empty_token_protects_nothing_and_is_refused() {
    for token in ["", "  "] {
        let error = Guard::new("0.0.0.0", "kobel.example", Scheme::Https, Some(token)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}

#[test]
fn on_loopback_the_host_must_be_this_machine() {
    let guard = Guard::new("127.0.0.1", "kobel.example", Scheme::Http, None).unwrap();
    for (host, expected) in [
        ("127.0.0.1:8081", Ok(())),
        ("127.0.0.1", Ok(())),
        ("localhost:9", Ok(())),
        ("LOCALHOST", Ok(())),
        ("[::1]:8081", Ok(())),
        ("kobel.example:8081", Ok(())),
        ("evil.example", Err(Denial::ForeignHost)),
        ("evil.example:8081", Err(Denial::ForeignHost)),
        ("127.0.0.1.evil.example:8081", Err(Denial::ForeignHost)),
        ("localhost.evil.example", Err(Denial::ForeignHost)),
        ("10.0.0.1", Err(Denial::ForeignHost)),
        ("", Err(Denial::Malformed("Host"))),
        (":8081", Err(Denial::Malformed("Host"))),
        ("localhost:x", Err(Denial::Malformed("Host"))),
        ("localhost:99999", Err(Denial::Malformed("Host"))),
        ("evil@localhost", Err(Denial::Malformed("Host"))),
        ("[::1", Err(Denial::Malformed("Host"))),
        ("[::1]x", Err(Denial::Malformed("Host"))),
    ] {
        assert_eq!(guard.check(&headers(&[(HOST, host)])), expected, "for `{host}`");
    }
    assert_eq!(guard.check(&headers(&[])), Err(Denial::Malformed("Host")));
    let twice = headers(&[(HOST, "localhost"), (HOST, "localhost")]);
    assert_eq!(guard.check(&twice), Err(Denial::Malformed("Host")));
}

#[test]
fn elsewhere_the_host_is_free_because_a_token_is_needed() {
    let guard = Guard::new("0.0.0.0", "kobel.example", Scheme::Http, Some("t0ken")).unwrap();
    let token = (AUTHORIZATION, "Bearer t0ken");
    assert_eq!(guard.check(&headers(&[(HOST, "kobel.svc:8081"), token])), Ok(()));
    assert_eq!(guard.check(&headers(&[(HOST, "kobel.svc:8081")])), Err(Denial::Unauthorized));
}

#[test]
fn an_origin_must_be_that_of_the_host() {
    let plain = Guard::new("localhost", "kobel.example", Scheme::Http, None).unwrap();
    for (host, origin, is_own) in [
        ("localhost:8081", "http://localhost:8081", true),
        ("localhost:8081", "HTTP://LOCALHOST:8081", true),
        ("localhost", "http://localhost", true),
        ("localhost:80", "http://localhost", true),
        ("[::1]:8081", "http://[::1]:8081", true),
        ("localhost:8081", "http://localhost:8082", false),
        ("localhost:8081", "https://localhost:8081", false),
        ("localhost:8081", "http://127.0.0.1:8081", false),
        ("localhost:8081", "http://evil.example", false),
        ("localhost:8081", "http://localhost:8081.evil.example", false),
        ("localhost:8081", "null", false),
        ("localhost:8081", "", false),
        ("localhost:8081", "file://", false),
    ] {
        let expected = if is_own { Ok(()) } else { Err(Denial::ForeignOrigin) };
        assert_eq!(plain.check(&headers(&[(HOST, host), (ORIGIN, origin)])), expected, "`{origin}` at `{host}`");
    }
    let secure = Guard::new("localhost", "kobel.example", Scheme::Https, None).unwrap();
    let own = headers(&[(HOST, "localhost"), (ORIGIN, "https://localhost:443")]);
    assert_eq!(secure.check(&own), Ok(()));
}

#[test]
fn a_token_is_needed_word_for_word() {
    let guard = Guard::new("127.0.0.1", "kobel.example", Scheme::Http, Some("t0ken")).unwrap();
    for (value, is_right) in [
        ("Bearer t0ken", true),
        ("bearer t0ken", true),
        ("Bearer  t0ken ", true),
        ("Bearer t0ke", false),
        ("Bearer t0kenn", false),
        ("Bearer T0ken", false),
        ("Bearer", false),
        ("Bearer ", false),
        ("Basic t0ken", false),
        ("t0ken", false),
    ] {
        let expected = if is_right { Ok(()) } else { Err(Denial::Unauthorized) };
        assert_eq!(guard.check(&headers(&[(HOST, "localhost"), (AUTHORIZATION, value)])), expected, "for `{value}`");
    }
    let twice = headers(&[(HOST, "localhost"), (AUTHORIZATION, "Bearer x"), (AUTHORIZATION, "Bearer t0ken")]);
    assert_eq!(guard.check(&twice), Err(Denial::Malformed("Authorization")));
}

#[test]
fn denials_tell_what_is_wrong_and_no_secret() {
    for (denial, status, word) in [
        (Denial::Malformed("Host"), 400, "Host"),
        (Denial::ForeignHost, 403, "Host"),
        (Denial::ForeignOrigin, 403, "origin"),
        (Denial::Unauthorized, 401, "bearer"),
    ] {
        assert_eq!(denial.status(), status);
        assert!(denial.message().contains(word), "{}", denial.message());
    }
}
