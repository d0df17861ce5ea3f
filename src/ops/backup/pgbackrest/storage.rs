//! What pgBackRest says where it is the storage of a repository that is at fault.

use crate::kinds::backup::{NO_BUCKET, REFUSED, UNREACHABLE, UNTRUSTED};
use crate::ops::backup::Trouble;

/// What is wrong with where a repository is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StorageTrouble {
    /// It lets nobody in with this key and this secret.
    Refused,
    /// The bucket is not there.
    NoBucket,
    /// It is not there to be asked, or answers that it cannot.
    Unreachable,
    /// Nobody can be sure that it is the one that is meant.
    Untrusted,
}

impl StorageTrouble {
    /// Its code.
    pub fn code(self) -> &'static crate::diag::Code {
        match self {
            Self::Refused => &REFUSED,
            Self::NoBucket => &NO_BUCKET,
            Self::Unreachable => &UNREACHABLE,
            Self::Untrusted => &UNTRUSTED,
        }
    }

    /// What would help. `secrets` says where the policy has its key and its secret from.
    pub fn help(self, secrets: &[String]) -> String {
        match self {
            Self::Refused => {
                let from = match secrets {
                    [] => "what `key` and `secret` of `repository: {s3: …}` name".to_owned(),
                    named => named.join(" and "),
                };
                format!(
                    "look whether {from} are of one access key that may list, read, write and delete in the bucket, \
                     and whether this machine's clock is right; then run `chronoform apply`"
                )
            }
            Self::NoBucket => {
                "make the bucket, or write its name, its `endpoint`, its `region` and `uri_style` as its server has them"
                    .to_owned()
            }
            Self::Unreachable => {
                "look whether `endpoint` of `repository: {s3: …}` is what serves the bucket, by TLS, and whether this \
                 machine can reach it; once it can, run this again"
                    .to_owned()
            }
            Self::Untrusted => {
                "name the file with the authority that its certificate is of, `repository: {s3: {ca_file: …}}`, or write \
                 the `endpoint` as the certificate has it"
                    .to_owned()
            }
        }
    }
}

/// The trouble that pgBackRest's words are about, where that is the storage.
pub fn trouble(words: &str) -> Option<Trouble> {
    of(words).map(|sort| Trouble::Storage { sort, message: line(words), secrets: Vec::new() })
}

/// Whether pgBackRest's words are about the storage, and what they say of it. The words are those of its
/// `src/common/io/http/request.c`, `src/common/io/socket/client.c` and `src/common/io/tls/client.c`.
pub fn of(words: &str) -> Option<StorageTrouble> {
    let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
    match () {
        () if has(&["NoSuchBucket"]) => Some(StorageTrouble::NoBucket),
        () if has(&["HTTP request failed with 403", "HTTP request failed with 401"]) => Some(StorageTrouble::Refused),
        () if has(&[
            "unable to verify certificate presented by",
            "No certificate presented by",
            "in certificate common name or subject alternative names",
            "unable to set user-defined CA certificate location",
        ]) =>
        {
            Some(StorageTrouble::Untrusted)
        }
        () if has(&[
            "HTTP request failed with",
            "unable to get address for",
            "unable to connect to",
            "timeout connecting to",
            "unable to create TLS session",
            "unexpected EOF reading HTTP content",
        ]) =>
        {
            Some(StorageTrouble::Unreachable)
        }
        () if is_silent(words) || is_unable(words) => Some(StorageTrouble::Unreachable),
        () => None,
    }
}

/// Whether a host does not answer, `host:port`; its own processes are waited for in the same words.
fn is_silent(words: &str) -> bool {
    let names = words.split("ms waiting for ").skip(1).filter_map(|rest| rest.split('\'').nth(1));
    names.filter_map(|name| name.rsplit_once(':')).any(|(_, port)| port.parse::<u16>().is_ok())
}

/// Whether a server answered that it cannot: `[503] Service Unavailable`.
fn is_unable(words: &str) -> bool {
    let numbers = words.split('[').skip(1).filter_map(|rest| rest.split_once("] "));
    numbers.filter_map(|(number, _)| number.parse::<u16>().ok()).any(|number| (500..600).contains(&number))
}

/// The line of pgBackRest's words that says it. What follows, a request and its answer, is nobody's to see.
pub fn line(words: &str) -> String {
    let is_it = |line: &&str| of(line).is_some();
    let lines = || words.split(['\n', ';']).map(str::trim);
    let line = lines().find(is_it).or_else(|| lines().next()).unwrap_or_default();
    line.trim_end_matches(':').chars().filter(|letter| !letter.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_at_fault_is_told_apart() {
        let answered = "[ProtocolError] HTTP request failed with 404 (Not Found):\n*** Path/Query ***:\nGET /b/?list\n\
                        *** Response Content ***:\n<Error><Code>NoSuchBucket</Code></Error>";
        for (words, sort) in [
            ("[ProtocolError] HTTP request failed with 403 (Forbidden):\n*** Path", Some(StorageTrouble::Refused)),
            (answered, Some(StorageTrouble::NoBucket)),
            ("HTTP request failed with 503 (Service Unavailable)", Some(StorageTrouble::Unreachable)),
            ("unable to connect to 'localhost:1': [111] Connection refused", Some(StorageTrouble::Unreachable)),
            (
                "unable to load info file '/a' or '/a.copy':\nCryptoError: unable to verify certificate presented by \
                 'localhost:4': [20] unable to get local issuer certificate",
                Some(StorageTrouble::Untrusted),
            ),
            ("timeout after 2000ms waiting for read from 'localhost:4433'", Some(StorageTrouble::Unreachable)),
            ("timeout after 2000ms waiting for read from 'local-1 process'", None),
            ("[101]: [500] Internal Server Error; [ServiceError] on 12 retries", Some(StorageTrouble::Unreachable)),
            ("[055]: unable to open '/d/[5] x'", None),
            ("unable to load info file: CryptoError: cipher header invalid", None),
            ("raised from local-1 process: unable to open '/d/x'", None),
        ] {
            assert_eq!(of(words), sort, "{words}");
        }
        assert_eq!(line(answered), "[ProtocolError] HTTP request failed with 404 (Not Found)");
        let nested = "unable to load info file '/a':\nHostConnectError: unable to connect to 'h:1': refused:\nGET";
        assert_eq!(line(nested), "HostConnectError: unable to connect to 'h:1': refused");
    }

    #[test]
    fn the_help_names_where_the_secret_is_from() {
        let named = ["`${env.A}`".to_owned(), "`/run/b`".to_owned()];
        assert!(StorageTrouble::Refused.help(&named).contains("`${env.A}` and `/run/b`"));
        assert!(StorageTrouble::Refused.help(&[]).contains("`secret`"));
        assert!(StorageTrouble::Untrusted.help(&named).contains("ca_file"));
    }
}
