//! A waypoint counts the requests that it handles.

use waymark_harness::prelude::*;

suite! {
    "metrics", "Request metrics of the waypoint";
    requests_total_rises_by_requests, Core, ["TEL-01"], "istio_requests_total rises by the number of requests, under the client's identity",
        killed_by = ["count-twice", "label-no-principal"];
    denied_requests_are_counted, Core, ["TEL-01"], "a request that the waypoint denies is counted under its status",
        killed_by = ["count-denied-never"];
}

async fn requests_total_rises_by_requests(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let before = t.requests_total(ClientA, &shop, 200).await?;

    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    t.client(ClientA).get(shop.url("/counted")).count(7).once(answered).await?;

    t.must_rise(&before, 7).await
}

async fn denied_requests_are_counted(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    client.get(shop.url("/closed")).must(status(200).and(passed(t.waypoint()))).await?;

    t.apply(deny("closed").attached_to(&shop).rule(request().path("/closed"))).await?;
    let refused = denied_by(Waypoint).and(passed(t.waypoint()));
    client.get(shop.url("/closed")).must(&refused).await?;

    let before = t.requests_total(ClientA, &shop, 403).await?;
    client.get(shop.url("/closed")).count(4).once(refused).await?;
    t.must_rise(&before, 4).await
}
