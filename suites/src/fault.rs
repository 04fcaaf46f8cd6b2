//! Faults of a VirtualService are injected by the waypoint of the Service it is about.

use waymark_harness::prelude::*;

suite! {
    "fault", "VirtualService fault injection";
    abort_is_answered_by_waypoint, Extended, ["FLT-01"], "an abort fault is answered by the waypoint with the given status, and no backend sees the request",
        killed_by = ["fault-off", "fault-status-500", "fault-leak"];
    delay_holds_request_back, Extended, [], "a delay fault holds a request back for the given time",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection-Delay",
        killed_by = ["fault-off", "fault-delay-off"];
    delay_and_abort_go_together, Extended, [], "a delay and an abort of one route are injected both, one after the other",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection",
        killed_by = ["fault-one-at-a-time", "fault-delay-off"];
    abort_percentage_is_kept, Extended, [], "an abort fault meets the given share of requests",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection-Abort",
        killed_by = ["fault-always"];
    abort_of_no_request_aborts_none, Extended, [], "an abort fault of no percent meets no request",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection-Abort",
        killed_by = ["fault-always"];
    abort_is_not_tried_again, Extended, [], "a request that a fault aborts is not tried again, whatever the route says of retries",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRoute",
        killed_by = ["fault-always", "fault-off"];
    delay_is_not_cut_off, Extended, [], "a delay fault that is longer than its route's timeout is not cut off by it",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRoute",
        killed_by = ["fault-delay-off", "timeout-off"];
    fault_stays_in_its_route, Extended, ["FLT-01"], "a fault of one route does not touch the other routes of its VirtualService",
        killed_by = ["fault-leak"];
    fault_leaves_other_service_alone, Extended, ["FLT-01"], "a fault at one Service does not touch another behind the same waypoint",
        killed_by = ["fault-off"];
    fault_ends_with_virtual_service, Extended, [], "after its VirtualService is deleted a fault is no longer injected",
        source = "https://istio.io/latest/docs/tasks/traffic-management/fault-injection/",
        killed_by = ["fault-off"];
}

/// What a request gets that a fault aborted with this status.
fn aborted(t: &Ctx, code: u16) -> Expectation {
    let aborted = status(code).and(body("fault filter abort")).and(passed(t.waypoint()));
    aborted.and(because("fault_filter_abort"))
}

/// What a request gets that no fault aborted.
fn spared(t: &Ctx) -> Expectation {
    status(200).and(served_by(V1)).and(passed(t.waypoint()))
}

async fn abort_is_answered_by_waypoint(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let chaos = to(&shop).when_header("x-user", "chaos").abort(418, 100.0);
    t.apply(virtual_service("abort").of(&shop).route(chaos).route(to(&shop))).await?;

    let chaos = || client.get(shop.url("/")).header("x-user", "chaos");
    chaos().must(aborted(t, 418)).await?;
    let sent = chaos().count(3).once(aborted(t, 418)).await?;
    t.must_arrive(V1, &sent, 0).await?;
    client.get(shop.url("/")).must(spared(t)).await
}

async fn delay_holds_request_back(t: &Ctx) -> Verdict {
    const DELAY: Duration = Duration::from_millis(700);
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let slow = to(&shop).when_header("x-user", "slow").delay(DELAY, 100.0);
    t.apply(virtual_service("delay").of(&shop).route(slow).route(to(&shop))).await?;

    let late = spared(t).and(at_least(DELAY)).and(at_most(DELAY * 4));
    client.get(shop.url("/")).header("x-user", "slow").must(late).await?;
    client.get(shop.url("/")).must(spared(t).and(at_most(DELAY / 2))).await
}

async fn delay_and_abort_go_together(t: &Ctx) -> Verdict {
    const DELAY: Duration = Duration::from_millis(600);
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let both = to(&shop).when_header("x-user", "chaos").delay(DELAY, 100.0).abort(418, 100.0);
    t.apply(virtual_service("both").of(&shop).route(both).route(to(&shop))).await?;

    let late = aborted(t, 418).and(at_least(DELAY));
    client.get(shop.url("/")).header("x-user", "chaos").must(late).await?;
    client.get(shop.url("/")).must(spared(t)).await
}

