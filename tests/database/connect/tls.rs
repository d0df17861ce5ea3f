//! TLS in every mode, against every sort of server certificate; client certificates; passwords.

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use postgres::NoTls;
use tempfile::TempDir;

use super::certificates::{Authority, Signed, Wish, self_signed, write};
use super::{said, session};
use crate::servers::cluster::{Cluster, Place};
use crate::servers::trixie_root;

/// The tests.
pub fn trials() -> Vec<Trial> {
    let add = |name: &str, run: fn(&mut Secure)| {
        Trial::test(format!("postgres::connect::tls::{name}"), move || -> Result<(), Failed> {
            run(&mut Secure::start(&Place::native()?)?);
            Ok(())
        })
    };
    vec![
        add("every_mode_with_every_root_and_name", every_mode_with_every_root_and_name),
        add("every_sort_of_server_certificate", every_sort_of_server_certificate),
        add("what_the_server_lets_in", what_the_server_lets_in),
        add("client_certificates", client_certificates),
        add("passwords_and_channel_binding", passwords_and_channel_binding),
        add("files_in_the_home_folder", files_in_the_home_folder),
        add("a_statement_is_cancelled_over_tls", a_statement_is_cancelled_over_tls),
    ]
}

/// The tests that need a server of version 17.
pub fn newer_trials() -> Vec<Trial> {
    vec![Trial::test("apache::connect::tls::direct_negotiation", || -> Result<(), Failed> {
        let secure = Secure::start(&Place::apache(&trixie_root()?)?)?;
        for (more, wanted) in [
            ("sslmode=require sslnegotiation=direct", "tls"),
            ("sslmode=verify-full sslrootcert=@root.crt sslnegotiation=direct channel_binding=require", "tls"),
            ("sslmode=verify-full sslrootcert=@wrong.crt sslnegotiation=direct", "[tls-failed]"),
            ("sslmode=prefer sslnegotiation=direct", "needs `sslmode` to be require"),
        ] {
            secure.expect("postgres", "db.example", more, wanted);
        }
        Ok(())
    })]
}

const USERS: &str = "
    CREATE ROLE only_tls LOGIN PASSWORD 'pw';
    CREATE ROLE only_plain LOGIN PASSWORD 'pw';
    CREATE ROLE by_cert LOGIN;
    CREATE ROLE cert_and_scram LOGIN PASSWORD 'pw';
    CREATE ROLE nobody LOGIN;
    SET password_encryption = md5;
    CREATE ROLE by_md5 LOGIN PASSWORD 'pw';
";

const RULES: &str = "
host      all postgres       127.0.0.1/32 scram-sha-256
hostssl   all only_tls       127.0.0.1/32 scram-sha-256
hostnossl all only_plain     127.0.0.1/32 scram-sha-256
hostssl   all by_cert        127.0.0.1/32 cert
hostssl   all cert_and_scram 127.0.0.1/32 scram-sha-256 clientcert=verify-full
host      all by_md5         127.0.0.1/32 md5
";

/// A server with TLS, and the files of its clients.
struct Secure {
    cluster: Cluster,
    authority: Authority,
    files: TempDir,
}

impl Secure {
    fn start(place: &Place) -> Result<Self, String> {
        let cluster = Cluster::start(place, &[])?;
        let mut admin = postgres::Client::connect(cluster.url(), NoTls).map_err(|error| error.to_string())?;
        admin.batch_execute(USERS).map_err(|error| error.to_string())?;
        drop(admin);
        let authority = Authority::new("the tests' authority");
        write(&cluster.data().join("pg_hba.conf"), RULES, 0o600);
        write(&cluster.data().join("root.crt"), &authority.certificate, 0o644);
        let settings = "\nssl = on\nssl_ca_file = 'root.crt'\n";
        let file = cluster.data().join("postgresql.conf");
        let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
        write(&file, &(text + settings), 0o600);
        let files = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut secure = Self { cluster, authority, files };
        secure.file("root.crt", &secure.authority.certificate, 0o644);
        secure.file("wrong.crt", &Authority::new("somebody else").certificate, 0o644);
        let right = secure.signs("db.example", &["db.example", "*.wild.example", "127.0.0.1"]);
        secure.serve(&right);
        Ok(secure)
    }

