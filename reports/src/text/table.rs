//! Tables of the failure block and the summary.

use std::fmt::Write;

use crate::events::Part;
use crate::result::{CaseResult, Totals};

const INDENT: &str = "             ";

/// Want and got side by side, paired by label, with a mark on each line that differs.
pub(super) fn want_got(want: &str, got: &str) -> String {
    let rows = pair(want, got);
    let width = |column: for<'a> fn(&Row<'a>) -> &'a str, least: usize| {
        rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0).max(least)
    };
    let label = width(|row| row.label, 0);
    let expected = width(|row| row.want, 4);
    let actual = width(|row| row.got, 3);
    let mut out = format!("{INDENT}{:<label$}  {:<expected$}  got\n", "", "want");
    for row in &rows {
        let mark = if row.want == row.got { "✓" } else { "✗" };
        let _ = writeln!(
            out,
            "{INDENT}{:<label$}  {:<expected$}  {:<actual$}  {mark}",
            row.label, row.want, row.got
        );
    }
    out
}

/// Counts by suite and verdict, with a row for all when there is more than one suite.
pub(super) fn totals(cases: &[CaseResult]) -> String {
    let mut suites: Vec<&str> = Vec::new();
    for case in cases {
        if !suites.contains(&case.suite.as_str()) {
            suites.push(&case.suite);
        }
    }
    let width = suites.iter().map(|suite| suite.len()).max().unwrap_or(0).max(5);
    let mut out = format!("{:<width$}  total", "suite");
    for (verdict, _) in Totals::default().iter() {
        let _ = write!(out, "  {verdict}");
    }
    out.push('\n');
    for suite in &suites {
        let of_suite = cases.iter().filter(|case| case.suite == *suite);
        out.push_str(&row(suite, width, of_suite));
    }
    if suites.len() != 1 {
        out.push_str(&row("all", width, cases.iter()));
    }
    out
}

/// The parts under test, stand-ins marked.
pub(super) fn parts(parts: &[Part]) -> String {
    let name = parts.iter().map(|part| part.name.len()).max().unwrap_or(0);
    let version = parts.iter().map(|part| part.version.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (index, part) in parts.iter().enumerate() {
        let label = if index == 0 { "Parts" } else { "" };
        let kind = if part.stand_in { "stand-in" } else { "real" };
        let _ = writeln!(
            out,
            "{label:<11}  {:<name$}  {:<version$}  {kind} ({})",
            part.name, part.version, part.origin
        );
    }
    out
}

struct Row<'a> {
    label: &'a str,
    want: &'a str,
    got: &'a str,
}

fn row<'a>(name: &str, width: usize, cases: impl Iterator<Item = &'a CaseResult>) -> String {
    let (mut totals, mut all) = (Totals::default(), 0);
    for case in cases {
        *totals.of(case.verdict) += 1;
        all += 1;
    }
    let mut out = format!("{name:<width$}  {all:>5}");
    for (verdict, count) in totals.iter() {
        let _ = write!(out, "  {count:>0$}", verdict.as_str().len());
    }
    out.push('\n');
    out
}

fn pair<'a>(want: &'a str, got: &'a str) -> Vec<Row<'a>> {
    let wanted: Vec<_> = want.lines().map(split).collect();
    let mut came: Vec<Option<(&str, &str)>> = got.lines().map(split).map(Some).collect();
    let mut rows = Vec::new();
    for (label, want) in wanted {
        let found = came.iter_mut().find(|row| row.is_some_and(|(other, _)| other == label));
        let got = found.and_then(Option::take).map_or("–", |(_, value)| value);
        rows.push(Row { label, want, got });
    }
    rows.extend(came.into_iter().flatten().map(|(label, got)| Row { label, want: "–", got }));
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
    use super::want_got;

    #[test]
    fn rows_are_paired_by_label() {
        insta::assert_snapshot!(want_got("status: 200\nserved by: v2", "served by: v1\nerror: reset"), @r"
                                want  got
                     status     200   –      ✗
                     served by  v2    v1     ✗
                     error      –     reset  ✗
        ");
    }
}
