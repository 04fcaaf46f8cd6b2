//! Text of the mesh made safe to show: what would steer a terminal, hide text or turn it around becomes visible.

use std::fmt::Write;

/// One line that is harmless on a terminal and on the console of a CI that reads along, whoever wrote it: line breaks
/// and tabs become blanks; controls, direction marks and what takes no room are spelled out, such as `\u{1b}`; and
/// nothing in it is a command (`::error::` at the beginning, `##[group]` anywhere).
///
/// Ordinary text comes out as it went in, and so does what this function returned.
pub fn line(text: &str) -> String {
    no_commands(&shown(&text.replace("\r\n", " ").replace(['\n', '\t'], " ")))
}

/// One line: line breaks and tabs are shown as `\n`, `\r` and `\t` too. For a medium that has an escape of its own, or
/// as a piece of what [`no_commands`] takes; a line of a console of its own is [`line`].
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        push(&mut out, c);
    }
    out
}

/// Several lines: line breaks stay, whatever their kind; tabs become spaces.
pub(crate) fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.push('\n'),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\t' => out.push_str("    "),
            _ => push(&mut out, c),
        }
    }
    out
}

/// The beginning of `text` in at most `limit` characters, with a mark where it was cut.
pub(crate) fn short(text: &str, limit: usize) -> String {
    if text.chars().nth(limit).is_none() {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(limit.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// The beginning of `text` in at most `limit` bytes, with the number of bytes left out.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    const NOTE: usize = 64;
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(limit.saturating_sub(NOTE));
    format!("{}\n[cut here: {} more bytes]", &text[..end], text.len() - end)
}

/// Console output in which no line is a command to the CI that reads along (`::error::`, `##[group]`, `##vso[…]`).
pub(crate) fn no_commands(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let rest = line.trim_start();
        if rest.starts_with("::") {
            out.push_str(&line[..line.len() - rest.len()]);
            out.push_str("\\u{3a}");
            out.push_str(&no_marks(&rest[1..]));
        } else {
            out.push_str(&no_marks(line));
        }
    }
    out
}

/// Commands that begin anywhere in a line: of GitHub, Azure and TeamCity.
fn no_marks(line: &str) -> String {
    let mark = |out: String, mark: &str| out.replace(&format!("##{mark}["), &format!("\\u{{23}}#{mark}["));
    ["", "vso", "teamcity"].into_iter().fold(line.to_owned(), mark)
}

fn push(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ if is_unsafe(c) => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
        _ => out.push(c),
    }
}

/// Controls, line separators, direction marks, and what takes no room: all that makes a line look like another.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{cut, line, lines, no_commands, short, shown};

    #[rstest]
    #[case::plain("503 UF – über", "503 UF – über")]
    #[case::colour("\u{1b}[31mred", "\\u{1b}[31mred")]
    #[case::title("\u{9d}0;owned\u{7}", "\\u{9d}0;owned\\u{7}")]
    #[case::overwrite("FAIL\rPASS", "FAIL\\rPASS")]
    #[case::breaks("a\nb\tc", "a\\nb\\tc")]
    #[case::turned_around("\u{202e}ssap", "\\u{202e}ssap")]
    #[case::isolate("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}")]
    #[case::hidden("pa\u{200b}ss\u{feff}", "pa\\u{200b}ss\\u{feff}")]
    #[case::separators("a\u{2028}b", "a\\u{2028}b")]
    fn what_steers_a_terminal_is_shown(#[case] text: &str, #[case] want: &str) {
        assert_eq!(shown(text), want);
    }

    #[rstest]
    #[case::plain("503 UF – routing::header", "503 UF – routing::header")]
    #[case::breaks("a\nb\r\nc\td", "a b c d")]
    #[case::overwrite("FAIL\rPASS", "FAIL\\rPASS")]
    #[case::colour("\u{1b}[31mred", "\\u{1b}[31mred")]
    #[case::turned_around("\u{202e}ssap", "\\u{202e}ssap")]
    #[case::command("::error::x", "\\u{3a}:error::x")]
    #[case::indented_command("\n ::error::x", "  \\u{3a}:error::x")]
    #[case::command_later("a\n::error::x", "a ::error::x")]
    #[case::old_command("a ##[group]x", "a \\u{23}#[group]x")]
    #[case::azure("a ##vso[task.complete]x", "a \\u{23}#vso[task.complete]x")]
    #[case::teamcity("##teamcity[x]", "\\u{23}#teamcity[x]")]
    #[case::heading("## not [a command]", "## not [a command]")]
    fn a_line_is_harmless(#[case] text: &str, #[case] want: &str) {
        assert_eq!(line(text), want);
        assert_eq!(line(want), want, "a second time changes nothing");
    }

    #[rstest]
    #[case::unix("a\nb", "a\nb")]
    #[case::windows("a\r\nb", "a\nb")]
    #[case::lone_return("a\rb", "a\\rb")]
    #[case::tab("a\tb", "a    b")]
    #[case::escape("a\n\u{1b}[2J", "a\n\\u{1b}[2J")]
    fn line_breaks_stay_where_lines_are_meant(#[case] text: &str, #[case] want: &str) {
        assert_eq!(lines(text), want);
    }

    #[rstest]
    #[case::command("a\n  ::error::x\n", "a\n  \\u{3a}:error::x\n")]
    #[case::old_command("a ##[group]x", "a \\u{23}#[group]x")]
    #[case::name("FAIL routing::header", "FAIL routing::header")]
    fn ci_is_not_commanded(#[case] text: &str, #[case] want: &str) {
        assert_eq!(no_commands(text), want);
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(short("abc", 3), "abc");
        assert_eq!(short("äbcd", 3), "äb…");
        let text = "ä".repeat(100);
        let cut_to = cut(&text, 120);
        assert!(cut_to.len() <= 120, "{}", cut_to.len());
        assert!(cut_to.ends_with("[cut here: 144 more bytes]"), "{cut_to}");
        assert_eq!(cut(&text, 200), text);
    }
}
