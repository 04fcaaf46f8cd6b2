//! Labels decide which waypoint a Service or a pod uses; its status says whether it does.

use waymark_harness::prelude::*;

suite! {
    "binding", "Labels that bind to a waypoint";
    waypoint_reports_ready, Core, ["WPL-01", "WPL-11"], "the class of waypoints is accepted, and a programmed waypoint has its Service's name among its addresses",
        killed_by = ["bypass-waypoint"];
    bound_service_says_so, Core, ["WPL-02"], "a Service that uses a waypoint says so in its status, and its traffic passes it",
        killed_by = ["bypass-waypoint"];
    every_port_passes, Core, ["REACH-01"], "traffic to every port of a bound Service passes its waypoint",
        killed_by = ["waypoint-one-port"];
    labelled_service_comes_to_pass, Core, ["WPL-03", "WPL-12"], "while a Service comes to use a waypoint no request hangs; then its traffic passes it, and its status says so",
        killed_by = ["late-binding-ignored"];
    recreated_service_is_bound_again, Core, ["WPL-02"], "a Service that is deleted and made again under its name passes the waypoint again",
        killed_by = ["bypass-waypoint"];
    opted_out_service_says_nothing, Core, ["WPL-12"], "a Service that does not use a waypoint stays at L4, and its status says nothing of one",
        killed_by = ["optout-ignored"];
    dangling_label_fails_open, Core, ["WPL-04"], "a Service that names a waypoint that is not there is reached at L4, and its status says that it is not bound",
        killed_by = ["dangling-fails-closed"];
    foreign_waypoint_is_denied, Core, ["WPL-09", "WPL-12"], "a Service that names a waypoint of a namespace that does not admit it stays at L4, and its status says why",
        killed_by = ["removal-leaves-policy"];
    other_revision_is_ignored, Core, ["WPL-06"], "nothing is made for a waypoint of another revision, and a Service that names it stays at L4",
        scopes = [Mesh], killed_by = ["dangling-fails-closed"];
    route_without_waypoint_says_so, Observed, ["WPL-18"], "a route of a Service that uses no waypoint has no effect, and its status says so",
        scopes = [Mesh], needs = [IstioFrom(1, 26)], killed_by = ["scope-leak"];
    waypoint_for_workloads_takes_pod_traffic, Core, ["WPL-10", "REACH-03", "REACH-08"], "a waypoint for workloads takes traffic to pods and no traffic to Services",
        isolation = Namespace, killed_by = ["waypoint-for-ignored"];
    admitted_namespaces_use_a_waypoint, Core, ["WPL-08", "WPL-09"], "a waypoint takes traffic to Services of those other namespaces that its listener admits, all of them or those with a label",
        isolation = Namespace, scopes = [Namespace], killed_by = ["cross-namespace-ignored", "late-binding-ignored"];
}

async fn waypoint_reports_ready(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    t.must_report_ready().await?;

    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    t.client(ClientA).get(shop.url("/")).must(through).await
}

async fn bound_service_says_so(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    t.must_show(&shop, t.binding()).await?;

    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    t.client(ClientA).get(shop.url("/")).must(&through).await?;
    t.client(ClientB).get(shop.url("/")).must(through).await
}

async fn every_port_passes(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Alt]).await?;
    let client = t.client(ClientA);

    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/")).must(&through).await?;
    client.get(shop.url_at(Alt, "/")).must(through).await
}

async fn labelled_service_comes_to_pass(t: &Ctx) -> Verdict {
    let shop = t.service_outside("shop", [V1]).await?;
    let client = t.client(ClientA);
    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));

    let bound = async {
        t.rebind(&shop).await?;
        client.get(shop.url("/")).must(&through).await
    };
    client.get(shop.url("/")).during(bound, as_before().or_through(t.waypoint()).or_failed()).await?;

    t.must_show(&shop, t.binding()).await?;
    client.get(shop.url("/")).must_never(direct_l4()).await
}

async fn recreated_service_is_bound_again(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    t.remove_service(&shop).await?;

    let shop = t.service("shop", [V1]).await?;
    t.must_show(&shop, t.binding()).await?;
    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    t.client(ClientA).get(shop.url("/")).must(through).await
}

async fn opted_out_service_says_nothing(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    client.get(shop.url("/")).must(status(200).and(passed(t.waypoint()))).await?;

    let plain = t.service_outside("plain", [V1]).await?;
    t.must_show(&plain, NotBound).await?;

    let straight = status(200).and(served_by(V1)).and(direct_l4());
    client.get(plain.url("/")).must(straight).await?;
    client.get(plain.url("/")).must_never(passed(t.waypoint())).await
}

