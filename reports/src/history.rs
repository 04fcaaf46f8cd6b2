//! The last verdicts of every case over many runs of one target and Istio release, in one file.
//!
//! [`History::parse`] reads it, [`History::add`] adds a run, [`History::file`] writes it, and [`History::markdown`]
//! says what is new in a run.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::result::{CaseResult, RunResult};
use crate::verdict::CaseVerdict;

mod markdown;
mod news;

pub use news::{Flaky, NewFailure, News, Slow};

/// Version of the format, field `schemaVersion`.
pub const SCHEMA_VERSION: u32 = 1;

/// How many verdicts are kept of each case.
pub const KEPT: usize = 30;

/// What is known of earlier runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct History {
    schema_version: u32,
    target: String,
    istio: String,
    cases: BTreeMap<String, Vec<Record>>,
}

/// One verdict of one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// When its run began, RFC 3339 in UTC.
    #[serde(with = "crate::events::timestamp")]
    pub at: jiff::Timestamp,
    /// Id of the run.
    pub run: String,
    /// The verdict.
    pub verdict: CaseVerdict,
    /// Slowest propagation that it waited for, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convergence_ms: Option<u64>,
}

/// A history that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// It is not JSON of this shape.
    #[error("history line {line} is malformed")]
    Malformed {
        /// From 1.
        line: usize,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// It was written by a newer waymark.
    #[error(
        "history line {line} has schema version {found}, this waymark reads up to {SCHEMA_VERSION}; use a newer waymark"
    )]
    Newer {
        /// From 1.
        line: usize,
        /// Its version.
        found: u32,
    },
    /// It is about something else.
    #[error("the history is about {found}, the run about {wanted}")]
    Other {
        /// What it is about.
        found: String,
        /// What it should be about.
        wanted: String,
    },
    /// It cannot be written as JSON.
    #[error("history cannot be written as JSON")]
    Unwritable {
        /// What the writer said.
        source: serde_json::Error,
    },
}

/// The name of the file for runs like this one, such as `embedded-1.31.json`.
pub fn file_name(result: &RunResult) -> String {
    let plain = |text: &str| -> String {
        let keep = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_');
        text.chars().map(|letter| if keep(letter) { letter } else { '_' }).collect()
    };
    format!("{}-{}.json", plain(&result.run.target), plain(&result.run.istio))
}

impl History {
    /// A history without runs, for runs like this one.
    pub fn new(result: &RunResult) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            target: result.run.target.clone(),
            istio: result.run.istio.clone(),
            cases: BTreeMap::new(),
        }
    }

    /// Reads a history.
    ///
    /// # Errors
    /// When it is malformed or newer; the error names the line.
    pub fn parse(text: &str) -> Result<Self, HistoryError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Head {
            schema_version: u32,
        }
        if let Ok(Head { schema_version: found }) = serde_json::from_str(text)
            && found > SCHEMA_VERSION
        {
            let line = text.lines().position(|line| line.contains("\"schemaVersion\"")).unwrap_or(0) + 1;
            return Err(HistoryError::Newer { line, found });
        }
        serde_json::from_str(text)
            .map_err(|source| HistoryError::Malformed { line: source.line().max(1), source })
    }

    /// The file: one line a record, so that two histories compare well.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn file(&self) -> Result<String, HistoryError> {
        self.json().map_err(|source| HistoryError::Unwritable { source })
    }

    /// Adds what a run judged, in the order of time, and forgets what is older than the last [`KEPT`] verdicts. The
    /// same run is not added twice, a merged run takes the place of its parts, and a sabotaged run is not added at
    /// all: it says nothing about the mesh. Returns whether the run was added.
    ///
    /// # Errors
    /// When the run is one of another target or Istio release.
    pub fn add(&mut self, result: &RunResult) -> Result<bool, HistoryError> {
        let run = &result.run;
        if (&self.target, &self.istio) != (&run.target, &run.istio) {
            return Err(HistoryError::Other {
                found: format!("{} with Istio {}", self.target, self.istio),
                wanted: format!("{} with Istio {}", run.target, run.istio),
            });
        }
        let judged = result.cases.iter().filter(|case| counts(case.verdict)).count();
        let Ok(at) = run.started_at.parse() else { return Ok(false) };
        if !run.sabotage.is_empty() || judged == 0 {
            return Ok(false);
        }
        for case in result.cases.iter().filter(|case| counts(case.verdict)) {
            self.record(case, result, at);
        }
        Ok(true)
    }

    /// The records of a case, the oldest first.
    pub fn of(&self, case: &str) -> &[Record] {
        self.cases.get(case).map_or(&[], Vec::as_slice)
    }

    fn record(&mut self, case: &CaseResult, result: &RunResult, at: jiff::Timestamp) {
        let run = &result.run;
        let records = self.cases.entry(case.name.clone()).or_default();
        records.retain(|record| record.run != run.id && !run.merged.contains(&record.run));
        let place = records.partition_point(|record| record.at <= at);
        let (verdict, convergence_ms) = (case.verdict, case.convergence_ms);
        records.insert(place, Record { at, run: run.id.clone(), verdict, convergence_ms });
        let excess = records.len().saturating_sub(KEPT);
        records.drain(..excess);
    }

    fn json(&self) -> serde_json::Result<String> {
        let (target, istio) = (serde_json::to_string(&self.target)?, serde_json::to_string(&self.istio)?);
        let mut out = format!("{{\n\"schemaVersion\": {},\n", self.schema_version);
        let _ = write!(out, "\"target\": {target},\n\"istio\": {istio},\n\"cases\": {{");
        for (index, (name, records)) in self.cases.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(out, "{comma}\n{}: [", serde_json::to_string(name)?);
            for (index, record) in records.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                let _ = write!(out, "{comma}\n  {}", serde_json::to_string(record)?);
            }
            out.push_str("\n]");
        }
        out.push_str("\n}\n}\n");
        Ok(out)
    }
}

/// Whether a verdict says something about the mesh under test.
const fn counts(verdict: CaseVerdict) -> bool {
    !matches!(verdict, CaseVerdict::Skip | CaseVerdict::NotRun)
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
