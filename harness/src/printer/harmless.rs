//! Control characters do not reach the terminal: what a mesh answers or logs must not move cursors or retitle windows.

use std::borrow::Cow;

/// The text with every control character written out, but for line ends, tabs and, where `colour` is written, colours.
pub(super) fn harmless(text: &str, colour: bool) -> Cow<'_, str> {
    let harms = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
    if !text.contains(harms) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let taken = if colour { colour_code(rest) } else { None };
        match taken {
            Some(code) => out.push_str(code),
            None if harms(letter) => out.extend(letter.escape_default()),
            None => out.push(letter),
        }
        rest = &rest[taken.map_or(letter.len_utf8(), str::len)..];
    }
    Cow::Owned(out)
}

/// The colour code that the text starts with: `ESC [`, digits and semicolons, `m`.
fn colour_code(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("\u{1b}[")?;
    let end = inner.find(|letter: char| !letter.is_ascii_digit() && letter != ';')?;
    inner[end..].starts_with('m').then(|| &text[..end + 3])
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::harmless;

    #[rstest]
    #[case::plain("a\tb\n", true, "a\tb\n")]
    #[case::colours("\u{1b}[31mred\u{1b}[0m ü", true, "\u{1b}[31mred\u{1b}[0m ü")]
    #[case::no_colours("\u{1b}[31mred\u{1b}[0m", false, "\\u{1b}[31mred\\u{1b}[0m")]
    #[case::title("\u{1b}]0;x\u{7}", true, "\\u{1b}]0;x\\u{7}")]
    #[case::cursor("\u{1b}[2J", true, "\\u{1b}[2J")]
    #[case::line_start("ok\rFAIL", false, "ok\\rFAIL")]
    #[case::c1("\u{9b}2J", true, "\\u{9b}2J")]
    fn only_colours_pass(#[case] text: &str, #[case] colour: bool, #[case] want: &str) {
        assert_eq!(harmless(text, colour), want);
    }
}