    fn signs(&self, common_name: &str, names: &[&str]) -> Signed {
        self.authority.signs(&Wish { common_name, names, ..Wish::default() })
    }

    /// Starts the server again with this certificate.
    fn serve(&mut self, shown: &Signed) {
        self.cluster.stop();
        write(&self.cluster.data().join("server.crt"), &shown.certificate, 0o600);
        write(&self.cluster.data().join("server.key"), &shown.key, 0o600);
        self.cluster.launch().unwrap();
    }

    /// Starts the server again with a line more in its configuration.
    fn set(&mut self, line: &str) {
        self.cluster.stop();
        let file = self.cluster.data().join("postgresql.conf");
        let text = fs::read_to_string(&file).unwrap();
        write(&file, &format!("{text}\n{line}\n"), 0o600);
        self.cluster.launch().unwrap();
    }

    fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let file = self.files.path().join(name);
        write(&file, text, mode);
        file
    }

    /// A text for a user at a host of that name, and more of it; `@` stands for the files' folder.
    fn text(&self, user: &str, host: &str, more: &str) -> String {
        let more = more.replace('@', &format!("{}/", self.files.path().display()));
        let (port, password) = (self.cluster.port(), if user == "postgres" { "postgres" } else { "pw" });
        format!("host={host} hostaddr=127.0.0.1 port={port} user={user} password={password} dbname=postgres {more}")
    }

    /// How it ends: `tls`, `plain`, or what is said.
    fn ends(&self, user: &str, host: &str, more: &str) -> String {
        ends(&self.text(user, host, more), &[])
    }

    #[track_caller]
    fn expect(&self, user: &str, host: &str, more: &str, wanted: &str) {
        let ended = self.ends(user, host, more);
        assert!(ended.contains(wanted), "{user} at {host}, {more}\nwanted: {wanted}\ngot:    {ended}");
        assert!(!ended.contains("pw ") && !ended.contains("postgres password"), "{ended}");
    }
}

fn ends(text: &str, variables: &[(&str, &str)]) -> String {
    match session(text, variables) {
        Ok(mut session) => {
            let sql = "SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()";
            let rows = session.query_text(sql).unwrap();
            if rows[0].bool("ssl").unwrap() { "tls".to_owned() } else { "plain".to_owned() }
        }
        Err(failure) => said(&failure),
    }
}

