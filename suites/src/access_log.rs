//! Every request that a waypoint handles leaves one line in its access log; who sent it is in ztunnel's line.

use waymark_harness::prelude::*;

suite! {
    "access_log", "Access logs of waypoint and ztunnel";
    one_line_for_each_request, Core, ["TEL-08", "TEL-09"], "each request leaves one line with method, path, code, details and route",
        killed_by = ["log-off", "log-no-route"];
    answer_of_waypoint_is_logged, Core, ["TEL-08", "TEL-09"], "a request that the waypoint answers itself leaves one line that says why",
        killed_by = ["log-off", "log-no-details", "log-no-flags"];
    refused_request_is_logged, Core, ["TEL-08", "TEL-09"], "a request that a policy denies leaves one line that names the policy",
        source = "https://istio.io/latest/docs/ops/common-problems/security-issues/", denies = true, killed_by = ["log-no-details"];
    aborted_request_is_logged, Core, ["TEL-08", "TEL-09"], "a request that a fault aborts leaves one line with flag FI and the route's name",
        killed_by = ["log-no-flags", "log-no-details"];
    timed_out_request_is_logged, Core, ["TEL-08", "TEL-09"], "a request that is cut off leaves one line with flag UT",
        killed_by = ["log-no-flags", "log-no-details"];
    retried_request_is_logged_once, Core, ["TEL-08", "TEL-09"], "a request that fails after all retries leaves one line, with flag URX",
        killed_by = ["log-no-flags"];
    destination_is_logged, Core, ["TEL-08", "TEL-09"], "a line names the authority that was asked for and the Service that it stands for",
        killed_by = ["log-no-authority"];
    sizes_are_logged, Core, ["TEL-08", "TEL-09"], "a line tells the lengths of the bodies of request and response",
        killed_by = ["log-sizes-swapped"];
    client_identity_is_in_ztunnel_line, Core, ["TEL-08"], "ztunnel's line of a connection names the client's identity and the Service",
        killed_by = ["log-wrong-identity"];
    connection_is_logged_at_both_ends, Core, ["TEL-08"], "a connection without a waypoint leaves a line at either end, which names both identities",
        scopes = [Mesh], source = "https://istio.io/latest/docs/ambient/usage/verify-mtls-enabled/", killed_by = ["log-inbound-off", "log-wrong-identity"];
}

async fn one_line_for_each_request(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    // The header shows which answers the route gave: the Service answers 200 before the route has arrived, too.
    let logged =
        rule(path_prefix("/logged"), backend(shop.subset(V1))).set_response_header("x-logged", "yes");
    let route = t.apply(http_route("logged").attached_to(&shop).with(logged)).await?;
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let answered = answered.and(response_header("x-logged", "yes"));
    client.get(shop.url("/logged")).must(&answered).await?;

    let sent = client.get(shop.url("/logged/page?a=b")).count(5).once(answered).await?;
    t.must_log(&sent, AccessClaim::new("GET", "/logged/page?a=b", 200).by_rule(&route, 0)).await
}

async fn answer_of_waypoint_is_logged(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(http_route("only-known").attached_to(&shop).rule(path("/known"), shop.subset(V1))).await?;
    let refused = status(404).and(passed(t.waypoint()));
    client.post(shop.url("/unknown")).must(&refused).await?;

    let sent = client.post(shop.url("/unknown")).count(3).once(refused).await?;
    let claim = AccessClaim::new("POST", "/unknown", 404).because("route_not_found").flagged("NR");
    t.must_log(&sent, claim.by_no_route()).await
}

async fn refused_request_is_logged(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let policy = t.apply(deny("closed").attached_to(&shop).rule(request().path("/closed"))).await?;
    let refused = denied_by(Waypoint).and(passed(t.waypoint()));
    client.get(shop.url("/closed")).must(&refused).await?;

    let sent = client.get(shop.url("/closed")).count(3).once(refused).await?;
    t.must_log(&sent, AccessClaim::new("GET", "/closed", 403).because_of(&policy, 0)).await
}

async fn aborted_request_is_logged(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(virtual_service("abort").of(&shop).route(to(&shop).named("bad").abort(418, 100.0))).await?;
    let aborted = status(418).and(passed(t.waypoint()));
    client.get(shop.url("/a")).must(&aborted).await?;

    let sent = client.get(shop.url("/a")).count(3).once(aborted).await?;
    let claim = AccessClaim::new("GET", "/a", 418).because("fault_filter_abort").flagged("FI");
    t.must_log(&sent, claim.by_route("bad")).await
}

async fn timed_out_request_is_logged(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let hasty = to(&shop).named("hasty").timeout(Duration::from_millis(300));
    t.apply(virtual_service("hasty").of(&shop).route(hasty)).await?;
    let cut = status(504).and(passed(t.waypoint()));
    client.get(shop.url("/?echo-delay-ms=3000")).must(&cut).await?;

    let sent = client.get(shop.url("/?echo-delay-ms=3000")).count(3).concurrency(3).once(cut).await?;
    let claim = AccessClaim::new("GET", "/?echo-delay-ms=3000", 504).because("response_timeout");
    t.must_log(&sent, claim.flagged("UT").by_route("hasty")).await
}

async fn retried_request_is_logged_once(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(virtual_service("again").of(&shop).route(to(&shop).named("again").retries(2, "5xx"))).await?;
    let failed = status(500).and(passed(t.waypoint()));
    let fails = || client.get(shop.url("/?echo-status=500")).once(&failed);
    t.must_come_to_arrive(V1, 3, fails).await?;

    let sent = client.get(shop.url("/?echo-status=500")).count(3).once(failed).await?;
    let claim = AccessClaim::new("GET", "/?echo-status=500", 500).flagged("URX");
    t.must_log(&sent, claim.by_route("again")).await
}

async fn destination_is_logged(t: &Ctx) -> Verdict {
    let (shop, cart) = (t.service("shop", [V1]).await?, t.service("cart", [V1]).await?);
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));

    let sent = t.client(ClientA).get(shop.url("/")).count(3).once(&answered).await?;
    t.must_log(&sent, AccessClaim::new("GET", "/", 200).of(&shop)).await?;

    let sent = t.client(ClientA).get(cart.url("/")).count(3).once(answered).await?;
    t.must_log(&sent, AccessClaim::new("GET", "/", 200).of(&cart)).await
}

async fn sizes_are_logged(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;

    let whole = status(200).and(body("x".repeat(3000)));
    let probe = t.client(ClientA).post(shop.url("/?echo-size=3000")).body("x".repeat(1000));
    let sent = probe.count(3).once(whole).await?;

    t.must_log(&sent, AccessClaim::new("POST", "/?echo-size=3000", 200).bytes(1000, 3000)).await
}

async fn client_identity_is_in_ztunnel_line(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));

    let sent = t.client(ClientA).get(shop.url("/")).count(2).once(&answered).await?;
    t.must_connect_as_itself(&sent, &shop).await?;

    let sent = t.client(ClientB).get(shop.url("/")).count(2).once(answered).await?;
    t.must_connect_as_itself(&sent, &shop).await
}

async fn connection_is_logged_at_both_ends(t: &Ctx) -> Verdict {
    let plain = t.service_without_waypoint("plain", [V2]).await?;

    let straight = status(200).and(served_by(V2)).and(direct_l4());
    t.client(ClientA).get(plain.url("/")).count(3).must(&straight).await?;
    let sent = t.client(ClientA).get(plain.url("/")).count(3).once(straight).await?;

    t.must_log_both_ends(&sent, &plain, V2).await
}
