//! What happens in a run, one [`Entry`] a line in `events.ndjson`: the source of every report.
//!
//! Readers ignore types and fields that they do not know; a removal or a changed meaning raises [`VERSION`].

use serde::{Deserialize, Serialize};

use crate::verdict::{CaseVerdict, Level, Scope};

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
    RunStarted(RunStarted),
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Version of waymark.
    pub waymark: String,
    /// Where the cluster comes from, such as `embedded`.
    pub target: String,
    /// The Istio release asked for, such as `1.31`.
    pub istio: String,
    /// Seed of the order of cases; none when they run in the order of their listing.
    pub seed: Option<u64>,
}

/// The cases of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In the order of their listing.
    pub cases: Vec<PlannedCase>,
}

/// What is known of a case before it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// A case has its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// Want and got of a broken promise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mismatch {
    /// What was expected, one `label: value` a line.
    pub want: String,
    /// What came instead, in the same shape.
    pub got: String,
    /// The part that decided it.
    pub decided_by: Option<String>,
    /// What was sent.
    pub sent: Option<String>,
    /// The distinct answers.
    pub answers: Vec<Answer>,
}

/// One distinct answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What came.
    pub text: String,
    /// How often.
    pub count: u32,
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

impl Mismatch {
    /// Want and got as one line.
    pub fn one_line(&self) -> String {
        let line = |text: &str| {
            text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
        };
        format!("want {}, got {}", line(&self.want), line(&self.got))
    }
}

mod timestamp {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(at: &jiff::Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<jiff::Timestamp, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}
