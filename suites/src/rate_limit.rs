//! A local rate limit that an EnvoyFilter puts into a waypoint.

use waymark_harness::prelude::*;

suite! {
    "rate_limit", "Local rate limit by EnvoyFilter";
    burst_is_limited_and_recovers, Extended, ["EXT-01", "EXT-10"], "requests beyond the limit are answered 429 by the waypoint until its period is over",
        isolation = Namespace, scopes = [Namespace], killed_by = ["rate-limit-off"];
}

async fn burst_is_limited_and_recovers(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let limit = envoy_filter("limit").attached_to(t.waypoint()).local_rate_limit(5, Duration::from_secs(1));
    t.apply(limit).await?;

    let fine = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let limited = status(429).and(body("local_rate_limited")).and(passed(t.waypoint()));
    client.get(shop.url("/")).count(60).concurrency(8).must_split(fine, limited).await?;

    let again = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/")).must(again).await
}
