//! A waypoint counts the requests that it handles.

use waymark_harness::prelude::*;

suite! {
    "metrics", "Request metrics of the waypoint";
    requests_total_rises_by_requests, Core, ["TEL-01"], "istio_requests_total rises by the number of requests, under the client's identity";
}

async fn requests_total_rises_by_requests(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let before = t.requests_total(ClientA, &shop, 200).await?;

    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    t.client(ClientA).get(shop.url("/counted")).count(7).once(answered).await?;

    t.must_rise(&before, 7).await
}
