//! What the environment holds is used to connect, and found nowhere after: in no plan, ledger, report,
//! log or error.

use std::path::Path;

use libtest_mimic::{Failed, Trial};

use crate::cli::{Ran, Workplace};
use crate::servers::{Db, Servers, Tier};

const SECRET: &str = "hunter2-Never-Shown";
/// The same as a URL may have it.
const ENCODED: &str = "%68unter2-Never-Shown";

const POLICY: &str = "kind: table\nname: public.t\nindexes:\n  - {name: ix_t_at, columns: [at desc]}\n";
/// Attributes are written down, and so are labels and messages.
const REFUSED: [&str; 5] = [
    "kind: table\nname: public.t\nlabels: {a: '${env.SECRET}'}\n",
    "kind: table\nname: public.t\nindexes:\n  - {name: ix, columns: [at], where: \"x = '${env.SECRET}'\"}\n",
    "kind: job\nname: j\nprocedure: public.p\nschedule: {every: 1 day}\nconfig: {password: 'x ${env.SECRET}'}\n",
    "kind: setting\nname: s\nscope: database\nsettings: {work_mem: '${env.SECRET}'}\n",
    "kind: role\nname: r\ncomment: ${env.SECRET}\n",
];
const FORMATS: [&str; 6] = ["text", "json", "markdown", "html", "sarif", "junit"];

/// The tests of a tier. Its server must ask for passwords.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if tier != Tier::PostgresNative {
        return Vec::new();
    }
    let servers = servers.clone();
    let run = move || -> Result<(), Failed> {
        let db = servers.db(tier)?;
        what_the_environment_holds_is_found_nowhere(&db);
        Ok(())
    };
    vec![Trial::test(format!("{tier}::secrets::what_the_environment_holds_is_found_nowhere"), run)]
}

fn what_the_environment_holds_is_found_nowhere(db: &Db) {
    let place = Workplace::new(db);
    let user = db.role("keeper");
    db.run(&format!(
        "CREATE TABLE public.t (x text, at timestamptz NOT NULL);\nCREATE ROLE \"{user}\" SUPERUSER LOGIN PASSWORD '{SECRET}';\n"
    ));
    let (_, address) = db.url().rsplit_once('@').unwrap();
    let project = format!(
        "targets:\n  whole: {{url: '${{env.URL}}'}}\n  part: {{url: 'postgres://{user}:${{env.SECRET}}@{address}'}}\n  \
         own: {{url: 'postgres://{user}@{address}', password: '${{env.SECRET}}'}}\n  \
         file: {{url: 'postgres://{user}@{address}', password_file: '${{env.FOLDER}}/word'}}\n  \
         wrong: {{url: 'postgres://{user}:${{env.SECRET}}x@{address}'}}\n  \
         broken: {{url: '${{env.SECRET}}:${{env.SECRET}}@${{env.URL}}'}}\n  \
         gone: {{url: 'postgres://{user}@{address}', password_file: '${{env.SECRET}}/word'}}\n"
    );
    place.write("chronoform.yaml", &project);
    std::fs::create_dir(place.path().join("policies")).unwrap();
    place.write("policies/t.yaml", POLICY);
    let mounted = tempfile::tempdir().unwrap();
    std::fs::write(mounted.path().join("word"), format!("{SECRET}\n")).unwrap();
    let url = format!("postgres://{user}:{ENCODED}@{address}");
    let run = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env_remove("DATABASE_URL").env("SECRET", SECRET).env("URL", &url).env("FOLDER", mounted.path());
        let ran = Ran::of(&command.output().unwrap());
        expect_no_secret(&format!("{arguments:?}"), ran.out.as_bytes());
        expect_no_secret(&format!("{arguments:?}, errors"), ran.err.as_bytes());
        ran
    };
    for target in ["whole", "part", "own", "file"] {
        for format in FORMATS {
            run(&["plan", "--target", target, "--format", format, "-vvv", "--out", "plan.json"]).expect(0);
        }
    }
    expect_only_for_its_owner(&place.path().join("plan.json"));
    run(&["plan", "--target", "[wo]*", "--parallel", "2", "-vvv", "--out", "plans"]);
    for target in ["wrong", "broken", "gone"] {
        run(&["plan", "--target", target, "-vvv"]).expect(1);
    }
    run(&["apply", "--target", "part", "--plan", "plan.json", "--auto-approve", "-vvv"]).expect(0);
    for format in FORMATS {
        run(&["drift", "--target", "own", "--format", format, "-vvv", "--record"]).expect(0);
    }
    run(&["import", "--target", "file", "--out", "imported", "-vvv"]).expect(0);
    run(&["ledger", "log", "-vvv"]).expect(0);
    run(&["ledger", "export", "ledger.jsonl"]);
    for (number, policy) in REFUSED.iter().enumerate() {
        place.write("refused.yaml", policy);
        for command in ["validate", "plan", "apply", "drift"] {
            let ran = run(&[command, "refused.yaml", "--target", "own", "-vvv"]).expect(1);
            assert!(ran.err.contains("error[env-in-policy]"), "{number}, {command}: {}", ran.err);
        }
    }
    expect_no_secret_below(place.path());
}

fn expect_no_secret(whence: &str, bytes: &[u8]) {
    // Any recognizable part of it is too much.
    for part in ["hunter2", "Never-Shown"] {
        let found = bytes.windows(part.len()).any(|window| window == part.as_bytes());
        assert!(!found, "{whence} has the secret:\n{}", String::from_utf8_lossy(bytes));
    }
}

fn expect_no_secret_below(folder: &Path) {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            expect_no_secret_below(&path);
        } else {
            expect_no_secret(&path.display().to_string(), &std::fs::read(&path).unwrap());
            seen += 1;
        }
    }
    assert!(seen > 0, "{} is empty", folder.display());
}

#[cfg(unix)]
fn expect_only_for_its_owner(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{}", file.display());
}

#[cfg(not(unix))]
fn expect_only_for_its_owner(_: &Path) {}
