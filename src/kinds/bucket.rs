//! A bucket in S3, as documents write it: where it is, and where its key and its secret are from.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::diag::{Diagnostic, code};
use crate::kinds::SectionInput;
use crate::kinds::backup::told;
use crate::kinds::repository;

/// A bucket.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    /// Its name.
    #[schemars(example = &"backups")]
    pub bucket: String,
    /// The host that serves it, with its port where that is not 443. It must speak TLS.
    #[schemars(example = &"s3.eu-central-1.amazonaws.com")]
    pub endpoint: Option<String>,
    /// Its region.
    #[schemars(example = &"eu-central-1")]
    pub region: Option<String>,
    /// The folder in the bucket.
    #[schemars(example = &"/production")]
    pub prefix: Option<String>,
    /// The access key, out of the environment of whoever runs Chronoform.
    #[schemars(example = &"${env.S3_KEY}")]
    pub key: Option<String>,
    /// A file whose first line is the access key.
    #[schemars(example = &"/run/secrets/s3_key")]
    pub key_file: Option<String>,
    /// The secret access key, out of the environment.
    #[schemars(example = &"${env.S3_SECRET}")]
    pub secret: Option<String>,
    /// A file whose first line is the secret access key.
    #[schemars(example = &"/run/secrets/s3_secret")]
    pub secret_file: Option<String>,
    /// Where the bucket's name goes: before the endpoint, or into the path, as many other servers than
    /// Amazon's want it.
    #[serde(default)]
    pub uri_style: UriStyle,
    /// A file with the authorities that the server's certificate may be of, where the system has others.
    #[schemars(example = &"/etc/ssl/certs/internal-ca.pem")]
    pub ca_file: Option<String>,
    /// Whether the server's certificate is looked at.
    #[serde(default = "yes")]
    pub verify_tls: bool,
}

fn yes() -> bool {
    true
}

/// Where a bucket's name goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("default" = "host"))]
pub enum UriStyle {
    /// `https://bucket.endpoint/`.
    #[default]
    Host,
    /// `https://endpoint/bucket/`.
    Path,
}

impl UriStyle {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Path => "path",
        }
    }
}

/// Where a secret of a document is from: `${env.NAME}`, or [`repository::FILE`] and a path. What stands in the
/// policy itself is shown nowhere.
pub fn secret(
    input: &SectionInput<'_>,
    from: (Option<&String>, Option<&String>),
    below: &str,
    key: &str,
    sink: &mut Vec<Diagnostic>,
) -> Option<String> {
    match from {
        (Some(text), None) if repository::variable(text).is_some() => Some(text.clone()),
        (None, Some(path)) => {
            let path = told(input, path, &format!("{below}/{key}_file"), sink)?;
            Some(format!("{}{path}", repository::FILE))
        }
        (Some(_), None) => {
            sink.push(
                Diagnostic::error(
                    &repository::SECRET_IN_POLICY,
                    format!("`{key}` is a secret, and stands in the policy"),
                )
                .at(&input.head.place)
                .why("policies are read by many, and kept for ever")
                .help(format!(
                    "write `{key}: \"${{env.NAME}}\"` or `{key}_file: /run/secrets/…`, and make another secret"
                )),
            );
            None
        }
        _ => {
            let help = format!("write one of them: `{key}: \"${{env.NAME}}\"` or `{key}_file: /run/secrets/…`");
            let message = format!("either `{key}` or `{key}_file` is needed");
            sink.push(Diagnostic::error(&code::MISSING_KEY, message).at(input.place(below)).help(help));
            None
        }
    }
}
