//! The archive's data path against a server: a table with every type, out into a file and back into
//! another table, compared by the server itself.

use libtest_mimic::{Failed, Trial};

use chronoform::core::QualifiedName;
use chronoform::ops::archive::export::{self, Exported, Source, TransferError};
use chronoform::ops::archive::stored::Stored;
use chronoform::ops::archive::{Archive, ArchiveError, Options, sql};
use chronoform::pg::{ConnectOptions, Session};

use crate::servers::{Db, Servers, Tier};

/// Types that nothing but the server makes.
const TYPES: &str = r#"
CREATE SCHEMA "odd ""schema";
CREATE TYPE "odd ""schema"."mood ""m" AS ENUM ('sad', 'it''s "ok"', '');
CREATE DOMAIN "odd ""schema".positive AS numeric(12, 3) CHECK (value >= 0);
CREATE DOMAIN "odd ""schema".twice AS "odd ""schema".positive CHECK (value < 1000000);
CREATE TYPE "odd ""schema".pair AS (a integer, "b ""c" text);
CREATE TYPE "odd ""schema".spans AS RANGE (subtype = timestamptz);
"#;

/// A column's type and the values that it is given, one a row; the rows after are NULL.
const COLUMNS: &[(&str, &[&str])] = &[
    ("boolean", &["true", "false"]),
    (r#""char""#, &["'a'", "''", "'\\377'"]),
    ("smallint", &["-32768", "32767", "0"]),
    ("integer", &["-2147483648", "2147483647"]),
    ("bigint", &["-9223372036854775808", "9223372036854775807"]),
    ("money", &["-92233720368547758.08", "12.34"]),
    ("oid", &["4294967295", "0"]),
    ("xid", &["'4294967295'", "'3'"]),
    ("regclass", &["'pg_catalog.pg_class'", "123456789"]),
    ("real", &["'NaN'", "'-0'", "'Infinity'", "1e-45", "3.4028235e38"]),
    ("double precision", &["'NaN'", "'-0'", "'-Infinity'", "5e-324", "0.1", "1.7976931348623157e308"]),
    ("text", &["''", "'é𝄞 ''quoted'' \\ \t'", "repeat('long ', 60000)", "'NULL'"]),
    ("varchar(7)", &["'1234567'", "'ends  '"]),
    ("character(5)", &["'a'", "''", "'     '"]),
    ("name", &["'a name'"]),
    ("json", &["' {\"a\" : 1, \"a\":2}  '", "'null'"]),
    ("jsonb", &["'{\"b\": 1.10, \"a\": [null, \"é\"]}'", "'null'"]),
    ("jsonpath", &["'$.a[*] ? (@ > 1)'"]),
    ("bytea", &["''", "'\\x00ff5c'"]),
    ("uuid", &["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"]),
    ("date", &["'4714-11-24 BC'", "'5874897-12-31'", "'1970-01-01'", "'0001-01-01 BC'"]),
    ("date", &["'infinity'", "'-infinity'", "'2024-02-29'"]),
    ("time", &["'00:00'", "'23:59:59.999999'"]),
    ("time", &["'24:00:00'", "'12:00'"]),
    ("timetz", &["'24:00:00-15:59:59'", "'00:00:00.000001+15:59:59'"]),
    ("timestamp", &["'4714-11-24 00:00 BC'", "'2038-01-19 03:14:08.000001'", "'1969-12-31 23:59:59.999999'"]),
    ("timestamp", &["'infinity'", "'-infinity'", "'294276-12-31 23:59:59.999999'"]),
    ("timestamp(0)", &["'2024-05-05 05:05:05.5'"]),
    ("timestamptz", &["'4714-11-25 00:00+00 BC'", "'2024-03-31 01:30+01'", "'9999-12-31 23:59:59.999999+00'"]),
    ("timestamptz", &["'infinity'", "'-infinity'", "'2024-01-01 00:00+14'"]),
    ("interval", &["'1 mon -1 day 00:00:00.000001'", "'-178000000 years'", "'1 year 2 mons 40 days 100:00'"]),
    ("interval day to second(2)", &["'3 days 04:05:06.78'"]),
    ("numeric", &["'NaN'", "'Infinity'", "'-Infinity'", "1.10", "1e-300", "-123456789012345678901234567890.5"]),
    ("numeric(9,2)", &["9999999.99", "-0.01", "0", "10000.00"]),
    ("numeric(18)", &["999999999999999999", "-1"]),
    ("numeric(38,10)", &["9999999999999999999999999999.9999999999", "-0.0000000001", "0"]),
    ("numeric(38,37)", &["9.9999999999999999999999999999999999999", "-1"]),
    ("numeric(9,2)", &["'NaN'", "1.5"]),
    ("numeric(50,2)", &["123456789012345678901234567890123456789012345678.12"]),
    ("bit(3)", &["B'101'"]),
    ("bit varying", &["B''", "B'1011'"]),
    ("inet", &["'192.168.1.1'", "'192.168.1.1/24'", "'::1'", "'::ffff:1.2.3.4/128'"]),
    ("cidr", &["'10.0.0.0/8'", "'2001:db8::/32'"]),
    ("macaddr", &["'08:00:2b:01:02:03'"]),
    ("macaddr8", &["'08:00:2b:01:02:03:04:05'"]),
    ("point", &["'(0.1,-0)'", "'(NaN,Infinity)'"]),
    ("polygon", &["'((0,0),(1,1),(1,0.3))'"]),
    ("path", &["'[(0,0),(1,1)]'", "'((0,0),(1,1))'"]),
    ("box", &["'(1,1),(0,0)'"]),
    ("circle", &["'<(1,2),0.3>'"]),
    ("line", &["'{1,-1,0.1}'"]),
    ("tsvector", &["'a:1A,2 ''it''''s'':3 b'"]),
    ("tsquery", &["'a & !(b | c:*)'"]),
    ("xml", &["'<a b=\"é\">x</a>'", "'just text'"]),
    ("pg_lsn", &["'FFFFFFFF/FFFFFFFF'"]),
    ("int4range", &["'empty'", "'[1,5)'", "'(,)'"]),
    ("tstzrange", &["'[2024-01-01 00:00+05,infinity)'"]),
    ("numrange", &["'(1.10,2]'"]),
    (r#""odd ""schema".spans"#, &["'[2024-01-01 00:00+05,)'"]),
    (r#""odd ""schema"."mood ""m""#, &["'sad'", "'it''s \"ok\"'", "''"]),
    (r#""odd ""schema"."mood ""m"[]"#, &["'{sad,\"\"}'", "'{}'"]),
    (r#""odd ""schema".twice"#, &["0.001", "999999.999"]),
    (r#""odd ""schema".positive[]"#, &["'{1.5,NULL}'"]),
    (r#""odd ""schema".pair"#, &["'(1,\"a,\"\"b\")'", "'(,)'", "'(,\"\")'"]),
    (r#""odd ""schema".pair[]"#, &["'{\"(1,a)\",NULL}'"]),
    ("integer[]", &["'{}'", "'{1,NULL,-3}'", "'{2147483647}'"]),
    ("integer[]", &["'[0:1]={1,2}'", "'{1}'"]),
    ("integer[]", &["'{{1,2},{3,NULL}}'", "'{{{5}}}'"]),
    ("integer[]", &["array_remove(array_append('{1}'::integer[], NULL), NULL)"]),
    ("text[]", &["'{\"\",NULL,\"NULL\",\"a,b\",\"{\"}'", "'{é}'"]),
    ("double precision[]", &["'{NaN,-0,Infinity,0.1}'"]),
    ("timestamptz[]", &["'{2024-01-01 00:00+00}'", "'{infinity}'"]),
    ("numeric(9,2)[]", &["'{1.50,NULL}'"]),
    ("numeric[]", &["'{1.50,NaN}'"]),
    ("jsonb[]", &["ARRAY['{\"a\":1}'::jsonb]"]),
    ("uuid[]", &["'{ffffffff-ffff-ffff-ffff-ffffffffffff}'"]),
    ("boolean[]", &["'{t,f,NULL}'"]),
    ("bytea[]", &["ARRAY['\\x00'::bytea, '']"]),
    ("date[]", &["'{0044-03-15 BC}'"]),
    ("character(3)[]", &["'{a,\"b  \"}'"]),
    ("interval[]", &["'{1 mon,-00:00:01}'"]),
    ("int2vector", &["'1 2 3'", "''"]),
];

/// The tests of a tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if !matches!(tier, Tier::PostgresNative | Tier::PostgresUrl | Tier::Apache) {
        return Vec::new();
    }
    let trial = |name: &str, test: fn(&Db)| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::archive::{name}"), move || -> Result<(), Failed> {
            test(&servers.db(tier)?);
            Ok(())
        })
    };
    vec![
        trial("every_type_comes_back", every_type_comes_back),
        trial("what_cannot_come_back_is_refused", what_cannot_come_back_is_refused),
        trial("own_casts_are_not_called", own_casts_are_not_called),
        trial("rows_that_a_trigger_swallows_are_missed", rows_that_a_trigger_swallows_are_missed),
    ]
}

fn session(db: &Db) -> Session {
    let options = ConnectOptions { url: Some(db.url().to_owned()), ..ConnectOptions::default() };
    let mut session = Session::connect(&options.resolve().unwrap()).unwrap();
    session.pin().unwrap();
    session
}

fn export(session: &mut Session, relation: &QualifiedName) -> Result<(Vec<u8>, Exported), TransferError> {
    session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ").unwrap();
    session.batch(&sql::settings().unwrap()).unwrap();
    let facts = export::facts(session, relation).unwrap();
    let source = Source { relation, facts: &facts, about: &[], options: Options::default() };
    let exported = export::export(session, source, || Ok(Vec::new()), |_| Ok(()));
    session.batch("ROLLBACK").unwrap();
    exported
}

fn restore(session: &mut Session, file: Vec<u8>, relation: &QualifiedName) -> Result<u64, TransferError> {
    session.batch("BEGIN").unwrap();
    session.batch(&sql::settings().unwrap()).unwrap();
    let archive = Archive::open(bytes::Bytes::from(file)).unwrap();
    let restored = export::restore(session, &archive, relation, None);
    session.batch(if restored.is_ok() { "COMMIT" } else { "ROLLBACK" }).unwrap();
    restored
}

fn every_type_comes_back(db: &Db) {
    let name = |index: usize| format!("\"c{index} \"\"é.\"");
    let columns: Vec<String> =
        COLUMNS.iter().enumerate().map(|(index, (of, _))| format!("{} {of}", name(index))).collect();
    let rows = COLUMNS.iter().map(|(_, values)| values.len()).max().unwrap() + 1;
    let tables = [("\"odd \"\"schema\".\"from\"", true), ("\"odd \"\"schema\".\"to\"", false)];
    db.run(TYPES);
    for (table, filled) in tables {
        let columns = columns.join(", ");
        db.run(&format!(
            "CREATE TABLE {table} (id bigint GENERATED ALWAYS AS IDENTITY, gone text, {columns}, \
             made bigint GENERATED ALWAYS AS (id * 2) STORED); ALTER TABLE {table} DROP COLUMN gone"
        ));
        for row in (0..rows).filter(|_| filled) {
            let given = COLUMNS.iter().enumerate().filter_map(|(index, (of, values))| {
                let value = values.get(row)?;
                Some((name(index), format!("({value})::{of}")))
            });
            let (names, values): (Vec<String>, Vec<String>) = given.unzip();
            let what = if names.is_empty() {
                "DEFAULT VALUES".to_owned()
            } else {
                format!("({}) VALUES ({})", names.join(", "), values.join(", "))
            };
            db.run(&format!("SET lc_monetary = 'C'; INSERT INTO {table} {what}"));
        }
    }
    let mut session = session(db);
    let (file, exported) = export(&mut session, &QualifiedName::new("odd \"schema", "from")).unwrap();
    assert_eq!(exported.written.rows, rows as u64);
    let as_text = |wanted: bool| exported.columns.iter().filter(|c| (c.stored == Stored::AsText) == wanted).count();
    assert!(as_text(true) > 30 && as_text(false) > 40, "{} as text", as_text(true));
    let restored = restore(&mut session, file, &QualifiedName::new("odd \"schema", "to")).unwrap();
    assert_eq!(restored, rows as u64);
    // The server's own word, in its own text forms and, where the text may hide something, by bytes.
    let differences = |from: &str, to: &str| {
        let texts: Vec<String> = (0..COLUMNS.len())
            .map(|index| match COLUMNS[index].0 {
                "real" => format!("float4send({})", name(index)),
                "double precision" => format!("float8send({})", name(index)),
                of if of.starts_with("numeric") && !of.ends_with("[]") => format!("numeric_send({})", name(index)),
                of if of.starts_with("character(") && !of.ends_with("[]") => format!("bpcharsend({})", name(index)),
                _ => format!("{}::text", name(index)),
            })
            .collect();
        let texts = texts.join(", ");
        db.lines(&format!(
            "SET lc_monetary = 'C'; SELECT id, made, {texts} FROM {from} EXCEPT ALL SELECT id, made, {texts} FROM {to}"
        ))
    };
    let [(from, _), (to, _)] = tables;
    assert_eq!(differences(from, to), Vec::<String>::new());
    assert_eq!(differences(to, from), Vec::<String>::new());
    // That the comparison would tell.
    db.run(&format!("UPDATE {to} SET {} = '-0'::float8 + 0 WHERE {} = 0", name(10), name(10)));
    assert_eq!(differences(from, to).len(), 1);
    // Out again, the restored rows prove to be the same by their digests.
    db.run(&format!("TRUNCATE {to}"));
    let (file, again) = export(&mut session, &QualifiedName::new("odd \"schema", "from")).unwrap();
    assert_eq!(again.written.evidence, exported.written.evidence);
    restore(&mut session, file, &QualifiedName::new("odd \"schema", "to")).unwrap();
    let (_, other) = export(&mut session, &QualifiedName::new("odd \"schema", "to")).unwrap();
    assert_eq!(other.written.evidence, exported.written.evidence);
}

fn what_cannot_come_back_is_refused(db: &Db) {
    db.run("CREATE TABLE public.r (ok integer, acl aclitem, acls aclitem[], tree pg_node_tree)");
    let mut session = session(db);
    let Err(TransferError::Archive(refused)) = export(&mut session, &QualifiedName::new("public", "r")) else {
        panic!()
    };
    let named: Vec<&str> = refused
        .iter()
        .map(|error| match error {
            ArchiveError::Refused { column, .. } => column.as_str(),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(named, ["acl", "acls", "tree"]);
    db.run("CREATE TABLE public.none ()");
    let none = export(&mut session, &QualifiedName::new("public", "none"));
    assert!(matches!(none, Err(TransferError::Archive(all)) if all == [ArchiveError::NoColumns]));
}

/// A cast to text that somebody made may say anything.
fn own_casts_are_not_called(db: &Db) {
    db.run(
        "CREATE TYPE public.secret; \
         CREATE FUNCTION public.secret_in(cstring) RETURNS public.secret IMMUTABLE STRICT LANGUAGE internal AS 'textin'; \
         CREATE FUNCTION public.secret_out(public.secret) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout'; \
         CREATE TYPE public.secret (INPUT = public.secret_in, OUTPUT = public.secret_out, LIKE = text); \
         CREATE FUNCTION public.hide(public.secret) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT ''hidden''::text'; \
         CREATE CAST (public.secret AS text) WITH FUNCTION public.hide(public.secret); \
         CREATE TABLE public.s (v public.secret); CREATE TABLE public.s2 (v public.secret); \
         INSERT INTO public.s VALUES ('plain'), (NULL), ('')",
    );
    let mut session = session(db);
    let (file, _) = export(&mut session, &QualifiedName::new("public", "s")).unwrap();
    restore(&mut session, file, &QualifiedName::new("public", "s2")).unwrap();
    assert_eq!(
        db.lines("SELECT textin(public.secret_out(v)), v IS NULL FROM public.s2 ORDER BY 1"),
        ["|f", "plain|f", "|t"]
    );
}

fn rows_that_a_trigger_swallows_are_missed(db: &Db) {
    db.run(
        "CREATE TABLE public.w (n integer); INSERT INTO public.w SELECT generate_series(1, 10); \
         CREATE TABLE public.w2 (n integer); \
         CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN IF new.n = 5 THEN RETURN NULL; END IF; RETURN new; END $$; \
         CREATE TRIGGER swallow BEFORE INSERT ON public.w2 FOR EACH ROW EXECUTE FUNCTION public.swallow()",
    );
    let mut session = session(db);
    let (file, _) = export(&mut session, &QualifiedName::new("public", "w")).unwrap();
    let swallowed = restore(&mut session, file, &QualifiedName::new("public", "w2"));
    assert!(
        matches!(&swallowed, Err(TransferError::Archive(all)) if matches!(&all[..], [ArchiveError::Altered { column: None, .. }]))
    );
    assert_eq!(db.lines("SELECT count(*) FROM public.w2"), ["0"]);
}
