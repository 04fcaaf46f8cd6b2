//! The events of a run as people see them while it runs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use waymark_reports::events::{CaseFinished, Entry, Event, PhaseFinished, PlannedCase};
use waymark_reports::plain::line;
use waymark_reports::result::Totals;
use waymark_reports::text::{self, Style, counted, failure_block, seconds, shout};
use waymark_reports::verdict::CaseVerdict;

use super::Console;
use super::live::Live;
use crate::engine::Listener;

/// How much a screen shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A live bar on stderr; red cases above it.
    Live,
    /// One line an event on stdout.
    Lines,
    /// Phases and notes on stderr, for a run whose cases something else prints.
    Phases,
}

/// What the block of a red case says beside its record.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Where the run's files are.
    pub run_dir: String,
    /// The command that repeats the run, without its filter.
    pub command: String,
}

/// Shows the events of one run.
pub struct Screen {
    console: Console,
    style: Style,
    mode: Mode,
    around: Around,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    planned: HashMap<String, PlannedCase>,
    totals: Totals,
    live: Option<Live>,
}

impl Screen {
    /// A screen for one run.
    pub fn new(console: Console, mode: Mode, around: Around) -> Self {
        Self { console, style: console.style(), mode, around, state: Mutex::default() }
    }
}

impl Listener for Screen {
    fn hear(&self, entry: &Entry) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.take(&entry.event);
        match self.mode {
            Mode::Live => self.redraw(&mut state, &entry.event),
            Mode::Lines => {
                if let Some(line) = state.line(&entry.event, self.style) {
                    self.console.out(&format!("{}  {line}", entry.ts.strftime("%H:%M:%S")));
                }
                if let Some(block) = self.block(&state, &entry.event) {
                    self.console.out(&block);
                }
            }
            Mode::Phases => {
                if let Event::PhaseStarted(_) | Event::PhaseFinished(_) | Event::Note(_) = entry.event
                    && let Some(line) = state.line(&entry.event, Style::default())
                {
                    self.console.err(&line);
                }
            }
        }
    }
}

impl Screen {
    fn redraw(&self, state: &mut State, event: &Event) {
        if let Event::RunFinished(_) = event {
            if let Some(live) = state.live.take() {
                live.clear();
            }
            return;
        }
        let above = match event {
            Event::CaseFinished(end) if end.verdict == CaseVerdict::Pass => None,
            Event::CaseStarted(_) | Event::PhaseStarted(_) | Event::Note(_) => None,
            _ => state.line(event, self.style),
        };
        let block = self.block(state, event);
        let live = state.live.get_or_insert_with(|| Live::new(self.console.glyphs()));
        live.above(|| {
            for text in [above, block].into_iter().flatten() {
                self.console.out(&text);
            }
        });
        match event {
            Event::PhaseStarted(phase) => live.say(phase.phase.as_str()),
            Event::Note(note) => live.say(&line(&note.text)),
            Event::CaseStarted(case) => live.begin(&case.name),
            Event::CaseFinished(end) => live.end(&end.name),
            _ => {}
        }
        if let Event::CaseStarted(_) | Event::CaseFinished(_) = event {
            let done: usize = state.totals.iter().iter().map(|(_, count)| count).sum();
            let progress = state.progress();
            if let Some(live) = &mut state.live {
                // a repeated case ends several times
                live.count(done, state.planned.len().max(done), &progress);
            }
        }
    }

    fn block(&self, state: &State, event: &Event) -> Option<String> {
        let Event::CaseFinished(end) = event else { return None };
        let planned = state.planned.get(&end.name)?;
        let around = text::Around { run_dir: &self.around.run_dir, command: &self.around.command };
        end.verdict.is_red().then(|| format!("\n{}", failure_block(planned, end, around, self.style)))
    }
}

