//! Each claim holds here once and fails once.

use rstest::rstest;
use waymark_echo::api::{ECHO_MARK, Messages, Outcome, Timings};

use super::*;
use crate::expect::{Checked, Sight};

fn echo() -> EchoReport {
    let report = serde_json::json!({
        "echo": ECHO_MARK, "pod": "p", "namespace": "n", "node": "o", "service_account": "echo", "version": "v1",
        "hostname": "p", "port": 8080, "method": "POST", "path": "/", "query": null, "authority": "shop",
        "headers": [], "protocol": "HTTP/2.0", "peer": "10.1.0.7:4000",
        "body": BodySeen { spread_us: 5_000, ..BodySeen::of(b"abc") },
    });
    serde_json::from_value(report).unwrap()
}

fn exchange() -> Exchange {
    let pairs = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let response = Response {
        status: 200,
        protocol: "HTTP/2.0".into(),
        headers: Vec::new(),
        echo: Some(Box::new(echo())),
        body: String::new(),
        body_length: 3,
        sha256: Some(BodySeen::of(b"xxx").sha256),
        trailers: vec![pairs("grpc-status", "7"), pairs("grpc-message", "no"), pairs("x-sum", "1")],
        messages: Some(Messages { sent: 1, received: 4, alike: true }),
    };
    let timings = Timings { first_byte_us: Some(1_000), total_us: 6_000, ..Timings::default() };
    let outcome = Outcome::Response(response);
    Exchange { index: 0, dialled: None, local: None, reused: false, timings, outcome }
}

fn met(claim: &Expectation, exchange: &Exchange) -> bool {
    claim.check(exchange, &Sight::default()).unwrap() == Checked::Met
}

#[rstest]
#[case(grpc_status(7), grpc_status(0))]
#[case(grpc_message("no"), grpc_message("yes"))]
#[case(trailer("x-sum", "1"), trailer("x-sum", "2"))]
#[case(trailer("x-sum", "1"), trailer("x-product", "1"))]
#[case(messages(1, 4), messages(4, 4))]
#[case(heard_as("HTTP/2.0"), heard_as("HTTP/1.1"))]
#[case(crate::expect::host_seen("shop"), crate::expect::host_seen("cart"))]
#[case(body_arrives(3), body_arrives(4))]
#[case(body_returns(3), body_returns(2))]
#[case(body_trickles(Duration::from_millis(5)), body_trickles(Duration::from_millis(6)))]
#[case(answer_trickles(Duration::from_millis(5)), answer_trickles(Duration::from_millis(6)))]
#[case(ended_in_order("abc"), ended_in_order("abd"))]
fn fails_when_it_should(#[case] right: Expectation, #[case] wrong: Expectation) {
    assert!(met(&right, &exchange()), "{:?}", right.check(&exchange(), &Sight::default()));
    assert!(!met(&wrong, &exchange()));
}

#[test]
fn what_came_back_must_be_alike() {
    let mut other = exchange();
    assert!(met(&echoed(), &other));
    let Outcome::Response(response) = &mut other.outcome else { unreachable!() };
    response.messages = Some(Messages { sent: 1, received: 4, alike: false });
    assert!(!met(&echoed(), &other));
}

#[test]
fn a_head_that_is_all_tells_the_status() {
    let mut only_head = exchange();
    let Outcome::Response(response) = &mut only_head.outcome else { unreachable!() };
    response.headers = std::mem::take(&mut response.trailers);
    assert!(met(&grpc_status(7), &only_head));
    assert!(!met(&trailer("x-sum", "1"), &only_head), "a header is no trailer");
}

#[test]
fn claims_and_answers_are_told_alike() {
    let claim = grpc_status(0).and(echoed()).and(body_arrives(9));
    let Checked::Unmet(unmet) = claim.check(&exchange(), &Sight::default()).unwrap() else { panic!("unmet") };
    assert_eq!(unmet.want, "gRPC status: 0\nwhat came back: alike\nbody at the backend: 9 bytes, unharmed");
    assert_eq!(
        unmet.got,
        "gRPC status: 7\nwhat came back: alike\nbody at the backend: 3 bytes, not as it was sent"
    );
}
