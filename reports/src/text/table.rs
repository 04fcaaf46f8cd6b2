//! Tables of the failure block and the summary.

use std::fmt::Write;

use super::Glyphs;
use super::layout::{INDENT, WIDTH, wrap};
use crate::events::Part;
use crate::pairs::{ABSENT, Row, pair};
use crate::plain;
use crate::record::suites;
use crate::result::{CaseResult, RunResult, Totals};

/// Want and got side by side, paired by label, with a mark on each line that differs. Long values are wrapped
/// in their column.
pub(super) fn want_got(want: &str, got: &str, glyphs: Glyphs) -> String {
    const GAPS: usize = 6;
    let (want, got) = (plain::lines(want), plain::lines(got));
    let rows = pair(&want, &got);
    let width = |column: for<'a> fn(&Row<'a>) -> &'a str, least: usize| {
        rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0).max(least)
    };
    let label = width(|row| row.label, 0).min(24);
    let (expected, actual) = (width(|row| row.want, 4), width(|row| row.got, 3));
    let room = WIDTH - INDENT - GAPS - label - glyphs.unmet.chars().count();
    let expected = expected.min((room / 2).max(room.saturating_sub(actual)));
    let actual = actual.min(room - expected);
    let mut out = format!("{:INDENT$}{:<label$}  {:<expected$}  got\n", "", "", "want");
    for row in &rows {
        let mark = if row.agrees() { glyphs.met } else { glyphs.unmet };
        let shown = |text: &str| if text == ABSENT { glyphs.absent.to_owned() } else { text.to_owned() };
        let cells =
            [wrap(row.label, label.max(1)), wrap(&shown(row.want), expected), wrap(&shown(row.got), actual)];
        for index in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let [name, want, got] = cells.each_ref().map(|cell| cell.get(index).map_or("", String::as_str));
            let mark = if index == 0 { mark } else { "" };
            let line = format!("{:INDENT$}{name:<label$}  {want:<expected$}  {got:<actual$}  {mark}", "");
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }
    out
}

/// Counts by suite and verdict, with a row for all when there is more than one suite.
pub(super) fn totals(result: &RunResult) -> String {
    let (cases, suites) = (&result.cases, suites(result));
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
    let shown = |text: &str| plain::short(&plain::shown(text), 32);
    let width = |text: fn(&Part) -> &String| {
        parts.iter().map(|part| shown(text(part)).chars().count()).max().unwrap_or(0)
    };
    let (name, version) = (width(|part| &part.name), width(|part| &part.version));
    let mut out = String::new();
    for (index, part) in parts.iter().enumerate() {
        let label = if index == 0 { "Parts" } else { "" };
        let kind = if part.stand_in { "stand-in" } else { "real" };
        let _ = writeln!(
            out,
            "{label:<11}  {:<name$}  {:<version$}  {kind} ({})",
            shown(&part.name),
            shown(&part.version),
            shown(&part.origin)
        );
    }
    out
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

#[cfg(test)]
mod tests {
    use super::want_got;
    use crate::text::{ASCII, UNICODE};

    #[test]
    fn rows_are_paired_by_label() {
        insta::assert_snapshot!(want_got("status: 200\nserved by: v2", "served by: v1\nerror: reset", UNICODE), @r"
                                want  got
                     status     200   –      ✗
                     served by  v2    v1     ✗
                     error      –     reset  ✗
        ");
    }

    #[test]
    fn long_values_are_wrapped_in_their_column() {
        let table = want_got("status: 403", &format!("status: {}", "503 upstream reset ".repeat(8)), ASCII);
        assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
        insta::assert_snapshot!(table);
    }
}
