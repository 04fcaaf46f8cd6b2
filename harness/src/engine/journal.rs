//! The journal of a run: events are numbered, written as they happen, kept, and told to listeners.

use std::fmt::Display;
use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use waymark_reports::events::{
    CaseFinished, CaseStarted, Entry, Event, Note, Part, Parts, Phase, PhaseFinished, PhaseStarted, VERSION,
};
use waymark_reports::journal;
use waymark_reports::result::{RunResult, fold};

/// Hears every event right after it was written.
pub trait Listener: Send + Sync {
    /// One event.
    fn hear(&self, entry: &Entry);
}

/// The journal of one run, shared by everything that has something to tell.
pub struct Journal {
    run: String,
    began: Instant,
    state: Mutex<State>,
    listeners: Vec<Box<dyn Listener>>,
}

struct State {
    file: Option<File>,
    entries: Vec<Entry>,
    trouble: Option<String>,
}

impl Journal {
    /// A journal of the run `run` that writes to `file`, if there is one.
    pub fn new(run: impl Into<String>, file: Option<File>, listeners: Vec<Box<dyn Listener>>) -> Self {
        let state = Mutex::new(State { file, entries: Vec::new(), trouble: None });
        Self { run: run.into(), began: Instant::now(), state, listeners }
    }

    /// Writes and tells one event.
    pub fn emit(&self, event: Event) {
        let entry = self.record(event);
        for listener in &self.listeners {
            listener.hear(&entry);
        }
    }

    /// Runs `work` as one phase of the run and records how long it took and how it ended.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn phase<T, E: Display>(
        &self,
        phase: Phase,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.emit(Event::PhaseStarted(PhaseStarted { phase }));
        let began = Instant::now();
        let done = work.await;
        let error = done.as_ref().err().map(ToString::to_string);
        self.emit(Event::PhaseFinished(PhaseFinished { phase, duration_ms: millis(began), error }));
        done
    }

    /// The parts under test, as soon as they are known.
    pub fn parts(&self, parts: Vec<Part>) {
        self.emit(Event::Parts(Parts { parts }));
    }

    /// A word about progress, for people.
    pub fn note(&self, text: impl Into<String>) {
        self.emit(Event::Note(Note { text: text.into() }));
    }

    /// Everything so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.state().entries.clone()
    }

    /// The result so far.
    pub fn result(&self) -> RunResult {
        fold(&self.state().entries)
    }

    /// Why events could not be written; none when all were.
    pub fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    /// Milliseconds since the run began.
    pub fn elapsed_ms(&self) -> u64 {
        millis(self.began)
    }

    pub(super) fn started(&self, name: &str) {
        self.emit(Event::CaseStarted(CaseStarted { name: name.to_owned() }));
    }

    pub(super) fn finished(&self, end: CaseFinished) {
        self.emit(Event::CaseFinished(Box::new(end)));
    }

    fn record(&self, event: Event) -> Entry {
        let mut state = self.state();
        let seq = state.entries.len() as u64 + 1;
        let entry = Entry { v: VERSION, seq, ts: now(), run: self.run.clone(), event };
        if let Err(error) = state.write(&entry) {
            state.file = None;
            state.trouble = Some(error);
        }
        state.entries.push(entry.clone());
        entry
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write(&mut self, entry: &Entry) -> Result<(), String> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let line = journal::line(entry).map_err(|error| error.to_string())?;
        file.write_all(line.as_bytes()).map_err(|error| format!("write events.ndjson: {error}"))
    }
}

/// Milliseconds since `began`.
pub(super) fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn now() -> jiff::Timestamp {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
