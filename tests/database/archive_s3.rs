//! Archives in a bucket: what goes there has been read back from there before its chunk is dropped, whatever
//! the bucket does; and nothing is ever in neither.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use chronoform::bucket::{Address, Bucket, Keys, Put, Sort};
use libtest_mimic::{Failed, Trial};

use crate::cli::{Ran, Workplace};
use crate::s3::{BUCKET, How, KEY, S3Server, SECRET};
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier that has hypertables; and those of the bucket alone, once.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if tier == Tier::PostgresNative {
        let trial = |name: &str, run: fn(&S3Server)| {
            Trial::test(format!("{tier}::archive::s3::{name}"), move || -> Result<(), Failed> {
                run(&S3Server::start()?);
                Ok(())
            })
        };
        return vec![
            trial("large_files_go_in_parts", parts),
            trial("listings_have_many_pages", pages),
            trial("nothing_is_overwritten", nothing_is_overwritten),
            trial("what_passes_is_tried_again", tried_again),
        ];
    }
    if !matches!(tier, Tier::Embedded | Tier::Apache) {
        return Vec::new();
    }
    let trial = |name: &str, run: fn(&Ground<'_>)| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::archive::s3::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            let place = Workplace::new(&db);
            let server = S3Server::start()?;
            run(&Ground::new(&db, &place, &server));
            Ok(())
        })
    };
    let mut trials = vec![
        trial("there_and_back", there_and_back),
        trial("a_bucket_that_fails_at_each_request", fails_at_each_request),
        trial("killed_at_each_request", killed_at_each_request),
        trial("what_keeps_something_else_is_found", keeps_something_else),
        trial("damage_is_found", damage),
    ];
    // What is said is the same on every server.
    if tier == Tier::Embedded {
        trials.push(trial("who_may_not_come_in", who_may_not_come_in));
        trials.push(trial("what_has_expired_goes", expired));
    }
    trials
}

/// A database, a bucket, and a policy that names both.
struct Ground<'a> {
    db: &'a Db,
    place: &'a Workplace<'a>,
    server: &'a S3Server,
}

impl<'a> Ground<'a> {
    fn new(db: &'a Db, place: &'a Workplace<'a>, server: &'a S3Server) -> Self {
        fs::create_dir(place.path().join("spool")).unwrap();
        server.trust(&place.path().join("authority.pem"));
        let ground = Self { db, place, server };
        db.run(
            "CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text, price float8, note jsonb);
             SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
             CREATE TABLE public.before (LIKE public.trades);",
        );
        ground.policy("", &|text| text);
        ground
    }

    /// The policy, as `change` has it.
    fn policy(&self, keep: &str, change: &dyn Fn(String) -> String) {
        let folder = self.place.path().display();
        let text = format!(
            "kind: archive_store\nname: cold\nlocation:\n  spool: {folder}/spool\n  s3:\n    bucket: {BUCKET}\n    \
             endpoint: {}\n    region: eu-central-1\n    prefix: /cold/é 1/\n    uri_style: path\n    \
             ca_file: {folder}/authority.pem\n    key: '${{env.ARCHIVE_S3_KEY}}'\n    \
             secret: '${{env.ARCHIVE_S3_SECRET}}'\n{keep}---\nkind: table\nname: public.trades\n\
             archive: {{to: cold, after: 30 days, drop: true}}\n",
            self.server.endpoint(),
        );
        self.place.write("policy.yaml", &change(text));
    }

    /// A chunk of a day long ago.
    fn day(&self, day: usize) {
        self.db.run(&format!(
            "INSERT INTO public.trades SELECT timestamptz '2020-01-01 00:00+00' + {day} * INTERVAL '1 day' + i * INTERVAL '1 minute', \
                    'S' || i % 3, CASE WHEN i % 7 = 0 THEN NULL ELSE i + {day} END, jsonb_build_object('i', i) \
               FROM generate_series(0, 99) AS i;
             INSERT INTO public.before SELECT * FROM public.trades WHERE time >= timestamptz '2020-01-01 00:00+00' + {day} * INTERVAL '1 day';"
        ));
    }

