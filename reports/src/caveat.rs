//! What a reader of a run must know beside its verdict, wherever it is shown.

use crate::result::{CaseResult, RunResult};

/// What a pass is worth that rests on the adapter.
pub(crate) const ADAPTER: &str =
    "on values that the adapter stands in for, which says nothing of Istio's own";

/// The core cases that pass on what the adapter produced: how many, in words, and their names. None when there are none.
pub(crate) fn on_adapter(result: &RunResult) -> Option<(String, String)> {
    let cases = result.cases.iter().filter(|case| CaseResult::rests_on_adapter(case));
    let names: Vec<&str> = cases.map(|case| case.name.as_str()).collect();
    let pass = match names.len() {
        0 => return None,
        1 => "1 core case passes".to_owned(),
        more => format!("{more} core cases pass"),
    };
    Some((format!("{pass} {ADAPTER}"), names.join(", ")))
}
