//! The kill matrix: which case dies of which named defect, so that every case is known to be able to fail.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::markdown::escape::{code, inline};
use crate::plain;
use crate::result::RunResult;
use crate::text::seconds;
use crate::verdict::CaseVerdict;

/// Version of the format, field `schemaVersion`.
pub const SCHEMA_VERSION: u32 = 1;

/// Every defect against the cases that claim to notice it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KillMatrix {
    /// Version of the format.
    pub schema_version: u32,
    /// Id of the run, also the name of its directory.
    pub run: String,
    /// Where the cluster came from.
    pub target: String,
    /// The Istio release.
    pub istio: String,
    /// The cases without any defect, on the same cluster and at the same time; absent when only some defects were tried.
    pub control: Option<Control>,
    /// Each defect that was tried.
    pub defects: Vec<Attack>,
    /// Cases that name no defect.
    pub unkillable: Vec<String>,
    /// Milliseconds.
    pub duration_ms: u64,
}

/// The cases without any defect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// How many were green.
    pub green: usize,
    /// Those that were not, with their reason: what they die of is unknown.
    pub red: Vec<Cell>,
}

/// One defect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attack {
    /// Its name.
    pub defect: String,
    /// The promise that it breaks.
    pub promise: String,
    /// The part that carries it out.
    pub place: String,
    /// Whether it keeps waymark from judging, so that an error is what is wanted.
    pub blinds: bool,
    /// What became of the cases that claim to notice it.
    pub cells: Vec<Cell>,
    /// Why it could not be tried; null when it was.
    pub obstacle: Option<String>,
    /// Milliseconds.
    pub duration_ms: u64,
}

/// One case under one defect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Full name of the case.
    pub case: String,
    /// What became of it.
    pub fate: Fate,
    /// Its reason.
    pub reason: Option<String>,
}

/// What becomes of a case under a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It noticed.
    Killed,
    /// It passed all the same.
    Survived,
    /// It could not be judged, which is no proof.
    Unjudged,
    /// It does not apply to this target or release.
    Unsupported,
}

/// How the whole came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Every defect that was tried is noticed by every case that claims so, and no case is unkillable.
    Clean,
    /// A defect or a case survives.
    Survivors,
    /// Nothing survives, but something could not be judged.
    Unjudged,
}

impl Attack {
    /// The cells of a run of the cases that claim to notice this defect.
    pub fn cells(result: &RunResult, blinds: bool) -> Vec<Cell> {
        let cell = |case: &crate::result::CaseResult| Cell {
            case: case.name.clone(),
            fate: fate(case.verdict, blinds),
            reason: case.reason.clone(),
        };
        result.cases.iter().map(cell).collect()
    }

    /// Whether it was noticed by a case, and by every one that claims so.
    pub fn is_killed(&self) -> bool {
        self.count(Fate::Killed) > 0
            && self.count(Fate::Survived) == 0
            && self.count(Fate::Unjudged) == 0
            && self.obstacle.is_none()
    }

    fn survives(&self) -> bool {
        self.obstacle.is_none()
            && (self.count(Fate::Survived) > 0 || self.count(Fate::Killed) + self.count(Fate::Unjudged) == 0)
    }

    fn count(&self, fate: Fate) -> usize {
        self.cells.iter().filter(|cell| cell.fate == fate).count()
    }
}

impl Control {
    /// The control of a run without any defect.
    pub fn of(result: &RunResult) -> Self {
        let red = result.cases.iter().filter(|case| {
            !matches!(case.verdict, CaseVerdict::Pass | CaseVerdict::Unsupported | CaseVerdict::Skip)
        });
        let red = red.map(|case| Cell {
            case: case.name.clone(),
            fate: Fate::Unjudged,
            reason: case.reason.clone(),
        });
        let green = result.cases.iter().filter(|case| case.verdict == CaseVerdict::Pass).count();
        Self { green, red: red.collect() }
    }
}

impl KillMatrix {
    /// How it came out.
    pub fn outcome(&self) -> Outcome {
        if !self.unkillable.is_empty() || self.defects.iter().any(Attack::survives) {
            return Outcome::Survivors;
        }
        let control = self.control.as_ref().is_none_or(|control| control.red.is_empty());
        match control && self.defects.iter().all(Attack::is_killed) {
            true => Outcome::Clean,
            false => Outcome::Unjudged,
        }
    }

