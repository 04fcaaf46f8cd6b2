//! Each expectation fails here at least once.

use std::net::{IpAddr, SocketAddr};

use rstest::rstest;
use waymark_echo::api::{
    BodySeen, ECHO_MARK, EchoReport, ErrorClass, Exchange, Outcome, Phase, Response, SendError, Timings,
};

use super::*;
use crate::observe::access_log::AccessLine;

const CLIENT: &str = "10.1.0.9";
const WAYPOINT: &str = "10.1.0.7";

fn waypoint() -> WaypointId {
    WaypointId { namespace: "wm-1-ns".into(), name: "waypoint".into() }
}

fn sight() -> Sight {
    Sight {
        waypoints: [(waypoint(), vec![ip(WAYPOINT)])].into(),
        client: vec![ip(CLIENT)],
        lines: Some([(waypoint(), vec![])].into()),
    }
}

fn seen(details: &str) -> Sight {
    let line = format!(
        "[2026-08-27T09:10:11.123Z] \"GET / HTTP/1.1\" 403 - {details} - \"-\" 0 0 3 - \"-\" \"waymark/x-1\" \"f2\" \"h\" \
         \"-\" - - 10.96.3.4:80 10.1.9.9:41234 - default"
    );
    Sight { lines: Some([(waypoint(), vec![AccessLine::parse(&line).unwrap()])].into()), ..sight() }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn exchange(outcome: Outcome) -> Exchange {
    let timings = Timings { total_us: 5_000, ..Timings::default() };
    Exchange { index: 0, dialled: None, local: None, reused: false, timings, outcome }
}

fn plain(status: u16, body: &str) -> Exchange {
    exchange(Outcome::Response(Response {
        status,
        protocol: "HTTP/1.1".into(),
        headers: vec![("x-answer".into(), "42".into())],
        echo: None,
        body: body.into(),
        body_length: body.len() as u64,
        sha256: None,
        trailers: Vec::new(),
        messages: None,
    }))
}

fn error(class: ErrorClass) -> Exchange {
    exchange(Outcome::Error(SendError { class, phase: Phase::Head, detail: "gone".into(), status: None }))
}

fn echoed(backend: Backend, peer: &str) -> Exchange {
    let mut answered = plain(200, "");
    let Outcome::Response(response) = &mut answered.outcome else { unreachable!() };
    response.echo = Some(Box::new(EchoReport {
        echo: ECHO_MARK.into(),
        pod: "echo-1".into(),
        namespace: "wm-1-ns".into(),
        node: "node-1".into(),
        service_account: backend.account().into(),
        version: backend.version().into(),
        hostname: "echo-1".into(),
        port: 8080,
        method: "GET".into(),
        path: "/".into(),
        query: None,
        authority: None,
        headers: vec![("x-user".into(), "canary".into())],
        protocol: "HTTP/1.1".into(),
        peer: SocketAddr::new(ip(peer), 4000),
        body: BodySeen::of(b""),
    }));
    answered
}

fn met(expectation: &Expectation, exchange: &Exchange, sight: &Sight) -> bool {
    expectation.check(exchange, sight).unwrap() == Checked::Met
}

#[rstest]
#[case::status(status(200), echoed(Backend::V1, WAYPOINT), plain(503, "no healthy upstream"))]
#[case::status_of_nothing(status(200), plain(200, ""), error(ErrorClass::Reset))]
#[case::version(served_by(Backend::V2), echoed(Backend::V2, WAYPOINT), echoed(Backend::V1, WAYPOINT))]
#[case::account(served_by(Backend::V1), echoed(Backend::V1, WAYPOINT), echoed(Backend::Other, WAYPOINT))]
#[case::no_backend(served_by(Backend::V1), echoed(Backend::V1, CLIENT), plain(200, ""))]
#[case::passed(passed(&waypoint()), echoed(Backend::V1, WAYPOINT), echoed(Backend::V1, CLIENT))]
#[case::not_passed(not_passed(&waypoint()), echoed(Backend::V1, CLIENT), echoed(Backend::V1, WAYPOINT))]
#[case::not_passed_needs_an_answer(not_passed(&waypoint()), echoed(Backend::V1, CLIENT), plain(404, ""))]
#[case::direct(direct_l4(), echoed(Backend::V1, CLIENT), echoed(Backend::V1, WAYPOINT))]
#[case::direct_needs_a_backend(direct_l4(), echoed(Backend::V1, CLIENT), error(ErrorClass::Timeout))]
#[case::denied_by_waypoint(
    denied_by(Hop::Waypoint),
    plain(403, "RBAC: access denied"),
    plain(403, "go away")
)]
#[case::denial_is_no_answer(
    denied_by(Hop::Waypoint),
    plain(403, "RBAC: access denied"),
    echoed(Backend::V1, WAYPOINT)
)]
#[case::denial_is_no_reset(
    denied_by(Hop::Waypoint),
    plain(403, "RBAC: access denied"),
    error(ErrorClass::Reset)
)]
#[case::denied_by_ztunnel(denied_by(Hop::Ztunnel), error(ErrorClass::Reset), error(ErrorClass::Timeout))]
#[case::denied_in_handshake(denied_by(Hop::Handshake), error(ErrorClass::Tls), error(ErrorClass::Timeout))]
#[case::denied_by_ztunnel_401(denied_by(Hop::Ztunnel), plain(401, ""), plain(403, "RBAC: access denied"))]
#[case::in_time(in_time(), error(ErrorClass::Reset), error(ErrorClass::Timeout))]
#[case::in_time_to_connect(in_time(), plain(503, ""), error(ErrorClass::ConnectTimeout))]
#[case::body(body("hello"), plain(200, "hello"), plain(200, "hello!"))]
#[case::response_header(response_header("x-answer", "42"), plain(200, ""), error(ErrorClass::Eof))]
#[case::request_header(request_header("x-user", "canary"), echoed(Backend::V1, CLIENT), plain(200, ""))]
fn fails_when_it_should(#[case] claim: Expectation, #[case] right: Exchange, #[case] wrong: Exchange) {
    assert!(met(&claim, &right, &sight()), "{:?}", claim.check(&right, &sight()));
    assert!(!met(&claim, &wrong, &sight()));
}

