//! AuthorizationPolicies that select pods are enforced by ztunnel, on connections, by what L4 can see of them.

use waymark_harness::prelude::*;

suite! {
    "authorization_l4", "AuthorizationPolicy at ztunnel";
    l4_policy_refuses_other_identity, Core, ["AZ4-01", "AZ4-02"], "a policy that selects a workload admits the identities it names, and ztunnel refuses every other",
        isolation = Workload, scopes = [Mesh], denies = true, killed_by = ["l4-policy-off", "l4-principals-ignored"];
    client_without_identity_is_refused, Core, ["AZ4-03"], "a client outside the mesh is none of the identities that a policy admits",
        isolation = Workload, scopes = [Mesh], denies = true, killed_by = ["l4-plaintext-trusted"];
    namespace_rule_admits_that_namespace, Core, [], "a rule about namespaces holds for clients of the namespaces it names, and for no other",
        isolation = Workload, scopes = [Mesh], source = "https://istio.io/latest/docs/ambient/usage/l4-policy/",
        denies = true, killed_by = ["l4-namespaces-ignored"];
    port_rule_names_container_ports, Core, ["AZ4-05"], "a rule about ports holds for the ports of containers, whatever port of a Service was dialled",
        isolation = Workload, scopes = [Mesh], denies = true, killed_by = ["l4-ports-ignored"];
    address_rule_admits_that_address, Core, [], "a rule about addresses holds for clients at the addresses it names, and for no other",
        isolation = Workload, scopes = [Mesh], source = "https://istio.io/latest/docs/ambient/usage/l4-policy/",
        denies = true, killed_by = ["l4-addresses-ignored"];
    excepted_identity_and_port_are_refused, Core, [], "a rule with exceptions does not hold for the identities and ports that it excepts",
        isolation = Workload, scopes = [Mesh], source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/",
        denies = true, killed_by = ["l4-negations-ignored"];
    deny_beats_allow_at_l4, Core, [], "a connection that one policy allows and another denies is refused",
        isolation = Workload, scopes = [Mesh], source = "https://istio.io/latest/docs/concepts/security/#implicit-enablement",
        denies = true, killed_by = ["l4-deny-ignored"];
    empty_allow_refuses_all_until_deleted, Core, ["AZ4-06"], "a policy without rules lets nobody in to the workload that it selects, and ends when it is deleted",
        isolation = Workload, scopes = [Mesh], denies = true, killed_by = ["l4-empty-allows"];
    policy_without_selector_covers_the_namespace, Core, [], "a policy that selects nothing holds for every workload of its namespace",
        isolation = Bare, scopes = [Mesh], source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/",
        denies = true, killed_by = ["l4-policy-off", "l4-principals-ignored"];
    http_rule_without_waypoint_refuses_all, Core, ["AZ7-10"], "a rule about HTTP never holds at ztunnel, so that a policy of such rules lets nobody in",
        isolation = Workload, scopes = [Mesh], denies = true, killed_by = ["l4-empty-allows"];
    policy_change_ends_open_connections, Observed, ["AZ4-10"], "a connection that is open when its policy stops to allow it is ended",
        isolation = Workload, scopes = [Mesh], denies = true, killed_by = ["l4-open-stays"];
    selected_pods_see_the_waypoint, Core, ["AZ4-06", "AZ4-07"], "behind a waypoint a policy that selects pods sees the waypoint's identity, not the client's",
        isolation = Workload, denies = true, killed_by = ["l4-policy-off", "l4-principals-ignored"];
}

async fn l4_policy_refuses_other_identity(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let (friend, stranger) = (t.client(ClientA), t.client(ClientB));
    let fine = status(200).and(served_by(V1)).and(direct_l4());
    stranger.get(app.url("/")).must(&fine).await?;

    t.apply(allow("friends").selecting(&app).rule(request().from(friend))).await?;

    stranger.get(app.url("/")).must(denied_by(Ztunnel)).await?;
    friend.get(app.url("/")).must(fine).await?;
    t.must_tell_refusal(&app, "none allowed").await
}

async fn client_without_identity_is_refused(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let (friend, outsider) = (t.client(ClientA), t.client(Outsider));
    let fine = status(200).and(served_by(V1)).and(direct_l4());
    outsider.get(app.url("/")).must(&fine).await?;

    t.apply(allow("friends").selecting(&app).rule(request().from(friend))).await?;

    outsider.get(app.url("/")).must(denied_by(Ztunnel)).await?;
    friend.get(app.url("/")).must(fine).await
}

async fn namespace_rule_admits_that_namespace(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let client = t.client(ClientA);
    let fine = status(200).and(served_by(V1)).and(direct_l4());
    client.get(app.url("/")).must(&fine).await?;

    t.apply(allow("neighbours").selecting(&app).rule(request().from_namespace_of(&app))).await?;
    client.get(app.url("/")).must(denied_by(Ztunnel)).await?;

    t.apply(allow("clients").selecting(&app).rule(request().from_namespace_of(client))).await?;
    client.get(app.url("/")).must(&fine).await?;
    t.client(ClientB).get(app.url("/")).must(fine).await?;
    t.client(Outsider).get(app.url("/")).must(denied_by(Ztunnel)).await
}

async fn port_rule_names_container_ports(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let shop = t.service_over("shop", &app).await?;
    let client = t.client(ClientA);
    let fine = status(200).and(served_by(V1)).and(direct_l4());
    client.get(shop.url_at(Alt, "/")).must(&fine).await?;

    t.apply(allow("one-port").selecting(&app).rule(request().port(Http.target()))).await?;

    client.get(shop.url_at(Alt, "/")).must(denied_by(Ztunnel)).await?;
    client.get(app.url_at(Alt, "/")).must(denied_by(Ztunnel)).await?;
    client.get(shop.url_at(Http, "/")).must(&fine).await?;
    client.get(app.url_at(Http, "/")).must(fine).await
}

