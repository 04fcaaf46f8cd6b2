//! A waypoint counts and measures the requests that it handles, a ztunnel its connections.

use waymark_harness::prelude::*;

suite! {
    "metrics", "Metrics of waypoint and ztunnel";
    requests_total_rises_by_requests, Core, ["TEL-01"], "istio_requests_total rises by the number of requests, under the client's identity and the Service",
        killed_by = ["count-twice", "label-no-principal", "label-no-service"];
    denied_requests_are_counted, Core, ["TEL-01"], "a request that the waypoint denies is counted under its status",
        denies = true, killed_by = ["count-denied-never"];
    aborted_requests_are_counted, Core, ["TEL-01"], "a request that a fault aborts is counted once under its status and flag FI",
        source = "https://istio.io/latest/docs/reference/config/metrics/", killed_by = ["label-no-flags"];
    timed_out_requests_are_counted, Core, ["TEL-01"], "a request that is cut off is counted once under 504 and flag UT",
        source = "https://istio.io/latest/docs/reference/config/metrics/", killed_by = ["count-errors-never", "label-no-flags"];
    retried_requests_are_counted_once, Core, ["TEL-01"], "a request that fails after all retries is counted once, under flag URX",
        source = "https://istio.io/latest/docs/reference/config/metrics/", killed_by = ["count-errors-never", "label-no-flags"];
    clients_are_counted_apart, Core, ["TEL-01"], "requests of two clients to one Service are counted apart",
        killed_by = ["label-no-principal"];
    services_are_counted_apart, Core, ["TEL-01"], "requests to two Services over the same pods are counted apart",
        killed_by = ["label-no-service"];
    durations_are_measured, Core, [], "istio_request_duration_milliseconds measures each request, by how long it took",
        source = "https://istio.io/latest/docs/reference/config/metrics/", killed_by = ["durations-off"];
    sizes_are_measured, Core, [], "istio_request_bytes and istio_response_bytes measure the bodies of request and response",
        source = "https://istio.io/latest/docs/reference/config/metrics/", killed_by = ["sizes-swapped"];
    connections_are_counted_at_both_ends, Core, ["TEL-03"], "ztunnels count a connection once at either end, under both identities, with its bytes",
        scopes = [Mesh], killed_by = ["tcp-count-twice"];
    labels_name_both_workloads, Core, ["TEL-01", "TEL-09"], "istio_requests_total names workload, account and revision of both ends",
        needs = [RealPart("envoy-istio-extensions")], killed_by = ["label-no-service"];
}

async fn requests_total_rises_by_requests(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let before = t.count(Requests, &shop).await?;

    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    t.client(ClientA).get(shop.url("/counted")).count(7).once(answered).await?;

    let http = answers(200).of(ClientA).labelled("request_protocol", "http");
    let named = http.labelled("destination_service_name", shop.whole().name());
    t.must_rise(&before, 7, named.labelled("connection_security_policy", "mutual_tls")).await
}

async fn denied_requests_are_counted(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    client.get(shop.url("/closed")).must(status(200).and(passed(t.waypoint()))).await?;

    t.apply(deny("closed").attached_to(&shop).rule(request().path("/closed"))).await?;
    let refused = denied_by(Waypoint).and(passed(t.waypoint()));
    client.get(shop.url("/closed")).must(&refused).await?;

    let before = t.count(Requests, &shop).await?;
    client.get(shop.url("/closed")).count(4).once(refused).await?;
    t.must_rise(&before, 4, answers(403).of(ClientA)).await
}

async fn aborted_requests_are_counted(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(virtual_service("abort").of(&shop).route(to(&shop).when_path_prefix("/bad").abort(418, 100.0)))
        .await?;
    let aborted = status(418).and(passed(t.waypoint()));
    client.get(shop.url("/bad")).must(&aborted).await?;

    let before = t.count(Requests, &shop).await?;
    client.get(shop.url("/bad")).count(4).once(aborted).await?;
    t.must_rise(&before, 4, answers(418).of(ClientA).flagged("FI")).await
}

