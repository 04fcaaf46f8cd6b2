//! One file of evidence before it is written.

use serde_json::Value;
use waymark_reports::events::EvidenceFile;

use super::{cut, redact};

/// One file of evidence, or why it could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The name of the file.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// Its redacted content; or why there is none.
    pub content: Result<Content, String>,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The bytes to write.
    pub bytes: Vec<u8>,
    /// Whether something was left out to keep the bounds.
    pub cut: bool,
}

impl Item {
    /// JSON with the longest lists shortened until it fits.
    pub(super) fn json(name: &str, about: &str, mut value: Value, most: usize) -> Self {
        redact::json(&mut value);
        Self::clean(name, about, value, most)
    }

    /// The same of JSON that was redacted before.
    pub(super) fn clean(name: &str, about: &str, value: Value, most: usize) -> Self {
        let (bytes, cut) = cut::json(value, most);
        Self::new(name, about, Ok(Content { bytes, cut }))
    }

    /// A log: lines that do not concern the case go first, then the oldest.
    pub(super) fn log(
        name: &str,
        about: &str,
        text: &str,
        most: usize,
        concerns: impl Fn(&str) -> bool,
    ) -> Self {
        // A key spans lines, so it goes before lines do; all else is redacted when only a share is left of it.
        let whole = if text.contains("PRIVATE KEY") { redact::text(text) } else { text.into() };
        let (text, cut) = cut::log(&whole, most, concerns);
        Self::new(name, about, Ok(Content { bytes: redact::text(&text).into_owned().into_bytes(), cut }))
    }

    /// Text that was redacted before and fits.
    pub(super) fn whole(name: &str, about: &str, text: &str) -> Self {
        Self::new(name, about, Ok(Content { bytes: text.as_bytes().to_vec(), cut: false }))
    }

    /// What could not be had.
    pub(super) fn missing(name: &str, about: &str, why: impl Into<String>) -> Self {
        Self::new(name, about, Err(redact::text(&why.into()).into_owned()))
    }

    fn new(name: &str, about: &str, content: Result<Content, String>) -> Self {
        Self { name: file_name(name), about: about.to_owned(), content }
    }

    /// The record of the file; none for what could not be had.
    #[must_use]
    pub fn file(&self) -> Option<EvidenceFile> {
        let Content { bytes, cut } = self.content.as_ref().ok()?;
        let bytes = bytes.len() as u64;
        Some(EvidenceFile { name: self.name.clone(), about: self.about.clone(), bytes, cut: *cut })
    }
}

/// A name in the charset of evidence.
pub(super) fn file_name(name: &str) -> String {
    let fine = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let name: String = name.chars().map(|letter| if fine(letter) { letter } else { '_' }).collect();
    name.trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("waypoint-a1.log", "waypoint-a1.log")]
    #[case("../../etc/passwd", "_.._etc_passwd")]
    #[case("ä b", "__b")]
    fn names_stay_in_their_folder(#[case] name: &str, #[case] want: &str) {
        assert_eq!(file_name(name), want);
    }

    #[test]
    fn a_key_is_gone_before_lines_are() {
        let key = format!("-----BEGIN PRIVATE KEY-----\n{}-----END PRIVATE KEY-----\n", "MIIE\n".repeat(200));
        let item = Item::log("a.log", "a", &format!("{key}authorization: x\nlast\n"), 100, |_| false);
        let text = String::from_utf8(item.content.unwrap().bytes).unwrap();
        assert_eq!(text, "[redacted private key]\nauthorization: [redacted]\nlast\n");
    }

    #[test]
    fn json_is_redacted_and_known_by_its_size() {
        let value = serde_json::json!({"headers": [["authorization", "Bearer abcdefghijkl"]]});
        let item = Item::json("exchanges.json", "what was sent", value, 1000);
        let content = item.content.clone().unwrap();
        assert!(!String::from_utf8(content.bytes.clone()).unwrap().contains("abcdefghijkl"));
        let file = item.file().unwrap();
        assert_eq!((file.bytes, file.cut), (content.bytes.len() as u64, false));
        assert_eq!(Item::missing("a", "b", "no").file(), None);
    }
}
