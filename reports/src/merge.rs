//! Several runs to one: shards of a selection, or a run and its reruns.
//!
//! [`merge`] yields the events of a new run. Every verdict stays, with the id of the run that gave it, so that the
//! [`fold`](crate::result::fold) never loses a red one.

use crate::events::{
    CaseFinished, Entry, Event, Outcome, Part, Parts, Plan, PlannedCase, RunFinished, RunStarted, VERSION,
};
use crate::verdict::CaseVerdict;

mod compatible;
mod member;
mod union;

pub use compatible::MergeError;

use member::Member;

/// The events of the run `id` that has every verdict of `runs`.
///
/// Runs are taken in the order of their start. Times stay as they were: a phase that several runs went through
/// is on the timeline once for each, and its duration is their sum. The folder of a case's evidence moves from
/// `evidence/<case>` to [`evidence_folder`] of its run.
///
/// # Errors
/// When the runs differ in what must be the same, when two of them are the same shard, or when a shard is missing.
pub fn merge(id: &str, runs: &[Vec<Entry>]) -> Result<Vec<Entry>, MergeError> {
    let mut members = runs
        .iter()
        .enumerate()
        .map(|(index, entries)| Member::of(entries).ok_or(MergeError::NoRun { position: index + 1 }))
        .collect::<Result<Vec<_>, _>>()?;
    compatible::check(&members)?;
    members.sort_by_key(|member| member.began);
    let [first, ..] = members.as_slice() else { return Err(MergeError::TooFew) };
    let (began, ended) =
        (first.began, members.iter().map(|member| member.ended).max().unwrap_or(first.began));
    let plan = union::plan(&members);
    let mut writing = Writing { id, entries: Vec::new() };
    writing.add(began, id, Event::RunStarted(Box::new(started(&members))));
    writing.add(began, id, Event::Plan(Plan { cases: plan.clone() }));
    writing.add(began, id, Event::Parts(Parts { parts: parts(&members) }));
    for member in &members {
        for entry in member.entries {
            if let Some(event) = kept(entry, member, &members) {
                writing.add(entry.ts, &entry.run, event);
            }
        }
    }
    let duration = ended.as_millisecond() - began.as_millisecond();
    let (outcome, reason) = outcome(&plan, &members, &writing.entries);
    let duration_ms = u64::try_from(duration).unwrap_or(0);
    writing.add(ended, id, Event::RunFinished(RunFinished { outcome, duration_ms, reason }));
    Ok(writing.entries)
}

/// Where the evidence of one of the merged runs lies, relative to the directory of the new run.
pub fn evidence_folder(run: &str) -> String {
    format!("evidence/{run}")
}

struct Writing<'a> {
    id: &'a str,
    entries: Vec<Entry>,
}

impl Writing<'_> {
    fn add(&mut self, ts: jiff::Timestamp, run: &str, event: Event) {
        let of_case = matches!(event, Event::CaseStarted(_) | Event::CaseFinished(_));
        let run = if of_case { run } else { self.id };
        let seq = self.entries.len() as u64 + 1;
        self.entries.push(Entry { v: VERSION, seq, ts, run: run.to_owned(), event });
    }
}

/// The event as it goes into the new run; none for what the new run says itself.
fn kept(entry: &Entry, member: &Member<'_>, members: &[Member<'_>]) -> Option<Event> {
    match &entry.event {
        Event::RunStarted(_) | Event::Plan(_) | Event::Parts(_) | Event::RunFinished(_) | Event::Unknown => {
            None
        }
        Event::CaseFinished(end) if end.verdict == CaseVerdict::Skip && judged_elsewhere(end, members) => {
            None
        }
        Event::CaseFinished(end) => {
            let evidence = end.evidence.as_deref().map(|path| match path.strip_prefix("evidence/") {
                Some(case) => format!("{}/{case}", evidence_folder(member.id)),
                None => path.to_owned(),
            });
            Some(Event::CaseFinished(Box::new(CaseFinished { evidence, ..(**end).clone() })))
        }
        Event::PhaseStarted(_) | Event::PhaseFinished(_) | Event::Note(_) | Event::CaseStarted(_) => {
            Some(entry.event.clone())
        }
    }
}

/// Whether a case that one run left out was tried by another, such as by the shard that it belongs to.
fn judged_elsewhere(end: &CaseFinished, members: &[Member<'_>]) -> bool {
    let mut verdicts = members.iter().flat_map(Member::verdicts).filter(|other| other.name == end.name);
    verdicts.any(|other| !matches!(other.verdict, CaseVerdict::Skip | CaseVerdict::NotRun))
}

fn started(members: &[Member<'_>]) -> RunStarted {
    let first = members[0].started;
    let same_machine = members.iter().all(|member| member.started.machine == first.machine);
    RunStarted {
        selection: union::selection(members),
        shard: None,
        machine: first.machine.clone().filter(|_| same_machine),
        merged: members.iter().map(|member| member.id.to_owned()).collect(),
        ..first.clone()
    }
}

fn parts(members: &[Member<'_>]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for part in members.iter().flat_map(|member| member.parts) {
        if parts.iter().all(|known| known.name != part.name) {
            parts.push(part.clone());
        }
    }
    parts
}

/// The new run is complete when every case got its turn in some run, whatever became of the others.
fn outcome(plan: &[PlannedCase], members: &[Member<'_>], entries: &[Entry]) -> (Outcome, Option<String>) {
    let turn = |case: &PlannedCase| {
        entries.iter().any(|entry| {
            matches!(&entry.event, Event::CaseFinished(end)
                if end.name == case.name && end.verdict != CaseVerdict::NotRun)
        })
    };
    let missing = plan.iter().filter(|case| !turn(case)).count();
    if missing == 0 {
        return (Outcome::Completed, None);
    }
    let why = members.iter().find_map(|member| Some(format!("run {}: {}", member.id, member.unfinished()?)));
    let reason = format!("{missing} of {} cases ran in none of the merged runs", plan.len());
    (Outcome::Interrupted, Some(why.map_or(reason.clone(), |why| format!("{reason}; {why}"))))
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
