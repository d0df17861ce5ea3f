//! Signatures of requests, as S3 wants them: AWS Signature Version 4, with the digest of the body signed
//! too, so that a server takes nothing that was changed on the way.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// What signs.
pub struct Signer<'a> {
    /// The access key.
    pub key: &'a str,
    /// The secret access key.
    pub secret: &'a str,
    /// The bucket's region.
    pub region: &'a str,
}

/// A request to be signed.
pub struct Signed<'a> {
    /// GET, PUT, …
    pub method: &'a str,
    /// The path, each part of it encoded.
    pub path: &'a str,
    /// The query, by [`query`].
    pub query: &'a str,
    /// Headers that are signed, by their names in small letters, in the order of these.
    pub headers: &'a [(&'a str, String)],
    /// The body's SHA-256, in hexadecimal.
    pub digest: &'a str,
    /// The moment, as `20260131T120000Z`.
    pub moment: &'a str,
}

impl Signer<'_> {
    /// What the header `authorization` says.
    pub fn authorization(&self, request: &Signed<'_>) -> String {
        let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let headers: String =
            request.headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let Signed { method, path, query, digest, moment, .. } = request;
        let canonical = format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{digest}");
        let day = moment.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let to_sign = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
        let first = format!("AWS4{}", self.secret);
        let key = [day, self.region, "s3", "aws4_request"]
            .iter()
            .fold(first.into_bytes(), |key, part| mac(&key, part.as_bytes()));
        let signature = hex(&mac(&key, to_sign.as_bytes()));
        format!("AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={signature}", self.key)
    }
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A text as a part of a path or a query; what is not `plain` is written by its bytes.
fn encoded(text: &str, plain: fn(u8) -> bool) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || plain(byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// A key as it stands in a path.
pub fn path(key: &str) -> String {
    encoded(key, |byte| byte == b'/')
}

/// A query, in the order that is signed.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let none = |_| false;
    let mut each: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encoded(name, none), encoded(value, none))).collect();
    each.sort();
    each.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of Amazon's own documentation of the signature ("Examples: Signature Calculations in AWS
    /// Signature Version 4").
    fn signature(method: &str, path: &str, query: &str, more: &[(&'static str, &str)], digest: &str) -> String {
        let signer = Signer {
            key: "AKIAIOSFODNN7EXAMPLE",
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            region: "us-east-1",
        };
        let moment = "20130524T000000Z";
        let mut headers = vec![
            ("host", "examplebucket.s3.amazonaws.com".to_owned()),
            ("x-amz-content-sha256", digest.to_owned()),
            ("x-amz-date", moment.to_owned()),
        ];
        headers.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        headers.sort();
        let said = signer.authorization(&Signed { method, path, query, headers: &headers, digest, moment });
        assert!(said.starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders="
        ));
        said.rsplit_once("Signature=").unwrap().1.to_owned()
    }

    #[test]
    fn requests_are_signed_as_amazon_says() {
        let empty = hex(&Sha256::digest(b""));
        let get = signature("GET", &path("/test.txt"), "", &[("range", "bytes=0-9")], &empty);
        assert_eq!(get, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
        let body = hex(&Sha256::digest(b"Welcome to Amazon S3."));
        let more = [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")];
        let put = signature("PUT", &path("/test$file.text"), "", &more, &body);
        assert_eq!(put, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
        let listed = signature("GET", "/", &query(&[("max-keys", "2"), ("prefix", "J")]), &[], &empty);
        assert_eq!(listed, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
        let subresource = signature("GET", "/", &query(&[("lifecycle", "")]), &[], &empty);
        assert_eq!(subresource, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    }

    #[test]
    fn what_means_something_else_is_encoded() {
        assert_eq!(path("a/2026-01-01T00-00-00%2B00_é ~x.json"), "a/2026-01-01T00-00-00%252B00_%C3%A9%20~x.json");
        assert_eq!(
            query(&[("prefix", "a/b c"), ("continuation-token", "=+/")]),
            "continuation-token=%3D%2B%2F&prefix=a%2Fb%20c"
        );
    }
}
