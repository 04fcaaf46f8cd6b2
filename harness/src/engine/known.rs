//! Listed deviations: promises that the mesh under test is known to break.

use waymark_reports::events::CaseFinished;
use waymark_reports::verdict::CaseVerdict;

/// One listed deviation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// Full name of the case.
    pub case: String,
    /// The upstream issue, such as `istio/istio#60025`.
    pub issue: String,
}

/// A listed failure is `known`; a listed case that passes is a failure until its entry goes.
pub(super) fn weigh(end: &mut CaseFinished, deviations: &[Deviation]) {
    let Some(deviation) = deviations.iter().find(|deviation| deviation.case == end.name) else { return };
    let issue = &deviation.issue;
    match end.verdict {
        CaseVerdict::Fail => {
            end.verdict = CaseVerdict::Known;
            end.reason = Some(format!("{issue}: {}", end.reason.take().unwrap_or_default()));
        }
        CaseVerdict::Pass => {
            end.verdict = CaseVerdict::Fail;
            end.reason = Some(format!("passes, though listed as deviation {issue}; remove its entry"));
        }
        CaseVerdict::Error
        | CaseVerdict::Known
        | CaseVerdict::Unsupported
        | CaseVerdict::Skip
        | CaseVerdict::NotRun => {}
    }
}
