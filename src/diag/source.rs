//! The texts of the policy files, and where in them each value stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::core::Place;

/// Every file read, kept so that a diagnostic can show its snippet.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: BTreeMap<Arc<str>, Arc<str>>,
}

impl Sources {
    /// Keeps a file's text.
    pub fn add(&mut self, path: Arc<str>, text: Arc<str>) {
        self.files.insert(path, text);
    }

    /// Keeps all that others have read.
    pub fn append(&mut self, others: Self) {
        // `BTreeMap::append` would go through all that is there, for each file again.
        self.files.extend(others.files);
    }

    /// A file's text.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(AsRef::as_ref)
    }
}

/// Where each value and key of one document stands, by JSON pointer (RFC 6901).
#[derive(Clone, Debug)]
pub struct Places {
    document: Place,
    values: BTreeMap<String, Place>,
    keys: BTreeMap<String, Place>,
}

impl Places {
    /// An index with nothing but the document's own place.
    pub fn new(document: Place) -> Self {
        Self { document, values: BTreeMap::new(), keys: BTreeMap::new() }
    }

    /// Records where a value stands.
    pub fn add_value(&mut self, pointer: String, place: Place) {
        self.values.insert(pointer, place);
    }

    /// Records where the key of an entry stands; the pointer is the entry's.
    pub fn add_key(&mut self, pointer: String, place: Place) {
        self.keys.insert(pointer, place);
    }

    /// Takes over where everything at and below a pointer of another document stands, each place
    /// changed by `mark`.
    pub fn graft(&mut self, pointer: &str, other: &Self, at: &str, mark: &dyn Fn(&Place) -> Place) {
        let moved = |from: &BTreeMap<String, Place>| -> Vec<(String, Place)> {
            let below = from.range(at.to_owned()..).take_while(|(key, _)| key.starts_with(at));
            let rest = below.filter_map(|(key, place)| Some((key.strip_prefix(at)?, place)));
            let inside = rest.filter(|(rest, _)| rest.is_empty() || rest.starts_with('/'));
            inside.map(|(rest, place)| (format!("{pointer}{rest}"), mark(place))).collect()
        };
        self.values.extend(moved(&other.values));
        self.keys.extend(moved(&other.keys));
    }

    /// The value at a pointer, or the nearest value around it.
    pub fn value(&self, pointer: &str) -> &Place {
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.values.get(pointer) {
                return place;
            }
            match pointer.rfind('/').and_then(|at| pointer.get(..at)) {
                Some(parent) => pointer = parent,
                None => return &self.document,
            }
        }
    }

    /// The key of the entry at a pointer, or else its value.
    pub fn key(&self, pointer: &str) -> &Place {
        self.keys.get(pointer).unwrap_or_else(|| self.value(pointer))
    }

    /// The whole document.
    pub fn document(&self) -> &Place {
        &self.document
    }
}

/// A key as a JSON pointer's segment, with its slash.
pub fn segment(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: u32) -> Place {
        Place { file: "p.yaml".into(), line, column: 1, start: 0, end: 1, via: None }
    }

    #[test]
    fn a_place_that_is_not_known_is_the_nearest_around_it() {
        let mut places = Places::new(place(1));
        places.add_value("/a".to_owned(), place(2));
        places.add_key("/a/b".to_owned(), place(3));
        assert_eq!(places.value("/a/x/y").line, 2);
        assert_eq!(places.key("/a/b").line, 3);
        assert_eq!(places.value("/b").line, 1);
        assert_eq!(segment("a/b~c"), "/a~1b~0c");
    }

    #[test]
    fn what_is_taken_over_is_all_that_is_below_and_nothing_beside() {
        let mut other = Places::new(place(1));
        for (line, pointer) in [(2, "/a"), (3, "/a/b"), (4, "/a/b/0"), (5, "/a/bc"), (6, "/a/b-"), (7, "/a/b/x/y")] {
            other.add_value(pointer.to_owned(), place(line));
        }
        other.add_key("/a/b".to_owned(), place(8));
        let mut places = Places::new(place(20));
        places.graft("/z", &other, "/a/b", &|place| Place { column: 9, ..place.clone() });
        let lines = ["/z", "/z/0", "/z/x/y", "/zc", "/z-"].map(|pointer| places.value(pointer).line);
        assert_eq!(lines, [3, 4, 7, 20, 20]);
        assert_eq!((places.key("/z").line, places.key("/z").column), (8, 9));
    }
}
