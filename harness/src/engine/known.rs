//! Listed deviations: promises that the mesh under test is known to break, with owner, issue and end.
//!
//! [`Deviations`] is the list, understood and checked against the catalogue; [`Deviations::mark`] tells each trial of a
//! run which entry it falls under.

use std::sync::Arc;

use jiff::civil::Date;
use waymark_reports::events::{self, CaseFinished};
use waymark_reports::verdict::CaseVerdict;

use super::Trial;
use super::pattern::Pattern;
use crate::case::Scope;

mod list;
mod range;

#[cfg(test)]
mod tests;

pub use list::{ListError, Listed};
use range::Range;

/// Every entry of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deviations(Vec<Arc<Deviation>>);

/// One listed deviation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    pattern: Pattern,
    scope: Option<Scope>,
    target: Option<String>,
    istio: Range,
    reason: String,
    link: String,
    owner: String,
    expires: Date,
    expired: bool,
    outcome: Outcome,
    quarantine: bool,
    /// File and line of the entry.
    place: String,
}

/// What a listed case is expected to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It fails; when it passes, the entry has to go.
    Fails,
    /// It fails now and then.
    MayFail,
}

impl Deviations {
    /// Tells each trial which entry it falls under on this target with this release of Istio.
    pub fn mark<C>(&self, trials: &mut [Trial<C>], target: &str, istio: (u16, u16)) {
        for trial in trials {
            let entry = self.0.iter().find(|entry| {
                entry.names(trial)
                    && entry.target.as_deref().is_none_or(|of| of == target)
                    && entry.istio.holds(istio)
            });
            trial.deviation = entry.cloned();
        }
    }
}

impl Deviation {
    /// Whether pattern and scope name this trial, whatever target and release.
    fn names<C>(&self, trial: &Trial<C>) -> bool {
        self.pattern.names(&trial.name) && self.scope.is_none_or(|scope| scope == trial.scope)
    }

    /// Whether some run would meet both entries.
    fn meets(&self, other: &Self) -> bool {
        let targets = self.target.is_none() || other.target.is_none() || self.target == other.target;
        targets && self.istio.meets(&other.istio)
    }

    fn event(&self) -> events::Deviation {
        events::Deviation {
            reason: self.reason.clone(),
            link: self.link.clone(),
            owner: self.owner.clone(),
            expires: self.expires.to_string(),
            expired: self.expired,
            quarantine: self.quarantine,
        }
    }

    /// Weighs the end of a case that falls under this entry. A listed failure is `known`, with its own reason and the
    /// issue. A case listed as one that fails is a failure when it passes, until its entry goes. A quarantined case
    /// keeps its verdict, which gates nothing. An expired entry is told, and leaves the run inconclusive.
    pub(super) fn weigh(&self, end: &mut CaseFinished) {
        if matches!(end.verdict, CaseVerdict::Skip | CaseVerdict::Unsupported) {
            return;
        }
        end.deviation = Some(self.event());
        let Self { reason: why, link, place, .. } = self;
        let told = end.reason.take();
        let listed = |word: &str| match &told {
            Some(told) => format!("{told} ({word}: {why}; {link})"),
            None => format!("{word}: {why}; {link}"),
        };
        let reason = match (end.verdict, self.outcome) {
            (CaseVerdict::Fail | CaseVerdict::Error, _) if self.quarantine => Some(listed("quarantined")),
            (CaseVerdict::Fail, _) => {
                end.verdict = CaseVerdict::Known;
                Some(listed("listed"))
            }
            (CaseVerdict::Pass, Outcome::Fails) => {
                end.verdict = CaseVerdict::Fail;
                Some(format!(
                    "passes, though it is listed as failing ({why}; {link}): remove its entry, {place}"
                ))
            }
            _ => told,
        };
        let judged = matches!(end.verdict, CaseVerdict::Pass | CaseVerdict::Known | CaseVerdict::Fail);
        end.reason = match reason {
            reason if !(self.expired && judged) => reason,
            reason => {
                let expired = format!("the entry expired on {} ({place}; {})", self.expires, self.owner);
                Some(reason.map_or(expired.clone(), |reason| format!("{reason}; {expired}")))
            }
        };
    }
}
