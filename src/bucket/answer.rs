//! What servers answer, in XML.

use quick_xml::events::Event;
use quick_xml::reader::Reader;

/// No answer has elements within elements as deep as this.
const DEEPEST: usize = 16;

/// The texts of a document, each with the names of the elements that it is in, below the outermost:
/// `Contents/Key`. What is no XML gives what there is until then.
pub fn texts(document: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(document);
    let mut open: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut found = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                if open.len() >= DEEPEST {
                    return found;
                }
                open.push(String::from_utf8_lossy(start.local_name().as_ref()).into_owned());
                text.clear();
            }
            Ok(Event::Text(part)) => text.push_str(&part.decode().unwrap_or_default()),
            Ok(Event::CData(part)) => text.push_str(&part.decode().unwrap_or_default()),
            Ok(Event::GeneralRef(part)) => {
                let name = part.decode().unwrap_or_default();
                match part.resolve_char_ref() {
                    Ok(Some(letter)) => text.push(letter),
                    _ => text.push_str(quick_xml::escape::resolve_predefined_entity(&name).unwrap_or_default()),
                }
            }
            Ok(Event::End(_)) => {
                if let Some((_, inner)) = open.split_first().filter(|(_, inner)| !inner.is_empty()) {
                    found.push((inner.join("/"), std::mem::take(&mut text)));
                }
                text.clear();
                open.pop();
            }
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => {}
        }
    }
}

/// The text of the first element of a name.
pub fn text(document: &str, name: &str) -> Option<String> {
    texts(document).into_iter().find(|(path, _)| path == name).map(|(_, text)| text)
}

/// The code of an error, where the document is one.
pub fn code(document: &str) -> Option<String> {
    let is_error = document.contains("<Error>") || document.contains("<Error ");
    let code = text(document, "Code").filter(|_| is_error)?;
    // What it says of itself is told, and so is no place for anything.
    let fits = !code.is_empty() && code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then_some(code)
}

/// One page of a listing.
#[derive(PartialEq, Eq, Debug)]
pub struct Page {
    /// The keys on it.
    pub keys: Vec<String>,
    /// What asks for the next one.
    pub next: Option<String>,
}

/// Reads one; nothing where it is none, or says that there is more and not how to get it.
pub fn page(document: &str) -> Option<Page> {
    if !document.contains("<ListBucketResult") || !document.contains("</ListBucketResult>") {
        return None;
    }
    let mut page = Page { keys: Vec::new(), next: None };
    let mut truncated = false;
    for (path, text) in texts(document) {
        match path.as_str() {
            "Contents/Key" => page.keys.push(text),
            "IsTruncated" => truncated = text.trim() == "true",
            "NextContinuationToken" => page.next = Some(text),
            _ => {}
        }
    }
    if !truncated {
        page.next = None;
    }
    (truncated == page.next.is_some()).then_some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_are_read() {
        let document = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3\"><Name>b</Name>\
                        <IsTruncated>true</IsTruncated><Contents><Key>a&amp;b/&#x41;%2B&lt;</Key><Size>3</Size></Contents>\
                        <Contents><Key>c</Key></Contents><NextContinuationToken>t/=</NextContinuationToken>\
                        </ListBucketResult>";
        let read = page(document).unwrap();
        assert_eq!(read, Page { keys: vec!["a&b/A%2B<".to_owned(), "c".to_owned()], next: Some("t/=".to_owned()) });
        let last = document.replace("true", "false");
        assert_eq!(page(&last).unwrap().next, None);
        let lost = document.replace("NextContinuationToken", "Other");
        assert_eq!(page(&lost), None, "what is left is not to be taken for nothing");
        assert_eq!(page(&document.replace("</ListBucketResult>", "")), None, "cut off");
        assert_eq!(page("<html>"), None);
    }

    #[test]
    fn errors_are_read() {
        let document = "<Error><Code>NoSuchBucket</Code><Message>m</Message></Error>";
        assert_eq!(code(document).as_deref(), Some("NoSuchBucket"));
        assert_eq!(code("<Error><Code>a b</Code></Error>"), None);
        assert_eq!(code("<ListBucketResult><Code>x</Code></ListBucketResult>"), None);
    }
}
