//! A request lasts no longer than its route allows, tries included.

use waymark_harness::prelude::*;

suite! {
    "timeouts", "Timeouts at the waypoint";
    slow_answer_is_cut_off, Extended, [], "a request that outlasts its HTTPRoute's timeout is answered 504 by the waypoint",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#httproutetimeouts", killed_by = ["timeout-off"];
    slow_backend_is_cut_off, Extended, [], "a request whose backend outlasts the HTTPRoute's backend timeout is answered 504 by the waypoint",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#httproutetimeouts", killed_by = ["timeout-off"];
    virtual_service_cuts_off, Extended, [], "a request that outlasts its VirtualService's timeout is answered 504 by the waypoint",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRoute-timeout",
        killed_by = ["timeout-off"];
    each_try_is_cut_off, Extended, [], "a try that outlasts the time of a try is cut off and made again",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRetry-per_try_timeout",
        killed_by = ["try-timeout-off"];
    timeout_ends_retries, Extended, [], "retries end when the timeout of their request does",
        source = "https://istio.io/latest/docs/concepts/traffic-management/#timeouts", killed_by = ["timeout-off"];
}

/// What is allowed; the slow answers take ten times as long.
const HASTE: Duration = Duration::from_millis(300);

async fn slow_answer_is_cut_off(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let hasty = rule(Matches::default(), backend(shop.subset(V1))).timeout("300ms");
    t.apply(http_route("hasty").attached_to(&shop).with(hasty)).await?;

    let cut = status(504).and(passed(t.waypoint())).and(because("response_timeout"));
    client.get(shop.url("/?echo-delay-ms=3000")).must(cut).await?;

    let soon = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/?echo-delay-ms=20")).must(soon).await
}

async fn slow_backend_is_cut_off(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let hasty = rule(Matches::default(), backend(shop.subset(V1))).timeout("20s").backend_timeout("300ms");
    t.apply(http_route("hasty").attached_to(&shop).with(hasty)).await?;

    let cut = status(504).and(passed(t.waypoint())).and(because("response_timeout"));
    client.get(shop.url("/?echo-delay-ms=3000")).must(cut).await?;

    let soon = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/?echo-delay-ms=20")).must(soon).await
}

async fn virtual_service_cuts_off(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    t.apply(virtual_service("hasty").of(&shop).route(to(&shop).timeout(HASTE))).await?;

    let cut = status(504).and(passed(t.waypoint())).and(because("response_timeout"));
    client.get(shop.url("/?echo-delay-ms=3000")).must(cut).await?;

    let soon = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/?echo-delay-ms=20")).must(soon).await
}

async fn each_try_is_cut_off(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let again = to(&shop).retries(2, "5xx").each_try_within(HASTE);
    t.apply(virtual_service("again").of(&shop).route(again)).await?;

    let cut = status(504).and(passed(t.waypoint())).and(because("upstream_per_try_timeout"));
    let hangs = || client.get(shop.url("/?echo-delay-ms=3000")).once(&cut);
    t.must_come_to_arrive(V1, 3, hangs).await
}

async fn timeout_ends_retries(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    // Eleven tries of 500 ms each would end in a 500.
    let again = to(&shop).retries(10, "5xx").timeout(HASTE * 4);
    t.apply(virtual_service("again").of(&shop).route(again)).await?;

    let cut = status(504).and(passed(t.waypoint())).and(because("response_timeout"));
    let slow = client.get(shop.url("/?echo-status=500&echo-delay-ms=500"));
    slow.within(Duration::from_secs(15)).must(cut).await?;

    let fine = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/")).must(fine).await
}
