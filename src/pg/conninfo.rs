//! A connection's text, as libpq reads it: a URL, or `key=value` pairs.
//!
//! The grammar is that of PostgreSQL's manual ("Connection Strings"). The driver has a reader of its
//! own, which is not used: it takes a URL without a port as one with 5432, whatever PGPORT says, and
//! knows fewer parameters. No message repeats a value, since any may be part of a password.

use crate::diag::{Diagnostic, Failure, code};
use crate::pg::parameters::{self, Parameters};

/// What to say about a text that cannot be read.
pub(super) const HOW_TO_WRITE: &str = "write it as `postgres://user@host:5432/database?sslmode=verify-full`, with the password in PGPASSWORD or ~/.pgpass";

/// Reads a text.
///
/// # Errors
/// When it is neither, or has a parameter that is not known.
pub(super) fn parse(text: &str) -> Result<Parameters, Failure> {
    let text = text.trim();
    let found = match ["postgres://", "postgresql://"].iter().find_map(|prefix| text.strip_prefix(prefix)) {
        Some(rest) => url(rest),
        None => pairs(text),
    };
    found.map_err(|diagnostic| Failure::from(*diagnostic))
}

type Read<T> = Result<T, Box<Diagnostic>>;

fn bad(why: &str) -> Box<Diagnostic> {
    let message = format!("the database URL cannot be used: {why}");
    Box::new(Diagnostic::error(&code::BAD_CONFIG, message).help(HOW_TO_WRITE))
}

/// The parameter of a name. One that is not known is only repeated where it is like one that is: it
/// may be a whole URL of another scheme, or the rest of a password that should have been quoted.
fn name(written: &str, may_be_secret: bool) -> Read<&'static str> {
    if let Some(known) = parameters::known(written) {
        return Ok(known);
    }
    let is_word = written.len() <= 40 && written.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    Err(match parameters::nearest(written).filter(|_| is_word && !may_be_secret) {
        Some(near) => {
            let said = bad(&format!("there is no parameter `{written}`"));
            Box::new(said.help(format!("did you mean `{near}`?")))
        }
        None => bad("it has a parameter that is not known"),
    })
}

/// `key = value`, `key = 'a value'`; `\` takes the meaning from the character after it.
fn pairs(text: &str) -> Read<Parameters> {
    let mut found = Parameters::default();
    let mut rest = text.trim_start();
    let mut secret_before = false;
    while !rest.is_empty() {
        let Some((key, after)) = rest.split_once('=') else {
            return Err(bad("a word in it has no `=` after it; a value with spaces is written in single quotes"));
        };
        let key = key.trim();
        if key.contains(char::is_whitespace) {
            return Err(bad("a word in it has no `=` after it; a value with spaces is written in single quotes"));
        }
        let (value, after) = value(after.trim_start())?;
        let key = name(key, secret_before)?;
        secret_before |= key == "password";
        found.set(key, value);
        rest = after.trim_start();
    }
    Ok(found)
}

/// One value, and what is after it.
fn value(text: &str) -> Read<(String, &str)> {
    let quoted = text.strip_prefix('\'');
    let body = quoted.unwrap_or(text);
    let mut value = String::new();
    let mut characters = body.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, next)| next)),
            '\'' if quoted.is_some() => return Ok((value, body.get(at + 1..).unwrap_or_default())),
            space if quoted.is_none() && space.is_whitespace() => {
                return Ok((value, body.get(at..).unwrap_or_default()));
            }
            other => value.push(other),
        }
    }
    if quoted.is_some() { Err(bad("a quoted value in it has no end")) } else { Ok((value, "")) }
}

/// `[user[:password]@][host[:port]][,…][/dbname][?name=value[&…]]`, after the scheme.
fn url(text: &str) -> Read<Parameters> {
    let mut found = Parameters::default();
    // As in libpq, a `/` before the `@` ends the place.
    let login = text.find(['@', '/']).filter(|at| text.get(*at..).is_some_and(|rest| rest.starts_with('@')));
    let (login, rest) = match login {
        Some(at) => (text.get(..at), text.get(at + 1..).unwrap_or_default()),
        None => (None, text),
    };
    if let Some(login) = login {
        let (user, password) = login.split_once(':').map_or((login, None), |(user, password)| (user, Some(password)));
        found.set("user", decoded(user)?);
        if let Some(password) = password {
            found.set("password", decoded(password)?);
        }
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (places, rest) = rest.split_at(end);
    hosts(places, &mut found)?;
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    if let Some(database) = path.strip_prefix('/').filter(|database| !database.is_empty()) {
        found.set("dbname", decoded(database)?);
    }
    for pair in query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty()) {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(bad("a part after its `?` has no `=`"));
        };
        let (key, value) = (decoded(key)?, decoded(value)?);
        // As JDBC has it, and libpq takes it.
        if key == "ssl" && value == "true" {
            found.set("sslmode", "require".to_owned());
        } else {
            found.set(name(&key, false)?, value);
        }
    }
    Ok(found)
}

