//! When a waypoint is taken away, its Services go on at L4 and its policies end; what named it does no harm.

use waymark_harness::prelude::*;

suite! {
    "removal", "A waypoint is taken away";
    deleted_waypoint_leaves_l4, Core, ["WPL-03", "WPL-04"], "while a waypoint is deleted no request hangs and no denial becomes a success at it; then its Services answer at L4 without its policies",
        isolation = Namespace, denies = true, killed_by = ["removal-leaves-policy", "dangling-fails-closed"];
    deleted_waypoint_leaves_nothing, Core, ["WPL-07"], "nothing that was made for a waypoint outlives it, and no request fails because of that",
        isolation = Namespace, scopes = [Namespace], killed_by = ["dangling-fails-closed"];
    service_leaves_waypoint, Core, ["WPL-04", "WPL-12"], "while a Service stops using its waypoint no request hangs and no denial becomes a success at it; then it answers at L4 without its policies",
        denies = true, killed_by = ["removal-leaves-policy"];
    namespace_leaves_waypoint, Core, ["WPL-04", "WPL-12"], "while a namespace stops using its waypoint no request hangs and no denial becomes a success at it; then its Services answer at L4 without their policies",
        isolation = Namespace, scopes = [Namespace], denies = true, killed_by = ["removal-leaves-policy"];
    waypoint_made_again_enforces_again, Core, ["WPL-03", "WPL-11"], "the policies of a Service apply again when its waypoint is made again",
        isolation = Namespace, scopes = [Namespace], denies = true, killed_by = ["waypoint-return-ignored"];
}

async fn deleted_waypoint_leaves_l4(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    client.get(shop.url("/private")).must(status(200).and(passed(t.waypoint()))).await?;
    t.apply(deny("private").attached_to(&shop).rule(request().path("/private"))).await?;
    client.get(shop.url("/private")).must(denied_by(Waypoint).and(passed(t.waypoint()))).await?;

    let straight = status(200).and(served_by(V1)).and(direct_l4());
    let removed = async {
        t.delete_waypoint().await?;
        client.get(shop.url("/")).must(&straight).await
    };
    client.get(shop.url("/private")).during(removed, as_before().or_straight().or_failed()).await?;

    client.get(shop.url("/private")).must(straight).await?;
    client.get(shop.url("/private")).must_never(status(403)).await
}

async fn deleted_waypoint_leaves_nothing(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    t.delete_waypoint().await?;
    let straight = status(200).and(served_by(V1)).and(direct_l4());
    client.get(shop.url("/")).must(straight).await?;

    client.get(shop.url("/")).during(t.must_leave_nothing(), as_before()).await
}

async fn service_leaves_waypoint(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    client.get(shop.url("/private")).must(status(200).and(passed(t.waypoint()))).await?;
    t.apply(deny("private").attached_to(&shop).rule(request().path("/private"))).await?;
    client.get(shop.url("/private")).must(denied_by(Waypoint).and(passed(t.waypoint()))).await?;

    let straight = status(200).and(served_by(V1)).and(direct_l4());
    let left = async {
        t.unbind(&shop).await?;
        client.get(shop.url("/private")).must(straight).await
    };
    client.get(shop.url("/private")).during(left, as_before().or_straight().or_failed()).await?;

    t.must_show(&shop, NotBound).await?;
    client.get(shop.url("/private")).must_never(status(403)).await
}

async fn namespace_leaves_waypoint(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    client.get(shop.url("/private")).must(status(200).and(passed(t.waypoint()))).await?;
    t.apply(deny("private").attached_to(&shop).rule(request().path("/private"))).await?;
    client.get(shop.url("/private")).must(denied_by(Waypoint).and(passed(t.waypoint()))).await?;

    let straight = status(200).and(served_by(V1)).and(direct_l4());
    let left = async {
        t.unlabel_namespace().await?;
        client.get(shop.url("/private")).must(straight).await
    };
    client.get(shop.url("/private")).during(left, as_before().or_straight().or_failed()).await?;

    t.must_show(&shop, NotBound).await?;
    client.get(shop.url("/private")).must_never(status(403)).await
}

async fn waypoint_made_again_enforces_again(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(deny("private").attached_to(&shop).rule(request().path("/private"))).await?;
    let denied = denied_by(Waypoint).and(passed(t.waypoint()));
    client.get(shop.url("/private")).must(&denied).await?;
    t.delete_waypoint().await?;
    let straight = status(200).and(served_by(V1)).and(direct_l4());
    client.get(shop.url("/private")).must(straight).await?;

    t.set_waypoint(waypoint("own")).await?;

    client.get(shop.url("/private")).must(denied).await?;
    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/")).must(through).await
}
