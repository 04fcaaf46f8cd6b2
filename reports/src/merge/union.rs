//! What several runs planned, together.

use crate::events::PlannedCase;

use super::member::Member;

/// Every case of every run, in the order of the first run, or of the sources when others add to it.
pub(super) fn plan(members: &[Member<'_>]) -> Vec<PlannedCase> {
    let mut cases: Vec<PlannedCase> = Vec::new();
    for case in members.iter().flat_map(|member| member.planned) {
        if cases.iter().all(|known| known.name != case.name) {
            cases.push(case.clone());
        }
    }
    let mut suites: Vec<String> = Vec::new();
    for case in &cases {
        if !suites.contains(&case.suite) {
            suites.push(case.suite.clone());
        }
    }
    if cases.len() > members.first().map_or(0, |first| first.planned.len()) {
        let suite = |case: &PlannedCase| suites.iter().position(|suite| *suite == case.suite);
        cases.sort_by_key(|case| (suite(case), line(case)));
    }
    cases
}

/// What was selected: that of the first run when the others tried nothing else, else all words, and nothing, which
/// is everything, when one run selected everything.
pub(super) fn selection(members: &[Member<'_>]) -> Vec<String> {
    let Some((first, rest)) = members.split_first() else { return Vec::new() };
    let within = |member: &Member<'_>| {
        member.planned.iter().all(|case| first.planned.iter().any(|known| known.name == case.name))
    };
    if rest.iter().all(within) {
        return first.started.selection.clone();
    }
    if members.iter().any(|member| member.started.selection.is_empty()) {
        return Vec::new();
    }
    let mut words: Vec<String> = Vec::new();
    for word in members.iter().flat_map(|member| &member.started.selection) {
        if !words.contains(word) {
            words.push(word.clone());
        }
    }
    words
}

fn line(case: &PlannedCase) -> u32 {
    let line = case.source.as_deref().and_then(|source| source.rsplit_once(':'));
    line.and_then(|(_, line)| line.parse().ok()).unwrap_or(u32::MAX)
}