fn every_mode_with_every_root_and_name(secure: &mut Secure) {
    let modes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
    let unknown_issuer = "nobody that `sslrootcert` holds has signed";
    for (at, mode) in modes.into_iter().enumerate() {
        for (root, name) in
            [("right", "db.example"), ("right", "other"), ("wrong", "db.example"), ("wrong", "other"), ("no", "other")]
        {
            let file = match root {
                "right" => "sslrootcert=@root.crt",
                "wrong" => "sslrootcert=@wrong.crt",
                _ => "",
            };
            let wanted = match (at, root, name) {
                // The server takes the first, unprotected try.
                (0 | 1, ..) => "plain",
                // Roots that are there are used in every mode; `prefer` goes on without TLS, as libpq does.
                (2, "wrong", _) => "plain",
                (3.., "wrong", _) => unknown_issuer,
                (4.., "no", _) => "root certificate file",
                (5, _, "other") => "the server's certificate is not for `other`, but for",
                _ => "tls",
            };
            secure.expect("postgres", name, &format!("sslmode={mode} {file}"), wanted);
        }
    }
    // The address itself, and one label of a wildcard.
    secure.expect("postgres", "127.0.0.1", "sslmode=verify-full sslrootcert=@root.crt", "tls");
    secure.expect("postgres", "a.wild.example", "sslmode=verify-full sslrootcert=@root.crt", "tls");
    secure.expect("postgres", "a.b.wild.example", "sslmode=verify-full sslrootcert=@root.crt", "[tls-failed]");
    // What was named and is not there is an error, also where libpq would go on unprotected.
    secure.expect("postgres", "db.example", "sslmode=require sslrootcert=@none.crt", "it is not there");
    secure.expect("postgres", "db.example", "sslmode=verify-full sslrootcert=@pg.key", "it is not there");
    secure.file("empty.crt", "", 0o644);
    secure.expect("postgres", "db.example", "sslmode=verify-full sslrootcert=@empty.crt", "holds no certificate");
    // The versions that this program speaks.
    for (limit, wanted) in [
        ("ssl_max_protocol_version=TLSv1.2", "tls"),
        ("ssl_min_protocol_version=TLSv1.3", "tls"),
        ("ssl_max_protocol_version=TLSv1.1", "TLSv1.2 and TLSv1.3"),
    ] {
        secure.expect("postgres", "db.example", &format!("sslmode=require {limit}"), wanted);
    }
    // PostgreSQL 15 has no direct negotiation: the server ends the connection.
    secure.expect("postgres", "db.example", "sslmode=require sslnegotiation=direct", "needs PostgreSQL 17");

    secure.set("ssl = off");
    for (at, mode) in modes.into_iter().enumerate() {
        let wanted = if at < 3 { "plain" } else { "the server does not speak TLS" };
        secure.expect("postgres", "db.example", &format!("sslmode={mode} sslrootcert=@root.crt"), wanted);
    }
}

fn every_sort_of_server_certificate(secure: &mut Secure) {
    let full = "sslmode=verify-full sslrootcert=@root.crt";
    let ca = "sslmode=verify-ca sslrootcert=@root.crt";

    secure.serve(&secure.authority.signs(&Wish { common_name: "db.example", expired: true, ..Wish::default() }));
    secure.expect("postgres", "db.example", full, "certificate expired on 2021-01-01");
    secure.expect("postgres", "db.example", ca, "certificate expired on 2021-01-01");
    secure.expect("postgres", "db.example", "sslmode=require", "tls");

    // Without alternative names, the common one counts, as in libpq.
    secure.serve(&secure.signs("db.example", &[]));
    secure.expect("postgres", "db.example", full, "tls");
    secure.expect("postgres", "other", full, "it has no alternative names");
    secure.serve(&secure.signs("db.example", &["other"]));
    secure.expect("postgres", "db.example", full, "is not for `db.example`");

    // The manual's own recipe: a self-signed certificate, given to the clients as their root.
    for authority in [false, true] {
        let own =
            self_signed(&Wish { common_name: "db.example", names: &["db.example"], ..Wish::default() }, authority);
        secure.file("own.crt", &own.certificate, 0o644);
        secure.serve(&own);
        secure.expect("postgres", "db.example", "sslmode=verify-full sslrootcert=@own.crt", "tls");
        secure.expect("postgres", "other", "sslmode=verify-full sslrootcert=@own.crt", "is not for `other`");
        secure.expect("postgres", "other", "sslmode=verify-ca sslrootcert=@own.crt", "tls");
        secure.expect("postgres", "db.example", full, "[tls-failed]");
        // No authority that this machine knows has signed it.
        secure.expect("postgres", "db.example", "sslrootcert=system", "[tls-failed]");
    }
    let own = self_signed(&Wish { common_name: "db.example", expired: true, ..Wish::default() }, true);
    secure.file("own.crt", &own.certificate, 0o644);
    secure.serve(&own);
    secure.expect("postgres", "db.example", "sslmode=verify-ca sslrootcert=@own.crt", "expired on 2021-01-01");

    // Revocation.
    secure.file("lists.crl", &secure.authority.revokes(&[7], false), 0o644);
    secure.file("old.crl", &secure.authority.revokes(&[7], true), 0o644);
    secure.file("others.crl", &Authority::new("somebody else").revokes(&[1], false), 0o644);
    for (serial, list, wanted) in [
        (7, "lists.crl", "has been revoked"),
        (8, "lists.crl", "tls"),
        (8, "old.crl", "due to be renewed"),
        (8, "others.crl", "does not say whether"),
    ] {
        let names = &["db.example"];
        secure.serve(&secure.authority.signs(&Wish { common_name: "x", names, serial, ..Wish::default() }));
        secure.expect("postgres", "db.example", &format!("{full} sslcrl=@{list}"), wanted);
    }
}

