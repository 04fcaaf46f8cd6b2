//! `istioctl waypoint` makes, tells of and deletes waypoints.

use waymark_harness::prelude::*;

suite! {
    "cli_waypoint", "The command istioctl waypoint";
    waypoint_by_istioctl, Core, ["WPL-03", "WPL-07", "WPL-22"], "istioctl tells of a waypoint, deletes it so that its Services go on at L4, and makes it again so that they pass it, while no request hangs",
        isolation = Namespace, scopes = [Namespace], killed_by = ["waypoint-return-ignored", "removal-leaves-policy"];
}

async fn waypoint_by_istioctl(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.istioctl_waypoint(["list"]).await?.must_say(["waypoint", "True"])?;
    t.istioctl_waypoint(["status"]).await?.must_say(["waypoint", "True", "Programmed"])?;

    let straight = status(200).and(served_by(V1)).and(direct_l4());
    let deleted = async {
        t.istioctl_waypoint(["delete", "waypoint"]).await?.must_say(["waypoint", "deleted"])?;
        client.get(shop.url("/")).must(straight).await
    };
    client.get(shop.url("/")).during(deleted, as_before().or_straight().or_failed()).await?;
    t.istioctl_waypoint(["list"]).await?.must_say(["No", "waypoints", "found."])?;

    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let made = async {
        let apply = ["apply", "--enroll-namespace", "--overwrite", "--wait"];
        t.istioctl_waypoint(apply).await?.must_say(["waypoint", "applied"])?;
        client.get(shop.url("/")).must(&through).await
    };
    client.get(shop.url("/")).during(made, as_before().or_through(t.waypoint()).or_failed()).await
}
