//! `archive_store`: where old chunks are kept as files, and how they are written.
//!
//! The database knows nothing of it. Its resource is what the `archive` sections of tables, and the
//! commands that read an archive, go by; the one thing about it that is compared is whether anything is in it
//! that is older than it is kept. Whoever looks into the store says that.

mod desired;
mod location;
mod observe;
mod rules;
#[cfg(test)]
mod tests;
mod weigh;

use std::collections::BTreeMap;

use schemars::JsonSchema as _;

use crate::core::{
    Address, ClosedBy, Delta, Desired, KindId, Live, Op, Operation, Query, Row, RowError, Server, Task, Value,
};
use crate::diag::{Code, Diagnostic};
use crate::kinds::{Export, Judgement, Kind, Relations, Rules, Scope, Section, View};

pub use weigh::TASK;

/// The kind's name.
pub const ID: KindId = KindId::new("archive_store");
/// The attribute that says where the files are: an absolute path.
pub const PATH: &str = "path";
/// The attribute that says which bucket they are in, and how to get there: a mapping by [`s3`]'s names.
pub const S3: &str = "s3";
/// In that: the folder that files pass through.
pub const SPOOL: &str = "spool";
/// Which that is where nobody says.
pub const SPOOL_DEFAULT: &str = "/var/tmp";

/// What is known of a bucket, by name.
pub mod s3 {
    /// Its name.
    pub const BUCKET: &str = "bucket";
    /// The host that serves it, perhaps with a port.
    pub const ENDPOINT: &str = "endpoint";
    /// Its region.
    pub const REGION: &str = "region";
    /// What all keys begin with: nothing, or something that ends with a slash.
    pub const PREFIX: &str = "prefix";
    /// Where its name goes: `host` or `path`.
    pub const URI_STYLE: &str = "uri_style";
    /// Whether the server's certificate is looked at.
    pub const VERIFY_TLS: &str = "verify_tls";
    /// The file with the authorities that the certificate may be of.
    pub const CA_FILE: &str = "ca_file";
    /// Where the access key is from.
    pub const KEY: &str = "key";
    /// Where the secret access key is from.
    pub const SECRET: &str = "secret";
}

/// The attribute that says where the key is from that files are encrypted with; nothing where they are not.
pub const ENCRYPTION: &str = "encryption";
/// The attribute that says where the keys are from that files were encrypted with before, to read those.
pub const FORMER_KEYS: &str = "former_keys";
/// How pages are compressed: `zstd`.
pub const COMPRESSION: &str = "compression";
/// How many bytes of rows a row group holds.
pub const ROW_GROUP: &str = "row_group";
/// How long a chunk is kept after the end of its range.
pub const KEEP: &str = "keep";

/// The manifests of what has expired and stays, by their paths in the store: an older copy would count again without it.
/// Whoever looks into the stores says that, and plans go by it.
pub const HELD: &str = "held";

/// The one attribute that is compared.
pub const STATE: &str = "state";
/// What it is when nothing is to be removed.
pub const CURRENT: &str = "nothing has expired";

/// The fact that lists the manifests of what has expired, by their paths in the store.
pub const EXPIRES: &str = "expires";
/// The fact that says how much room that takes.
pub const BYTES: &str = "bytes";
/// The fact that says when the oldest of it begins.
pub const OLDEST: &str = "oldest";
/// The fact that says when the newest of it ends.
pub const NEWEST: &str = "newest";
/// The fact that lists where copies are, by the ledger, that nobody can look at, and that would perhaps count again.
pub const UNSEEN: &str = "unseen";

static EXPIRED: Code = Code::new("archive-expired", "Archived chunks that are older than their store keeps them.");
/// A store that cannot be used.
pub static UNUSABLE: Code = Code::new("archive-unusable", "A store of archives that cannot be read or written.");
/// A store whose bucket lets nobody in.
pub static REFUSED: Code =
    Code::new("archive-refused", "A store's bucket that refuses the key or the secret that it is given.");
/// A store whose bucket is not there.
pub static NO_BUCKET: Code = Code::new("archive-missing", "A store's bucket that is not there.");
/// A store whose bucket's server does not answer as it should.
pub static UNREACHABLE: Code = Code::new(
    "archive-unreachable",
    "A store's bucket that cannot be reached, or whose server says that it cannot now.",
);
/// A store whose bucket's server has a certificate that is not trusted.
pub static UNTRUSTED: Code =
    Code::new("archive-untrusted", "A store's bucket whose server has a certificate that is not trusted.");
/// A key that is none, or not the one that a file was encrypted with.
pub static WRONG_KEY: Code =
    Code::new("archive-key", "A key that is none for an archive, or not the one that a file was encrypted with.");