fn what_the_server_lets_in(secure: &mut Secure) {
    for (mode, only_tls, only_plain) in [
        ("disable", "the server may want TLS", "plain"),
        ("allow", "tls", "plain"),
        ("prefer", "tls", "plain"),
        ("require", "tls", "[authentication-failed]"),
    ] {
        secure.expect("only_tls", "db.example", &format!("sslmode={mode}"), only_tls);
        secure.expect("only_plain", "db.example", &format!("sslmode={mode}"), only_plain);
    }
    secure.expect("only_tls", "db.example", "sslmode=require password=wrong", "password authentication failed");
}

fn client_certificates(secure: &mut Secure) {
    let shown = |secure: &Secure, name: &str, signed: &Signed, mode: u32| {
        secure.file(&format!("{name}.crt"), &signed.certificate, 0o644);
        secure.file(&format!("{name}.key"), &signed.key, mode);
        format!("sslmode=verify-full sslrootcert=@root.crt sslcert=@{name}.crt sslkey=@{name}.key")
    };
    let mine = secure.signs("by_cert", &[]);
    let text = shown(secure, "mine", &mine, 0o600);
    secure.expect("by_cert", "db.example", &text, "tls");
    secure.expect("cert_and_scram", "db.example", &text, "[authentication-failed]");
    let theirs = shown(secure, "theirs", &secure.signs("cert_and_scram", &[]), 0o600);
    secure.expect("cert_and_scram", "db.example", &theirs, "tls");
    secure.expect(
        "cert_and_scram",
        "db.example",
        &format!("{theirs} password=wrong"),
        "password authentication failed",
    );
    secure.expect("by_cert", "db.example", &theirs, "common name must be the user");
    // Nothing is shown.
    secure.expect("by_cert", "db.example", "sslmode=require", "show a client certificate");
    secure.expect("by_cert", "db.example", &format!("{text} sslcertmode=disable"), "show a client certificate");
    // Signed by somebody whom the server does not know, or out of its time.
    let strangers = Authority::new("a stranger").signs(&Wish { common_name: "by_cert", ..Wish::default() });
    let strangers = shown(secure, "strangers", &strangers, 0o600);
    secure.expect("by_cert", "db.example", &strangers, "does not know who signed the client certificate");
    let expired = secure.authority.signs(&Wish { common_name: "by_cert", expired: true, ..Wish::default() });
    let expired = shown(secure, "expired", &expired, 0o600);
    secure.expect("by_cert", "db.example", &expired, "the client certificate has expired");
    // Files that cannot be used.
    secure.expect("by_cert", "db.example", &shown(secure, "open", &mine, 0o644), "others may read it | ");
    let text = text.replace("@mine.key", "@theirs.key");
    secure.expect("by_cert", "db.example", &text, "does not go with the key");
    let text = text.replace("@theirs.key", "@nowhere.key");
    secure.expect("by_cert", "db.example", &text, "the client key");
    let locked = Signed { certificate: mine.certificate, key: mine.key.replace("PRIVATE", "ENCRYPTED PRIVATE") };
    secure.expect("by_cert", "db.example", &shown(secure, "locked", &locked, 0o600), "protected by a passphrase");
}