async fn abort_percentage_is_kept(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    // The other route shows when this VirtualService has arrived, so that no answer from before it is counted.
    let marker = answer(451, "arrived").when_path("/marker");
    let share = to(&shop).abort(503, 30.0);
    t.apply(virtual_service("share").of(&shop).route(marker).route(share)).await?;

    client.get(shop.url("/marker")).must(status(451).and(passed(t.waypoint()))).await?;
    client.get(shop.url("/")).kept().statuses_shared_by(&[(503, 30), (200, 70)], passed(t.waypoint())).await
}

async fn abort_of_no_request_aborts_none(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let none = to(&shop).abort(503, 0.0).set_response_header("x-spared", "yes");
    t.apply(virtual_service("none").of(&shop).route(none)).await?;

    let through = spared(t).and(response_header("x-spared", "yes"));
    client.get(shop.url("/")).must(&through).await?;
    client.get(shop.url("/")).count(30).kept().once(through).await?;
    Ok(())
}

async fn abort_is_not_tried_again(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    // If aborts were tried again, three times each, one request of sixteen would fail, and not one of two.
    let marker = answer(451, "arrived").when_path("/marker");
    let half = to(&shop).abort(503, 50.0).retries(3, "5xx");
    t.apply(virtual_service("half").of(&shop).route(marker).route(half)).await?;

    client.get(shop.url("/marker")).must(status(451).and(passed(t.waypoint()))).await?;
    client.get(shop.url("/")).kept().statuses_shared_by(&[(503, 50), (200, 50)], passed(t.waypoint())).await
}

async fn delay_is_not_cut_off(t: &Ctx) -> Verdict {
    const DELAY: Duration = Duration::from_millis(1600);
    const BUDGET: Duration = Duration::from_millis(1000);
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let slow = to(&shop).when_header("x-user", "slow").delay(DELAY, 100.0).timeout(BUDGET);
    t.apply(virtual_service("delay").of(&shop).route(slow).route(to(&shop).timeout(BUDGET))).await?;

    client.get(shop.url("/")).header("x-user", "slow").must(spared(t).and(at_least(DELAY))).await?;
    let cut = status(504).and(passed(t.waypoint())).and(because("response_timeout"));
    client.get(shop.url("/?echo-delay-ms=4000")).must(cut).await
}

async fn fault_stays_in_its_route(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let broken = to(&shop).when_path("/broken").abort(418, 100.0);
    let sound = to(&shop).when_path("/sound").set_response_header("x-route", "sound");
    t.apply(virtual_service("routes").of(&shop).route(broken).route(sound).route(to(&shop))).await?;

    client.get(shop.url("/broken")).must(aborted(t, 418)).await?;
    client.get(shop.url("/sound")).must(spared(t).and(response_header("x-route", "sound"))).await?;
    client.get(shop.url("/other")).must(spared(t)).await?;
    client.get(shop.url("/sound")).must_never(status(418)).await
}

async fn fault_leaves_other_service_alone(t: &Ctx) -> Verdict {
    let faulty = t.service("faulty", [V1]).await?;
    let sound = t.service("sound", [V1]).await?;
    let client = t.client(ClientA);

    t.apply(virtual_service("faulty").of(&faulty).route(to(&faulty).abort(418, 100.0))).await?;

    client.get(faulty.url("/")).must(aborted(t, 418)).await?;
    client.get(sound.url("/")).must(spared(t)).await?;
    client.get(sound.url("/")).must_never(status(418)).await
}

async fn fault_ends_with_virtual_service(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let faults = virtual_service("faults").of(&shop).route(to(&shop).abort(418, 100.0));
    let faults = t.apply(faults).await?;
    client.get(shop.url("/")).must(aborted(t, 418)).await?;

    t.delete(&faults).await?;
    client.get(shop.url("/")).must(spared(t)).await?;
    client.get(shop.url("/")).must_never(status(418)).await
}
