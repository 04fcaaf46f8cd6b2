//! A waypoint is scaled, replaced and killed under load: traffic never goes around it, and all is well afterwards.

use waymark_harness::prelude::*;

suite! {
    "life_cycle", "Pods of a waypoint come and go";
    scaled_waypoint_serves_on, Observed, ["WPL-11"], "while a waypoint is scaled to two pods and back every request passes it or fails in time, and all pass afterwards",
        isolation = Namespace, scopes = [Namespace], killed_by = ["bypass-waypoint"];
    replaced_waypoint_serves_on, Extended, ["WPL-05"], "a label that its Gateway wants on what is made for it reaches everything made for a waypoint, and while its pods are replaced every request passes it or fails in time",
        isolation = Namespace, scopes = [Namespace], source = "https://gateway-api.sigs.k8s.io/reference/spec/#gatewayinfrastructure", killed_by = ["bypass-waypoint"];
    killed_waypoint_serves_again, Observed, ["WPL-11"], "after the pod of a waypoint is killed every request passes the waypoint or fails in time, and all pass once another is ready",
        isolation = Namespace, scopes = [Namespace], killed_by = ["down-waypoint-bypassed"];
    waypoint_without_pods_is_not_bypassed, Observed, ["WPL-11"], "while a waypoint has no pod its Services are not reached around it, and they stay bound to it",
        isolation = Namespace, scopes = [Namespace], denies = true, killed_by = ["down-waypoint-bypassed"];
}

async fn scaled_waypoint_serves_on(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let scaled = async {
        t.scale_waypoint(2).await?;
        t.scale_waypoint(1).await?;
        t.waypoint_pods_are(1).await
    };
    client.get(shop.url("/")).during(scaled, as_before().or_failed()).await?;

    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/")).must(&through).await?;
    client.get(shop.url("/")).count(20).once(through).await?;
    Ok(())
}

async fn replaced_waypoint_serves_on(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let replaced = async {
        t.set_waypoint(waypoint("own").labels_what_is_made("waymark.cost", "shop")).await?;
        t.must_be_made_with("waymark.cost", "shop").await?;
        t.waypoint_pods_are(1).await
    };
    client.get(shop.url("/")).during(replaced, as_before().or_failed()).await?;

    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/")).must(&through).await?;
    client.get(shop.url("/")).count(20).once(through).await?;
    Ok(())
}

async fn killed_waypoint_serves_again(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    client.get(shop.url("/")).during(t.kill_waypoint(), as_before().or_failed()).await?;

    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/")).must(&through).await?;
    client.get(shop.url("/")).count(20).once(through).await?;
    Ok(())
}

async fn waypoint_without_pods_is_not_bypassed(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/")).must(&through).await?;

    t.scale_waypoint(0).await?;
    client.get(shop.url("/")).must(denied_by(Ztunnel)).await?;
    t.must_show(&shop, t.binding()).await?;
    client.get(shop.url("/")).must_never(status(200)).await?;

    t.scale_waypoint(1).await?;
    client.get(shop.url("/")).must(through).await
}