    fn run_as(&self, arguments: &[&str], key: &str, secret: &str) -> Ran {
        let mut command = self.place.command(&[arguments, &["--policies", "policy.yaml"]].concat());
        command.env("ARCHIVE_S3_KEY", key).env("ARCHIVE_S3_SECRET", secret);
        let ran = Ran::of(&command.output().unwrap());
        for text in [&ran.out, &ran.err] {
            assert!(!text.contains(SECRET) && !text.contains(KEY), "a secret is shown: {text}");
        }
        ran
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_as(arguments, KEY, SECRET)
    }

    fn archive(&self) -> Ran {
        self.run(&["run", "archive", "--auto-approve"])
    }

    /// Old rows that are in the table still.
    fn left(&self) -> usize {
        self.db.lines("SELECT count(*) FROM public.trades")[0].parse().unwrap()
    }

    /// The objects whose names end with something.
    fn objects(&self, ending: &str) -> Vec<PathBuf> {
        crate::archive::below(self.server.bucket(), ending)
    }

    /// What is in the table together with what the bucket gives back is what there was, row for row, and no row
    /// is there twice that the table has let go.
    fn nothing_is_lost(&self) {
        self.db.run("DROP TABLE IF EXISTS public.back; CREATE TABLE public.back (LIKE public.trades)");
        if !self.objects(".json").is_empty() {
            self.run(&["archive", "restore", "public.trades", "--into", "public.back", "--auto-approve"]).expect(0);
        }
        let lost = "SELECT count(*) FROM (SELECT t::text FROM public.before AS t EXCEPT ALL SELECT b::text FROM \
                    (SELECT * FROM public.trades UNION ALL SELECT * FROM public.back) AS b) AS lost";
        assert_eq!(self.db.lines(lost), ["0"], "rows are in neither");
    }

    /// The bucket has every row, and the table has none.
    fn all_is_archived(&self) {
        assert_eq!(self.left(), 0);
        self.nothing_is_lost();
        assert_eq!(
            self.db.lines("SELECT count(*) FROM public.back"),
            self.db.lines("SELECT count(*) FROM public.before")
        );
    }

    /// No secret is anywhere that lasts.
    fn no_secret_is_kept(&self) {
        for entry in fs::read_dir(self.place.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let bytes = fs::read(&path).unwrap();
                for secret in [SECRET, KEY] {
                    let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                    assert!(!found, "{} has a secret in it", path.display());
                }
            }
        }
    }
}

fn there_and_back(ground: &Ground<'_>) {
    for day in 0..3 {
        ground.day(day);
    }
    let planned = ground.place.run(&["plan", "policy.yaml", "--out", "plan.json"]).expect(0);
    assert!(planned.out.contains("all but 3 chunks"), "{}", planned.out);
    let dry = ground.run(&["run", "archive", "--dry-run", "-v"]).expect(0);
    assert!(dry.out.contains("archives and then drops 3 chunks"), "{}", dry.out);
    assert!(ground.objects("").is_empty(), "a dry run puts nothing there");
    ground.archive().expect(0);
    assert_eq!((ground.objects(".parquet").len(), ground.objects(".json").len()), (3, 3));
    assert!(ground.archive().expect(0).out.contains("Nothing is due."));
    let listed = ground.run(&["archive", "list"]).expect(0);
    assert_eq!(listed.out.matches("public.trades").count(), 3, "{}", listed.out);
    ground.run(&["archive", "verify"]).expect(0);
    let json = ground.run(&["archive", "list", "--format", "json"]).expect(0);
    assert!(json.out.contains("s3://kept/cold/é 1/"), "{}", json.out);
    let shown =
        ground.run(&["archive", "query", "public.trades", "--from", "2020-01-02", "--to", "2020-01-03"]).expect(0);
    assert!(shown.out.contains("2020-01-02") && shown.out.contains("S0"), "{}", shown.out);
    ground.all_is_archived();
    ground.no_secret_is_kept();
    // Back into the table itself, or where nothing can be frozen into another.
    let itself = ground.db.tier().has_policies();
    let into: &[&str] = if itself { &[] } else { &["--into", "public.back"] };
    ground.db.run("TRUNCATE public.back");
    let back = ["archive", "restore", "public.trades", "--to", "2020-01-02", "--auto-approve"];
    ground.run(&[&back[..], into].concat()).expect(0);
    let count = if itself { "SELECT count(*) FROM public.trades" } else { "SELECT count(*) FROM public.back" };
    assert_eq!(ground.db.lines(count), ["100"]);
    assert_eq!(fs::read_dir(ground.place.path().join("spool")).unwrap().count(), 0, "nothing stays on the way");
}

