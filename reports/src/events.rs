//! What happens in a run, one [`Entry`] a line in `events.ndjson`: the source of every report.
//!
//! Readers ignore types and fields that they do not know; a removal or a changed meaning raises [`VERSION`].

use serde::{Deserialize, Serialize};

use crate::verdict::{CaseVerdict, Level, Scope};

mod failure;

pub use failure::{Answer, Cause, Confidence, EvidenceFile, Mismatch, in_one_line};

/// Version of the format, field `v` of each line.
pub const VERSION: u32 = 1;

/// One line of `events.ndjson`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Version of the format.
    pub v: u32,
    /// Position in the file, from 1.
    pub seq: u64,
    /// When it happened, RFC 3339 in UTC.
    #[serde(with = "timestamp")]
    pub ts: jiff::Timestamp,
    /// Id of the run.
    pub run: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened, by the field `type`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// The run begins, before anything is set up.
    #[serde(rename = "run.started")]
    RunStarted(Box<RunStarted>),
    /// The cases that the run is about to try, in the order of their listing.
    #[serde(rename = "plan")]
    Plan(Plan),
    /// The parts under test are known.
    #[serde(rename = "parts")]
    Parts(Parts),
    /// A phase begins.
    #[serde(rename = "phase.started")]
    PhaseStarted(PhaseStarted),
    /// A phase ends, well or not.
    #[serde(rename = "phase.finished")]
    PhaseFinished(PhaseFinished),
    /// A word about progress, for people only.
    #[serde(rename = "note")]
    Note(Note),
    /// A case begins.
    #[serde(rename = "case.started")]
    CaseStarted(CaseStarted),
    /// A case has its verdict, and what it changed is cleaned up.
    #[serde(rename = "case.finished")]
    CaseFinished(Box<CaseFinished>),
    /// The run ends, in good order or not.
    #[serde(rename = "run.finished")]
    RunFinished(RunFinished),
    /// A type that this version does not know.
    #[serde(other)]
    Unknown,
}

/// The run begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Version of waymark.
    pub waymark: String,
    /// Where the cluster comes from, such as `embedded`.
    pub target: String,
    /// The Istio release asked for, such as `1.31`.
    pub istio: String,
    /// Seed of the order of cases; none when they run in the order of their listing.
    pub seed: Option<u64>,
    /// The command that starts such a run again, without its selection and order.
    #[serde(default)]
    pub command: String,
    /// What the user selected, word by word; empty for all cases.
    #[serde(default)]
    pub selection: Vec<String>,
    /// Which part of the selection this run tries; none for all of it.
    #[serde(default)]
    pub shard: Option<Shard>,
    /// Named defects that were put in on purpose.
    #[serde(default)]
    pub sabotage: Vec<String>,
    /// The machine it runs on.
    #[serde(default)]
    pub machine: Option<Machine>,
    /// Ids of the runs that were merged into this one.
    #[serde(default)]
    pub merged: Vec<String>,
}

/// One part of a selection that several processes share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which one, from 1.
    pub index: u32,
    /// Of how many.
    pub of: u32,
}

/// The machine that a run ran on, as far as it bears on its timings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// Such as `Linux 6.18.5`.
    pub kernel: String,
    /// Such as `x86_64`.
    pub architecture: String,
    /// Processors that the run could use.
    pub cpus: u32,
    /// Memory, MiB.
    pub memory_mib: u64,
}

/// The cases of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In the order of their listing.
    pub cases: Vec<PlannedCase>,
}

/// What is known of a case before it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCase {
    /// Full name, such as `routing::header_match::namespace`.
    pub name: String,
    /// First segment of the name.
    pub suite: String,
    /// Scope of the waypoint; none for a case that is not tied to one.
    pub scope: Option<Scope>,
    /// How binding the promise is.
    pub level: Level,
    /// The requirement as a sentence.
    pub promise: String,
    /// Rows of the reference catalogue.
    pub refs: Vec<String>,
    /// Where the case is written, such as `suites/src/routing.rs:31`.
    #[serde(default)]
    pub source: Option<String>,
}

/// The parts under test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// All of them, stand-ins included.
    pub parts: Vec<Part>,
}

/// One part under test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// Such as `istiod`.
    pub name: String,
    /// Such as `1.31.0`.
    pub version: String,
    /// Where it was got: `path`, `cache`, `url`, `image`, `wheel`, `go`, or `waymark` for a stand-in.
    pub origin: String,
    /// SHA-256 of the executable, where there is one.
    pub digest: Option<String>,
    /// Whether it stands in for the real one.
    pub stand_in: bool,
}

