//! What an AuthorizationPolicy is attached to decides who enforces it, and for whom; its status says so.

use crate::authorization::{fine, refused};
use waymark_harness::prelude::*;

suite! {
    "authorization_target", "What an AuthorizationPolicy is attached to";
    policy_of_gateway_holds_for_every_service, Core, ["AZ7-01", "AZ7-02", "AZ7-05"], "a policy attached to a waypoint holds for every Service behind it",
        isolation = Namespace, denies = true, killed_by = ["policy-one-target"];
    policies_of_gateway_and_service_both_hold, Core, ["AZ7-05", "AZ7-14"], "a policy of the waypoint and one of a Service are weighed together for that Service",
        isolation = Namespace, scopes = [Namespace], source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/", denies = true, killed_by = ["policy-deny-off"];
    policy_of_two_services_holds_for_both, Core, ["AZ7-14"], "a policy with two targets holds for both, and for no third",
        needs = [IstioFrom(1, 22)], source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/", denies = true, killed_by = ["policy-one-target"];
    target_decides_what_is_told, Observed, ["AZS-05"], "a policy's status tells whether its target exists and has a waypoint that enforces it",
        denies = true, killed_by = ["rbac-off"];
    l7_allow_at_ztunnel_allows_nothing, Core, ["AZ7-10", "AZS-02"], "a policy that selects a workload and allows by method admits nobody, and its status says that ztunnel cannot tell methods",
        isolation = Namespace, scopes = [Mesh], denies = true, killed_by = ["l4-policy-off"];
    l7_deny_at_ztunnel_fails_safe, Core, ["AZS-03"], "a policy that selects a workload and denies by method fails safe: it denies everything",
        isolation = Namespace, scopes = [Mesh], source = "https://istio.io/latest/docs/ambient/usage/l4-policy/", denies = true, killed_by = ["l4-policy-off"];
}

async fn policy_of_gateway_holds_for_every_service(t: &Ctx) -> Verdict {
    let (shop, bank) = (t.service("shop", [V1]).await?, t.service("bank", [V1]).await?);
    let client = t.client(ClientA);

    t.apply(allow("readers").attached_to(t.waypoint()).rule(request().method("GET"))).await?;

    client.post(shop.url("/")).must(refused(t)).await?;
    client.post(bank.url("/")).must(refused(t)).await?;
    client.get(shop.url("/")).must(fine(t)).await?;
    client.get(bank.url("/")).must(fine(t)).await
}

async fn policies_of_gateway_and_service_both_hold(t: &Ctx) -> Verdict {
    let (shop, bank) = (t.service("shop", [V1]).await?, t.service("bank", [V1]).await?);
    let client = t.client(ClientA);
    t.apply(allow("readers").attached_to(t.waypoint()).rule(request().method("GET"))).await?;
    t.apply(deny("till").attached_to(&shop).rule(request().path("/till"))).await?;

    client.get(shop.url("/till")).must(refused(t)).await?;
    client.post(shop.url("/")).must(refused(t)).await?;
    client.get(shop.url("/")).must(fine(t)).await?;
    client.get(bank.url("/till")).must(fine(t)).await
}

async fn policy_of_two_services_holds_for_both(t: &Ctx) -> Verdict {
    let (shop, bank) = (t.service("shop", [V1]).await?, t.service("bank", [V1]).await?);
    let park = t.service("park", [V1]).await?;
    let client = t.client(ClientA);

    t.apply(deny("shut").attached_to(&shop).attached_to(&bank).rule(request())).await?;

    client.get(shop.url("/")).must(refused(t)).await?;
    client.get(bank.url("/")).must(refused(t)).await?;
    client.get(park.url("/")).must(fine(t)).await
}

async fn target_decides_what_is_told(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let outside = t.service_outside("outside", [V1]).await?;
    let client = t.client(ClientA);
    let told = "WaypointAccepted";

    let bound = deny("bound").attached_to(&shop).rule(request());
    t.must_be_told(bound, told, "True", "Accepted").await?;
    client.get(shop.url("/")).must(refused(t)).await?;

    let unbound = deny("unbound").attached_to(&outside).rule(request());
    t.must_be_told(unbound, told, "False", "AncestorNotBound").await?;
    client.get(outside.url("/")).must(status(200).and(served_by(V1)).and(direct_l4())).await?;

    t.must_be_told(
        allow("no-service").attached_to(&t.no_service("nowhere")),
        told,
        "False",
        "TargetNotFound",
    )
    .await?;
    t.must_be_told(allow("no-gateway").attached_to(&t.no_gateway()), told, "False", "TargetNotFound").await?;
    let half = deny("half").attached_to(&shop).attached_to(&t.no_service("nowhere")).rule(request());
    t.must_be_told(half, told, "True", "PartiallyInvalid").await?;
    Ok(())
}

async fn l7_allow_at_ztunnel_allows_nothing(t: &Ctx) -> Verdict {
    let client = t.client(ClientA);
    let pod = t.pod_url(V1, "/").await?;
    client.get(&pod).must(status(200).and(served_by(V1)).and(direct_l4())).await?;

    let readers = allow("readers").selecting(t.workload(V1)).rule(request().method("GET"));
    t.must_be_told(readers, "ZtunnelAccepted", "True", "UnsupportedValue").await?;

    client.get(&pod).must(denied_by(Ztunnel)).await
}

async fn l7_deny_at_ztunnel_fails_safe(t: &Ctx) -> Verdict {
    let client = t.client(ClientA);
    let pod = t.pod_url(V1, "/").await?;
    client.get(&pod).must(status(200).and(served_by(V1)).and(direct_l4())).await?;

    let writers = deny("writers").selecting(t.workload(V1)).rule(request().method("POST"));
    t.must_be_told(writers, "ZtunnelAccepted", "True", "UnsupportedValue").await?;

    client.get(&pod).must(denied_by(Ztunnel)).await
}
