//! Ways around a waypoint, and what closes them; who a waypoint and a pod believe.

use waymark_harness::prelude::*;

suite! {
    "bypass", "Ways around a waypoint";
    guard_policy_closes_the_ways_around, Core, ["AZ4-09", "AZ7-09", "REACH-09"], "a policy by which pods admit only their waypoint refuses who dials a pod, and who comes from outside the mesh",
        isolation = Workload, denies = true, killed_by = ["l4-policy-off", "l4-principals-ignored"];
    client_outside_goes_around, Core, ["REACH-02"], "a request from outside the mesh to a Service with a waypoint arrives at L4, not through the waypoint",
        killed_by = ["strict-always"];
    strict_closes_the_way_from_outside, Core, ["PA-02", "REACH-02"], "strict mutual TLS at the pods refuses who comes from outside the mesh, and not the waypoint",
        isolation = Workload, denies = true, killed_by = ["strict-off"];
    forged_identity_is_not_believed, Core, ["AZ7-03"], "a policy knows a client by its certificate, whatever identity its headers name",
        denies = true, killed_by = ["forged-header-trusted"];
    metadata_of_proxies_stays_between_them, Core, ["REACH-04"], "a backend does not see the metadata that proxies send each other",
        killed_by = ["peer-metadata-leaks"];
    waypoint_refuses_foreign_certificates, Core, [], "a waypoint refuses HBONE from a client whose certificate comes from a CA that the mesh does not know",
        source = "https://istio.io/latest/docs/ambient/architecture/hbone/", denies = true, killed_by = ["any-certificate-taken"];
    pod_refuses_foreign_certificates, Core, [], "a pod refuses HBONE from a client whose certificate comes from a CA that the mesh does not know",
        isolation = Workload, scopes = [Mesh], source = "https://istio.io/latest/docs/ambient/architecture/hbone/",
        denies = true, killed_by = ["foreign-ca-accepted"];
    hbone_port_refuses_plaintext, Observed, ["PA-06"], "the port of HBONE takes no plain text, at a pod as at a waypoint",
        isolation = Workload, scopes = [Mesh], denies = true, killed_by = ["tunnel-takes-plaintext"];
}

async fn guard_policy_closes_the_ways_around(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let shop = t.service_over("shop", &app).await?;
    let (client, outsider) = (t.client(ClientA), t.client(Outsider));
    let around = status(200).and(served_by(V1)).and(direct_l4());
    client.get(app.url("/")).must(&around).await?;
    outsider.get(shop.url("/")).must(around).await?;

    t.apply(allow("waypoint-only").selecting(&app).rule(request().from(t.waypoint()))).await?;

    client.get(app.url("/")).must(denied_by(Ztunnel)).await?;
    outsider.get(shop.url("/")).must(denied_by(Ztunnel)).await?;
    client.get(shop.url("/")).must(status(200).and(served_by(V1)).and(passed(t.waypoint()))).await
}

async fn client_outside_goes_around(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let outsider = t.client(Outsider);

    let around = status(200).and(served_by(V1)).and(direct_l4());
    outsider.get(shop.url("/")).must(around).await?;
    outsider.get(shop.url("/")).must_never(passed(t.waypoint())).await
}

async fn strict_closes_the_way_from_outside(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let shop = t.service_over("shop", &app).await?;
    let outsider = t.client(Outsider);
    outsider.get(shop.url("/")).must(status(200).and(served_by(V1)).and(direct_l4())).await?;

    t.apply(strict("strict").selecting(&app)).await?;

    outsider.get(shop.url("/")).must(denied_by(Ztunnel)).await?;
    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    t.client(ClientA).get(shop.url("/")).must(through).await
}

async fn forged_identity_is_not_believed(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let (friend, forger) = (t.client(ClientA), t.client(ClientB));
    let forged = format!("Hash=00;Subject=\"\";URI={}", t.identity(ClientA));
    let fine = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    forger.get(shop.url("/")).header("x-forwarded-client-cert", &forged).must(&fine).await?;

    t.apply(allow("friends").attached_to(&shop).rule(request().from(friend))).await?;

    let refused = denied_by(Waypoint).and(passed(t.waypoint()));
    forger.get(shop.url("/")).header("x-forwarded-client-cert", &forged).must(refused).await?;
    friend.get(shop.url("/")).must(fine).await
}

async fn metadata_of_proxies_stays_between_them(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;

    let through = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let clean = no_request_header("x-envoy-peer-metadata").and(no_request_header("x-envoy-peer-metadata-id"));
    t.client(ClientA).get(shop.url("/")).must(through.and(clean)).await
}

async fn waypoint_refuses_foreign_certificates(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let tunnel = t.tunnel_of_waypoint().await?;

    let stranger = t.client(Outsider).get(tunnel).with_foreign_certificate(&shop.host());
    stranger.must(denied_by(Handshake)).await
}

async fn pod_refuses_foreign_certificates(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let outsider = t.client(Outsider);
    outsider.get(app.url("/")).must(status(200).and(served_by(V1)).and(direct_l4())).await?;

    let stranger = outsider.get(t.tunnel_of(&app)).with_foreign_certificate(&app.authority());
    stranger.must(denied_by(Handshake)).await
}

async fn hbone_port_refuses_plaintext(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let outsider = t.client(Outsider);
    outsider.get(app.url("/")).must(status(200).and(served_by(V1)).and(direct_l4())).await?;

    outsider.get(t.tunnel_of(&app)).must(denied_by(Handshake)).await?;
    outsider.get(t.tunnel_of_waypoint().await?).must(denied_by(Handshake)).await
}
