//! A waypoint handles exactly the traffic of its scope; all else stays at L4, with the client's own address.

use waymark_harness::prelude::*;

suite! {
    "scope", "Which traffic passes a waypoint";
    others_service_does_not_pass, Core, ["WPL-12", "REACH-01"], "a Service of another account does not pass the waypoint of a service account",
        scopes = [ServiceAccount], killed_by = ["scope-leak"];
    pod_address_does_not_pass, Core, ["REACH-09"], "a request to a pod's own address does not pass a waypoint for Services",
        killed_by = ["scope-leak"];
    service_outside_does_not_pass, Core, ["WPL-12"], "a Service that does not use the waypoint, or opts out of it, does not pass it",
        killed_by = ["scope-leak"];
    service_over_both_accounts_passes_for_both, Observed, ["WPL-12"], "a labelled Service over two accounts passes the waypoint for both",
        scopes = [ServiceAccount], killed_by = ["bypass-waypoint"];
    destination_without_waypoint_stays_l4, Core, ["REACH-07", "WPL-03"], "a destination without a waypoint sees the client's own address",
        scopes = [Mesh], killed_by = ["scope-leak"];
}

async fn others_service_does_not_pass(t: &Ctx) -> Verdict {
    let covered = t.service("covered", [V1]).await?;
    let others = t.service("others", [Other]).await?;
    let client = t.client(ClientA);

    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(covered.url("/")).must(through).await?;

    let straight = status(200).and(served_by(Other)).and(direct_l4());
    client.get(others.url("/")).must(straight).await?;
    client.get(others.url("/")).must_never(passed(t.waypoint())).await
}

async fn pod_address_does_not_pass(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let pod = t.pod_url(V1, "/").await?;

    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/")).must(through).await?;

    let straight = status(200).and(served_by(V1)).and(direct_l4());
    client.get(&pod).must(straight).await?;
    client.get(&pod).must_never(passed(t.waypoint())).await
}

async fn service_outside_does_not_pass(t: &Ctx) -> Verdict {
    let inside = t.service("inside", [V1]).await?;
    let outside = t.service_outside("outside", [V1]).await?;
    let client = t.client(ClientA);

    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(inside.url("/")).must(through).await?;

    let straight = status(200).and(served_by(V1)).and(direct_l4());
    client.get(outside.url("/")).must(straight).await?;
    client.get(outside.url("/")).must_never(passed(t.waypoint())).await
}

async fn service_over_both_accounts_passes_for_both(t: &Ctx) -> Verdict {
    let both = t.service("both", [V1, Other]).await?;

    let through = status(200).and(passed(t.waypoint()));
    t.client(ClientA).get(both.url("/")).reaches([V1, Other], through).await
}

async fn destination_without_waypoint_stays_l4(t: &Ctx) -> Verdict {
    let plain = t.service_without_waypoint("plain", [V1]).await?;

    let straight = status(200).and(served_by(V1)).and(direct_l4());
    t.client(ClientA).get(plain.url("/")).must(&straight).await?;
    t.client(ClientB).get(plain.url("/")).must(straight).await
}
