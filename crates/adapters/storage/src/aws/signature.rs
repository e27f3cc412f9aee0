//! Signatures of version 4, as a header, for requests that carry everything in their body.

use ring::{digest, hmac};

use super::identity::Keys;

/// A request as it is signed.
#[derive(Debug)]
pub(super) struct Post<'a> {
    /// The path of the address, encoded.
    pub(super) path: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    /// The headers that are signed: `host` and `x-amz-date` among them, names in lower case and in order.
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

/// The header `authorization`; `time` is written as in `x-amz-date`.
pub(super) fn authorization(post: &Post<'_>, keys: &Keys, time: &str) -> String {
    let Post { path, region, service, headers, body } = post;
    let day = time.get(..8).unwrap_or(time);
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let request = format!("POST\n{path}\n\n{lines}\n{names}\n{}", hex(digest::digest(&digest::SHA256, body).as_ref()));
    let request = hex(digest::digest(&digest::SHA256, request.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{request}");
    let mut key = format!("AWS4{}", keys.secret_key).into_bytes();
    for part in [day, *region, *service, "aws4_request"] {
        key = keyed(&key, part);
    }
    let signature = hex(&keyed(&key, &text));
    let access_key = &keys.access_key;
    format!("AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}")
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `post-vanilla` of the test suite that AWS publishes for this signature.
    #[test]
    fn a_request_of_the_suite_of_aws_is_signed_as_the_suite_says() {
        let keys = Keys {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: None,
        };
        let time = "20150830T123600Z";
        let post = Post {
            path: "/",
            region: "us-east-1",
            service: "service",
            headers: &[("host", "example.amazonaws.com"), ("x-amz-date", time)],
            body: b"",
        };
        assert_eq!(
            authorization(&post, &keys, time),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
    }
}
