//! `junit.xml`: flat suites by area, each case exactly once, with one result element.
//!
//! A run that did not end in good order, or that judged nothing, has failing testcases of class `waymark.run`, so
//! that its file is never green. A failure that is not held against the mesh (observed, quarantined) is `skipped`
//! with a message that says so; the exit code agrees.

use std::collections::HashSet;

use crate::record::suites;
use crate::result::RunResult;
use testcase::{Outcome, Testcase, seconds};
use xml::Xml;

mod testcase;
mod xml;

/// Most bytes of the whole file; beyond, cases keep their message and lose their text.
const FILE_LIMIT: usize = 10 * 1024 * 1024;
/// What is kept free of texts, for messages and properties.
const RESERVE: usize = FILE_LIMIT / 4;

/// The run as JUnit XML.
pub fn junit(result: &RunResult) -> String {
    within(result, FILE_LIMIT, RESERVE)
}

struct Suite<'a> {
    name: &'a str,
    started_at: String,
    cases: Vec<Testcase>,
}

#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    duration_ms: u64,
}

fn within(result: &RunResult, limit: usize, reserve: usize) -> String {
    let suites = gather(result);
    let mut all = Counts::default();
    for suite in &suites {
        all.take(&suite.cases);
    }
    let mut xml = Xml::document();
    let facts = facts(result);
    let counts = all.texts();
    xml.parent("testsuites", &attributes("waymark", &counts, &result.run.started_at), |xml| {
        for suite in &suites {
            let mut counts = Counts::default();
            counts.take(&suite.cases);
            let counts = counts.texts();
            xml.parent("testsuite", &attributes(suite.name, &counts, &suite.started_at), |xml| {
                properties(xml, &facts);
                for case in &suite.cases {
                    let mut whole = Xml::piece(2);
                    case.write(&mut whole);
                    if xml.len() + whole.len() > limit - reserve {
                        whole = Xml::piece(2);
                        case.clone().brief().write(&mut whole);
                    }
                    xml.add(whole);
                }
            });
        }
    });
    xml.finish()
}

fn gather(result: &RunResult) -> Vec<Suite<'_>> {
    let mut seen = HashSet::new();
    let mut suites: Vec<_> = suites(result)
        .into_iter()
        .map(|name| {
            let of_suite = || result.cases.iter().filter(|case| case.suite == name);
            let began = of_suite().filter_map(|case| case.started_ms).min();
            let cases = of_suite().map(|case| Testcase::of(case, &result.run.command));
            let cases = cases.map(|case| unique(case, &mut seen)).collect();
            Suite { name, started_at: moment(&result.run.started_at, began), cases }
        })
        .collect();
    let is_red = suites.iter().flat_map(|suite| &suite.cases).any(Testcase::is_red);
    let troubles = Testcase::of_run(result, is_red);
    if !troubles.is_empty() {
        suites.push(Suite { name: "run", started_at: moment(&result.run.started_at, None), cases: troubles });
    }
    suites
}

/// GitLab drops all but the first of several cases with the same class and name.
fn unique(mut case: Testcase, seen: &mut HashSet<(String, String)>) -> Testcase {
    let name = case.name.clone();
    let mut number = 1;
    while !seen.insert((case.class.clone(), case.name.clone())) {
        number += 1;
        case.name = format!("{name} #{number}");
    }
    case
}

fn moment(start: &str, after_ms: Option<u64>) -> String {
    let Ok(start) = start.parse::<jiff::Timestamp>() else { return start.to_owned() };
    let after = jiff::SignedDuration::from_millis(i64::try_from(after_ms.unwrap_or(0)).unwrap_or(0));
    start.checked_add(after).unwrap_or(start).to_string()
}

fn attributes<'a>(
    name: &'a str,
    counts: &'a [String; 5],
    timestamp: &'a str,
) -> [(&'static str, &'a str); 7] {
    let [tests, failures, errors, skipped, time] = counts;
    [
        ("name", name),
        ("tests", tests),
        ("failures", failures),
        ("errors", errors),
        ("skipped", skipped),
        ("time", time),
        ("timestamp", timestamp),
    ]
}

/// Facts about the run, the same for each suite.
fn facts(result: &RunResult) -> Vec<(&'static str, String)> {
    let run = &result.run;
    let mut facts = vec![
        ("run.id", run.id.clone()),
        ("run.verdict", run.verdict.as_str().to_owned()),
        ("waymark.version", run.waymark.clone()),
        ("target", run.target.clone()),
        ("istio.version", run.istio.clone()),
    ];
    facts.extend(run.seed.map(|seed| ("seed", seed.to_string())));
    facts.extend(run.shard.map(|shard| ("shard", format!("{}/{}", shard.index, shard.of))));
    facts.extend(run.merged.iter().map(|id| ("merged", id.clone())));
    facts.extend(run.sabotage.iter().map(|name| ("sabotage", name.clone())));
    facts.extend(run.parts.iter().map(|part| {
        let kind = if part.stand_in { "stand-in" } else { "real" };
        ("part", format!("{} {} ({kind}, {})", part.name, part.version, part.origin))
    }));
    facts
}

fn properties(xml: &mut Xml, list: &[(&'static str, String)]) {
    xml.parent_unless_empty("properties", list, |xml, (name, value)| {
        xml.leaf("property", &[("name", name), ("value", value)], "");
    });
}

impl Counts {
    fn take(&mut self, cases: &[Testcase]) {
        for case in cases {
            self.tests += 1;
            self.duration_ms += case.duration_ms;
            match case.outcome {
                Outcome::Pass => {}
                Outcome::Failure { .. } => self.failures += 1,
                Outcome::Error { .. } => self.errors += 1,
                Outcome::Skipped(_) => self.skipped += 1,
            }
        }
    }

    fn texts(&self) -> [String; 5] {
        let Self { tests, failures, errors, skipped, duration_ms } = self;
        let [tests, failures, errors, skipped] = [tests, failures, errors, skipped].map(usize::to_string);
        [tests, failures, errors, skipped, seconds(*duration_ms)]
    }
}

#[cfg(test)]
#[path = "junit_tests.rs"]
mod tests;
