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
        Place { file: "p.yaml".into(), line, column: 1, start: 0, end: 1 }
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
}