#[rstest]
#[case::other_value(response_header("x-answer", "43"), false)]
#[case::absent_but_there(no_response_header("x-answer"), false)]
#[case::absent(no_response_header("x-question"), true)]
#[case::seen_by_backend(no_request_header("x-user"), false)]
#[case::unseen_by_backend(no_request_header("x-nobody"), true)]
#[case::path_at_backend(request_header(":path", "/"), true)]
#[case::other_path_at_backend(request_header(":path", "/?a=b"), false)]
#[case::no_authority_at_backend(no_request_header(":authority"), true)]
#[case::long_enough(at_least(Duration::from_millis(5)), true)]
#[case::too_short(at_least(Duration::from_millis(6)), false)]
#[case::short_enough(at_most(Duration::from_millis(5)), true)]
#[case::too_long(at_most(Duration::from_millis(4)), false)]
fn headers_and_times(#[case] claim: Expectation, #[case] holds: bool) {
    assert_eq!(met(&claim, &echoed(Backend::V1, CLIENT), &sight()), holds);
}

#[rstest]
#[case::this_path(path_seen("/a"), true)]
#[case::another_path(path_seen("/"), false)]
#[case::this_host(host_seen("shop"), true)]
#[case::another_host(host_seen("cart"), false)]
#[case::another_backend(not_served_by(Backend::V2), true)]
#[case::this_backend(not_served_by(Backend::V1), false)]
#[case::all_values(request_header("X-Many", "a,b"), true)]
#[case::one_of_two_values(request_header("x-many", "a"), false)]
fn what_the_backend_saw(#[case] claim: Expectation, #[case] holds: bool) {
    let mut exchange = echoed(Backend::V1, CLIENT);
    let Outcome::Response(response) = &mut exchange.outcome else { unreachable!() };
    let echo = response.echo.as_mut().unwrap();
    (echo.path, echo.authority) = ("/a".into(), Some("shop".into()));
    echo.headers = ["a", "b"].map(|value| ("x-many".to_owned(), value.to_owned())).into();
    assert_eq!(met(&claim, &exchange, &sight()), holds);
    assert!(!met(&claim, &plain(200, ""), &sight()), "nobody saw anything");
}