async fn dangling_label_fails_open(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    client.get(shop.url("/")).must(status(200).and(passed(t.waypoint()))).await?;

    let straight = status(200).and(served_by(V1)).and(direct_l4());
    let dangling = async {
        t.bind(&shop, &t.absent_waypoint()).await?;
        client.get(shop.url("/")).must(straight).await
    };
    client.get(shop.url("/")).during(dangling, as_before().or_straight().or_failed()).await?;

    t.must_show(&shop, BindingRefused("WaypointIsNotReady")).await?;
    client.get(shop.url("/")).must_never(passed(t.waypoint())).await
}

async fn foreign_waypoint_is_denied(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let foreign = t.foreign_waypoint()?;
    client.get(shop.url("/")).must(status(200).and(passed(t.waypoint()))).await?;

    t.bind(&shop, &foreign).await?;
    t.must_show(&shop, BindingRefused("AttachmentDenied")).await?;

    let straight = status(200).and(served_by(V1)).and(direct_l4());
    client.get(shop.url("/")).must(straight).await?;
    client.get(shop.url("/")).must_never(passed(&foreign)).await
}

async fn other_revision_is_ignored(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    client.get(shop.url("/")).must(status(200).and(passed(t.waypoint()))).await?;

    let other = t.add_waypoint(waypoint("other").of_revision("waymark-absent")).await?;
    t.bind(&shop, &other).await?;
    t.must_show(&shop, BindingRefused("WaypointIsNotReady")).await?;
    t.must_make_nothing(&other).await?;

    let straight = status(200).and(served_by(V1)).and(direct_l4());
    client.get(shop.url("/")).must(straight).await
}

async fn route_without_waypoint_says_so(t: &Ctx) -> Verdict {
    let plain = t.service_without_waypoint("plain", [V1]).await?;
    let marked = rule(Matches::default(), backend(plain.subset(V1))).set_response_header("x-routed", "yes");
    let route = t.apply(http_route("marked").attached_to(&plain).with(marked)).await?;
    t.must_explain(&route, "ResolvedWaypoints", "route will not be respected").await?;

    let straight = status(200).and(served_by(V1)).and(direct_l4()).and(no_response_header("x-routed"));
    t.client(ClientA).get(plain.url("/")).must(straight).await?;
    t.client(ClientA).get(plain.url("/")).must_never(response_header("x-routed", "yes")).await
}

async fn waypoint_for_workloads_takes_pod_traffic(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let pod = t.pod_url(V1, "/").await?;
    let straight = status(200).and(served_by(V1)).and(direct_l4());
    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    t.bind_pods(V1).await?;
    client.get(&pod).must(&straight).await?;
    client.get(&pod).must_never(passed(t.waypoint())).await?;

    t.set_waypoint(waypoint("own").serving(TrafficKind::Workload)).await?;

    t.must_show(&shop, BindingRefused("UnsupportedTrafficType")).await?;
    client.get(&pod).must(through).await?;
    client.get(shop.url("/")).must(&straight).await?;
    t.unbind_pods(V1).await?;
    client.get(&pod).must(straight).await
}

async fn admitted_namespaces_use_a_waypoint(t: &Ctx) -> Verdict {
    let shop = t.service_without_waypoint("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.bind(&shop, t.waypoint()).await?;
    t.must_show(&shop, BindingRefused("AttachmentDenied")).await?;
    let straight = status(200).and(served_by(V1)).and(direct_l4());
    client.get(shop.url("/")).must(&straight).await?;

    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let own = || waypoint("own").serving(TrafficKind::Service);
    let admitted = async {
        t.set_waypoint(own().open_to_all_namespaces()).await?;
        client.get(shop.url("/")).must(&through).await
    };
    client.get(shop.url("/")).during(admitted, as_before().or_through(t.waypoint()).or_failed()).await?;
    t.must_show(&shop, t.binding()).await?;

    // Every captured namespace carries this label, so that only the selected value makes the difference.
    let captured = |mode| own().open_to_namespaces_with("istio.io/dataplane-mode", mode);
    t.set_waypoint(captured("none")).await?;
    client.get(shop.url("/")).must(straight).await?;
    t.set_waypoint(captured("ambient")).await?;
    client.get(shop.url("/")).must(through).await
}