/// One that fails from its Nth request on, whichever N; and one that fails but once, in each way.
fn fails_at_each_request(ground: &Ground<'_>) {
    ground.day(0);
    let mut requests = 0;
    for more in 0.. {
        assert!(more < 60, "it goes on for ever");
        ground.server.fails(more, How::Refuses, true);
        let ran = ground.archive();
        let failed = ground.server.well();
        ground.nothing_is_lost();
        if !failed {
            ran.expect(0);
            break;
        }
        assert_eq!(ran.code, 4, "{more}: {}\n{}", ran.out, ran.err);
        assert!(ran.err.contains("archive-refused"), "{more}: {}", ran.err);
        requests += 1;
    }
    assert!(requests >= 6, "{requests} requests for a chunk are not all of them");
    ground.all_is_archived();
    // Once, and in passing: then nothing is wrong with it.
    let mut day = 0;
    for how in [How::Unable, How::Silent, How::Cut] {
        for more in 0..=requests {
            day += 1;
            ground.day(day);
            ground.server.fails(more, how, false);
            let ran = ground.archive();
            ground.server.well();
            assert_eq!(ran.code, 0, "{how:?} {more}: {}\n{}", ran.out, ran.err);
            assert_eq!(ground.left(), 0, "{how:?} {more}");
        }
    }
    ground.all_is_archived();
    ground.run(&["archive", "verify"]).expect(0);
    assert_eq!(ground.objects(".json").len(), day + 1);
}

/// Killed as soon as the bucket has heard its Nth request, whichever N.
fn killed_at_each_request(ground: &Ground<'_>) {
    ground.day(0);
    for more in 1..30 {
        let before = ground.server.came();
        let arguments = ["run", "archive", "--auto-approve", "--policies", "policy.yaml"];
        let mut command = ground.place.command(&arguments);
        command.env("ARCHIVE_S3_KEY", KEY).env("ARCHIVE_S3_SECRET", SECRET).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let ended = loop {
            if let Some(ended) = child.try_wait().unwrap() {
                break Some(ended);
            }
            if ground.server.came() - before >= more {
                let _ = child.kill();
                child.wait().unwrap();
                break None;
            }
            thread::sleep(Duration::from_micros(200));
        };
        ground.nothing_is_lost();
        if ended.is_some_and(|ended| ended.success()) {
            break;
        }
    }
    ground.archive().expect(0);
    ground.all_is_archived();
    ground.run(&["archive", "verify"]).expect(0);
    assert_eq!(ground.objects(".json").len(), 1);
    assert_eq!(fs::read_dir(ground.place.path().join("spool")).unwrap().count(), 0, "nothing stays on the way");
}

/// What the bucket keeps is not what was put there: that is found before anything is dropped.
fn keeps_something_else(ground: &Ground<'_>) {
    ground.day(0);
    ground.server.fails(0, How::Spoils, false);
    let ran = ground.archive();
    assert!(ground.server.well());
    assert_eq!(ran.code, 4, "{}\n{}", ran.out, ran.err);
    assert!(ran.err.contains("SHA-256") && ran.err.contains("still in the table"), "{}", ran.err);
    assert_eq!(ground.left(), 100);
    assert!(ground.objects(".json").is_empty(), "nothing says that it is whole");
    assert!(ground.objects(".parquet").is_empty(), "nothing is left in its place");
    ground.archive().expect(0);
    ground.all_is_archived();
}

