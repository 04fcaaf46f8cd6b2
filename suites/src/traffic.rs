//! What a route says about slow answers, failed answers and copies, the waypoint does.

use waymark_harness::prelude::*;

suite! {
    "traffic", "Timeouts, retries and mirroring at the waypoint";
    slow_answer_is_cut_off, Extended, [], "a request that outlasts its route's timeout is answered 504 by the waypoint",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#httproutetimeouts", killed_by = ["timeout-off"];
    failed_request_is_tried_again, Extended, ["RT-18"], "a request that fails is tried again as often as its VirtualService says",
        killed_by = ["retries-off"];
    mirror_sees_every_request, Extended, [], "a mirrored request reaches the mirror once, and the client hears only its own backend",
        source = "https://gateway-api.sigs.k8s.io/guides/http-request-mirroring/", killed_by = ["mirror-off"];
}

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

async fn mirror_sees_every_request(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    let copied = rule(Matches::default(), backend(shop.subset(V1))).mirrored_to(shop.subset(V2));
    let copied = copied.set_response_header("x-copied", "yes");
    t.apply(http_route("copied").attached_to(&shop).with(copied)).await?;

    let heard = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let heard = heard.and(response_header("x-copied", "yes"));
    client.get(shop.url("/")).must(&heard).await?;
    let sent = client.get(shop.url("/")).count(5).once(heard).await?;
    t.must_arrive(V1, &sent, 5).await?;
    t.must_arrive(V2, &sent, 5).await
}
