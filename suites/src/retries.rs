//! A request that fails is tried again as its route says, and else not; counted where the tries arrive.

use waymark_harness::prelude::*;

suite! {
    "retries", "Retries at the waypoint";
    failed_request_is_tried_again, Extended, ["RT-18"], "a request that fails is tried again as often as its VirtualService says",
        killed_by = ["retries-off"];
    other_status_is_not_tried_again, Extended, [], "an answer that no condition of the VirtualService names is not asked for again",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRetry",
        killed_by = ["retry-any-status"];
    listed_status_is_tried_again, Extended, [], "of all answers, only those with a status that the VirtualService lists are asked for again",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRetry-retry_on",
        killed_by = ["retry-no-codes"];
    other_pod_is_tried, Extended, [], "a try goes to a pod that has not failed the request before",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRetry-retry_ignore_previous_hosts",
        killed_by = ["retry-same-pod"];
    post_is_tried_again, Observed, ["RT-18"], "a POST that fails is tried again like any request, with its body",
        killed_by = ["retry-get-only"];
    unavailable_is_tried_twice_more, Extended, ["DST-16"], "without a route, an answer that says unavailable is asked for two times more",
        needs = [IstioFrom(1, 31)],
        source = "https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-default_http_retry_policy",
        killed_by = ["retries-off"];
    server_error_is_not_tried_unasked, Extended, ["DST-16"], "without a route, a 500 of the backend is not asked for again",
        source = "https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-default_http_retry_policy",
        killed_by = ["retry-any-status"];
    no_attempts_are_no_retries, Extended, ["DST-16"], "a VirtualService of no attempts keeps the mesh from trying again",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRetry-attempts",
        killed_by = ["retry-unasked"];
}

/// An answer that says unavailable as gRPC does; Istio's default policy has it tried again.
const UNAVAILABLE: &str = "/?echo-header=grpc-status:14";

async fn failed_request_is_tried_again(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    t.apply(virtual_service("again").of(&shop).route(to(&shop).retries(3, "5xx"))).await?;

    let failed = status(500).and(passed(t.waypoint()));
    let fails = || client.get(shop.url("/?echo-status=500")).once(&failed);
    t.must_come_to_arrive(V1, 4, fails).await?;

    let fine = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let sent = client.get(shop.url("/")).once(fine).await?;
    t.must_arrive(V1, &sent, 1).await
}

async fn other_status_is_not_tried_again(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(virtual_service("again").of(&shop).route(to(&shop).retries(2, "5xx"))).await?;
    // Only when the VirtualService has arrived does the rest say anything.
    let failed = status(500).and(passed(t.waypoint()));
    let fails = || client.get(shop.url("/?echo-status=500")).once(&failed);
    t.must_come_to_arrive(V1, 3, fails).await?;

    let refused = status(400).and(served_by(V1)).and(passed(t.waypoint()));
    let sent = client.get(shop.url("/?echo-status=400")).once(refused).await?;
    t.must_arrive(V1, &sent, 1).await?;

    let missing = status(404).and(served_by(V1)).and(passed(t.waypoint()));
    let sent = client.get(shop.url("/?echo-status=404")).once(missing).await?;
    t.must_arrive(V1, &sent, 1).await
}

async fn listed_status_is_tried_again(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    t.apply(virtual_service("again").of(&shop).route(to(&shop).retries(2, "418"))).await?;

    let listed = status(418).and(served_by(V1)).and(passed(t.waypoint()));
    let fails = || client.get(shop.url("/?echo-status=418")).once(&listed);
    t.must_come_to_arrive(V1, 3, fails).await?;

    let failed = status(500).and(served_by(V1)).and(passed(t.waypoint()));
    let sent = client.get(shop.url("/?echo-status=500")).once(failed).await?;
    t.must_arrive(V1, &sent, 1).await
}

async fn other_pod_is_tried(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    t.apply(virtual_service("again").of(&shop).route(to(&shop).retries(1, "5xx"))).await?;

    // One pod fails everything and the other nothing, so that only the choice of the pod decides.
    let saved = status(200).and(served_by(V2)).and(passed(t.waypoint()));
    client.get(shop.url("/?echo-v1-status=500")).count(12).must(saved).await
}

async fn post_is_tried_again(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    t.apply(virtual_service("again").of(&shop).route(to(&shop).retries(2, "5xx"))).await?;

    let failed = status(500).and(served_by(V1)).and(passed(t.waypoint()));
    let fails = || client.post(shop.url("/?echo-status=500")).body("order 7").once(&failed);
    t.must_come_to_arrive(V1, 3, fails).await
}

async fn unavailable_is_tried_twice_more(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let sent = client.get(shop.url(UNAVAILABLE)).once(&answered).await?;
    t.must_arrive(V1, &sent, 3).await?;

    let sent = client.get(shop.url("/")).once(answered).await?;
    t.must_arrive(V1, &sent, 1).await
}

async fn server_error_is_not_tried_unasked(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;

    let failed = status(500).and(served_by(V1)).and(passed(t.waypoint()));
    let sent = t.client(ClientA).get(shop.url("/?echo-status=500")).count(3).once(failed).await?;
    t.must_arrive(V1, &sent, 3).await
}

async fn no_attempts_are_no_retries(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    // The first route shows that the VirtualService has arrived.
    let route = virtual_service("never-again").of(&shop);
    let asked = to(&shop).when_path_prefix("/again").retries(3, "5xx");
    t.apply(route.route(asked).route(to(&shop).no_retries())).await?;
    let failed = status(500).and(served_by(V1)).and(passed(t.waypoint()));
    let fails = || client.get(shop.url("/again?echo-status=500")).once(&failed);
    t.must_come_to_arrive(V1, 4, fails).await?;

    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let sent = client.get(shop.url(UNAVAILABLE)).once(answered).await?;
    t.must_arrive(V1, &sent, 1).await
}
