//! Files with parts that are made from the code: each stands between `<!-- NAME: generated -->` and
//! `<!-- NAME: end -->`.

use std::fs;
use std::path::Path;

/// Compares a file's generated parts with what they are to be; `CHRONOFORM_BLESS=1` rewrites them.
pub fn check(file: &str, parts: &[(&str, String)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut wanted = text.clone();
    for (name, content) in parts {
        wanted = replace(file, &wanted, name, content);
    }
    if std::env::var_os("CHRONOFORM_BLESS").is_some() {
        fs::write(&path, wanted).unwrap();
    } else {
        assert!(text == wanted, "{file} is out of date: CHRONOFORM_BLESS=1 rewrites its generated parts");
    }
}

fn replace(file: &str, text: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: generated -->\n"), format!("<!-- {name}: end -->"));
    let start = text.find(&begin).unwrap_or_else(|| panic!("{file} has no part `{name}`")) + begin.len();
    let stop = start + text[start..].find(&end).unwrap_or_else(|| panic!("{file}: the part `{name}` has no end"));
    format!("{}{content}{}", &text[..start], &text[stop..])
}
