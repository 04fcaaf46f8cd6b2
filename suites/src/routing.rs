//! HTTPRoute rules attached to a Service are enforced by that Service's waypoint.

use waymark_harness::prelude::*;

suite! {
    "routing", "Gateway API HTTPRoute, mesh binding";
    no_route_service_answers_through_waypoint, Core, ["GWC-01", "REACH-01"], "a Service without routes answers through its waypoint",
        killed_by = ["bypass-waypoint"];
    header_match_selects_backend, Core, ["GWC-03"], "a request matching a rule's header reaches that rule's backend",
        killed_by = ["ignore-header-match"];
    path_match_selects_backend, Core, ["GWC-03", "GWC-04"], "a path prefix selects a rule by whole segments",
        killed_by = ["ignore-path-match"];
    unmatched_path_is_404, Core, ["GWC-07"], "a request matching no rule is answered 404 by the waypoint",
        killed_by = ["ignore-path-match"];
    weights_are_kept, Core, ["GWC-05"], "traffic is shared between backends in the ratio of their weights",
        killed_by = ["weights-level"];
}

async fn no_route_service_answers_through_waypoint(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;

    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    t.client(ClientA).get(shop.url("/")).must(&through).await?;
    t.client(ClientB).get(shop.url("/")).must(through).await
}

async fn header_match_selects_backend(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    t.apply(
        http_route("by-header")
            .attached_to(&shop)
            .rule(header("x-user", "canary"), shop.subset(V2))
            .otherwise(shop.subset(V1)),
    )
    .await?;

    let canary = status(200).and(served_by(V2)).and(passed(t.waypoint()));
    client.get(shop.url("/")).header("x-user", "canary").must(canary).await?;

    let rest = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/")).header("x-user", "canary-bird").must(&rest).await?;
    client.get(shop.url("/")).must(rest).await
}

async fn path_match_selects_backend(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    t.apply(
        http_route("by-path")
            .attached_to(&shop)
            .rule(path_prefix("/new"), shop.subset(V2))
            .otherwise(shop.subset(V1)),
    )
    .await?;

    let new = status(200).and(served_by(V2)).and(passed(t.waypoint()));
    client.get(shop.url("/new")).must(&new).await?;
    client.get(shop.url("/new/thing")).must(new).await?;

    let old = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/newest")).must(&old).await?;
    client.get(shop.url("/old/new")).must(old).await
}

async fn unmatched_path_is_404(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    t.apply(http_route("only-known").attached_to(&shop).rule(path("/known"), shop.subset(V1))).await?;

    let refused = status(404).and(passed(t.waypoint())).and(because("route_not_found"));
    client.get(shop.url("/unknown")).must(refused).await?;

    let known = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/known")).must(known).await
}

async fn weights_are_kept(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    // The header shows which answers the route gave, so that none from before it is counted.
    let shared = [backend(shop.subset(V1)).weight(80), backend(shop.subset(V2)).weight(20)];
    let weighted = rule(Matches::default(), shared).set_response_header("x-shared", "yes");
    t.apply(http_route("by-weight").attached_to(&shop).with(weighted)).await?;

    let shared = status(200).and(passed(t.waypoint())).and(response_header("x-shared", "yes"));
    client.get(shop.url("/")).must(&shared).await?;
    client.get(shop.url("/")).shared_by(&[(V1, 80), (V2, 20)], shared).await
}
