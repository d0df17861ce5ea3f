//! Keeps values out of the environment from being shown.

use std::ops::Range;
use std::sync::Arc;

use crate::core::Place;
use crate::diag::Diagnostic;

/// From this length on, in bytes, a value is replaced wherever it turns up. A shorter one would
/// turn up by chance, and is replaced only in what is said of the scalar that holds it.
const TELLING: usize = 4;

/// What must not be shown, and what to show instead.
#[derive(Clone, Default, Debug)]
pub struct Redactor {
    /// A value and the reference that it came from.
    secrets: Vec<(String, String)>,
    /// The scalars that hold one: the file, the stretch, the whole value and its shown form.
    scalars: Vec<(Arc<str>, Range<usize>, String, String)>,
}

impl Redactor {
    /// Keeps a value from being shown; the reference is shown instead.
    pub fn add(&mut self, value: &str, shown: &str) {
        let known = self.secrets.iter().any(|(secret, _)| secret == value);
        if !value.is_empty() && !known {
            self.secrets.push((value.to_owned(), shown.to_owned()));
            // The longest first: one value may hold another.
            self.secrets.sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
        }
    }

    /// Remembers a scalar that holds such a value.
    pub fn add_scalar(&mut self, place: &Place, value: &str, shown: &str) {
        self.scalars.push((Arc::clone(&place.file), place.start..place.end, value.to_owned(), shown.to_owned()));
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// The text without the values that are long enough to tell.
    pub fn text(&self, text: String) -> String {
        let telling = self.secrets.iter().filter(|(secret, _)| secret.len() >= TELLING);
        telling.fold(text, |text, (secret, shown)| text.replace(secret.as_str(), shown))
    }

    /// Takes everything out of a diagnostic that must not be shown.
    pub fn redact(&self, diagnostic: &mut Diagnostic) {
        if self.is_empty() {
            return;
        }
        let place = diagnostic.place.clone();
        let holds = |(file, range, ..): &&(Arc<str>, Range<usize>, String, String)| {
            place.as_ref().is_some_and(|place| place.file == *file && range.contains(&place.start))
        };
        let scalar = self.scalars.iter().find(holds);
        let clean = |text: &mut String| {
            if let Some((_, _, value, shown)) = scalar {
                *text = quoted(text, value, shown);
            }
            for (secret, shown) in &self.secrets {
                if secret.len() >= TELLING {
                    *text = text.replace(secret.as_str(), shown);
                } else if scalar.is_some() {
                    *text = replace_word(text, secret, shown);
                }
            }
        };
        clean(&mut diagnostic.message);
        diagnostic.label.iter_mut().for_each(clean);
        diagnostic.why.iter_mut().for_each(clean);
        diagnostic.help.iter_mut().for_each(clean);
        diagnostic.related.iter_mut().for_each(|(_, word)| clean(word));
    }
}

/// Replaces what stands between backticks and is the value or a part of it.
fn quoted(text: &str, value: &str, shown: &str) -> String {
    let mut out = Vec::new();
    for (number, part) in text.split('`').enumerate() {
        let inside = number % 2 == 1;
        out.push(if inside && !part.is_empty() && value.contains(part) { shown } else { part });
    }
    out.join("`")
}

/// Replaces a word where it stands alone.
fn replace_word(text: &str, word: &str, with: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    while let Some(at) = rest.find(word) {
        let (before, from) = rest.split_at(at);
        let after = from.get(word.len()..).unwrap_or("");
        out.push_str(before);
        let alone = !joins(out.chars().next_back()) && !joins(after.chars().next());
        out.push_str(if alone { with } else { word });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::code;

    #[test]
    fn a_value_is_shown_as_its_reference() {
        let mut redactor = Redactor::default();
        redactor.add("hunter2", "${env.PW}");
        redactor.add("7", "${env.DAYS}");
        let place = Place { file: "p".into(), line: 1, column: 1, start: 10, end: 20, via: None };
        redactor.add_scalar(&place, "public.hunter2", "public.${env.PW}");
        let said = |text: &str, at: usize| {
            let place = Place { start: at, end: at, ..place.clone() };
            let mut diagnostic = Diagnostic::error(&code::INTERNAL, text).at(&place).label(text).help(text);
            redactor.redact(&mut diagnostic);
            assert_eq!(diagnostic.label.as_ref(), Some(&diagnostic.message));
            assert_eq!(diagnostic.help.as_ref(), Some(&diagnostic.message));
            diagnostic.message
        };
        assert_eq!(said("no hunter2 here, 7 times", 0), "no ${env.PW} here, 7 times");
        assert_eq!(
            said("`public.hunter2` and `hunt` in 7 of 77", 12),
            "`public.${env.PW}` and `public.${env.PW}` in ${env.DAYS} of 77"
        );
    }
}
