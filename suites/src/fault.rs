//! Faults of a VirtualService are injected by the waypoint of the Service it is about.

use waymark_harness::prelude::*;

suite! {
    "fault", "VirtualService fault injection";
    abort_is_answered_by_waypoint, Extended, ["FLT-01"], "an abort fault is answered by the waypoint with the given status",
        killed_by = ["fault-off"];
    delay_holds_request_back, Extended, [], "a delay fault holds a request back for the given time",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection-Delay",
        killed_by = ["fault-off"];
}

async fn abort_is_answered_by_waypoint(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let chaos = to(&shop).when_header("x-user", "chaos").abort(418, 100.0);
    t.apply(virtual_service("abort").of(&shop).route(chaos).route(to(&shop))).await?;

    let aborted = status(418).and(body("fault filter abort")).and(passed(t.waypoint()));
    let aborted = aborted.and(because("fault_filter_abort"));
    client.get(shop.url("/")).header("x-user", "chaos").must(aborted).await?;

    let rest = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/")).must(rest).await
}

async fn delay_holds_request_back(t: &Ctx) -> Verdict {
    const DELAY: Duration = Duration::from_millis(700);
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let slow = to(&shop).when_header("x-user", "slow").delay(DELAY, 100.0);
    t.apply(virtual_service("delay").of(&shop).route(slow).route(to(&shop))).await?;

    let answered = || status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let late = answered().and(at_least(DELAY)).and(at_most(DELAY * 4));
    client.get(shop.url("/")).header("x-user", "slow").must(late).await?;
    client.get(shop.url("/")).must(answered().and(at_most(DELAY / 2))).await
}
