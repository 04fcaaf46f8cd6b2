//! Small runs for tests that compare several.

use super::{RunResult, fold};
use crate::events::{
    CaseFinished, CaseStarted, Entry, Event, Outcome, Part, Parts, Phase, PhaseFinished, PhaseStarted, Plan,
    PlannedCase, RunFinished, RunStarted, Shard, VERSION,
};
use crate::verdict::CaseVerdict;

/// A run to be.
#[derive(Clone)]
pub(crate) struct Draft {
    id: String,
    began_ms: i64,
    started: RunStarted,
    parts: Vec<Part>,
    cases: Vec<(PlannedCase, Option<CaseFinished>)>,
    ended: bool,
}

impl Draft {
    /// A run that began `minute` minutes after the first.
    pub(crate) fn new(id: &str, minute: i64) -> Self {
        let started = RunStarted {
            waymark: "0.1.0".into(),
            target: "embedded".into(),
            istio: "1.31".into(),
            command: "cargo waymark run --istio 1.31".into(),
            ..RunStarted::default()
        };
        let part = Part {
            name: "istiod".into(),
            version: "1.31.0".into(),
            origin: "go".into(),
            digest: None,
            stand_in: false,
        };
        let began_ms = 1_795_597_200_000 + minute * 60_000;
        Self { id: id.into(), began_ms, started, parts: vec![part], cases: Vec::new(), ended: true }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut RunStarted)) -> Self {
        change(&mut self.started);
        self
    }

    pub(crate) fn shard(self, index: u32, of: u32) -> Self {
        self.with(|started| started.shard = Some(Shard { index, of }))
    }

    pub(crate) fn part(mut self, change: impl FnOnce(&mut Part)) -> Self {
        change(&mut self.parts[0]);
        self
    }

    /// A case of suite `routing`, at line `line`, that was judged.
    pub(crate) fn case(self, line: u32, verdict: CaseVerdict) -> Self {
        self.judged(line, verdict, |_| ())
    }

    pub(crate) fn judged(
        mut self,
        line: u32,
        verdict: CaseVerdict,
        change: impl FnOnce(&mut CaseFinished),
    ) -> Self {
        let case = planned(line);
        let tried = !matches!(verdict, CaseVerdict::Unsupported | CaseVerdict::Skip | CaseVerdict::NotRun);
        let mut end = CaseFinished {
            name: case.name.clone(),
            verdict,
            duration_ms: if tried { 800 } else { 0 },
            convergence_ms: tried.then_some(u64::from(line) * 10),
            evidence: verdict.is_red().then(|| format!("evidence/routing--c{line}")),
            reason: (verdict != CaseVerdict::Pass).then(|| format!("because of {verdict}")),
            ..CaseFinished::default()
        };
        change(&mut end);
        self.cases.push((case, Some(end)));
        self
    }

    /// A case that the run never reached.
    pub(crate) fn unreached(mut self, line: u32) -> Self {
        self.cases.push((planned(line), None));
        self
    }

    /// The run was killed.
    pub(crate) fn killed(mut self) -> Self {
        self.ended = false;
        self
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        let cases = self.cases.iter().map(|(case, _)| case.clone()).collect();
        let mut events = vec![
            Event::RunStarted(Box::new(self.started.clone())),
            Event::Plan(Plan { cases }),
            Event::PhaseStarted(PhaseStarted { phase: Phase::Up }),
            Event::Parts(Parts { parts: self.parts.clone() }),
            Event::PhaseFinished(PhaseFinished { phase: Phase::Up, duration_ms: 200, error: None }),
        ];
        for end in self.cases.iter().filter_map(|(_, end)| end.as_ref()) {
            if end.duration_ms > 0 {
                events.push(Event::CaseStarted(CaseStarted { name: end.name.clone() }));
            }
            events.push(Event::CaseFinished(Box::new(end.clone())));
        }
        if self.ended {
            let duration_ms = events.len() as u64 * 100;
            events.push(Event::RunFinished(RunFinished {
                outcome: Outcome::Completed,
                duration_ms,
                reason: None,
            }));
        }
        let entry = |(index, event): (usize, Event)| Entry {
            v: VERSION,
            seq: index as u64 + 1,
            ts: jiff::Timestamp::from_millisecond(self.began_ms + 100 * index as i64).expect("in range"),
            run: self.id.clone(),
            event,
        };
        events.into_iter().enumerate().map(entry).collect()
    }

    pub(crate) fn result(&self) -> RunResult {
        fold(&self.entries())
    }
}

fn planned(line: u32) -> PlannedCase {
    PlannedCase {
        name: format!("routing::c{line}"),
        suite: "routing".into(),
        promise: "a promise".into(),
        source: Some(format!("suites/src/routing.rs:{line}")),
        ..PlannedCase::default()
    }
}