/// A file that counts for nothing.
pub static UNSEALED: Code = Code::new("archive-unsealed", "A file in a store of archives that has no manifest.");
/// A store that is not what it was.
pub static LOST: Code = Code::new("archive-lost", "A store of archives without files that were put there.");
/// Copies that may have been archived again where nobody can look.
pub static DOUBTED: Code = Code::new(
    "archive-doubtful",
    "Archived copies whose time was archived again later, by the ledger, at a place where nobody has looked.",
);
/// Copies that may have the same rows.
pub static BESIDE: Code = Code::new(
    "archive-beside",
    "Archived copies of chunks of one name and one time, of which none stands in for another: they may have the same rows.",
);
static HELD_BACK: Code =
    Code::new("archive-held", "Archived chunks that have expired and stay, because older copies would count again.");
static CODES: [&Code; 12] = [
    &EXPIRED,
    &HELD_BACK,
    &UNSEALED,
    &UNUSABLE,
    &REFUSED,
    &NO_BUCKET,
    &UNREACHABLE,
    &UNTRUSTED,
    &WRONG_KEY,
    &LOST,
    &DOUBTED,
    &BESIDE,
];

/// What is said of what has expired and stays because of what nobody can see.
fn stays(desired: &Desired, held: usize, unseen: &[Value]) -> Diagnostic {
    let places = unseen.iter().filter_map(Value::as_text).collect::<Vec<_>>().join(", ");
    let (chunks, stay) = if held == 1 { ("1 archived chunk", "stays") } else { ("archived chunks", "stay") };
    let count = if held == 1 { String::new() } else { format!("{held} ") };
    let name = &desired.address.name;
    let message =
        format!("{count}{chunks} that `{name}` has kept for long enough {stay}: it may stand in for older copies");
    Diagnostic::warning(&HELD_BACK, message)
        .at(desired.place_of(KEEP))
        .why(format!("by the ledger, copies of the same time were put where no policy has a store, or are not where one is: {places}. They would count again"))
        .help("let an `archive_store` be at that place, with the `keep` that it is to have: what that has outlived is missed no more")
}

/// The kind.
pub struct ArchiveStore;

static SECTIONS: [Section; 1] = [Section {
    document: "archive_store",
    key: "",
    repeated: false,
    schema: desired::ArchiveStore::json_schema,
    expand: desired::expand,
}];

impl Kind for ArchiveStore {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "archive store"
    }

    fn rules(&self) -> &'static Rules {
        &rules::RULES
    }

    fn sections(&self) -> &'static [Section] {
        &SECTIONS
    }

    fn closed_by(&self) -> ClosedBy {
        ClosedBy::Run(Operation::Archive)
    }

    fn codes(&self) -> &'static [&'static Code] {
        &CODES
    }

    fn observe(&self, _server: &Server, _scope: &Scope) -> Option<Query> {
        observe::query()
    }

    fn read(&self, rows: &[Row], _relations: &Relations) -> Result<Vec<Live>, RowError> {
        observe::read(rows)
    }

    fn export(&self, _live: &Live, _view: &View<'_>) -> Export {
        Export::Nothing
    }

    fn check(&self, own: &[&Desired], _all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
        location::check(own, sink);
    }

    /// To be compared where somebody has looked into it, because the plan is for that. What may not be
    /// removed is told and left.
    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        let live = view.live.get(&desired.address)?;
        let expired = live.fact(EXPIRES).map_or(0, |expires| expires.as_list().len());
        if expired > 0 && live.get(STATE) == desired.get(STATE) {
            let chunks =
                if expired == 1 { "1 archived chunk is".to_owned() } else { format!("{expired} archived chunks are") };
            let keep = desired.get(KEEP).map_or_else(String::new, Value::to_string);
            sink.push(
                Diagnostic::warning(
                    &EXPIRED,
                    format!("{chunks} older than the {keep} that `{}` keeps them", desired.address.name),
                )
                .at(desired.place_of(KEEP))
                .why("what is removed from an archive is nowhere any more")
                .help("allow it with `chronoform run archive --allow deletes_data`"),
            );
        }
        let unseen = live.fact(UNSEEN).map(Value::as_list).unwrap_or_default();
        if let Some(held) = live.get(HELD).map(Value::as_list).filter(|_| !unseen.is_empty()) {
            sink.push(stays(desired, held.len(), unseen));
        }
        let mut settled = desired.clone();
        settled.attributes.extend(live.get(HELD).map(|held| (HELD.to_owned(), held.clone())));
        Some(settled)
    }

    fn items(
        &self,
        _template: &str,
        delta: &Delta,
        _weights: &[Row],
        view: &View<'_>,
    ) -> Result<Option<Vec<Value>>, RowError> {
        Ok(Some(weigh::items(delta, view)))
    }

    fn task(&self, item: &Value) -> Option<Task> {
        weigh::task(item)
    }

    fn judge(&self, delta: &Delta, op: Op, _weights: &[Row], _view: &View<'_>) -> Result<Judgement, RowError> {
        Ok(weigh::judge(delta, op))
    }
}
