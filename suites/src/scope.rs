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
    policy_stays_within_its_scope, Core, ["AZ7-14"], "a policy attached to a Service of one scope leaves a Service of the other scope alone",
        denies = true, killed_by = ["rbac-off"];
    route_stays_within_its_scope, Core, ["GWC-01"], "a route attached to a Service of one scope leaves a Service of the other scope alone",
        killed_by = ["ignore-path-match"];
    clients_own_waypoint_is_not_used, Core, [], "only the destination's waypoint is passed, not that of the client's namespace",
        scopes = [Mesh], source = "https://istio.io/latest/docs/ambient/usage/waypoint/", killed_by = ["source-waypoint-used"];
    call_to_itself_passes_by_service_only, Core, ["REACH-10", "REACH-13"], "a pod that calls its own Service passes the waypoint, one that calls its own address does not",
        scopes = [Namespace], killed_by = ["bypass-waypoint"];
    host_is_kept, Core, ["REACH-14"], "a backend behind a waypoint sees the host that the client asked for",
        killed_by = ["host-rewritten"];
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

async fn policy_stays_within_its_scope(t: &Ctx) -> Verdict {
    let here = t.service("here", [V1]).await?;
    let there = t.service_at_other_scope("there", [V1]).await?;
    let client = t.client(ClientA);

    // Both Services answered 200 through their waypoints when they were made: that is the positive control.
    t.apply(deny("nobody").attached_to(&here).rule(request().path("*"))).await?;

    client.get(here.url("/")).must(denied_by(Waypoint).and(passed(t.waypoint()))).await?;
    client.get(there.url("/")).must(t.untouched(&there)).await?;
    client.get(there.url("/")).must_never(status(403)).await
}

async fn route_stays_within_its_scope(t: &Ctx) -> Verdict {
    let here = t.service("here", [V1]).await?;
    let there = t.service_at_other_scope("there", [V1]).await?;
    let client = t.client(ClientA);

    t.apply(http_route("only-known").attached_to(&here).rule(path("/known"), here.subset(V1))).await?;

    client.get(here.url("/")).must(status(404).and(passed(t.waypoint()))).await?;
    client.get(there.url("/")).must(t.untouched(&there)).await?;
    client.get(there.url("/")).must_never(status(404)).await
}

async fn clients_own_waypoint_is_not_used(t: &Ctx) -> Verdict {
    let near = t.service("near", [V1]).await?;
    let plain = t.service_without_waypoint("plain", [V1]).await?;
    let there = t.service_at_other_scope("there", [V1]).await?;
    let neighbour = t.client(Neighbour);
    neighbour.get(near.url("/")).must(status(200).and(served_by(V1)).and(passed(t.waypoint()))).await?;

    let straight = status(200).and(served_by(V1)).and(direct_l4());
    neighbour.get(plain.url("/")).must(straight).await?;
    neighbour.get(there.url("/")).must(t.untouched(&there)).await?;
    neighbour.get(plain.url("/")).must_never(passed(t.waypoint())).await
}

async fn call_to_itself_passes_by_service_only(t: &Ctx) -> Verdict {
    let own = t.service("own", [V1]).await?;
    let myself = t.client(Neighbour);

    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    myself.get(own.url("/")).must(through).await?;

    let straight = status(200).and(served_by(V1)).and(direct_l4());
    myself.get(t.pod_url(V1, "/").await?).must(straight).await
}

async fn host_is_kept(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let asked = |host: &str| {
        let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
        through.and(request_header("host", host))
    };
    client.get(shop.url("/")).must(asked(&shop.host())).await?;
    client.get(shop.url("/")).header("host", "shop.example").must(asked("shop.example")).await
}