/// The phases of a run, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Obtaining the parts.
    Components,
    /// Bringing up the cluster with Istio.
    Up,
    /// Starting apps and waypoints.
    Stage,
    /// Running the cases.
    Cases,
    /// Taking down what was brought up.
    Down,
}

/// A phase begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseStarted {
    /// Which one.
    pub phase: Phase,
}

/// A phase ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PhaseFinished {
    /// Which one.
    pub phase: Phase,
    /// How long it took, milliseconds.
    pub duration_ms: u64,
    /// Why it failed; none when it went well.
    pub error: Option<String>,
}

/// A word about progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// One line.
    pub text: String,
}

/// A case begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseStarted {
    /// Full name.
    pub name: String,
}

/// A case has its verdict. A case that is repeated has several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaseFinished {
    /// Full name.
    pub name: String,
    /// The verdict.
    pub verdict: CaseVerdict,
    /// Why, in one line; none for a plain pass.
    pub reason: Option<String>,
    /// From opening its world to the end of its clean-up, milliseconds.
    pub duration_ms: u64,
    /// Slowest propagation of a change that it waited for, milliseconds.
    pub convergence_ms: Option<u64>,
    /// How many probes it sent until it could judge.
    pub attempts: u32,
    /// The parts that decided the outcome.
    pub decided_by: Vec<String>,
    /// Folder of its evidence, relative to the run directory.
    pub evidence: Option<String>,
    /// Want and got of a broken promise.
    pub failure: Option<Mismatch>,
    /// What probably lies behind it, the likeliest first; empty for what is not red.
    #[serde(default)]
    pub causes: Vec<Cause>,
    /// The files below `evidence`.
    #[serde(default)]
    pub files: Vec<EvidenceFile>,
    /// The listed deviation that it falls under.
    #[serde(default)]
    pub deviation: Option<Deviation>,
    /// Where its time went.
    #[serde(default)]
    pub steps: Steps,
    /// What it counted without judging it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Figure>,
}

/// Something that a case counted and did not judge, such as 3 failed requests of 240.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// What was counted, such as `requests that failed under load`.
    pub name: String,
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
}

/// Where the time of a case went, microseconds. What is left of its whole duration is the engine's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Steps {
    /// Opening its world.
    pub open_us: u64,
    /// Its own function.
    pub run_us: u64,
    /// Evidence and clean-up.
    pub close_us: u64,
    /// Everything else between its start and its record.
    pub engine_us: u64,
}

/// A listed deviation, as it was when the case was weighed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deviation {
    /// Why it is listed.
    pub reason: String,
    /// The upstream issue.
    pub link: String,
    /// Who looks after the entry.
    pub owner: String,
    /// The day from which the entry no longer holds, `2026-12-31`.
    pub expires: String,
    /// Whether that day has come: the run cannot be conformant.
    pub expired: bool,
    /// Whether the case is reported without gating.
    pub quarantine: bool,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every case of the plan got its turn.
    Completed,
    /// Ctrl-C or a signal.
    Interrupted,
    /// The scene could not be set; no case ran.
    SetupFailed,
}

/// The run ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunFinished {
    /// How.
    pub outcome: Outcome,
    /// How long the run took, milliseconds.
    pub duration_ms: u64,
    /// Why it did not complete.
    pub reason: Option<String>,
}

impl Figure {
    /// In words, such as `requests that failed under load: 3 of 240 (1.2 %)`.
    pub fn words(&self) -> String {
        let Self { name, count, of } = self;
        let tenths = count.saturating_mul(1000).checked_div(*of).unwrap_or_default();
        format!("{name}: {count} of {of} ({}.{} %)", tenths / 10, tenths % 10)
    }
}

impl Phase {
    /// The word in `result.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Components => "components",
            Self::Up => "up",
            Self::Stage => "stage",
            Self::Cases => "cases",
            Self::Down => "down",
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Figure;

    #[rstest]
    #[case(3, 240, "failed: 3 of 240 (1.2 %)")]
    #[case(0, 0, "failed: 0 of 0 (0.0 %)")]
    #[case(7, 7, "failed: 7 of 7 (100.0 %)")]
    fn a_figure_in_words(#[case] count: u64, #[case] of: u64, #[case] want: &str) {
        assert_eq!(Figure { name: "failed".into(), count, of }.words(), want);
    }
}

pub(crate) mod timestamp {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(at: &jiff::Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<jiff::Timestamp, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}
