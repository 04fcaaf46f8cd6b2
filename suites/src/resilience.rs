//! A pod that fails is left out, and a pod that is busy is not overrun.

use waymark_harness::prelude::*;

suite! {
    "resilience", "Outlier detection and circuit breaking at the waypoint, DestinationRule";
    failing_pod_is_left_out_and_returns, Extended, ["DST-17"], "a pod that fails again and again gets no more requests for a while, and then gets some again",
        source = "https://istio.io/latest/docs/reference/config/networking/destination-rule/#OutlierDetection",
        killed_by = ["outlier-off"];
    overload_is_turned_away, Extended, ["DST-17"], "requests beyond what may be under way and wait are answered 503 by the waypoint, and none when the load is gone",
        source = "https://istio.io/latest/docs/tasks/traffic-management/circuit-breaking/", killed_by = ["breaker-off"];
}

async fn failing_pod_is_left_out_and_returns(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    // Without a preference for near pods, which would leave one out from the start.
    let picky = traffic_policy().any_locality().ejecting_after(2, Duration::from_secs(1));
    t.apply(destination_rule("picky").of(&shop).policy(picky)).await?;

    let spared = status(200).and(served_by(V2)).and(passed(t.waypoint()));
    client.get(shop.url("/?echo-v1-status=500")).count(8).must(spared).await?;

    let answered = status(200).and(passed(t.waypoint()));
    client.get(shop.url("/")).count(6).must_reach([V1, V2], answered).await
}

async fn overload_is_turned_away(t: &Ctx) -> Verdict {
    /// Envoy's body for a request beyond the bounds of its cluster.
    const OVERFLOW: &str =
        "upstream connect error or disconnect/reset before headers. reset reason: overflow";
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let narrow = traffic_policy().max_connections(1).max_pending_requests(1);
    t.apply(destination_rule("narrow").of(&shop).policy(narrow)).await?;

    let fine = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let turned_away = status(503).and(body(OVERFLOW)).and(passed(t.waypoint()));
    let load = client.get(shop.url("/?echo-delay-ms=400")).count(8).concurrency(8);
    load.must_split(status(200).and(passed(t.waypoint())), turned_away).await?;

    client.get(shop.url("/")).count(5).must(fine).await
}
