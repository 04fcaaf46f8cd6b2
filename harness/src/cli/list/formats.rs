//! The formats of `list`, from rows to text.

use std::fmt::Write;

use waymark_reports::text::counted;

use super::Row;
use crate::cli::columns::columns;
use crate::json::document;

/// The trials of one case in one line, and below what cannot be tried.
pub(super) fn table(rows: &[Row], target: &str) -> String {
    let cases = by_case(rows);
    let lines: Vec<Vec<String>> = cases
        .iter()
        .map(|trials| {
            let row = trials[0];
            vec![
                format!("{}::{}", row.suite, row.case),
                row.level.to_owned(),
                row.isolation.to_owned(),
                scopes(trials),
                or_dash(&row.needs.join(", ")),
                if row.refs.is_empty() && row.source.is_some() {
                    "source".into()
                } else {
                    or_dash(&row.refs.join(","))
                },
                row.promise.to_owned(),
            ]
        })
        .collect();
    let heading = ["NAME", "LEVEL", "ISOLATION", "SCOPE", "NEEDS", "REFS", "PROMISE"];
    let mut out = columns(&heading, &lines);
    let _ = writeln!(out, "{}, {}", counted(cases.len(), "case"), counted(rows.len(), "trial"));
    let unsupported: Vec<_> = rows.iter().filter_map(|row| Some((row, row.unsupported.as_ref()?))).collect();
    if !unsupported.is_empty() {
        let _ = writeln!(out, "unsupported on {target}:");
        for (row, reason) in unsupported {
            let _ = writeln!(out, "  {}: {reason}", row.name);
        }
    }
    out
}

/// An array of trials.
pub(super) fn json(rows: &[Row]) -> serde_json::Result<String> {
    document(rows)
}

/// The trials of one case together, in the order of the list.
pub(super) fn by_case(rows: &[Row]) -> Vec<Vec<&Row>> {
    let mut cases: Vec<Vec<&Row>> = Vec::new();
    for row in rows {
        match cases.iter_mut().find(|trials| (trials[0].suite, trials[0].case) == (row.suite, row.case)) {
            Some(trials) => trials.push(row),
            None => cases.push(vec![row]),
        }
    }
    cases
}

pub(super) fn scopes(trials: &[&Row]) -> String {
    let scopes: Vec<&str> = trials.iter().filter_map(|trial| trial.scope).collect();
    or_dash(&scopes.join(","))
}

pub(super) fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::Row;
    use super::{json, table};

    pub(in super::super) fn rows() -> Vec<Row> {
        let row = |case: &'static str, scope: Option<&'static str>| Row {
            name: format!("routing::{case}{}", scope.map(|scope| format!("::{scope}")).unwrap_or_default()),
            suite: "routing",
            about: "Gateway API HTTPRoute",
            case,
            scope,
            level: "core",
            isolation: "host",
            promise: "a request matching a|b reaches b",
            refs: &["GWC-03", "GWC-04"],
            source: None,
            needs: Vec::new(),
            file: "suites/src/routing.rs",
            unsupported: None,
        };
        vec![
            row("header_match", Some("namespace")),
            row("header_match", Some("service_account")),
            Row {
                refs: &[],
                source: Some("https://istio.io/latest/"),
                needs: vec!["istio before 1.22".to_owned()],
                unsupported: Some("needs istio before 1.22, this is 1.31".to_owned()),
                ..row("old", None)
            },
        ]
    }

    #[test]
    fn each_format_reads_well() {
        let rows = rows();
        insta::assert_snapshot!("table", table(&rows, "embedded, istio 1.31"));
        insta::assert_snapshot!("json", json(&rows).unwrap());
    }

    #[test]
    fn one_case_is_not_cases() {
        assert!(table(&rows()[..1], "embedded").ends_with("\n1 case, 1 trial\n"));
    }
}
