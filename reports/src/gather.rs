//! The events of a run that several processes did a part of, as the events of one run.

use std::collections::{BTreeSet, HashSet};

use crate::events::{
    Entry, Event, Outcome, Phase, PhaseFinished, PhaseStarted, Plan, PlannedCase, RunFinished,
};

/// The events of all processes of one run, as if one had done it all: one start, one plan, all cases in the order in
/// which things happened, and an end if every process came to its end. Each item of `processes` holds what one process
/// wrote.
///
/// Parts of a run overlap, so that of their phases only the cases are kept, as one span, and those that failed.
pub fn gather(processes: Vec<Vec<Entry>>) -> Vec<Entry> {
    let mut processes: Vec<_> = processes.into_iter().filter(|entries| !entries.is_empty()).collect();
    if processes.len() < 2 {
        return processes.pop().unwrap_or_default();
    }
    let ended = processes.iter().all(|entries| ends(entries));
    let mut all: Vec<Entry> = processes.into_iter().flatten().collect();
    all.sort_by_key(|entry| entry.ts);
    let mut gathered = Gathered::default();
    for entry in all {
        gathered.take(entry);
    }
    gathered.finish(ended)
}

/// Whether every start is followed by an end.
fn ends(entries: &[Entry]) -> bool {
    let open = entries.iter().fold(0, |open, entry| match entry.event {
        Event::RunStarted(_) => open + 1,
        Event::RunFinished(_) => open - 1,
        _ => open,
    });
    open <= 0
}

#[derive(Default)]
struct Gathered {
    start: Option<Entry>,
    selected: BTreeSet<String>,
    planned: Vec<PlannedCase>,
    parts: Option<Entry>,
    notes: HashSet<String>,
    cases: Option<(Entry, Entry)>,
    rest: Vec<Entry>,
    last: Option<Entry>,
    unfinished: Option<RunFinished>,
}

impl Gathered {
    fn take(&mut self, entry: Entry) {
        self.last = Some(entry.clone());
        match &entry.event {
            Event::RunStarted(run) => {
                self.selected.extend(run.selection.iter().cloned());
                self.start.get_or_insert(entry);
            }
            Event::Plan(plan) => self.plan(&plan.cases),
            Event::Parts(_) => _ = self.parts.get_or_insert(entry),
            Event::PhaseStarted(PhaseStarted { phase: Phase::Cases }) => {
                self.cases.get_or_insert_with(|| (entry.clone(), entry.clone()));
            }
            Event::PhaseFinished(PhaseFinished { phase: Phase::Cases, .. }) => {
                if let Some((_, last)) = &mut self.cases {
                    *last = entry;
                }
            }
            Event::PhaseFinished(PhaseFinished { error: Some(_), .. })
            | Event::CaseStarted(_)
            | Event::CaseFinished(_) => self.rest.push(entry),
            Event::Note(note) => {
                if self.notes.insert(note.text.clone()) {
                    self.rest.push(entry);
                }
            }
            Event::RunFinished(end) if end.outcome != Outcome::Completed => {
                self.unfinished.get_or_insert_with(|| end.clone());
            }
            Event::PhaseStarted(_) | Event::PhaseFinished(_) | Event::RunFinished(_) | Event::Unknown => {}
        }
    }

    fn plan(&mut self, cases: &[PlannedCase]) {
        for case in cases {
            if self.planned.iter().all(|known| known.name != case.name) {
                self.planned.push(case.clone());
            }
        }
    }

    fn finish(mut self, ended: bool) -> Vec<Entry> {
        let Some(last) = self.last else { return Vec::new() };
        let mut start = self.start.unwrap_or_else(|| last.clone());
        if let Event::RunStarted(run) = &mut start.event {
            // Each process was asked for its own part.
            run.selection = self.selected.into_iter().collect();
        }
        let at = |like: &Entry, event| Entry { event, ..like.clone() };
        let since = |entry: &Entry, from: &Entry| {
            u64::try_from(entry.ts.as_millisecond() - from.ts.as_millisecond()).unwrap_or(0)
        };
        // Processes come in any order; the order of writing is the same in every run.
        self.planned.sort_by(|a, b| place(a).cmp(&place(b)));
        let plan = at(&start, Event::Plan(Plan { cases: self.planned }));
        let mut gathered = vec![start.clone(), plan];
        gathered.extend(self.parts);
        if let Some((first, end)) = &self.cases {
            gathered.push(at(first, Event::PhaseStarted(PhaseStarted { phase: Phase::Cases })));
            let duration_ms = since(end, first);
            let done = PhaseFinished { phase: Phase::Cases, duration_ms, error: None };
            self.rest.push(at(end, Event::PhaseFinished(done)));
        }
        self.rest.sort_by_key(|entry| entry.ts);
        gathered.extend(self.rest);
        if ended {
            let duration_ms = since(&last, &start);
            let completed = RunFinished { outcome: Outcome::Completed, duration_ms, reason: None };
            let end = RunFinished { duration_ms, ..self.unfinished.unwrap_or(completed) };
            gathered.push(at(&last, Event::RunFinished(end)));
        }
        for (seq, entry) in (1..).zip(&mut gathered) {
            entry.seq = seq;
        }
        gathered
    }
}

