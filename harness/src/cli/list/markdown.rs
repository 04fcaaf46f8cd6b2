//! `list --format markdown`: what is covered, area by area and scope by scope, then every case.

use std::fmt::Write;

use super::Row;
use super::formats::{by_case, or_dash, scopes};

const HEAD: &str =
    "| case | promise | level | isolation | scope | needs | refs |\n|---|---|---|---|---|---|---|";
const COVERAGE: &str = "| area | subject | cases | namespace | service account | mesh | core | extended | observed |\n\
                        |---|---|--:|--:|--:|--:|--:|--:|--:|";

/// The coverage table, then a heading and a table for each suite.
pub(super) fn markdown(rows: &[Row], target: &str) -> String {
    let mut out = coverage(rows);
    let mut suite = "";
    for trials in by_case(rows) {
        let row = trials[0];
        if row.suite != suite {
            suite = row.suite;
            let _ = writeln!(out, "\n## {suite}\n\n{HEAD}");
        }
        let refs = row.source.map_or_else(|| row.refs.join(", "), |link| format!("[source]({link})"));
        let reason = trials.iter().find_map(|trial| trial.unsupported.as_ref());
        let needs = match reason {
            Some(reason) => format!("{} (unsupported on {target}: {reason})", row.needs.join(", ")),
            None => or_dash(&row.needs.join(", ")),
        };
        let cells = [row.promise, row.level, row.isolation, &scopes(&trials), &needs, &or_dash(&refs)];
        let _ = writeln!(out, "| `{}` | {} |", row.case, cells.map(cell).join(" | "));
    }
    out
}

/// A line for each area, and their sum: cases, trials by scope, cases by level.
fn coverage(rows: &[Row]) -> String {
    let mut areas: Vec<(&str, &str)> = rows.iter().map(|row| (row.suite, row.about)).collect();
    areas.dedup();
    let mut out = format!("{COVERAGE}\n");
    for (suite, about) in areas {
        let own: Vec<&Row> = rows.iter().filter(|row| row.suite == suite).collect();
        let _ = writeln!(out, "| [{suite}](#{suite}) | {} | {} |", cell(about), counts(&own));
    }
    let _ = writeln!(out, "| all | | {} |", counts(&rows.iter().collect::<Vec<_>>()));
    out
}

fn counts(rows: &[&Row]) -> String {
    let trials = |scope: Option<&str>| rows.iter().filter(|row| row.scope == scope).count();
    let mut cases = rows.to_vec();
    cases.dedup_by_key(|row| (row.suite, row.case));
    let of = |level: &str| cases.iter().filter(|row| row.level == level).count();
    let scopes = [Some("namespace"), Some("service_account"), None].map(trials);
    let levels = ["core", "extended", "observed"].map(of);
    let all = [cases.len()].into_iter().chain(scopes).chain(levels);
    all.map(|count| count.to_string()).collect::<Vec<_>>().join(" | ")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::super::formats::tests::rows;
    use super::markdown;

    #[test]
    fn areas_are_summed_before_their_cases() {
        insta::assert_snapshot!("markdown", markdown(&rows(), "embedded, istio 1.31"));
    }
}
