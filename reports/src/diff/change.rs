//! What became of one case.

use serde::Serialize;

use super::is_judged;
use crate::result::CaseResult;
use crate::verdict::CaseVerdict::{self, Error, Fail, Known, Pass};
use crate::verdict::Level;

/// A case whose verdict changed, or that still fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// What kind of change.
    pub kind: Kind,
    /// Full name of the case.
    pub name: String,
    /// How binding its promise is.
    pub level: Level,
    /// Its verdict in the base.
    pub base: CaseVerdict,
    /// Its verdict in the head.
    pub head: CaseVerdict,
    /// The head's likeliest cause; null when there is none.
    pub cause: Option<String>,
    /// The head's reason; null for a plain pass.
    pub reason: Option<String>,
}

/// Kinds of change, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It fails, and did not.
    NewlyFailing,
    /// It cannot be judged, and could.
    NewlyErring,
    /// It was judged, and is not tried any more: no improvement, whatever it was.
    CoverageLoss,
    /// It fails under a listed deviation, and was not listed or did not fail.
    NewlyKnown,
    /// It fails as it did, or still cannot be judged.
    StillFailing,
    /// It passes, and did not.
    NewlyPassing,
}

impl Kind {
    /// All, the gravest first.
    pub const ALL: [Self; 6] = [
        Self::NewlyFailing,
        Self::NewlyErring,
        Self::CoverageLoss,
        Self::NewlyKnown,
        Self::StillFailing,
        Self::NewlyPassing,
    ];

    /// For people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewlyFailing => "newly failing",
            Self::NewlyErring => "newly erring",
            Self::CoverageLoss => "coverage loss",
            Self::NewlyKnown => "newly known",
            Self::StillFailing => "still failing",
            Self::NewlyPassing => "newly passing",
        }
    }

    /// None for verdicts whose difference says nothing about the mesh.
    pub(super) const fn between(base: CaseVerdict, head: CaseVerdict) -> Option<Self> {
        match (base, head) {
            (Fail, Fail) | (Error, Error) => Some(Self::StillFailing),
            (_, Fail) => Some(Self::NewlyFailing),
            (_, Error) => Some(Self::NewlyErring),
            (Known, Known) | (Pass, Pass) => None,
            (_, Known) => Some(Self::NewlyKnown),
            (_, Pass) => Some(Self::NewlyPassing),
            (base, _) if is_judged(base) => Some(Self::CoverageLoss),
            _ => None,
        }
    }
}

impl Change {
    /// None when nothing changed.
    pub(super) fn between(base: &CaseResult, head: &CaseResult) -> Option<Self> {
        Some(Self {
            kind: Kind::between(base.verdict, head.verdict)?,
            name: head.name.clone(),
            level: head.level,
            base: base.verdict,
            head: head.verdict,
            cause: head.causes.first().map(|cause| cause.id.clone()),
            reason: head.reason.clone(),
        })
    }
}
