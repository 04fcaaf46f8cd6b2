//! Labelled lines of at most [`WIDTH`] columns.

use std::fmt::Write;

use crate::plain;

/// How wide what we write may be; commands and paths to paste are never broken.
pub(super) const WIDTH: usize = 100;
/// Where the text behind a label begins.
pub(super) const INDENT: usize = 13;

/// A label and its text, wrapped.
pub(super) fn field(out: &mut String, label: &str, text: &str) {
    rows(out, label, plain::lines(text).lines().flat_map(|line| wrap(line, WIDTH - INDENT)));
}

/// A label and what is to be pasted, a line each, never wrapped.
pub(super) fn verbatim<'a>(out: &mut String, label: &str, lines: impl IntoIterator<Item = &'a str>) {
    rows(out, label, lines.into_iter().map(plain::shown));
}

fn rows(out: &mut String, label: &str, lines: impl Iterator<Item = String>) {
    for (index, line) in lines.enumerate() {
        let label = if index == 0 { label } else { "" };
        let _ = writeln!(out, "{}", format!("{label:<11}  {line}").trim_end());
    }
}

/// `text` in lines of at most `width` characters, broken at blanks where there are any; what follows a leading
/// mark such as `· ` is indented to it.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let hang = text.chars().take_while(|c| matches!(c, ' ' | '·' | '-')).count().min(width / 2);
    let mut out = vec![text.chars().take(hang).collect::<String>()];
    let mut room = width - hang;
    let rest: String = text.chars().skip(hang).collect();
    for word in rest.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        let blank = usize::from(room < width - hang);
        if word.len() + blank > room && room < width - hang {
            out.push(" ".repeat(hang));
            room = width - hang;
        } else if blank == 1 {
            push(&mut out, &[' ']);
            room -= 1;
        }
        while word.len() > room {
            let rest = word.split_off(room);
            push(&mut out, &word);
            out.push(" ".repeat(hang));
            (word, room) = (rest, width - hang);
        }
        push(&mut out, &word);
        room -= word.len();
    }
    out
}

fn push(lines: &mut [String], text: &[char]) {
    if let Some(last) = lines.last_mut() {
        last.extend(text);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::wrap;

    #[rstest]
    #[case::fits("a bc", 4, &["a bc"])]
    #[case::at_blanks("aa bb cc", 5, &["aa bb", "cc"])]
    #[case::long_word("aaaaaa b", 4, &["aaaa", "aa b"])]
    #[case::long_word_later("b aaaaaa", 4, &["b", "aaaa", "aa"])]
    #[case::hanging("· aa bb", 5, &["· aa", "  bb"])]
    #[case::exact("aaaa bbbb", 4, &["aaaa", "bbbb"])]
    #[case::nothing("", 4, &[""])]
    fn lines_are_broken_at_blanks(#[case] text: &str, #[case] width: usize, #[case] want: &[&str]) {
        assert_eq!(wrap(text, width), want);
    }
}
