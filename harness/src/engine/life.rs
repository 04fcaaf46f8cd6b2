//! The life of one case: open its world, run it within its budget, close the world whatever happened.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::time::{Instant, timeout};
use waymark_reports::events::{Answer, CaseFinished, Mismatch};
use waymark_reports::verdict::CaseVerdict;

use super::journal::millis;
use super::{Budgets, CloseReport, Site, Stop, Trial};
use crate::case::{Broken, Failure, Unmet, Verdict};

/// Why work did not come to its own end.
enum Cut {
    TimedOut(Duration),
    Interrupted,
    Panicked(String),
}

/// How the case itself ended, before clean-up.
struct Ending {
    verdict: CaseVerdict,
    reason: Option<String>,
    failure: Option<Mismatch>,
}

/// Lives one case through to its record.
pub(super) async fn live<S: Site>(
    site: &S,
    trial: &Trial<S::Ctx>,
    budgets: &Budgets,
    stop: &Stop,
) -> CaseFinished {
    let began = Instant::now();
    let budget = budgets.of(trial.case.isolation);
    let opening = async { site.open(trial.case, trial.scope, &trial.id).await };
    let ctx = match cut_short(opening, budget, stop).await {
        Ok(Ok(ctx)) => ctx,
        Ok(Err(broken)) => return record(trial, began, Ending::from(broken), CloseReport::default()),
        Err(cut) => return record(trial, began, cut.ending("open its world"), CloseReport::default()),
    };
    let running = async { (trial.case.run)(&ctx).await };
    let ending = match cut_short(running, budget.saturating_sub(began.elapsed()), stop).await {
        Ok(verdict) => Ending::from(verdict),
        Err(cut) => cut.over(budget).ending("run"),
    };
    let failed = ending.verdict.is_red();
    let closing = async { site.close(&ctx, failed).await };
    let report = match timeout(budgets.close, AssertUnwindSafe(closing).catch_unwind()).await {
        Ok(Ok(report)) => report,
        Ok(Err(panic)) => unclean(Broken::new(format!("panic: {}", words(&*panic)))),
        Err(_) => unclean(Broken::new(format!("not done in {:?}", budgets.close))),
    };
    record(trial, began, ending, report)
}

/// The record of a case that does not run.
pub(super) fn without(name: &str, verdict: CaseVerdict, reason: String) -> CaseFinished {
    CaseFinished {
        name: name.to_owned(),
        verdict,
        reason: Some(reason),
        duration_ms: 0,
        convergence_ms: None,
        attempts: 0,
        decided_by: Vec::new(),
        evidence: None,
        failure: None,
    }
}

async fn cut_short<T>(work: impl Future<Output = T>, budget: Duration, stop: &Stop) -> Result<T, Cut> {
    tokio::select! {
        biased;
        () = stop.orderly() => Err(Cut::Interrupted),
        done = timeout(budget, AssertUnwindSafe(work).catch_unwind()) => match done {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(panic)) => Err(Cut::Panicked(words(&*panic))),
            Err(_) => Err(Cut::TimedOut(budget)),
        },
    }
}

fn record<C>(trial: &Trial<C>, began: Instant, ending: Ending, report: CloseReport) -> CaseFinished {
    let Ending { mut verdict, mut reason, failure } = ending;
    if let Some(error) = report.cleanup_error {
        let unclean = format!("clean-up: {}", error.chain());
        reason = Some(match reason.take() {
            Some(reason) => format!("{reason}; {unclean}"),
            None => unclean,
        });
        if verdict == CaseVerdict::Pass {
            verdict = CaseVerdict::Error;
        }
    }
    CaseFinished {
        name: trial.name.clone(),
        verdict,
        reason,
        duration_ms: millis(began),
        convergence_ms: report.convergence_ms,
        attempts: report.attempts,
        decided_by: report.decided_by,
        evidence: report.evidence,
        failure,
    }
}

fn unclean(error: Broken) -> CloseReport {
    CloseReport { cleanup_error: Some(error), ..CloseReport::default() }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

impl Cut {
    /// The same with the budget of the whole case, of which opening the world took a part.
    fn over(self, whole: Duration) -> Self {
        if matches!(self, Self::TimedOut(_)) { Self::TimedOut(whole) } else { self }
    }

    fn ending(self, step: &str) -> Ending {
        let (verdict, reason) = match self {
            Self::TimedOut(budget) => {
                (CaseVerdict::Error, format!("budget of {budget:?} used up; could not {step} in time"))
            }
            Self::Interrupted => (CaseVerdict::NotRun, "interrupted while it ran".to_owned()),
            Self::Panicked(words) => (CaseVerdict::Error, format!("panic: {words}")),
        };
        Ending { verdict, reason: Some(reason), failure: None }
    }
}

impl From<Verdict> for Ending {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Ok(()) => Self { verdict: CaseVerdict::Pass, reason: None, failure: None },
            Err(Failure::Broken(broken)) => Self::from(broken),
            Err(Failure::Unmet(unmet)) => {
                let failure = mismatch(unmet);
                let reason = Some(failure.one_line());
                Self { verdict: CaseVerdict::Fail, reason, failure: Some(failure) }
            }
        }
    }
}

impl From<Broken> for Ending {
    fn from(broken: Broken) -> Self {
        Self { verdict: CaseVerdict::Error, reason: Some(broken.chain()), failure: None }
    }
}

fn mismatch(unmet: Unmet) -> Mismatch {
    let Unmet { want, got, decided_by, sent, answers } = unmet;
    let answers = answers.into_iter().map(|(text, count)| Answer { text, count }).collect();
    Mismatch { want, got, decided_by, sent, answers }
}
