//! Text of others in Markdown: shown as it is, and nothing else.

use crate::plain;

/// Text among our own words: no markup, no HTML, no mention, no link, no new table cell.
pub(crate) fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let text = plain::shown(text);
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let tail = &rest[c.len_utf8()..];
        match c {
            '@' => out.push_str("@<!-- -->"),
            ':' if tail.starts_with("//") => out.push_str("&#58;"),
            '.' if out.ends_with("www") => out.push_str("&#46;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '~' | '#' | '|' | '&' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        rest = tail;
    }
    out
}

/// Text as code, also in a table.
pub(crate) fn code(text: &str) -> String {
    let text = plain::shown(text);
    if text.trim().is_empty() {
        return "–".to_owned();
    }
    if text.contains(['`', '|', '\\']) {
        // a code span cannot hold these in a table of GitHub's
        return format!("<code>{}</code>", references(&text));
    }
    format!("`{}`", text.trim())
}

/// An address of our own, as a link.
pub(super) fn link(address: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-._/#?=:".contains(c);
    if address.starts_with("https://") && address.chars().all(harmless) {
        return format!("<{address}>");
    }
    inline(address)
}

/// Text in a line of HTML, such as that of a `<summary>`.
pub(super) fn html(text: &str) -> String {
    plain::shown(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('@', "@<!-- -->")
}

/// Lines as a block that nothing within ends.
pub(super) fn fence(text: &str, language: &str) -> String {
    let text = plain::lines(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

fn references(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "&<>`|\\*_[]~#$!:@".contains(c) {
            out.push_str(&format!("&#{};", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{code, fence, html, inline, link};

    #[rstest]
    #[case::markup("*a* _b_ `c` [d](e)", "\\*a\\* \\_b\\_ \\`c\\` \\[d\\](e)")]
    #[case::html("<b>&amp;", "\\<b\\>\\&amp;")]
    #[case::cell("a|b\\|c", "a\\|b\\\\\\|c")]
    #[case::mention("@everyone", "@<!-- -->everyone")]
    #[case::issue("istio#60025", "istio\\#60025")]
    #[case::link("https://x www.x", "https&#58;//x www&#46;x")]
    #[case::breaks("a\n# b", "a\\\\n\\# b")]
    fn our_words_stay_ours(#[case] text: &str, #[case] want: &str) {
        assert_eq!(inline(text), want);
    }

    #[rstest]
    #[case::plain("403 @all <b>", "`403 @all <b>`")]
    #[case::pipe("a|b", "<code>a&#124;b</code>")]
    #[case::backtick("a`b", "<code>a&#96;b</code>")]
    #[case::both("\\|", "<code>&#92;&#124;</code>")]
    #[case::nothing("", "–")]
    #[case::breaks("a\nb", "<code>a&#92;nb</code>")]
    fn code_holds_anything(#[case] text: &str, #[case] want: &str) {
        assert_eq!(code(text), want);
    }

    #[rstest]
    #[case::plain("a", "```\na\n```\n")]
    #[case::fence("```\n@all\n````", "`````\n```\n@all\n````\n`````\n")]
    #[case::escape("\u{1b}[0m", "```\n\\u{1b}[0m\n```\n")]
    fn nothing_within_ends_a_fence(#[case] text: &str, #[case] want: &str) {
        assert_eq!(fence(text, ""), want);
    }

    #[rstest]
    #[case::issue("https://github.com/istio/istio/issues/1", "<https://github.com/istio/istio/issues/1>")]
    #[case::script("javascript:alert(1)", "javascript:alert(1)")]
    #[case::broken_out("https://x><b>", "https&#58;//x\\>\\<b\\>")]
    fn only_plain_addresses_are_links(#[case] text: &str, #[case] want: &str) {
        assert_eq!(link(text), want);
    }

    #[test]
    fn html_is_text() {
        assert_eq!(html("<b a=\"1\">&@x"), "&lt;b a=&quot;1&quot;&gt;&amp;@<!-- -->x");
    }
}
