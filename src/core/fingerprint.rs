//! Digests of what a plan saw, so that apply can tell whether the world has moved.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::core::{Live, Value};

/// A SHA-256 digest, printed `sha256:…`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("sha256:{hex}"))
    }

    /// The digest of several parts; each is preceded by its length, so that no two lists of parts
    /// run together into the same bytes.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Self::of(&bytes)
    }

    /// The digest of a live resource: its attributes, its facts, those that pass left out, and whether a job
    /// is paused. A resource that does not exist has a digest of its own.
    pub fn of_live(live: Option<&Live>) -> Self {
        let Some(live) = live else { return Self::of_parts(["absent"]) };
        let mut parts = vec!["live".to_owned(), live.address.to_string(), live.paused.to_string()];
        let lasting = |(name, _): &(&String, &Value)| !live.passing.contains(&name.as_str());
        for (name, value) in live.attributes.iter().chain(&live.facts).filter(lasting) {
            parts.push(name.clone());
            parts.push(value.to_json().to_string());
        }
        Self::of_parts(parts.iter().map(String::as_str))
    }

    /// The printed form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A digest read from a plan or a ledger.
    pub fn read(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_no_part_of_what_a_plan_saw() {
        let address = crate::core::Address::global(crate::core::KindId::new("job"), "x");
        let live = |filled: bool, query: &str| {
            let mut live = Live::new(address.clone(), None);
            live.passing = &["filled"];
            live.set("filled", filled);
            live.set_fact("query", Value::text(query));
            Fingerprint::of_live(Some(&live))
        };
        assert_eq!(live(true, "a"), live(false, "a"));
        assert_ne!(live(true, "a"), live(true, "b"));
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(Fingerprint::of_parts(["ab", "c"]), Fingerprint::of_parts(["a", "bc"]));
        assert_eq!(
            Fingerprint::of(b"").as_str(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
