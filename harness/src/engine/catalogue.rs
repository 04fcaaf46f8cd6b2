//! The list of trials: every case at every scope that makes sense for it.

use std::sync::Arc;

use waymark_reports::events::PlannedCase;

use super::{Capabilities, Deviation, source};
use crate::case::{Case, Scope, Suite};

/// One case at one scope.
pub struct Trial<C: 'static> {
    /// The case.
    pub case: &'static Case<C>,
    /// The scope.
    pub scope: Scope,
    /// Full name.
    pub name: String,
    /// Unique within the run, a valid DNS label: `c` and its position in the catalogue.
    pub id: String,
    /// Why the user left it out; none when it is to run.
    pub left_out: Option<String>,
    /// The listed deviation that it falls under.
    pub deviation: Option<Arc<Deviation>>,
}

/// Every trial of `suites`, in the order of their listing.
pub fn catalogue<C>(suites: &[Suite<C>]) -> Vec<Trial<C>> {
    let cases = suites.iter().flat_map(|suite| suite.cases);
    let pairs = cases.flat_map(|case| case.scopes.iter().map(move |scope| (case, *scope)));
    let trial = |(index, (case, scope)): (usize, (&'static Case<C>, Scope))| Trial {
        case,
        scope,
        name: case.trial(scope),
        id: format!("c{index:03}"),
        left_out: None,
        deviation: None,
    };
    pairs.enumerate().map(trial).collect()
}

impl<C> Trial<C> {
    /// The same for a later round (from 1), in a world of another id.
    #[must_use]
    pub fn again(&self, round: u32) -> Self {
        Self { id: format!("{}r{round}", self.id), ..self.clone() }
    }

    /// What reports know of it before it runs.
    pub fn planned(&self, capabilities: &Capabilities) -> PlannedCase {
        PlannedCase {
            name: self.name.clone(),
            suite: self.case.suite.to_owned(),
            scope: capabilities.scope(self.scope),
            level: self.case.level,
            promise: self.case.promise.to_owned(),
            refs: self.case.refs.iter().map(|&reference| reference.to_owned()).collect(),
            source: Some(self.written()),
        }
    }

    /// Where its function is written, `file:line` when the file is at hand.
    pub fn written(&self) -> String {
        source::of(self.case.file, self.case.name)
    }
}

impl<C> Clone for Trial<C> {
    fn clone(&self) -> Self {
        Self {
            case: self.case,
            scope: self.scope,
            name: self.name.clone(),
            id: self.id.clone(),
            left_out: self.left_out.clone(),
            deviation: self.deviation.clone(),
        }
    }
}