/// Where a case is written, as something to sort by: file, line, name.
fn place(case: &PlannedCase) -> (&str, u32, &str) {
    let source = case.source.as_deref().unwrap_or_default();
    let (file, line) = source.rsplit_once(':').unwrap_or((source, ""));
    (file, line.parse().unwrap_or(0), &case.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{CaseFinished, CaseStarted, Note, RunStarted, VERSION};
    use crate::result::fold;
    use crate::verdict::{CaseVerdict, Level, RunVerdict};

    /// What one process writes about one case, from `began` on, milliseconds.
    fn process(case: &str, line: u32, began: i64, verdict: Option<CaseVerdict>) -> Vec<Entry> {
        let planned = PlannedCase {
            name: format!("routing::{case}"),
            suite: "routing".into(),
            level: Level::Core,
            source: Some(format!("suites/src/routing.rs:{line}")),
            ..PlannedCase::default()
        };
        let name = planned.name.clone();
        let mut events = vec![
            Event::RunStarted(Box::new(RunStarted {
                istio: "1.31".into(),
                selection: vec![name.clone()],
                ..RunStarted::default()
            })),
            Event::Plan(Plan { cases: vec![planned] }),
            Event::Note(Note { text: "using the cluster that process 7 keeps".into() }),
            Event::PhaseStarted(PhaseStarted { phase: Phase::Stage }),
            Event::PhaseFinished(PhaseFinished { phase: Phase::Stage, duration_ms: 1, error: None }),
            Event::PhaseStarted(PhaseStarted { phase: Phase::Cases }),
            Event::CaseStarted(CaseStarted { name: name.clone() }),
        ];
        if let Some(verdict) = verdict {
            events.extend([
                Event::CaseFinished(Box::new(CaseFinished { name, verdict, ..CaseFinished::default() })),
                Event::PhaseFinished(PhaseFinished { phase: Phase::Cases, duration_ms: 2, error: None }),
                Event::RunFinished(RunFinished { outcome: Outcome::Completed, duration_ms: 9, reason: None }),
            ]);
        }
        let entry = |(index, event)| Entry {
            v: VERSION,
            seq: u64::try_from(index).unwrap() + 1,
            ts: jiff::Timestamp::from_millisecond(began + i64::try_from(index).unwrap()).unwrap(),
            run: "r".into(),
            event,
        };
        events.into_iter().enumerate().map(entry).collect()
    }

    #[test]
    fn parts_of_a_run_are_one_run() {
        use CaseVerdict::Pass;
        let entries = gather(vec![
            process("b", 31, 1000, Some(Pass)),
            process("c", 9, 1002, Some(Pass)),
            process("a", 31, 1100, Some(Pass)),
        ]);
        assert!(entries.iter().map(|entry| entry.seq).eq(1..=entries.len() as u64));
        let result = fold(&entries);
        let names: Vec<_> = result.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["routing::c", "routing::a", "routing::b"]);
        assert_eq!(result.run.selection, ["routing::a", "routing::b", "routing::c"]);
        assert_eq!((result.run.verdict, result.run.reason), (RunVerdict::Conformant, None));
        assert_eq!((result.run.duration_ms, result.run.phases.cases), (109, Some(103)));
        assert_eq!(result.run.timeline.len(), 1);
        assert_eq!(entries.iter().filter(|entry| matches!(entry.event, Event::Note(_))).count(), 1);
    }

    #[test]
    fn a_killed_process_makes_the_run_aborted() {
        let entries =
            gather(vec![process("a", 1, 1000, Some(CaseVerdict::Pass)), process("b", 2, 1001, None)]);
        let result = fold(&entries);
        assert_eq!(result.run.reason.as_deref(), Some("the run was aborted"));
        assert_eq!(result.run.verdict, RunVerdict::Inconclusive);
        let verdicts: Vec<_> = result.cases.iter().map(|case| case.verdict).collect();
        assert_eq!(verdicts, [CaseVerdict::Pass, CaseVerdict::NotRun]);
    }

    #[test]
    fn an_attempt_that_passes_does_not_hide_the_one_that_failed() {
        use CaseVerdict::{Fail, Pass};
        let result =
            fold(&gather(vec![process("a", 1, 1000, Some(Fail)), process("a", 1, 2000, Some(Pass))]));
        assert_eq!(result.cases.len(), 1);
        assert_eq!(result.cases[0].verdict, Fail);
    }

    #[test]
    fn one_process_is_what_it_is() {
        let one = process("a", 1, 1000, Some(CaseVerdict::Pass));
        assert_eq!(gather(vec![vec![], one.clone()]), one);
        assert!(gather(vec![]).is_empty());
    }
}
