//! The failure record: what every report says about a red case.

use serde::{Deserialize, Serialize};

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
    /// The distinct answers, in the order in which each came first.
    pub answers: Vec<Answer>,
}

/// One distinct answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// What came.
    pub text: String,
    /// How often.
    pub count: u32,
    /// When it came first, milliseconds since the first probe was sent.
    #[serde(default)]
    pub first_ms: u64,
    /// When it came last, in the same way.
    #[serde(default)]
    pub last_ms: u64,
}

/// What probably lies behind a red case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Such as `WMC-001`; `waymark explain` knows it.
    pub id: String,
    /// In a few words.
    pub title: String,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// What was seen that speaks for it, a line each.
    pub signs: Vec<String>,
    /// Commands that look closer, the first one first.
    pub next: Vec<String>,
}

/// How sure a rule is of its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// It fits, and so may others.
    Low,
    /// What was seen is rare without it.
    Medium,
    /// What was seen has no other explanation that we know.
    High,
}

/// One file of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceFile {
    /// Name below the case's folder.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// Its size.
    pub bytes: u64,
    /// Whether it was cut to keep the bounds.
    pub cut: bool,
}

impl Mismatch {
    /// Want and got as one line.
    pub fn one_line(&self) -> String {
        in_one_line(&self.want, &self.got)
    }
}

/// Want and got, each one `label: value` a line, as one line.
pub fn in_one_line(want: &str, got: &str) -> String {
    let line = |text: &str| {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
    };
    format!("want {}, got {}", line(want), line(got))
}

impl Confidence {
    /// The word in `result.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}