async fn address_rule_admits_that_address(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let (near, far) = (t.client(ClientA), t.client(ClientB));
    let fine = status(200).and(served_by(V1)).and(direct_l4());
    far.get(app.url("/")).must(&fine).await?;

    t.apply(allow("near").selecting(&app).rule(request().from_address(near.address()?))).await?;

    far.get(app.url("/")).must(denied_by(Ztunnel)).await?;
    near.get(app.url("/")).must(fine).await
}

async fn excepted_identity_and_port_are_refused(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let (friend, stranger) = (t.client(ClientA), t.client(ClientB));
    let fine = status(200).and(served_by(V1)).and(direct_l4());
    stranger.get(app.url("/")).must(&fine).await?;
    friend.get(app.url_at(Alt, "/")).must(&fine).await?;

    let most = request().not_from(stranger).not_port(Alt.target());
    t.apply(allow("most").selecting(&app).rule(most)).await?;

    stranger.get(app.url("/")).must(denied_by(Ztunnel)).await?;
    friend.get(app.url_at(Alt, "/")).must(denied_by(Ztunnel)).await?;
    friend.get(app.url("/")).must(fine).await
}

async fn deny_beats_allow_at_l4(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let (friend, stranger) = (t.client(ClientA), t.client(ClientB));
    let both = request().from(friend).from(stranger);
    t.apply(allow("both").selecting(&app).rule(both)).await?;
    let fine = status(200).and(served_by(V1)).and(direct_l4());
    stranger.get(app.url("/")).must(&fine).await?;

    t.apply(deny("stranger").selecting(&app).rule(request().from(stranger))).await?;

    stranger.get(app.url("/")).must(denied_by(Ztunnel)).await?;
    friend.get(app.url("/")).must(fine).await?;
    t.must_tell_refusal(&app, "explicitly denied by").await
}

async fn empty_allow_refuses_all_until_deleted(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let client = t.client(ClientA);
    let fine = status(200).and(served_by(V1)).and(direct_l4());
    client.get(app.url("/")).must(&fine).await?;

    let nobody = t.apply(allow("nobody").selecting(&app)).await?;
    client.get(app.url("/")).must(denied_by(Ztunnel)).await?;
    t.client(ClientB).get(app.url("/")).must(denied_by(Ztunnel)).await?;
    client.get(t.pod_url(V1, "/").await?).must(&fine).await?;

    t.delete(&nobody).await?;
    client.get(app.url("/")).must(fine).await
}

async fn policy_without_selector_covers_the_namespace(t: &Ctx) -> Verdict {
    let (one, two) = (t.app(V1).await?, t.app(V2).await?);
    let (friend, stranger) = (t.client(ClientA), t.client(ClientB));
    let fine = |backend| status(200).and(served_by(backend)).and(direct_l4());
    stranger.get(one.url("/")).must(fine(V1)).await?;
    stranger.get(two.url("/")).must(fine(V2)).await?;

    t.apply(allow("friends").rule(request().from(friend))).await?;

    stranger.get(one.url("/")).must(denied_by(Ztunnel)).await?;
    stranger.get(two.url("/")).must(denied_by(Ztunnel)).await?;
    friend.get(one.url("/")).must(fine(V1)).await?;
    friend.get(two.url("/")).must(fine(V2)).await
}

async fn http_rule_without_waypoint_refuses_all(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let client = t.client(ClientA);
    client.get(app.url("/")).must(status(200).and(served_by(V1)).and(direct_l4())).await?;

    t.apply(allow("readers").selecting(&app).rule(request().method("GET"))).await?;

    client.get(app.url("/")).must(denied_by(Ztunnel)).await?;
    client.post(app.url("/")).must(denied_by(Ztunnel)).await
}

async fn policy_change_ends_open_connections(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let (client, other) = (t.client(ClientA), t.client(ClientB));
    // ztunnel judges open connections by the policies that their pod had when they opened: this one must be there already.
    let both = request().from(client).from(other);
    t.apply(allow("clients").selecting(&app).rule(both)).await?;
    t.client(Outsider).get(app.url("/")).must(denied_by(Ztunnel)).await?;

    let change =
        async { t.apply(allow("clients").selecting(&app).rule(request().from(other))).await.map(drop) };
    let slow = client.get(app.url("/?echo-delay-ms=10000")).within(Duration::from_secs(20));
    slow.must_be_cut_by(&app, change).await?;

    other.get(app.url("/")).must(status(200).and(served_by(V1)).and(direct_l4())).await
}

async fn selected_pods_see_the_waypoint(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let shop = t.service_over("shop", &app).await?;
    let client = t.client(ClientA);

    // The waypoint keeps the connections that it has, so the claims are about a port to which it has none yet.
    t.apply(allow("client").selecting(&app).rule(request().from(client))).await?;
    t.client(ClientB).get(app.url("/")).must(denied_by(Ztunnel)).await?;
    client.get(shop.url_at(Alt, "/")).must(status(503).and(passed(t.waypoint()))).await?;
    t.must_tell_refusal(&app, "none allowed").await?;

    t.apply(allow("waypoint").selecting(&app).rule(request().from(t.waypoint()))).await?;
    let fine = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url_at(Alt, "/")).must(&fine).await?;
    t.client(ClientB).get(shop.url_at(Alt, "/")).must(fine).await
}