fn damage(ground: &Ground<'_>) {
    for day in 0..3 {
        ground.day(day);
    }
    ground.archive().expect(0);
    let verify = || ground.run(&["archive", "verify"]);
    verify().expect(0);
    for (number, file) in ground.objects(".parquet").iter().enumerate() {
        let whole = fs::read(file).unwrap();
        let mut other = whole.clone();
        match number {
            0 => other[whole.len() / 2] ^= 1,
            1 => other.truncate(whole.len() - 1),
            _ => other.clear(),
        }
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        for lost in [false, true] {
            if lost {
                fs::remove_file(file).unwrap()
            } else {
                fs::write(file, &other).unwrap()
            }
            let found = verify().expect(2);
            assert!(found.out.contains(&name), "{}\n{}", found.out, found.err);
            ground.db.run("DROP TABLE IF EXISTS public.back; CREATE TABLE public.back (LIKE public.trades)");
            let back = ground.run(&["archive", "restore", "public.trades", "--into", "public.back", "--auto-approve"]);
            // Only what changes no value can be passed over.
            assert!(back.code != 0 || (number == 0 && !lost), "{name}");
            let come = "SELECT count(*) FROM (SELECT t::text FROM public.before AS t EXCEPT ALL SELECT b::text FROM public.back AS b) AS d";
            assert_eq!(ground.db.lines(come), [if back.code == 0 { "0" } else { "300" }], "all of it or nothing");
            fs::write(file, &whole).unwrap();
        }
    }
    let manifest = &ground.objects(".json")[0];
    let whole = fs::read_to_string(manifest).unwrap();
    let other = whole.replace("\"rows\": 100", "\"rows\": 101").replace("\"rows\":100", "\"rows\":101");
    assert_ne!(other, whole);
    fs::write(manifest, other).unwrap();
    verify().expect(2);
    fs::write(manifest, whole).unwrap();
    // A bucket that nobody can ask is no damage, and is said once.
    ground.server.fails(1, How::Refuses, true);
    let refused = verify().expect(1);
    assert_eq!(refused.err.matches("archive-refused").count(), 1, "{}", refused.err);
    ground.server.well();
    verify().expect(0);
}

fn who_may_not_come_in(ground: &Ground<'_>) {
    ground.day(0);
    let run = ["run", "archive", "--auto-approve"];
    let refused = |ran: Ran, code: &str, help: &str| {
        assert!(ran.code != 0 && ran.err.contains(code), "{code}: {}\n{}", ran.out, ran.err);
        assert!(ran.err.contains(help), "{help}: {}", ran.err);
        assert!(!ran.err.contains("hunter2") && !ran.out.contains("hunter2"), "{}", ran.err);
        assert_eq!(ground.left(), 100, "{code}");
    };
    refused(ground.run_as(&run, KEY, "hunter2-another"), "archive-refused", "ARCHIVE_S3_SECRET");
    refused(ground.run_as(&run, "ANOTHER", SECRET), "archive-refused", "ARCHIVE_S3_KEY");
    refused(ground.run_as(&run, KEY, ""), "secret-not-at-hand", "`${env.ARCHIVE_S3_SECRET}` is not at hand");
    refused(ground.run_as(&["archive", "list"], KEY, "hunter2-another"), "archive-refused", "ARCHIVE_S3_SECRET");
    let endpoint = ground.server.endpoint();
    let elsewhere = endpoint.replace("localhost", "127.0.0.2");
    let bucket = format!("bucket: {BUCKET}");
    for (there, other, code, help) in [
        (bucket.as_str(), "bucket: another", "archive-missing", "make the bucket"),
        (endpoint.as_str(), "localhost:1", "archive-unreachable", "`endpoint`"),
        (endpoint.as_str(), elsewhere.as_str(), "archive-untrusted", "`endpoint`"),
        ("    ca_file", "    # ca_file", "archive-untrusted", "ca_file"),
        ("authority.pem", "nowhere.pem", "archive-untrusted", "nowhere.pem"),
        ("/spool", "/nowhere", "archive-unusable", "`spool`"),
    ] {
        ground.policy("", &|text| text.replace(there, other));
        refused(ground.archive(), code, help);
    }
    ground.policy("", &|text| text);
    // One that always says that it cannot is asked for some seconds, and no longer.
    ground.server.fails(0, How::Unable, true);
    refused(ground.archive(), "archive-unreachable", "503");
    ground.server.well();
    ground.archive().expect(0);
    ground.all_is_archived();
}