impl State {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Plan(plan) => {
                self.planned = plan.cases.iter().map(|case| (case.name.clone(), case.clone())).collect();
            }
            Event::CaseFinished(end) => {
                *self.totals.of(end.verdict) += 1;
            }
            _ => {}
        }
    }

    fn line(&self, event: &Event, style: Style) -> Option<String> {
        match event {
            Event::RunStarted(run) => {
                let seed = run.seed.map(|seed| format!(" seed={seed}")).unwrap_or_default();
                Some(format!(
                    "run     waymark {} target={} istio={}{seed}",
                    run.waymark, run.target, run.istio
                ))
            }
            Event::Plan(plan) => Some(format!("plan    {}", counted(plan.cases.len(), "case"))),
            Event::PhaseStarted(phase) => Some(format!("start   {}", phase.phase.as_str())),
            Event::PhaseFinished(phase) => Some(phase_line(phase)),
            Event::Note(note) => Some(format!("        {}", line(&note.text))),
            Event::CaseFinished(end) => Some(case_line(end, style)),
            Event::Parts(_) | Event::CaseStarted(_) | Event::RunFinished(_) | Event::Unknown => None,
        }
    }

    fn progress(&self) -> String {
        let counts = self.totals.iter().into_iter().filter(|(_, count)| *count > 0);
        let words: Vec<String> = counts.map(|(verdict, count)| format!("{count} {verdict}")).collect();
        words.join(" · ")
    }
}

fn phase_line(phase: &PhaseFinished) -> String {
    let took = seconds(phase.duration_ms);
    match &phase.error {
        None => format!("ok      {} {took}", phase.phase.as_str()),
        Some(error) => format!("failed  {} {took}: {}", phase.phase.as_str(), line(error)),
    }
}

fn case_line(end: &CaseFinished, style: Style) -> String {
    let label = style.verdict(end.verdict, &format!("{:<6}", shout(end.verdict)));
    let took = if end.duration_ms == 0 { String::new() } else { format!("  {}", seconds(end.duration_ms)) };
    let reason = end.reason.as_deref().map(|reason| format!("  {}", line(reason))).unwrap_or_default();
    format!("{label}  {}{took}{reason}", end.name)
}

#[cfg(test)]
mod tests {
    use waymark_reports::events::{
        CaseFinished, CaseStarted, Event, Note, Phase, PhaseFinished, Plan, PlannedCase, RunStarted,
    };
    use waymark_reports::text::Style;
    use waymark_reports::verdict::CaseVerdict;

    use super::State;

    fn finished(name: &str, verdict: CaseVerdict, reason: Option<&str>) -> Event {
        Event::CaseFinished(Box::new(CaseFinished {
            name: name.into(),
            verdict,
            reason: reason.map(str::to_owned),
            duration_ms: if verdict == CaseVerdict::Skip { 0 } else { 820 },
            attempts: 1,
            ..CaseFinished::default()
        }))
    }

    #[test]
    fn one_line_an_event() {
        let events = [
            Event::RunStarted(Box::new(RunStarted {
                waymark: "0.1.0".into(),
                target: "embedded".into(),
                istio: "1.31".into(),
                seed: Some(7),
                ..RunStarted::default()
            })),
            Event::Plan(Plan { cases: vec![PlannedCase::default()] }),
            Event::Note(Note { text: "building istiod, about 4 min".into() }),
            Event::PhaseFinished(PhaseFinished { phase: Phase::Up, duration_ms: 8900, error: None }),
            Event::PhaseFinished(PhaseFinished {
                phase: Phase::Stage,
                duration_ms: 30_000,
                error: Some("waypoint `ns/waypoint` has no ready pod".into()),
            }),
            finished("routing::a::namespace", CaseVerdict::Pass, None),
            finished("routing::b::namespace", CaseVerdict::Fail, Some("want status: 403, got status: 200")),
            finished("routing::c::namespace", CaseVerdict::Skip, Some("excluded by `!c`")),
        ];
        let state = State::default();
        let lines: Vec<_> = events.iter().filter_map(|event| state.line(event, Style::default())).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn progress_counts() {
        let mut state = State::default();
        for name in ["a", "b", "c"] {
            state.take(&Event::CaseStarted(CaseStarted { name: name.into() }));
        }
        state.take(&finished("b", CaseVerdict::Pass, None));
        assert_eq!(state.progress(), "1 pass");
    }
}
