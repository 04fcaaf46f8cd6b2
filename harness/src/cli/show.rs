//! Tables that commands print.

use std::fmt::Write;

use super::exit;
use super::operations::{Check, Component, Outcome};
use crate::case::Case;
use crate::engine::Trial;

/// `list`: one row a case, trials of one case together.
pub(super) fn cases<C>(trials: &[Trial<C>]) -> String {
    let mut rows: Vec<(String, &Case<C>, Vec<&str>)> = Vec::new();
    for trial in trials {
        let name = format!("{}::{}", trial.case.suite, trial.case.name);
        let suffix = trial.scope.suffix();
        match rows.iter_mut().find(|(known, ..)| *known == name) {
            Some((.., scopes)) => scopes.extend(suffix),
            None => rows.push((name, trial.case, suffix.into_iter().collect())),
        }
    }
    let width = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or(0).max(4);
    let scopes_of = |scopes: &[&str]| if scopes.is_empty() { "-".to_owned() } else { scopes.join(",") };
    let scope = rows.iter().map(|(.., scopes)| scopes_of(scopes).len()).max().unwrap_or(0).max(5);
    let mut out =
        format!("{:<width$}  {:<8}  {:<9}  {:<scope$}  PROMISE\n", "NAME", "LEVEL", "ISOLATION", "SCOPE");
    for (name, case, scopes) in &rows {
        let _ = writeln!(
            out,
            "{name:<width$}  {:<8}  {:<9}  {:<scope$}  {}",
            case.level.as_str(),
            case.isolation.as_str(),
            scopes_of(scopes),
            case.promise
        );
    }
    let _ = writeln!(out, "{} cases, {} trials", rows.len(), trials.len());
    out
}

/// `explain CASE`.
pub(super) fn case<C>(trials: &[Trial<C>]) -> Option<String> {
    let case = trials.first()?.case;
    let mut out = format!("{}::{}\n", case.suite, case.name);
    let _ = writeln!(out, "  promise    {}", case.promise);
    let _ = writeln!(out, "  level      {}", case.level.as_str());
    let _ = writeln!(out, "  isolation  {}", case.isolation.as_str());
    if !case.refs.is_empty() {
        let _ = writeln!(out, "  refs       {}", case.refs.join(", "));
    }
    for need in case.needs {
        let _ = writeln!(out, "  needs      {need}");
    }
    for trial in trials {
        let _ = writeln!(out, "  run        waymark run --exact {}", trial.name);
    }
    Some(out)
}

/// `explain exit`.
pub(super) fn exits() -> String {
    exit::ALL.iter().map(|exit| format!("{:>3}  {}\n", exit.code(), exit.meaning())).collect()
}

/// `components list`.
pub(super) fn components(rows: &[Component]) -> String {
    let width = |of: fn(&Component) -> usize, least: usize| rows.iter().map(of).max().unwrap_or(0).max(least);
    let name = width(|row| row.name.len(), 4);
    let version = width(|row| row.version.len(), 7);
    let origin = width(|row| row.origin.len(), 6);
    let mut out = format!("{:<name$}  {:<version$}  {:<origin$}  PATH\n", "PART", "VERSION", "ORIGIN");
    for row in rows {
        let path =
            row.path.as_ref().map_or_else(|| "not here yet".to_owned(), |path| path.display().to_string());
        let _ =
            writeln!(out, "{:<name$}  {:<version$}  {:<origin$}  {path}", row.name, row.version, row.origin);
    }
    out
}

/// `doctor`, and whether something blocks.
pub(super) fn checks(checks: &[Check]) -> (String, bool) {
    let mut out = String::new();
    let mut category = "";
    let count = |outcome| checks.iter().filter(|check| check.outcome == outcome).count();
    for check in checks {
        if check.category != category {
            category = &check.category;
            let _ = writeln!(out, "{category}");
        }
        let mark = match check.outcome {
            Outcome::Good => "√",
            Outcome::Warning => "‼",
            Outcome::Blocker => "×",
        };
        let _ = writeln!(out, " {mark} {}", check.finding);
        if let Some(fix) = &check.fix {
            let _ = writeln!(out, "     fix: {fix}");
        }
    }
    let blockers = count(Outcome::Blocker);
    let (warnings, good) = (count(Outcome::Warning), count(Outcome::Good));
    let _ = writeln!(out, "\nStatus: {blockers} blockers, {warnings} warnings, {good} passed");
    (out, blockers > 0)
}