fn expired(ground: &Ground<'_>) {
    for day in 0..2 {
        ground.day(day);
    }
    ground.archive().expect(0);
    ground.policy("keep: 2 years\n", &|text| text);
    assert!(ground.archive().expect(0).err.contains("archive-expired"));
    assert_eq!(ground.objects(".json").len(), 2, "without a word nothing goes");
    let allowed = ["run", "archive", "--auto-approve", "--allow", "deletes_data"];
    // Whatever it fails at, no manifest is without its file.
    for more in 0.. {
        ground.server.fails(more, How::Refuses, true);
        let ran = ground.run(&allowed);
        let failed = ground.server.well();
        let stem = |path: &PathBuf| path.with_extension("").to_string_lossy().into_owned();
        let data: Vec<String> = ground.objects(".parquet").iter().map(stem).collect();
        assert!(ground.objects(".json").iter().all(|path| data.contains(&stem(path))), "{more}: {data:?}");
        if !failed {
            ran.expect(0);
            break;
        }
        assert!(ran.code != 0 && ran.err.contains("403"), "{more}: {}\n{}", ran.out, ran.err);
    }
    assert!(ground.objects(".json").is_empty());
    assert!(ground.run(&allowed).expect(0).out.contains("Nothing is due."));
    // What has gone by the policy is missed by nobody; what it could not take along is named.
    let left = ground.objects(".parquet");
    let listed = ground.run(&["archive", "list"]).expect(0);
    assert!(listed.out.contains("Nothing is archived."), "{}", listed.out);
    assert_eq!(listed.err.contains("archive-unsealed"), !left.is_empty(), "{left:?}: {}", listed.err);
    let proved = ground.run(&["archive", "verify"]).expect(2);
    assert!(proved.out.contains("Nothing is proved") && !proved.out.contains("by the ledger"), "{}", proved.out);
    // Nor is it known to have been proved, when the same rows are archived once more.
    ground.policy("", &|text| text);
    ground.day(0);
    ground.archive().expect(0);
    ground.run(&["archive", "verify"]).expect(0);
    assert!(!ground.run(&["archive", "list"]).expect(0).out.contains("by the ledger"));
}

/// The bucket without anything about it.
fn bucket(server: &S3Server, prefix: &str) -> (tempfile::TempDir, Bucket) {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    server.trust(&authority);
    let address = Address {
        bucket: BUCKET.to_owned(),
        endpoint: server.endpoint(),
        region: "eu-central-1".to_owned(),
        prefix: prefix.to_owned(),
        path_style: true,
        ca_file: Some(authority.display().to_string()),
        verify_tls: true,
    };
    let keys = Keys { key: KEY.to_owned(), secret: SECRET.to_owned() };
    (folder, Bucket::new(address, keys).unwrap())
}

fn on() -> bool {
    false
}

/// A file without a name, of so many bytes that do not repeat.
fn file(length: usize) -> (fs::File, Vec<u8>) {
    let mut number = 1_u64;
    let bytes: Vec<u8> = (0..length)
        .map(|_| {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (number >> 56) as u8
        })
        .collect();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    (file, bytes)
}

fn read_back(bucket: &Bucket, key: &str) -> Vec<u8> {
    use std::io::Seek as _;
    let mut back = tempfile::tempfile().unwrap();
    bucket.fetch(key, &back, &on).unwrap();
    back.rewind().unwrap();
    let mut bytes = Vec::new();
    back.read_to_end(&mut bytes).unwrap();
    bytes
}

fn parts(server: &S3Server) {
    let (_folder, bucket) = bucket(server, "p/");
    let (large, bytes) = file((20 << 20) + 7);
    assert_eq!(bucket.put_file("large", &large, &on).unwrap(), Put::Done);
    assert!(read_back(&bucket, "large") == bytes);
    assert_eq!(bucket.length("large").unwrap(), Some(bytes.len() as u64));
    assert_eq!(bucket.get_part("large", 5, 3).unwrap(), bytes[5..8]);
    assert_eq!(bucket.get_part("large", bytes.len() as u64 - 2, 10).unwrap(), bytes[bytes.len() - 2..]);
    // Whatever is refused, nothing of it is there, and nothing is left to be paid for.
    for more in 0..6 {
        server.fails(more, How::Refuses, true);
        let error = bucket.put_file("never", &large, &on).unwrap_err();
        assert_eq!(error.sort, Sort::Refused, "{more}: {error}");
        server.well();
        assert_eq!(bucket.length("never").unwrap(), None, "{more}");
    }
    // One that fails once only: whichever request it is, and however.
    for how in [How::Unable, How::Silent] {
        for more in 0..6 {
            let key = format!("{how:?}-{more}");
            server.fails(more, how, false);
            let put = bucket.put_file(&key, &large, &on);
            assert!(server.well(), "{key}: there were fewer requests");
            put.unwrap();
            assert!(read_back(&bucket, &key) == bytes, "{key}");
        }
    }
    // Given up after its first part, it is given up at the server, too.
    let asked = std::cell::Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        asked.get() > 2
    };
    let before = server.unfinished();
    assert_eq!(bucket.put_file("stopped", &large, &stop).unwrap_err().sort, Sort::Stopped);
    assert_eq!(bucket.length("stopped").unwrap(), None);
    server.fails(4, How::Refuses, false);
    assert_eq!(bucket.put_file("stopped", &large, &on).unwrap_err().sort, Sort::Refused);
    assert_eq!(server.unfinished(), before, "uploads that nobody ended");
    // What is read goes on where it broke off.
    server.fails(0, How::Cut, false);
    assert!(read_back(&bucket, "large") == bytes);
    assert!(server.well());
}