async fn timed_out_requests_are_counted(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let hasty = rule(Matches::default(), backend(shop.subset(V1))).timeout("300ms");
    t.apply(http_route("hasty").attached_to(&shop).with(hasty)).await?;
    let cut = status(504).and(passed(t.waypoint()));
    client.get(shop.url("/?echo-delay-ms=3000")).must(&cut).await?;

    let before = t.count(Requests, &shop).await?;
    client.get(shop.url("/?echo-delay-ms=3000")).count(3).concurrency(3).once(cut).await?;
    t.must_rise(&before, 3, answers(504).of(ClientA).flagged("UT")).await
}

async fn retried_requests_are_counted_once(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(virtual_service("again").of(&shop).route(to(&shop).retries(2, "5xx"))).await?;
    let failed = status(500).and(passed(t.waypoint()));
    let fails = || client.get(shop.url("/?echo-status=500")).once(&failed);
    t.must_come_to_arrive(V1, 3, fails).await?;

    let before = t.count(Requests, &shop).await?;
    client.get(shop.url("/?echo-status=500")).count(4).once(failed).await?;
    t.must_rise(&before, 4, answers(500).of(ClientA).flagged("URX")).await
}

async fn clients_are_counted_apart(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));

    let before = t.count(Requests, &shop).await?;
    t.client(ClientA).get(shop.url("/")).count(3).once(&answered).await?;
    t.must_rise(&before, 3, answers(200).of(ClientA)).await?;

    let before = t.count(Requests, &shop).await?;
    t.client(ClientB).get(shop.url("/")).count(5).once(answered).await?;
    t.must_rise(&before, 5, answers(200).of(ClientB)).await
}

async fn services_are_counted_apart(t: &Ctx) -> Verdict {
    let (shop, cart) = (t.service("shop", [V1]).await?, t.service("cart", [V1]).await?);
    let client = t.client(ClientA);
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let (of_shop, of_cart) = (t.count(Requests, &shop).await?, t.count(Requests, &cart).await?);

    client.get(shop.url("/")).count(3).once(&answered).await?;
    client.get(cart.url("/")).count(5).once(answered).await?;

    t.must_rise(&of_shop, 3, answers(200).of(ClientA)).await?;
    t.must_rise(&of_cart, 5, answers(200).of(ClientA)).await
}

async fn durations_are_measured(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let before = t.count(Durations, &shop).await?;

    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    t.client(ClientA).get(shop.url("/?echo-delay-ms=300")).count(3).concurrency(3).once(answered).await?;

    t.must_measure(&before, 3, answers(200).of(ClientA), 300..10_000).await
}

async fn sizes_are_measured(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let (requests, responses) = (t.count(RequestBytes, &shop).await?, t.count(ResponseBytes, &shop).await?);

    let body = "x".repeat(20_000);
    t.client(ClientA).post(shop.url("/?echo-size=60000")).body(body).count(3).once(status(200)).await?;

    // Istio's Envoy adds the headers.
    t.must_measure(&requests, 3, answers(200).of(ClientA), 20_000..24_000).await?;
    t.must_measure(&responses, 3, answers(200).of(ClientA), 60_000..64_000).await
}

async fn connections_are_counted_at_both_ends(t: &Ctx) -> Verdict {
    let plain = t.service_without_waypoint("plain", [V2]).await?;

    let whole = status(200).and(body("x".repeat(3000)));
    t.client(ClientA).get(plain.url("/?echo-size=3000")).count(3).must(&whole).await?;
    let sent = t.client(ClientA).get(plain.url("/?echo-size=3000")).count(3).once(whole).await?;

    t.must_count_connections(&sent, &plain, V2, 300).await
}

async fn labels_name_both_workloads(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let before = t.count(Requests, &shop).await?;
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    t.client(ClientA).get(shop.url("/")).count(3).once(answered).await?;

    let source = answers(200).of(ClientA).labelled("source_workload", "client-a");
    let source = source.labelled("source_app", "client-a").labelled("source_canonical_service", "client-a");
    let both = source.labelled("destination_workload", "echo-v1").labelled("destination_version", "v1");
    let both = both.labelled("destination_app", "echo").labelled("destination_canonical_service", "echo");
    t.must_rise(&before, 3, both.labelled("destination_principal", &shop.identity(V1))).await
}
