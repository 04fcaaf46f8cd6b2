//! Causes that lie between an applied object and what the waypoint does.

use waymark_reports::events::Confidence;

use super::super::object::{kind, name, namespace};
use super::super::{Applied, Facts, Finding};
use super::acceptance::{OLD, refused};
use crate::stage::status;

const ROUTES: [&str; 4] = ["HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute"];

/// WMC-012: a route of the case is there and not accepted, or does not resolve.
pub(super) fn not_accepted(facts: &Facts) -> Option<Finding> {
    refused(facts, "WMC-012", &ROUTES, status::route)
}

/// WMC-005: an accepted object has no trace in the waypoint's configuration, or its status is behind.
pub(super) fn stale(facts: &Facts) -> Option<Finding> {
    facts.applied.iter().find_map(|it| behind(it).or_else(|| lacking(it, facts)))
}

fn behind(applied: &Applied) -> Option<Finding> {
    let found = applied.found.as_ref()?;
    let why = status::judge(kind(found))?(found).err().filter(|why| why.contains(OLD))?;
    Some(Finding::new("WMC-005", Confidence::Medium).sign(format!(
        "{} {}/{}: {why}",
        kind(found),
        namespace(found),
        name(found)
    )))
}

fn lacking(applied: &Applied, facts: &Facts) -> Option<Finding> {
    let config = facts.config.as_ref()?;
    // Where traffic did not come by, the waypoint's configuration has decided nothing.
    if !facts.needs_waypoint() || facts.went_straight() {
        return None;
    }
    let found = applied.found.as_ref()?;
    let (home, own) = (namespace(found), name(found));
    // As istiod spells them in what it generates.
    let trace = match kind(found) {
        "HTTPRoute" | "GRPCRoute" => format!("{home}.{own}."),
        "AuthorizationPolicy" => format!("ns[{home}]-policy[{own}]"),
        _ => return None,
    };
    let at_waypoint = found.pointer("/spec/targetRefs").is_some() || ROUTES.contains(&kind(found));
    let accepted = status::judge(kind(found))?(found).is_ok();
    if !at_waypoint || !accepted || config.contains(&trace) {
        return None;
    }
    Some(
        Finding::new("WMC-005", Confidence::High)
            .sign(format!("{} {home}/{own} is accepted", kind(found)))
            .sign(format!("the waypoint's config dump has no `{trace}`")),
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::super::fixture::{bypassed, denial_ignored, policy, route};
    use super::*;

    fn parents(accepted: &str, resolved: &str) -> Value {
        json!([{"conditions": [
            {"type": "Accepted", "status": accepted, "reason": "NoMatchingParent", "message": "m"},
            {"type": "ResolvedRefs", "status": resolved, "reason": "BackendNotFound", "message": "no Service x"},
        ]}])
    }

    #[rstest]
    #[case::fine(parents("True", "True"), None)]
    #[case::not_accepted(parents("False", "True"), Some("Accepted is False (NoMatchingParent): m"))]
    #[case::unresolved(
        parents("True", "False"),
        Some("ResolvedRefs is False (BackendNotFound): no Service x")
    )]
    #[case::silent(json!([]), Some("no parent has answered yet"))]
    fn a_route_is_judged_by_its_parents(#[case] parents: Value, #[case] want: Option<&str>) {
        let facts = Facts { applied: vec![route(parents)], ..denial_ignored() };
        let sign = not_accepted(&facts).map(|it| it.signs[0].clone());
        assert_eq!(sign, want.map(|want| format!("HTTPRoute wm-1-ns/by-header-c7: {want}")));
    }

    #[test]
    fn a_status_that_is_behind_is_stale_and_not_refused() {
        let taken = json!([{"type": "WaypointAccepted", "status": "True", "observedGeneration": 1}]);
        let facts = Facts { applied: vec![policy(taken)], ..denial_ignored() };
        assert_eq!(stale(&facts).unwrap().confidence, Confidence::Medium);
    }

    #[rstest]
    #[case::lacking("{}", true)]
    #[case::there("{\"policies\": {\"ns[wm-1-ns]-policy[readers-c7]-rule[0]\": 1}}", false)]
    fn the_waypoint_lacks_a_policy(#[case] config: &str, #[case] want: bool) {
        let facts = Facts { config: Some(config.into()), ..denial_ignored() };
        let finding = stale(&facts);
        assert_eq!(finding.as_ref().map(|it| it.confidence), want.then_some(Confidence::High));
    }

    #[rstest]
    #[case::lacking("{}", true)]
    #[case::there("{\"name\": \"wm-1-ns.by-header-c7.0\"}", false)]
    fn the_waypoint_lacks_a_route(#[case] config: &str, #[case] want: bool) {
        let applied = vec![route(parents("True", "True"))];
        let facts = Facts { config: Some(config.into()), applied, ..denial_ignored() };
        assert_eq!(stale(&facts).is_some(), want);
    }

    #[test]
    fn a_waypoint_that_was_passed_by_has_decided_nothing() {
        let applied = denial_ignored().applied;
        assert_eq!(stale(&Facts { config: Some("{}".into()), applied, ..bypassed() }), None);
        assert_eq!(stale(&Facts { config: None, ..denial_ignored() }), None);
    }
}
