//! The top of the page: the verdict, what was run, what to keep in mind, and the counts.

use maud::{Markup, html};

use super::words::{BarPart, bar, clip, count, fill_class, look};
use crate::caveat;
use crate::result::{CaseResult, RunResult};
use crate::text::seconds;
use crate::verdict::{CaseVerdict, RunVerdict};

/// The title of the page, telling in a row of tabs.
pub(super) fn title(result: &RunResult) -> String {
    format!("{} {} · waymark {}", mark(result.run.verdict), result.run.verdict, result.run.id)
}

/// The top of the page.
pub(super) fn header(result: &RunResult) -> Markup {
    let run = &result.run;
    html! {
        header {
            p.brand { "waymark" span.id { " run " (clip(&run.id, 120)) } }
            h1 class=(run.verdict) { span.mark { (mark(run.verdict)) } " " (run.verdict) }
            p.lead { (sentence(result)) }
            (facts(result))
            (banners(result))
            (contents(result))
        }
        nav id="counts" aria-label="cases by verdict" {
            @if !result.cases.is_empty() {
                (bar(1000.0, 8.0, result.cases.len() as f64, &shares(result)))
            }
            ul.counts {
                li { a href="#all" data-only="" { b { (result.cases.len()) } " all" } }
                @for (verdict, number) in result.totals.iter() {
                    @if number > 0 {
                        li { a href={ "#" (target(verdict)) } class=(verdict) data-only=(verdict) {
                            (look(verdict).mark) " " b { (number) } " " (verdict)
                        } }
                    }
                }
            }
        }
    }
}

/// The id of the section that shows the cases of a verdict.
pub(super) const fn target(verdict: CaseVerdict) -> &'static str {
    match verdict {
        CaseVerdict::Fail | CaseVerdict::Error => "red",
        CaseVerdict::Known => "known",
        CaseVerdict::Pass => "passed",
        CaseVerdict::Unsupported => "unsupported",
        CaseVerdict::Skip => "skip",
        CaseVerdict::NotRun => "not-run",
    }
}

fn facts(result: &RunResult) -> Markup {
    let run = &result.run;
    html! {
        dl.facts {
            div { dt { "Target" } dd { (clip(&run.target, 120)) } }
            div { dt { "Istio" } dd { (clip(&run.istio, 120)) } }
            @if !run.waymark.is_empty() { div { dt { "waymark" } dd { (run.waymark) } } }
            div { dt { "Started" } dd { (moment(&run.started_at)) } }
            div { dt { "Took" } dd { (seconds(run.duration_ms)) } }
            div { dt { "Order" } dd { @match run.seed { Some(seed) => { "seed " (seed) }, None => "as listed" } } }
            @if let Some(shard) = run.shard { div { dt { "Shard" } dd { (shard.index) " of " (shard.of) } } }
        }
    }
}

/// What must not be overlooked by someone who reads the verdict.
fn banners(result: &RunResult) -> Markup {
    let run = &result.run;
    let stand_ins = run.stand_ins();
    let expired =
        result.cases.iter().filter(|case| case.deviation.as_ref().is_some_and(|one| one.expired)).count();
    let again = result.cases.iter().filter(|case| !case.again.is_empty()).count();
    let broken = run.timeline.iter().filter_map(|span| span.error.as_ref().map(|error| (span.phase, error)));
    html! {
        @if let Some(reason) = &run.reason {
            p.banner.error { b { "This run did not complete: " } (clip(reason, 2000)) }
        }
        @for (phase, error) in broken.filter(|(_, error)| Some(*error) != run.reason.as_ref()) {
            p.banner.error { b { "Phase " (phase.as_str()) " failed: " } (clip(error, 2000)) }
        }
        @if !run.sabotage.is_empty() {
            p.banner.sabotage {
                b { "This run was sabotaged on purpose: " }
                @for (index, name) in run.sabotage.iter().enumerate() { @if index > 0 { ", " } code { (clip(name, 120)) } }
                ". Its verdict says nothing about the mesh."
            }
        }
        @if expired > 0 {
            p.banner.error { b { (count(expired, "case")) } " under a listed deviation that has " a href="#known" { "expired" } ": such a run cannot be conformant." }
        }
        @if !stand_ins.is_empty() {
            p.banner { b { "Stand-ins: " } (stand_ins.join(", ")) " – not the real thing; see " a href="#environment" { "what was under test" } "." }
        }
        @if let Some((pass, names)) = caveat::on_adapter(result) {
            p.banner { b { (pass) ": " } (clip(&names, 1000)) "." }
        }
        @if !run.merged.is_empty() {
            p.banner { b { "Merged from " (count(run.merged.len(), "run")) ": " } (clip(&run.merged.join(", "), 1000)) "." }
        }
        @if again > 0 {
            p.banner { b { (count(again, "case")) } " ran more than once; a red verdict is never replaced by a later green one." }
        }
    }
}

/// Links to what is further down.
fn contents(result: &RunResult) -> Markup {
    let any = |has: fn(&CaseResult) -> bool| result.cases.iter().any(has);
    let sections = [
        ("areas", "by area", !result.cases.is_empty()),
        ("passed", "passed", result.totals.pass > 0),
        ("timeline", "timeline", !result.run.timeline.is_empty() || any(|case| case.started_ms.is_some())),
        ("time", "where the time went", any(|case| case.duration_ms > 0)),
        ("convergence", "convergence", any(|case| case.convergence_ms.is_some())),
        ("environment", "what was under test", true),
    ];
    let sections = sections.iter().filter(|(.., there)| *there);
    html! {
        p.soft {
            "Further down: "
            @for (index, (id, name, _)) in sections.enumerate() { @if index > 0 { " · " } a href={ "#" (id) } { (name) } }
        }
    }
}

fn shares(result: &RunResult) -> Vec<BarPart<'static>> {
    let part = |(verdict, number): (CaseVerdict, usize)| BarPart {
        name: verdict.as_str(),
        value: number as f64,
        shown: number.to_string(),
        fill: look(verdict).solid,
        class: fill_class(verdict),
    };
    result.totals.iter().into_iter().map(part).collect()
}

fn sentence(result: &RunResult) -> String {
    let totals = &result.totals;
    let judged = totals.pass + totals.fail + totals.known;
    if result.cases.is_empty() {
        return "No case was planned.".to_owned();
    }
    let mut parts = vec![match judged {
        0 => "No promise was judged".to_owned(),
        _ => format!("{} of {} kept", totals.pass, count(judged, "promise")),
    }];
    let mut say = |number: usize, what: &str| {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    };
    say(totals.fail, "broken");
    say(totals.known, "known to deviate");
    say(totals.error, "could not be judged");
    say(totals.not_run, "not reached");
    say(totals.unsupported, "not supported here");
    say(totals.skip, "left out");
    format!("{}.", parts.join(" · "))
}

const fn mark(verdict: RunVerdict) -> &'static str {
    match verdict {
        RunVerdict::Conformant => "✓",
        RunVerdict::Nonconformant => "✗",
        RunVerdict::Inconclusive => "?",
    }
}

/// `2026-11-25 09:00:00 UTC` of an RFC 3339 time.
fn moment(at: &str) -> String {
    match at.parse::<jiff::Timestamp>() {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => clip(at, 60).into_owned(),
    }
}
