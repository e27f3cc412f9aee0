//! Secrets in every spelling, and texts that must stay as they are.

use super::*;

/// The text that is shown, from a scrubber that knows `secrets`.
fn shown(secrets: &[&str], text: &str) -> String {
    let scrubber = Scrubber::new();
    secrets.iter().for_each(|secret| scrubber.add(secret));
    scrubber.scrub(text).into_owned()
}

#[test]
fn known_values_are_hidden_in_every_spelling() {
    for (secret, text, expected) in [
        ("hunter2", "login with hunter2 and hunter2!", "login with ****** and ******!"),
        ("p@ss wörd/1", "plain p@ss wörd/1.", "plain ******."),
        ("p@ss wörd/1", "query ?x=p%40ss+w%C3%B6rd%2f1&y=1", "query ?x=******&y=1"),
        ("p@ss wörd/1", "path /p%40ss%20w%c3%b6rd/1", "path /******"),
        ("a\"b\\c\nd", r#"json {"x":"a\"b\\c\nd"}"#, r#"json {"x":"******"}"#),
        ("a\"b\\c\nd", r#"rust "a\"b\\c\u{a}d""#, r#"rust "******""#),
        ("wörd😀", r#"ascii "w\u00f6rd\ud83d\ude00""#, r#"ascii "******""#),
        ("50%off", "plain 50%off, encoded 50%25off", "plain ******, encoded ******"),
        (" trimmed\n", "is trimmed here", "is ****** here"),
        ("aaaa", "aaaaaa b", "****** b"),
    ] {
        assert_eq!(shown(&[secret], text), expected, "for {secret:?}");
    }
}

#[test]
fn overlapping_values_are_hidden_as_one() {
    assert_eq!(shown(&["abcdef", "efgh"], "x abcdefgh y"), "x ****** y");
    assert_eq!(shown(&["abcd", "abcdef"], "x abcdef y"), "x ****** y");
    assert_eq!(shown(&["abcd", "efgh"], "abcdefgh"), "******");
}

#[test]
fn short_values_are_not_looked_for() {
    for secret in ["", "abc", "  abc ", "*****"] {
        let text = "abc ***** abcabc";
        assert_eq!(shown(&[secret], text), text, "for {secret:?}");
    }
}

#[test]
fn values_of_sensitive_keys_are_hidden() {
    for (text, expected) in [
        ("password=abc next", "password=****** next"),
        ("s3.secret-key: abc", "s3.secret-key: ******"),
        ("?token=abc&user=joe", "?token=******&user=joe"),
        ("(password=a,b,c)", "(password=******)"),
        ("password=a,user=joe", "password=******,user=joe"),
        ("password=:abc", "password=******"),
        ("PASSWORD => abc", "PASSWORD => ******"),
        (r#"{"password":"a b","user":"joe"}"#, r#"{"password":"******","user":"joe"}"#),
        (r#"{"password":"a\"b\\","user":"joe"}"#, r#"{"password":"******","user":"joe"}"#),
        (r#"body {\"password\":\"a\\\"b\",\"u\":1}"#, r#"body {\"password\":\"******\",\"u\":1}"#),
        (r#"{\"url\":\"x?token=abc\"}"#, r#"{\"url\":\"x?token=******\"}"#),
        ("'s3.secret-key' = 'it''s', 'a' = 'b'", "'s3.secret-key' = '******', 'a' = 'b'"),
        ("'password' = '', 'a' = 'b'", "'password' = '', 'a' = 'b'"),
        ("option `api-key` = `abc`", "option `api-key` = `******`"),
        ("config['password'] = 'abc'", "config['password'] = '******'"),
        ("Login { password: Some(\"a b\"), user: 1 }", "Login { password: Some(\"******\"), user: 1 }"),
        ("password='never closed", "password='******"),
        ("secret: {a: b} rest", "secret: ****** rest"),
        ("http-headers: X-One: a b\nnext", "http-headers: ******\nnext"),
        ("token=password=\"a b\" x", "token=******\"******\" x"),
        ("fs.azure.account.key.x.dfs.core.windows.net: abc==", "fs.azure.account.key.x.dfs.core.windows.net: ******"),
    ] {
        assert_eq!(shown(&[], text), expected, "for {text:?}");
    }
}

#[test]
fn credentials_in_urls_and_headers_are_hidden() {
    for (text, expected) in [
        ("at https://joe:abc@host:80/a", "at https://joe:******@host:80/a"),
        ("redis://:a@b@host", "redis://:******@host"),
        ("jdbc:postgresql://joe:a/b@host/db", "jdbc:postgresql://joe:******@host/db"),
        ("'https://a:b@c','https://d:e@f'", "'https://a:******@c','https://d:******@f'"),
        ("Authorization: Bearer abc.def next", "Authorization: Bearer ****** next"),
        ("authorization:basic YWJj== x", "authorization:basic ****** x"),
        ("curl -H \"Authorization: Bearer abc\" url", "curl -H \"Authorization: Bearer ******\" url"),
        ("Proxy-Authorization: Digest a=\"b\", c=d", "Proxy-Authorization: ******"),
        (r#"{"Authorization":"Bearer abc"}"#, r#"{"Authorization":"******"}"#),
    ] {
        assert_eq!(shown(&[], text), expected, "for {text:?}");
    }
}

#[test]
fn texts_without_secrets_are_given_back_as_they_are() {
    let scrubber = Scrubber::new();
    scrubber.add("hunter2");
    for text in [
        "",
        "checkpoint 7 done in 12 ms",
        "refreshed the token",
        "kobel_sql::token::Kind",
        "parallelism.default: 4",
        "s3://bucket/a:b@c and abfss://box@account.dfs.core.windows.net/x",
        "http://host:8081/a@b, http://[::1]:80/a@b",
        "authorization.endpoint: x",
        "hunter 2, 100 %, C:\\dir",
    ] {
        assert!(matches!(scrubber.scrub(text), Cow::Borrowed(shown) if shown == text), "{text:?} was changed");
    }
}

#[test]
fn a_scrubbed_text_stays_as_it_is() {
    for text in ["password=a b", "{\"token\":\"x y\"}", "https://a:b@c/d", "Authorization: Basic abc", "secret: [a, b]"]
    {
        let once = shown(&[], text);
        assert_eq!(shown(&[], &once), once, "for {text:?}");
    }
}

#[test]
fn hostile_texts_hide_all_and_take_little_time() {
    let text = "token=".repeat(10_000);
    let once = shown(&[], &text);
    assert!(once.starts_with("token=******") && once.len() < 100, "{} bytes are shown", once.len());
    let text = format!("{} x@y", "a://b:c".repeat(10_000));
    assert_eq!(shown(&[], &text), text);
}

#[test]
fn a_scrubber_does_not_print_what_it_knows() {
    let scrubber = Scrubber::new();
    scrubber.add("hunter2");
    assert!(!format!("{scrubber:?}").contains("hunter2"));
}
