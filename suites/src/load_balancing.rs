//! How a waypoint shares requests between the pods of one Service.

use waymark_harness::prelude::*;

suite! {
    "load_balancing", "Load balancing at the waypoint, DestinationRule";
    every_pod_gets_requests, Extended, ["DST-11"], "without a DestinationRule every pod of a Service gets requests",
        source = "https://istio.io/latest/docs/concepts/traffic-management/#load-balancing-options",
        killed_by = ["one-pod-only"];
    round_robin_is_fair, Extended, [], "under round robin every pod gets the same share of requests",
        source = "https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-SimpleLB",
        killed_by = ["one-pod-only"];
    slow_pod_gets_fewer, Extended, [], "under least request a pod that answers slowly gets fewer requests",
        source = "https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-SimpleLB",
        killed_by = ["balance-random"];
    header_keeps_to_pod, Extended, ["DST-10"], "under consistent hash by header the same value reaches the same pod",
        needs = [IstioFrom(1, 31)],
        source = "https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-ConsistentHashLB",
        killed_by = ["hash-off"];
    header_keeps_to_pod_by_route, Extended, ["DST-10"], "under consistent hash by header a Service with a route keeps each value at one pod, too",
        needs = [IstioFrom(1, 31)],
        source = "https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-ConsistentHashLB",
        killed_by = ["hash-off"];
    query_keeps_to_pod, Extended, ["DST-09"], "under consistent hash by query parameter the same value reaches the same pod",
        needs = [IstioFrom(1, 31)],
        source = "https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-ConsistentHashLB",
        killed_by = ["hash-off"];
    cookie_keeps_to_pod, Extended, ["DST-12"], "under consistent hash by cookie the same cookie reaches the same pod",
        needs = [IstioFrom(1, 31)],
        source = "https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-ConsistentHashLB",
        killed_by = ["hash-off"];
}

async fn every_pod_gets_requests(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2, V3]).await?;

    let answered = status(200).and(passed(t.waypoint()));
    t.client(ClientA).get(shop.url("/")).reaches([V1, V2, V3], answered).await
}

async fn round_robin_is_fair(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    t.apply(destination_rule("turns").of(&shop).policy(traffic_policy().round_robin())).await?;
    // The route comes after the rule, so that its header shows that both have arrived.
    let all = rule(Matches::default(), backend(&shop)).set_response_header("x-turns", "yes");
    t.apply(http_route("turns").attached_to(&shop).with(all)).await?;

    let answered = status(200).and(passed(t.waypoint())).and(response_header("x-turns", "yes"));
    client.get(shop.url("/")).must(&answered).await?;
    client.get(shop.url("/")).shared_by(&[(V1, 50), (V2, 50)], answered).await
}

async fn slow_pod_gets_fewer(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;

    t.apply(destination_rule("least").of(&shop).policy(traffic_policy().least_request())).await?;

    let answered = status(200).and(passed(t.waypoint()));
    t.client(ClientA).get(shop.url("/?echo-v1-delay-ms=300")).must_prefer(V2, answered).await
}

async fn header_keeps_to_pod(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;

    t.apply(destination_rule("sticky").of(&shop).policy(traffic_policy().hash_header("x-user"))).await?;

    let answered = status(200).and(passed(t.waypoint()));
    let request = t.client(ClientA).get(shop.url("/"));
    request.must_stick(|request, user| request.header("x-user", user), [V1, V2], answered).await
}

async fn header_keeps_to_pod_by_route(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;

    t.apply(destination_rule("sticky").of(&shop).policy(traffic_policy().hash_header("x-user"))).await?;
    let all = rule(Matches::default(), backend(&shop)).set_response_header("x-routed", "yes");
    t.apply(http_route("routed").attached_to(&shop).with(all)).await?;

    let answered = status(200).and(passed(t.waypoint())).and(response_header("x-routed", "yes"));
    let request = t.client(ClientA).get(shop.url("/"));
    request.must_stick(|request, user| request.header("x-user", user), [V1, V2], answered).await
}

async fn query_keeps_to_pod(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;

    t.apply(destination_rule("sticky").of(&shop).policy(traffic_policy().hash_query("user"))).await?;

    let answered = status(200).and(passed(t.waypoint()));
    let request = t.client(ClientA).get(shop.url("/"));
    request.must_stick(|request, user| request.query("user", user), [V1, V2], answered).await
}

async fn cookie_keeps_to_pod(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;

    let sticky = traffic_policy().hash_cookie("user", Duration::from_secs(600));
    t.apply(destination_rule("sticky").of(&shop).policy(sticky)).await?;

    let answered = status(200).and(passed(t.waypoint()));
    let request = t.client(ClientA).get(shop.url("/"));
    request.must_stick(|request, user| request.cookie("user", user), [V1, V2], answered).await
}
