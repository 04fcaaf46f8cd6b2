//! Want and got as rows: what every renderer shows as the table of expected against actual.

/// What stands where one side has no such line.
pub(crate) const ABSENT: &str = "–";

/// One line of want beside the line of got that has the same label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    /// Such as `status`; empty for a line without one.
    pub(crate) label: &'a str,
    /// What was expected.
    pub(crate) want: &'a str,
    /// What came.
    pub(crate) got: &'a str,
}

impl Row<'_> {
    /// Whether what came is what was expected.
    pub(crate) fn agrees(&self) -> bool {
        self.want == self.got
    }
}

/// Pairs the lines of both sides by label, in the order of `want`; what only `got` has comes last.
pub(crate) fn pair<'a>(want: &'a str, got: &'a str) -> Vec<Row<'a>> {
    let mut came: Vec<Option<(&str, &str)>> = got.lines().map(split).map(Some).collect();
    let mut rows = Vec::new();
    for (label, want) in want.lines().map(split) {
        let found = came.iter_mut().find(|row| row.is_some_and(|(other, _)| other == label));
        let got = found.and_then(Option::take).map_or(ABSENT, |(_, value)| value);
        rows.push(Row { label, want, got });
    }
    rows.extend(came.into_iter().flatten().map(|(label, got)| Row { label, want: ABSENT, got }));
    rows
}

fn split(line: &str) -> (&str, &str) {
    match line.split_once(": ") {
        Some((label, value)) => (label.trim(), value.trim()),
        None => ("", line.trim()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Row, pair};

    #[rstest]
    #[case::same("status: 200", "status: 200", &[("status", "200", "200")])]
    #[case::missing("status: 200", "", &[("status", "200", "–")])]
    #[case::surplus("", "error: reset", &[("error", "–", "reset")])]
    #[case::by_label("a: 1\nb: 2", "b: 2\na: 3", &[("a", "1", "3"), ("b", "2", "2")])]
    #[case::twice("a: 1\na: 2", "a: 1\na: 3", &[("a", "1", "1"), ("a", "2", "3")])]
    #[case::no_label("refused", "accepted", &[("", "refused", "accepted")])]
    fn lines_meet_by_label(#[case] want: &str, #[case] got: &str, #[case] rows: &[(&str, &str, &str)]) {
        let rows: Vec<_> = rows.iter().map(|&(label, want, got)| Row { label, want, got }).collect();
        assert_eq!(pair(want, got), rows);
    }
}