    /// One line a defect, what survives in detail, and the outcome; harmless on a console, whatever the mesh said.
    pub fn text(&self) -> String {
        let width = self.defects.iter().map(|attack| attack.defect.len()).max().unwrap_or(0);
        let mut out = String::new();
        for attack in &self.defects {
            let _ = writeln!(out, "{}", attack.line(width));
            for cell in attack.cells.iter().filter(|cell| matters(cell.fate)) {
                let reason = cell.reason.as_deref().unwrap_or("passes all the same");
                let _ = writeln!(
                    out,
                    "          {}  {}: {}",
                    cell.fate.as_str(),
                    plain::line(&cell.case),
                    plain::line(reason)
                );
            }
        }
        for case in &self.unkillable {
            let _ = writeln!(out, "UNKILLABLE  {}: names no defect in `killed_by`", plain::line(case));
        }
        let _ = write!(out, "\n{}", self.verdict_line());
        out
    }

    /// The same as a Markdown table: defects down, cases across their row.
    pub fn markdown(&self) -> String {
        let mut out = format!(
            "## Kill matrix · {} · istio {}\n\n| defect | breaks | dies of it |\n|---|---|---|\n",
            inline(&self.target),
            inline(&self.istio)
        );
        for attack in &self.defects {
            let cells: Vec<_> = attack
                .cells
                .iter()
                .map(|cell| format!("{} {}", cell.fate.mark(), code(&cell.case)))
                .collect();
            let cells = match &attack.obstacle {
                Some(why) => format!("not tried: {}", inline(&flat(why))),
                None => cells.join("<br>"),
            };
            let _ = writeln!(out, "| {} | {} | {cells} |", code(&attack.defect), inline(&attack.promise));
        }
        for case in &self.unkillable {
            let _ = writeln!(out, "\n{} names no defect.", code(case));
        }
        let _ = writeln!(out, "\n{}", inline(&self.verdict_line()));
        out
    }

    /// The outcome in one line.
    pub fn verdict_line(&self) -> String {
        let killed = self.defects.iter().filter(|attack| attack.is_killed()).count();
        let kills: usize = self.defects.iter().map(|attack| attack.count(Fate::Killed)).sum();
        let word = match self.outcome() {
            Outcome::Clean => "clean",
            Outcome::Survivors => "SURVIVORS",
            Outcome::Unjudged => "UNJUDGED",
        };
        let control = match &self.control {
            Some(control) if control.red.is_empty() => {
                format!("; {} cases green without a defect", control.green)
            }
            Some(control) => {
                let red: Vec<_> = control.red.iter().map(|cell| cell.case.as_str()).collect();
                format!("; not green without a defect: {}", plain::line(&red.join(", ")))
            }
            None => String::new(),
        };
        format!(
            "{word}: {killed} of {} defects killed, {kills} kills, {} unkillable cases{control} ({})",
            self.defects.len(),
            self.unkillable.len(),
            seconds(self.duration_ms)
        )
    }
}

impl Attack {
    /// What became of the defect in one line.
    pub fn line(&self, width: usize) -> String {
        let word = match (self.is_killed(), self.survives()) {
            (true, _) => "killed  ",
            (false, true) => "SURVIVES",
            (false, false) => "UNJUDGED",
        };
        let by = match &self.obstacle {
            Some(why) => format!("not tried: {}", plain::line(&flat(why))),
            None if self.cells.is_empty() => "no case claims its promise".to_owned(),
            None => {
                format!(
                    "by {} of {}: {}",
                    self.count(Fate::Killed),
                    self.cells.len(),
                    plain::line(&names(&self.cells))
                )
            }
        };
        format!("{word}  {:<width$}  {by} ({})", self.defect, seconds(self.duration_ms))
    }
}

impl Fate {
    /// The word in texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Survived => "SURVIVED",
            Self::Unjudged => "unjudged",
            Self::Unsupported => "unsupported",
        }
    }

    const fn mark(self) -> &'static str {
        match self {
            Self::Killed => "✓",
            Self::Survived => "✗ survived",
            Self::Unjudged => "? unjudged",
            Self::Unsupported => "– unsupported",
        }
    }
}

fn fate(verdict: CaseVerdict, blinds: bool) -> Fate {
    match verdict {
        CaseVerdict::Fail => Fate::Killed,
        CaseVerdict::Error if blinds => Fate::Killed,
        CaseVerdict::Pass => Fate::Survived,
        // A promise that the mesh is known to break cannot be broken once more.
        CaseVerdict::Unsupported | CaseVerdict::Skip | CaseVerdict::Known => Fate::Unsupported,
        CaseVerdict::Error | CaseVerdict::NotRun => Fate::Unjudged,
    }
}

const fn matters(fate: Fate) -> bool {
    matches!(fate, Fate::Survived | Fate::Unjudged)
}

/// The killers without their scopes, each once.
fn names(cells: &[Cell]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for cell in cells.iter().filter(|cell| cell.fate == Fate::Killed) {
        let name = cell.case.split("::").nth(1).unwrap_or(&cell.case);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "matrix_tests.rs"]
mod tests;
