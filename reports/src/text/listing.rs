//! The cases of a run that a reader has to know of, a line each.

use std::fmt::Write;

use super::block::again;
use super::layout::{WIDTH, wrap};
use super::{Style, shout};
use crate::plain;
use crate::record::Record;
use crate::result::CaseResult;
use crate::verdict::CaseVerdict;

const GUTTER: usize = 8;
/// Most characters of a reason; the whole of it is in the failure block.
const REASON: usize = 180;

/// What is red, known or was not reached, what expired, what came unlike when it came again, causes by id, what was
/// counted, and why cases were left out; ends with an empty line unless there is nothing to say.
pub(super) fn listing(cases: &[CaseResult], style: Style) -> String {
    let mut out = String::new();
    let alike = none_was_run(cases);
    if let Some((reason, count)) = alike {
        let label = shout(CaseVerdict::NotRun);
        let painted = style.verdict(CaseVerdict::NotRun, label);
        line(&mut out, &painted, label, &format!("{count}: {}", plain::short(reason, REASON)));
    }
    for verdict in [CaseVerdict::Fail, CaseVerdict::Error, CaseVerdict::Known, CaseVerdict::NotRun] {
        if verdict == CaseVerdict::NotRun && alike.is_some() {
            continue;
        }
        for record in cases.iter().map(Record::from).filter(|record| record.verdict == verdict) {
            entry(&mut out, &record, style);
        }
    }
    for record in cases.iter().map(Record::from).filter(Record::is_expired) {
        let listed = record.deviation.map_or("", |listed| &listed.expires);
        line(
            &mut out,
            "EXPIRED",
            "EXPIRED",
            &format!("{}: the listed deviation held until {listed}", record.name),
        );
    }
    causes(&mut out, cases);
    for (case, figure) in cases.iter().flat_map(|case| case.figures.iter().map(move |it| (case, it))) {
        let text = format!("{} {}", case.name, plain::short(&figure.words(), REASON));
        line(&mut out, "COUNTED", "COUNTED", &text);
    }
    for verdict in [CaseVerdict::Unsupported, CaseVerdict::Skip] {
        for (reason, count) in reasons(cases, verdict) {
            let label = shout(verdict);
            line(
                &mut out,
                &style.verdict(verdict, &format!("{label:<6}")),
                &format!("{label:<6}"),
                &format!("{count}: {reason}"),
            );
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

fn entry(out: &mut String, record: &Record<'_>, style: Style) {
    let word = format!("{:<6}", shout(record.verdict));
    let mut text = record.name.to_owned();
    if record.is_quarantined() {
        text.push_str("  [quarantined]");
    }
    if record.verdict.is_red() && record.level == crate::verdict::Level::Observed {
        text.push_str("  [observed]");
    }
    if record.is_flaky() {
        text.push_str("  [flaky]");
    }
    let ids: Vec<_> = record.causes.iter().map(|cause| cause.id.as_str()).collect();
    if !ids.is_empty() {
        let _ = write!(text, "  {}", ids.join(" "));
    }
    line(out, &style.verdict(record.verdict, &word), &word, &text);
    if record.reason.is_some() {
        below(out, &plain::short(&record.headline(), REASON));
    }
    if let Some(listed) = record.deviation {
        below(out, &format!("{} · owner {} · expires {}", listed.link, listed.owner, listed.expires));
    }
    if !record.again.is_empty() {
        below(out, &format!("again: {}", again(record)));
    }
}

fn causes(out: &mut String, cases: &[CaseResult]) {
    let mut found: Vec<(&str, &str, usize)> = Vec::new();
    for cause in cases.iter().filter_map(|case| case.causes.first()) {
        match found.iter_mut().find(|(id, ..)| *id == cause.id) {
            Some((.., count)) => *count += 1,
            None => found.push((&cause.id, &cause.title, 1)),
        }
    }
    found.sort_by(|(id, _, count), (other, _, more)| more.cmp(count).then(id.cmp(other)));
    for (id, title, count) in found {
        line(out, "CAUSE ", "CAUSE ", &format!("{id}  {count}× {title}"));
    }
}

/// `label` as it is painted, and as it is counted.
fn line(out: &mut String, painted: &str, label: &str, text: &str) {
    let used = label.chars().count().max(GUTTER - 2) + 2;
    for (index, row) in wrap(&plain::shown(text), WIDTH - used).into_iter().enumerate() {
        let _ = match index {
            0 => writeln!(out, "{painted}  {row}"),
            _ => writeln!(out, "{:used$}{row}", ""),
        };
    }
}

fn below(out: &mut String, text: &str) {
    for row in wrap(&plain::shown(text), WIDTH - GUTTER - 2) {
        let _ = writeln!(out, "{:1$}{row}", "", GUTTER + 2);
    }
}

/// The one reason why no case was run, and how many that are: their names would say nothing more.
fn none_was_run(cases: &[CaseResult]) -> Option<(&str, usize)> {
    let left_out = [CaseVerdict::NotRun, CaseVerdict::Unsupported, CaseVerdict::Skip];
    match reasons(cases, CaseVerdict::NotRun).as_slice() {
        [(reason, count)] if *count > 1 && cases.iter().all(|case| left_out.contains(&case.verdict)) => {
            Some((*reason, *count))
        }
        _ => None,
    }
}

fn reasons(cases: &[CaseResult], verdict: CaseVerdict) -> Vec<(&str, usize)> {
    let mut found: Vec<(&str, usize)> = Vec::new();
    for case in cases.iter().filter(|case| case.verdict == verdict) {
        let reason = case.reason.as_deref().unwrap_or("no reason given");
        match found.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => found.push((reason, 1)),
        }
    }
    found
}