fn pages(server: &S3Server) {
    let (_folder, bucket) = bucket(server, "many/");
    let folder = server.bucket().join("many/a");
    fs::create_dir_all(&folder).unwrap();
    fs::create_dir_all(server.bucket().join("many/b")).unwrap();
    for number in 0..2345 {
        fs::write(folder.join(format!("{number:05}%2B&<é>.json")), "x").unwrap();
    }
    fs::write(server.bucket().join("many/b/other.json"), "x").unwrap();
    let before = server.came();
    let keys = bucket.list("a/").unwrap();
    assert_eq!(server.came() - before, 3, "pages of a thousand");
    assert_eq!(keys.len(), 2345);
    assert_eq!((keys[0].as_str(), keys[2344].as_str()), ("a/00000%2B&<é>.json", "a/02344%2B&<é>.json"));
    assert_eq!(bucket.list("").unwrap().len(), 2346);
    assert_eq!(bucket.get(&keys[7], 10).unwrap(), b"x");
    assert!(bucket.list("none/").unwrap().is_empty());
    // A page that is lost is asked for again, and one that is refused is no end of the list.
    for more in 0..3 {
        for how in [How::Unable, How::Silent, How::Cut] {
            server.fails(more, how, false);
            assert_eq!(bucket.list("a/").unwrap().len(), 2345);
            assert!(server.well());
        }
        server.fails(more, How::Refuses, true);
        assert_eq!(bucket.list("a/").unwrap_err().sort, Sort::Refused);
        server.well();
    }
}

fn nothing_is_overwritten(server: &S3Server) {
    let (_folder, bucket) = bucket(server, "");
    assert_eq!(bucket.put("a/key", b"first").unwrap(), Put::Done);
    assert_eq!(bucket.put("a/key", b"second").unwrap(), Put::There);
    let (small, _) = file(100);
    assert_eq!(bucket.put_file("a/key", &small, &on).unwrap(), Put::There);
    assert_eq!(bucket.get("a/key", 10).unwrap(), b"first");
    assert_eq!(bucket.get("a/key", 3).unwrap_err().sort, Sort::Other, "more than was expected");
    assert_eq!(bucket.length("a/none").unwrap(), None);
    assert_eq!(bucket.get("a/none", 3).unwrap_err().sort, Sort::NoObject);
    bucket.remove("a/key").unwrap();
    bucket.remove("a/key").unwrap();
    assert_eq!(bucket.length("a/key").unwrap(), None);
}

fn tried_again(server: &S3Server) {
    let (_folder, bucket) = bucket(server, "");
    bucket.put("key", b"text").unwrap();
    for how in [How::Unable, How::Silent, How::Cut] {
        server.fails(0, how, false);
        assert_eq!(bucket.get("key", 10).unwrap(), b"text", "{how:?}");
        assert!(server.well());
    }
    let before = server.came();
    server.fails(0, How::Unable, true);
    let error = bucket.get("key", 10).unwrap_err();
    server.well();
    assert_eq!((error.sort, server.came() - before), (Sort::Unreachable, 5), "{error}");
    // An answer that is lost is not the request's end: it may have been heard.
    server.fails(0, How::Silent, false);
    assert_eq!(bucket.put("heard", b"text").unwrap(), Put::There);
    assert_eq!(bucket.get("heard", 10).unwrap(), b"text");
}