#[rstest]
#[case::the_very_reason("rbac_access_denied_matched_policy[none]", true)]
#[case::a_beginning("rbac_access_denied_matched_policy[", true)]
#[case::a_beginning_without_a_mark("rbac_access_denied", false)]
#[case::another("route_not_found", false)]
fn reasons_come_from_the_log(#[case] want: &str, #[case] holds: bool) {
    let denied = plain(403, "RBAC: access denied");
    assert_eq!(met(&because(want), &denied, &seen("rbac_access_denied_matched_policy[none]")), holds);
    assert!(!met(&because(want), &denied, &sight()), "no line, no reason");
}

#[test]
fn a_waypoint_that_answers_itself_is_known_by_its_log() {
    let claim = status(404).and(passed(&waypoint()));
    assert!(met(&claim, &plain(404, ""), &seen("route_not_found")));
    assert!(!met(&claim, &plain(404, ""), &sight()), "a 404 that no waypoint logged");
}

#[rstest]
#[case::log_not_read(passed(&waypoint()), plain(404, ""), Sight { lines: None, ..sight() })]
#[case::reason_without_log(because("x"), plain(404, ""), Sight { lines: None, ..sight() })]
#[case::waypoint_unknown(passed(&waypoint()), echoed(Backend::V1, WAYPOINT), Sight::default())]
#[case::waypoint_without_pods(not_passed(&waypoint()), echoed(Backend::V1, CLIENT), Sight::default())]
#[case::client_unknown(direct_l4(), echoed(Backend::V1, CLIENT), Sight::default())]
#[case::a_503_is_no_denial(denied_by(Hop::Ztunnel), plain(503, "upstream connect error"), sight())]
fn what_cannot_be_observed_is_broken(
    #[case] claim: Expectation,
    #[case] seen: Exchange,
    #[case] sight: Sight,
) {
    claim.check(&seen, &sight).unwrap_err();
}

#[test]
fn contradicting_claims_never_hold() {
    assert!(!met(&status(200).and(status(404)), &plain(200, ""), &sight()));
}

#[test]
fn want_and_got_pair_line_by_line() {
    let claim = status(200).and(served_by(Backend::V2)).and(passed(&waypoint()));
    let Checked::Unmet(unmet) = claim.check(&echoed(Backend::V1, CLIENT), &sight()).unwrap() else {
        panic!("unmet")
    };
    insta::assert_snapshot!(format!("{}\n--\n{}", unmet.want, unmet.got), @r"
    status: 200
    served by: echo/v2
    way: through waypoint wm-1-ns/waypoint
    --
    status: 200
    served by: echo/v1
    way: straight from the client
    ");
    assert_eq!(unmet.decided_by.as_deref(), Some("backend echo/v1, reached straight from the client"));
}

#[test]
fn claims_know_whom_they_are_about() {
    let parts = |claim: Expectation| claim.parts().collect::<Vec<_>>();
    assert_eq!(parts(status(200).and(passed(&waypoint()))), [Part::Envoy]);
    assert_eq!(parts(direct_l4().and(denied_by(Hop::Ztunnel))), [Part::Ztunnel, Part::Ztunnel]);
    assert_eq!(parts(status(200)), []);
}
