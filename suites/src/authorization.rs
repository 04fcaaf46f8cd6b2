//! AuthorizationPolicies attached to a Service are enforced by its waypoint, by the client's own identity.

use waymark_harness::prelude::*;

suite! {
    "authorization", "AuthorizationPolicy at the waypoint";
    denied_method_is_403, Core, ["AZ7-01", "AZ7-02"], "a method that no rule allows is answered 403 by the waypoint",
        denies = true, killed_by = ["rbac-off"];
    denied_path_is_403, Core, ["AZ7-01", "AZ7-02"], "a path that no rule allows is answered 403 by the waypoint",
        denies = true, killed_by = ["rbac-off"];
    denied_identity_is_403, Core, ["AZ7-03", "AZ7-04", "AZ7-14"], "a client whose identity no rule allows is answered 403 by the waypoint",
        denies = true, killed_by = ["rbac-off"];
    deny_beats_allow, Core, ["AZ7-05"], "a request that one policy allows and another denies is answered 403",
        denies = true, killed_by = ["rbac-off"];
    policy_leaves_other_service_alone, Core, ["AZ7-14"], "a policy attached to one Service does not touch another behind the same waypoint",
        denies = true, killed_by = ["rbac-off"];
}

/// What the waypoint's access log says of a request that RBAC refused.
const REFUSED: &str = "rbac_access_denied_matched_policy[";

/// Answered by V1, through the waypoint.
pub(crate) fn fine(t: &Ctx) -> Expectation {
    status(200).and(served_by(V1)).and(passed(t.waypoint()))
}

/// Refused by a policy at the waypoint.
pub(crate) fn refused(t: &Ctx) -> Expectation {
    denied_by(Waypoint).and(passed(t.waypoint())).and(because(REFUSED))
}

async fn denied_method_is_403(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let fine = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.post(shop.url("/")).must(&fine).await?;

    t.apply(allow("readers").attached_to(&shop).rule(request().method("GET"))).await?;

    let refused = denied_by(Waypoint).and(passed(t.waypoint())).and(because(REFUSED));
    client.post(shop.url("/")).must(refused).await?;
    client.get(shop.url("/")).must(fine).await
}

async fn denied_path_is_403(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let fine = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/private")).must(&fine).await?;

    t.apply(allow("public").attached_to(&shop).rule(request().path("/public*"))).await?;

    let refused = denied_by(Waypoint).and(passed(t.waypoint())).and(because(REFUSED));
    client.get(shop.url("/private")).must(refused).await?;
    client.get(shop.url("/public/page")).must(fine).await
}

async fn denied_identity_is_403(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let (friend, stranger) = (t.client(ClientA), t.client(ClientB));
    let fine = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    stranger.get(shop.url("/")).must(&fine).await?;

    t.apply(allow("friends").attached_to(&shop).rule(request().from(friend))).await?;

    let refused = denied_by(Waypoint).and(passed(t.waypoint())).and(because(REFUSED));
    stranger.get(shop.url("/")).must(refused).await?;
    friend.get(shop.url("/")).must(fine).await
}

async fn deny_beats_allow(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(allow("everything").attached_to(&shop).rule(request().path("/*"))).await?;
    let fine = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/secret")).must(&fine).await?;

    t.apply(deny("secret").attached_to(&shop).rule(request().path("/secret"))).await?;

    let refused = denied_by(Waypoint).and(passed(t.waypoint())).and(because(REFUSED));
    client.get(shop.url("/secret")).must(refused).await?;
    client.get(shop.url("/open")).must(fine).await
}

async fn policy_leaves_other_service_alone(t: &Ctx) -> Verdict {
    let closed = t.service("closed", [V1]).await?;
    let open = t.service("open", [V1]).await?;
    let client = t.client(ClientA);

    // The Services answered 200 through the waypoint when they were made: that is the positive control.
    t.apply(deny("nobody").attached_to(&closed).rule(request().path("*"))).await?;

    let refused = denied_by(Waypoint).and(passed(t.waypoint())).and(because(REFUSED));
    client.get(closed.url("/")).must(refused).await?;
    client.get(open.url("/")).must(status(200).and(served_by(V1)).and(passed(t.waypoint()))).await?;
    client.get(open.url("/")).must_never(status(403)).await
}
