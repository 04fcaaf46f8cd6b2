//! The life of one case: open its world, run it within its budget, close the world whatever happened.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::time::{Instant, timeout};
use waymark_reports::events::{CaseFinished, Mismatch, Steps};
use waymark_reports::verdict::CaseVerdict;

use super::journal::millis;
use super::{Budgets, CloseReport, Options, Red, Site, Stop, Trial};
use crate::case::{Broken, Failure, Isolation, Unmet, Verdict};

/// Why work did not come to its own end.
enum Cut {
    TimedOut(Duration),
    Stopped(&'static str),
    Panicked(String),
}

/// How the case itself ended, before clean-up.
struct Ending {
    verdict: CaseVerdict,
    reason: Option<String>,
    failure: Option<Mismatch>,
}

/// Lives one case through to its record; its turn `began` a moment ago.
pub(super) async fn live<S: Site>(
    site: &S,
    trial: &Trial<S::Ctx>,
    options: &Options,
    stop: &Stop,
    began: Instant,
) -> CaseFinished {
    let budgets: &Budgets = &options.budgets;
    let mut steps = Steps::default();
    let budget = budgets.of(trial.case.isolation);
    let opening = async { site.open(trial.case, trial.scope, &trial.id).await };
    let opened = timed(&mut steps.open_us, cut_short(opening, budget, stop)).await;
    let ctx = match opened {
        Ok(Ok(ctx)) => ctx,
        Ok(Err(broken)) => return unopened(site, trial, began, steps, Ending::from(broken), budgets).await,
        Err(cut) => return unopened(site, trial, began, steps, cut.ending("open its world"), budgets).await,
    };
    let running = async { (trial.case.run)(&ctx).await };
    let left = budget.saturating_sub(began.elapsed());
    let ending = match timed(&mut steps.run_us, cut_short(running, left, stop)).await {
        Ok(verdict) => Ending::from(verdict),
        Err(cut) => cut.over(budget).ending("run"),
    };
    // What a red Mesh case changed would spoil those after it, so it never stays.
    let keep = options.keep_red && trial.case.isolation != Isolation::Mesh;
    let closing = async { site.close(&ctx, ending.red(keep)).await };
    let closed = timeout(budgets.close, AssertUnwindSafe(closing).catch_unwind());
    let report = match timed(&mut steps.close_us, closed).await {
        Ok(Ok(report)) => report,
        Ok(Err(panic)) => unclean(Broken::new(format!("panic: {}", words(&*panic)))),
        Err(_) => unclean(Broken::new(format!("not done in {:?}", budgets.close))),
    };
    record(trial, began, steps, ending, report)
}

/// The record of a case that has no world, with what the site can tell of it.
async fn unopened<S: Site>(
    site: &S,
    trial: &Trial<S::Ctx>,
    began: Instant,
    mut steps: Steps,
    ending: Ending,
    budgets: &Budgets,
) -> CaseFinished {
    let Some(red) = ending.red(false) else {
        return record(trial, began, steps, ending, CloseReport::default());
    };
    let telling = site.unopened(trial.case, trial.scope, &trial.id, red, began.elapsed());
    let told =
        timed(&mut steps.close_us, timeout(budgets.close, AssertUnwindSafe(telling).catch_unwind())).await;
    let report = told.ok().and_then(Result::ok).unwrap_or_default();
    record(trial, began, steps, ending, report)
}

/// Does one step and adds its time, microseconds.
async fn timed<T>(spent: &mut u64, work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let done = work.await;
    *spent += micros(began.elapsed());
    done
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The record of a case that does not run.
pub(super) fn without(name: &str, verdict: CaseVerdict, reason: String) -> CaseFinished {
    CaseFinished { name: name.to_owned(), verdict, reason: Some(reason), ..CaseFinished::default() }
}

async fn cut_short<T>(work: impl Future<Output = T>, budget: Duration, stop: &Stop) -> Result<T, Cut> {
    tokio::select! {
        biased;
        () = stop.orderly() => Err(Cut::Stopped(stop.word())),
        done = timeout(budget, AssertUnwindSafe(work).catch_unwind()) => match done {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(panic)) => Err(Cut::Panicked(words(&*panic))),
            Err(_) => Err(Cut::TimedOut(budget)),
        },
    }
}

fn record<C>(
    trial: &Trial<C>,
    began: Instant,
    steps: Steps,
    ending: Ending,
    report: CloseReport,
) -> CaseFinished {
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
        causes: report.causes,
        files: report.files,
        deviation: None,
        figures: report.figures,
        steps: Steps {
            engine_us: micros(began.elapsed()).saturating_sub(steps.open_us + steps.run_us + steps.close_us),
            ..steps
        },
    }
}

fn unclean(error: Broken) -> CloseReport {
    CloseReport { cleanup_error: Some(error), ..CloseReport::default() }
}

/// What a panic said.
pub(super) fn words(panic: &(dyn Any + Send)) -> String {
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
            Self::Stopped(word) => (CaseVerdict::NotRun, format!("{word} while it ran")),
            Self::Panicked(words) => (CaseVerdict::Error, format!("panic: {words}")),
        };
        Ending { verdict, reason: Some(reason), failure: None }
    }
}

impl Ending {
    fn red(&self, keep: bool) -> Option<Red<'_>> {
        let Self { verdict, reason, failure } = self;
        verdict.is_red().then(|| Red {
            verdict: *verdict,
            reason: reason.as_deref().unwrap_or_default(),
            failure: failure.as_ref(),
            keep,
        })
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
    Mismatch { want, got, decided_by, sent, answers }
}