/// `host:port` pairs. A port that is not written stays open, for PGPORT or the service to say.
fn hosts(text: &str, found: &mut Parameters) -> Read<()> {
    if text.is_empty() {
        return Ok(());
    }
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for place in text.split(',') {
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or_else(|| bad("an IPv6 address in it has no `]`"))?;
                match (after, after.strip_prefix(':')) {
                    ("", _) => (host, ""),
                    (_, Some(port)) => (host, port),
                    _ => return Err(bad("there is something after an IPv6 address that is no port")),
                }
            }
            None => place.split_once(':').unwrap_or((place, "")),
        };
        hosts.push(decoded(host)?);
        ports.push(decoded(port)?);
    }
    if hosts.iter().any(|host| !host.is_empty()) {
        found.set("host", hosts.join(","));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        found.set("port", ports.join(","));
    }
    Ok(())
}

/// Percent-decoding; `%00` is refused, as in libpq.
fn decoded(text: &str) -> Read<String> {
    let wrong = || bad("a `%` in it is not followed by two hexadecimal digits; write a `%` itself as `%25`");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or_else(wrong);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).ok().filter(|byte| *byte != 0).ok_or_else(wrong)?);
    }
    String::from_utf8(bytes).map_err(|_| bad("it is not UTF-8 once its `%` are decoded"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(&'static str, String)> {
        let found = parse(text).unwrap();
        let names = ["user", "password", "host", "hostaddr", "port", "dbname", "sslmode", "options", "service"];
        names.iter().filter_map(|name| Some((*name, found.get(name)?.to_owned()))).collect()
    }

    fn text(pairs: &[(&'static str, String)]) -> String {
        pairs.iter().map(|(name, value)| format!("{name}={value};")).collect()
    }

    #[test]
    fn texts_are_read_as_libpq_reads_them() {
        for (written, read) in [
            ("postgres://", ""),
            ("postgresql://h", "host=h;"),
            ("postgres://u@h/d", "user=u;host=h;dbname=d;"),
            ("postgres://u:p%40%2Fw@h:1/d", "user=u;password=p@/w;host=h;port=1;dbname=d;"),
            ("postgres://u:p?w@h", "user=u;password=p?w;host=h;"),
            ("postgres://a:1,b,[::1]:3/d", "host=a,b,::1;port=1,,3;dbname=d;"),
            ("postgres://%2Frun%2Fpg/d", "host=/run/pg;dbname=d;"),
            ("postgres:///d?host=/run/pg&user=u", "user=u;host=/run/pg;dbname=d;"),
            ("postgres://h/d?options=-c%20a%3Db&sslmode=require", "host=h;dbname=d;sslmode=require;options=-c a=b;"),
            ("postgres://h/d?options=a@b", "host=h;dbname=d;options=a@b;"),
            ("postgres://h?ssl=true", "host=h;sslmode=require;"),
            ("postgres://?service=prod", "service=prod;"),
            ("host=a port = 9 user='b c' password=x\\ y", "user=b c;password=x y;host=a;port=9;"),
            ("dbname='it\\'s' host=", "dbname=it's;"),
            ("  host=a,b hostaddr=127.0.0.1,::1  ", "host=a,b;hostaddr=127.0.0.1,::1;"),
        ] {
            assert_eq!(text(&shown(written)), read, "{written}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_not_repeated() {
        for (written, why) in [
            ("trading", "no `=`"),
            ("password=s3cret s3cret2 host=h", "no `=`"),
            ("password='s3cret", "no end"),
            ("password=a s3cret=b", "not known"),
            ("postgres://u:s3%zzcret@h", "hexadecimal"),
            ("postgres://u:s3%00cret@h", "hexadecimal"),
            ("postgres://[::1", "IPv6"),
            ("postgres://h?s3cret", "no `=`"),
        ] {
            let failure = parse(written).err().unwrap_or_else(|| panic!("{written} was read"));
            let said = format!("{failure}");
            assert!(said.contains(why), "{written}: {said}");
            assert!(!said.contains("s3") && !said.contains("cret"), "{said}");
        }
    }

    #[test]
    fn an_unknown_parameter_gets_the_nearest() {
        for (written, near) in [
            ("postgres://h?ssl_mode=require", "sslmode"),
            ("host=h sslrootcrt=x", "sslrootcert"),
            ("host=h database=x", "dbname"),
            ("host=h username=x", "user"),
        ] {
            let failure = parse(written).err().unwrap();
            let help = failure.0[0].help.clone().unwrap_or_default();
            assert!(help.contains(&format!("`{near}`")), "{written}: {help}");
        }
    }
}
