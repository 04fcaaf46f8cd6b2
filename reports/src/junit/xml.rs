//! XML that is well-formed by construction: elements close themselves, and no text goes in unescaped.

use std::fmt::Write;

/// A document under way.
#[derive(Debug)]
pub(super) struct Xml {
    out: String,
    depth: usize,
}

/// Attributes of an element, in their order.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Xml {
    /// A document with its declaration.
    pub(super) fn document() -> Self {
        Self { out: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), depth: 0 }
    }

    /// A piece to be put into an element that lies `depth` deep.
    pub(super) fn piece(depth: usize) -> Self {
        Self { out: String::new(), depth }
    }

    /// An element around others.
    pub(super) fn parent(
        &mut self,
        name: &'static str,
        attributes: Attributes<'_>,
        children: impl FnOnce(&mut Self),
    ) {
        self.open(name, attributes);
        let before = self.out.len();
        self.out.push_str(">\n");
        let inside = self.out.len();
        self.depth += 1;
        children(self);
        self.depth -= 1;
        if self.out.len() == inside {
            self.out.truncate(before);
            self.out.push_str("/>\n");
        } else {
            self.indent();
            let _ = writeln!(self.out, "</{name}>");
        }
    }

    /// An element around one child an item; none at all without items.
    pub(super) fn parent_unless_empty<T>(
        &mut self,
        name: &'static str,
        items: &[T],
        child: impl Fn(&mut Self, &T),
    ) {
        if !items.is_empty() {
            self.parent(name, &[], |xml| items.iter().for_each(|item| child(xml, item)));
        }
    }

    /// An element around text; an empty one when there is none.
    pub(super) fn leaf(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) {
        self.open(name, attributes);
        if text.is_empty() {
            self.out.push_str("/>\n");
            return;
        }
        self.out.push('>');
        escape(&mut self.out, text, false);
        let _ = writeln!(self.out, "</{name}>");
    }

    /// A piece that was written apart.
    pub(super) fn add(&mut self, piece: Self) {
        self.out.push_str(&piece.out);
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    fn open(&mut self, name: &str, attributes: Attributes<'_>) {
        self.indent();
        let _ = write!(self.out, "<{name}");
        for (key, value) in attributes {
            let _ = write!(self.out, " {key}=\"");
            escape(&mut self.out, value, true);
            self.out.push('"');
        }
    }

    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n("  ", self.depth));
    }
}

/// Drops what XML 1.0 forbids, and what takes part in markup is written as a reference.
fn escape(out: &mut String, text: &str, attribute: bool) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\n' | '\t' if attribute => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Xml;

    #[rstest]
    #[case::markup("a < b && c > d ]]> \"e\" 'f'", "a < b && c > d ]]> \"e\" 'f'")]
    #[case::breaks("a\nb\tc\rd", "a\nb\tc\rd")]
    #[case::forbidden("a\u{0}\u{8}\u{1b}[31mb\u{fffe}\u{ffff}\u{9b}", "a[31mb")]
    #[case::entity("&lt;script&gt;", "&lt;script&gt;")]
    #[case::wide("über 漢字 🚦", "über 漢字 🚦")]
    fn text_and_attributes_come_back(#[case] text: &str, #[case] want: &str) {
        let mut xml = Xml::document();
        xml.parent("a", &[], |xml| xml.leaf("b", &[("c", text)], text));
        let xml = xml.finish();
        let parsed = roxmltree::Document::parse(&xml).unwrap();
        let leaf = parsed.descendants().find(|node| node.has_tag_name("b")).unwrap();
        assert_eq!(leaf.text().unwrap(), want);
        assert_eq!(leaf.attribute("c").unwrap(), want);
    }

    #[test]
    fn elements_close_themselves() {
        let mut xml = Xml::document();
        xml.parent("a", &[], |xml| {
            xml.parent("empty", &[("x", "1")], |_| {});
            xml.leaf("bare", &[], "");
        });
        assert_eq!(
            xml.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>\n  <empty x=\"1\"/>\n  <bare/>\n</a>\n"
        );
    }
}
