//! Subsets of a DestinationRule, as a VirtualService sends to them at the waypoint.

use waymark_harness::prelude::*;

suite! {
    "destination_rule", "DestinationRule subsets at the waypoint";
    subset_takes_its_version_only, Extended, ["RT-23"], "a route to a subset reaches the pods of its labels and no other",
        killed_by = ["subset-ignored"];
    header_selects_subset, Extended, ["RT-24"], "a header selects the subset that a request reaches",
        killed_by = ["subset-ignored"];
    subsets_share_by_weight, Extended, [], "traffic is shared between subsets in the ratio of their weights",
        source = "https://istio.io/latest/docs/tasks/traffic-management/traffic-shifting/",
        killed_by = ["weights-level", "subset-ignored"];
    unknown_subset_is_503, Extended, [], "a route to a subset that no DestinationRule defines is answered 503, and serves once one does",
        source = "https://istio.io/latest/docs/ops/best-practices/traffic-management/#avoid-503-errors-while-reconfiguring-service-routes",
        killed_by = ["subset-ignored"];
    all_versions_serve_again, Extended, [], "after route and subsets are deleted the Service answers from all of its pods",
        source = "https://istio.io/latest/docs/concepts/traffic-management/#destination-rules",
        killed_by = ["subset-ignored"];
}

async fn subset_takes_its_version_only(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);
    t.apply(destination_rule("versions").of(&shop).subset(subset("v1")).subset(subset("v2"))).await?;
    let second = to(&shop).in_subset(subset("v2")).set_response_header("x-subset", "v2");
    t.apply(virtual_service("second").of(&shop).route(second)).await?;

    let answered = status(200).and(served_by(V2)).and(passed(t.waypoint()));
    let answered = answered.and(response_header("x-subset", "v2"));
    client.get(shop.url("/")).must(&answered).await?;
    client.get(shop.url("/")).count(20).kept().once(answered).await?;
    Ok(())
}

async fn header_selects_subset(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);
    t.apply(destination_rule("versions").of(&shop).subset(subset("v1")).subset(subset("v2"))).await?;
    let canary = to(&shop).in_subset(subset("v2")).when_header("user", "istio-custom-user");
    let canary = canary.set_response_header("x-subset", "v2");
    let rest = to(&shop).in_subset(subset("v1")).set_response_header("x-subset", "v1");
    t.apply(virtual_service("split").of(&shop).route(canary).route(rest)).await?;

    let answered = || status(200).and(passed(t.waypoint()));
    let second = answered().and(served_by(V2)).and(response_header("x-subset", "v2"));
    let canary = || client.get(shop.url("/")).header("user", "istio-custom-user");
    canary().must(&second).await?;
    canary().count(20).kept().once(second).await?;
    let first = answered().and(served_by(V1)).and(response_header("x-subset", "v1"));
    client.get(shop.url("/")).count(20).kept().once(first).await?;
    Ok(())
}

async fn subsets_share_by_weight(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);
    t.apply(destination_rule("versions").of(&shop).subset(subset("v1")).subset(subset("v2"))).await?;
    let shared = to(&shop).in_subset(subset("v1")).weight(80).and_to(&shop, None);
    let shared = shared.in_subset(subset("v2")).weight(20).set_response_header("x-shared", "yes");
    t.apply(virtual_service("shared").of(&shop).route(shared)).await?;

    let answered = status(200).and(passed(t.waypoint())).and(response_header("x-shared", "yes"));
    client.get(shop.url("/")).must(&answered).await?;
    client.get(shop.url("/")).kept().shared_by(&[(V1, 80), (V2, 20)], answered).await
}

async fn unknown_subset_is_503(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);
    let second = to(&shop).in_subset(subset("v2"));
    t.apply(virtual_service("second").of(&shop).route(second)).await?;

    let missing = status(503).and(passed(t.waypoint())).and(because("cluster_not_found"));
    client.get(shop.url("/")).must(missing).await?;

    t.apply(destination_rule("versions").of(&shop).subset(subset("v2"))).await?;
    let answered = status(200).and(served_by(V2)).and(passed(t.waypoint()));
    client.get(shop.url("/")).must(&answered).await?;
    client.get(shop.url("/")).count(20).kept().once(answered).await?;
    Ok(())
}

async fn all_versions_serve_again(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);
    let versions = t.apply(destination_rule("versions").of(&shop).subset(subset("v1"))).await?;
    let first = to(&shop).in_subset(subset("v1")).set_response_header("x-subset", "v1");
    let first = t.apply(virtual_service("first").of(&shop).route(first)).await?;
    let answered = status(200).and(passed(t.waypoint()));
    let bound = status(200).and(served_by(V1)).and(response_header("x-subset", "v1"));
    let bound = bound.and(passed(t.waypoint()));
    client.get(shop.url("/")).must(&bound).await?;
    client.get(shop.url("/")).count(20).kept().once(bound).await?;

    t.delete(&first).await?;
    t.delete(&versions).await?;
    let free = status(200).and(no_response_header("x-subset")).and(passed(t.waypoint()));
    client.get(shop.url("/")).must(free).await?;
    client.get(shop.url("/")).reaches([V1, V2], answered).await
}