fn passwords_and_channel_binding(secure: &mut Secure) {
    for (user, more, wanted) in [
        ("postgres", "sslmode=require channel_binding=require", "tls"),
        ("postgres", "sslmode=require channel_binding=disable", "tls"),
        ("postgres", "sslmode=disable channel_binding=require", "channel_binding=require` was asked for"),
        ("postgres", "sslmode=disable channel_binding=prefer", "plain"),
        ("by_md5", "sslmode=require", "tls"),
        ("by_md5", "sslmode=disable", "plain"),
        ("by_md5", "sslmode=require channel_binding=require", "channel_binding=require` was asked for"),
        ("by_md5", "sslmode=require password=wrong", "[authentication-failed]"),
        ("postgres", "sslmode=require password=wrong channel_binding=require", "[authentication-failed]"),
        ("nobody", "sslmode=prefer", "[authentication-failed]"),
    ] {
        secure.expect(user, "db.example", more, wanted);
    }
    let port = secure.cluster.port();
    let ended = ends(&format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=require"), &[]);
    assert!(ended.contains("none was given"), "{ended}");
}

fn files_in_the_home_folder(secure: &mut Secure) {
    let home = secure.files.path().join("home");
    let folder = home.join(".postgresql");
    fs::create_dir_all(&folder).unwrap();
    let mine = secure.signs("by_cert", &[]);
    write(&folder.join("root.crt"), &secure.authority.certificate, 0o644);
    write(&folder.join("postgresql.crt"), &mine.certificate, 0o644);
    write(&folder.join("postgresql.key"), &mine.key, 0o600);
    let port = secure.cluster.port().to_string();
    let all = |more: &[(&'static str, &str)]| {
        let mut variables = vec![
            ("HOME", home.to_str().unwrap()),
            ("PGHOST", "db.example"),
            ("PGHOSTADDR", "127.0.0.1"),
            ("PGPORT", &port),
            ("PGUSER", "by_cert"),
            ("PGDATABASE", "postgres"),
            ("PGSSLMODE", "verify-full"),
        ];
        variables.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        variables.extend_from_slice(more);
        ends("", &variables)
    };
    assert_eq!(all(&[]), "tls");
    let wrong = secure.files.path().join("wrong.crt");
    let ended = all(&[("PGSSLROOTCERT", wrong.to_str().unwrap())]);
    assert!(ended.contains("[tls-failed]"), "{ended}");
    // Roots that are there count in the weaker modes as well, and that is said.
    write(&folder.join("root.crt"), &fs::read_to_string(&wrong).unwrap(), 0o644);
    let ended = all(&[("PGSSLMODE", "require")]);
    assert!(ended.contains("because there is a root certificate file"), "{ended}");
    fs::remove_file(folder.join("root.crt")).unwrap();
    assert_eq!(all(&[("PGSSLMODE", "require")]), "tls");
    write(&folder.join("postgresql.key"), &mine.key, 0o640);
    let ended = all(&[("PGSSLMODE", "require")]);
    // A key of root's may be read by root's group, as in libpq.
    let of_root = std::os::unix::fs::MetadataExt::uid(&fs::metadata(Path::new("/proc/self")).unwrap()) == 0;
    assert!(if of_root { ended == "tls" } else { ended.contains("others may read it") }, "{ended}");
    assert!(all(&[("PGSSLCRLDIR", "/x")]).contains("PGSSLCRLDIR cannot be used"));
}

fn a_statement_is_cancelled_over_tls(secure: &mut Secure) {
    let text = secure.text("only_tls", "db.example", "sslmode=verify-full sslrootcert=@root.crt");
    let mut session = session(&text, &[]).unwrap();
    let canceller = session.canceller();
    let watcher = std::thread::spawn(move || {
        // Until the statement below is there to be cancelled.
        for _ in 0..100 {
            canceller.cancel();
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    });
    let ended = session.execute("SELECT pg_catalog.pg_sleep(60)");
    assert!(ended.unwrap_err().is_cancelled());
    watcher.join().unwrap();
}
