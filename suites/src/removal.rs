//! When a waypoint is deleted, its Services go on at L4 and its policies end; the labels that named it do no harm.

use waymark_harness::prelude::*;

suite! {
    "removal", "A waypoint is taken away";
    traffic_flows_at_l4_after_removal, Core, ["WPL-03", "WPL-04"], "after its waypoint is deleted a Service answers at L4, and nothing hangs on the way",
        isolation = Namespace, killed_by = ["removal-leaves-policy"];
    l7_policy_ends_with_waypoint, Core, ["WPL-04"], "a policy attached to a Service no longer applies after its waypoint is deleted",
        isolation = Namespace, killed_by = ["removal-leaves-policy"];
}

async fn traffic_flows_at_l4_after_removal(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    client.get(shop.url("/")).throughout(t.delete_waypoint(), in_time()).await?;

    let straight = status(200).and(served_by(V1)).and(direct_l4());
    client.get(shop.url("/")).must(straight).await?;
    client.get(shop.url("/")).must_never(status(503)).await
}

async fn l7_policy_ends_with_waypoint(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(deny("private").attached_to(&shop).rule(request().path("/private"))).await?;
    client.get(shop.url("/private")).must(denied_by(Waypoint).and(passed(t.waypoint()))).await?;

    t.delete_waypoint().await?;

    let straight = status(200).and(served_by(V1)).and(direct_l4());
    client.get(shop.url("/private")).must(straight).await?;
    client.get(shop.url("/private")).must_never(status(403)).await
}
