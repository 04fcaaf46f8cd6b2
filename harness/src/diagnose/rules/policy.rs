//! Causes that lie in what istiod says of a policy.

use super::super::{Facts, Finding};
use super::acceptance::refused;
use crate::stage::status;

/// Kinds whose status says who has accepted them.
const KINDS: [&str; 3] = ["AuthorizationPolicy", "RequestAuthentication", "WasmPlugin"];

/// WMC-004: a policy of the case is there and not accepted.
pub(super) fn not_accepted(facts: &Facts) -> Option<Finding> {
    refused(facts, "WMC-004", &KINDS, status::policy)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use waymark_reports::events::Confidence;

    use super::super::super::Applied;
    use super::super::fixture::{denial_ignored, policy};
    use super::*;

    #[rstest]
    #[case::accepted(json!([{"type": "WaypointAccepted", "status": "True"}]), None)]
    #[case::refused(
        json!([{"type": "WaypointAccepted", "status": "False", "reason": "TargetNotFound", "message": "no Service"}]),
        Some(Confidence::Medium)
    )]
    #[case::silent(json!([]), Some(Confidence::Medium))]
    #[case::stale(json!([{"type": "WaypointAccepted", "status": "True", "observedGeneration": 1}]), None)]
    fn a_policy_is_judged_by_its_status(
        #[case] conditions: serde_json::Value,
        #[case] want: Option<Confidence>,
    ) {
        let mut facts = denial_ignored();
        facts.applied = vec![policy(conditions)];
        assert_eq!(not_accepted(&facts).map(|it| it.confidence), want);
    }

    #[test]
    fn an_error_that_waits_for_the_policy_is_sure() {
        let mut facts = denial_ignored();
        facts.applied = vec![policy(json!([]))];
        facts.failure.reason = "wait 30s for AuthorizationPolicy wm-1-ns/readers-c7 accepted".into();
        let finding = not_accepted(&facts).unwrap();
        assert_eq!(finding.confidence, Confidence::High);
        assert_eq!(
            finding.signs,
            ["AuthorizationPolicy wm-1-ns/readers-c7: no condition WaypointAccepted yet"]
        );
    }

    #[test]
    fn a_policy_that_could_not_be_read_is_not_judged() {
        let mut facts = denial_ignored();
        facts.applied = vec![Applied { found: None, ..policy(json!([])) }];
        assert_eq!(not_accepted(&facts), None);
    }
}
