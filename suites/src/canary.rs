//! A new version is tried out and brought in by routes alone.

use waymark_harness::prelude::*;

suite! {
    "canary", "Canary releases by HTTPRoute";
    testers_see_new_version, Core, ["GWC-03", "GWC-05"], "testers reach the new version by a header while others are shared between versions by weight",
        killed_by = ["ignore-header-match", "weights-level"];
    shift_loses_no_request, Extended, ["GWC-05"], "traffic shifts from one version to another without a failed request",
        source = "https://istio.io/latest/docs/ops/best-practices/traffic-management/#avoid-503-errors-while-reconfiguring-service-routes",
        killed_by = ["weights-level"];
}

async fn testers_see_new_version(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    let shares = [backend(shop.subset(V1)).weight(80), backend(shop.subset(V2)).weight(20)];
    let others = rule(Matches::default(), shares).set_response_header("x-shared", "yes");
    let dark = http_route("dark-launch").attached_to(&shop);
    t.apply(dark.rule(header("x-user", "tester"), shop.subset(V2)).with(others)).await?;

    let shared = status(200).and(passed(t.waypoint())).and(response_header("x-shared", "yes"));
    client.get(shop.url("/")).must(&shared).await?;
    let tester = status(200).and(served_by(V2)).and(passed(t.waypoint()));
    let tester = tester.and(no_response_header("x-shared"));
    client.get(shop.url("/")).header("x-user", "tester").count(10).once(tester).await?;
    client.get(shop.url("/")).shared_by(&[(V1, 80), (V2, 20)], shared).await
}

async fn shift_loses_no_request(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);
    let share = |old, new| {
        let shares = [backend(shop.subset(V1)).weight(old), backend(shop.subset(V2)).weight(new)];
        http_route("release").attached_to(&shop).otherwise(shares)
    };
    let fine = || status(200).and(passed(t.waypoint()));
    t.apply(share(90, 10)).await?;
    client.get(shop.url("/")).must_prefer(V1, fine()).await?;

    let shift = async {
        t.apply(share(10, 90)).await?;
        client.get(shop.url("/")).must_prefer(V2, fine()).await
    };
    client.get(shop.url("/")).throughout(shift, fine()).await
}
