//! Traffic goes to the backends that a rule names, and to nobody where it names none that counts.

use waymark_harness::prelude::*;

suite! {
    "routing_backend", "HTTPRoute backends at the waypoint";
    only_named_backend_answers, Core, ["GWC-02"], "a rule without matches sends everything to its backend, and nothing to the Service's other pods",
        killed_by = ["lone-rule-ignored"];
    zero_weight_gets_nothing, Core, [], "a backend of weight 0 gets no traffic",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#httpbackendref", killed_by = ["zero-weight-served"];
    no_weighted_backend_is_500, Core, [], "a rule without a backend, or with all weights 0, is answered 500 by the waypoint",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule", killed_by = ["no-backend-served"];
    // istiod of 1.24 dies of a waypoint's route to a backend that it does not know, and takes all other cases with it.
    unknown_service_is_500, Core, [], "a backend that does not exist is told in the route's status, and its rule is answered 500",
        needs = [IstioFrom(1, 25)],
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule", killed_by = ["unknown-backend-503"];
    unknown_kind_is_500, Core, [], "a backend of an unknown kind is told in the route's status, and its rule is answered 500",
        needs = [IstioFrom(1, 25)],
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule", killed_by = ["unknown-backend-503"];
    other_namespace_needs_no_grant, Observed, [], "a backend in another namespace answers without a ReferenceGrant",
        source = "https://gateway-api.sigs.k8s.io/geps/gep-1426/#namespace-boundaries", killed_by = ["foreign-backend-lost"];
}

async fn only_named_backend_answers(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    let only = rule(Matches::default(), backend(shop.subset(V1))).set_response_header("x-only", "yes");
    t.apply(http_route("only").attached_to(&shop).with(only)).await?;

    let only = status(200).and(passed(t.waypoint())).and(response_header("x-only", "yes"));
    client.get(shop.url("/")).must(&only).await?;
    client.get(shop.url("/")).count(20).once(only.and(served_by(V1))).await?;
    Ok(())
}

async fn zero_weight_gets_nothing(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2, V3]).await?;
    let client = t.client(ClientA);

    let shares = [(V1, 1), (V2, 1), (V3, 0)].map(|(it, weight)| backend(shop.subset(it)).weight(weight));
    let shared = rule(Matches::default(), shares).set_response_header("x-shared", "yes");
    t.apply(http_route("weights").attached_to(&shop).with(shared)).await?;

    let shared = status(200).and(passed(t.waypoint())).and(response_header("x-shared", "yes"));
    client.get(shop.url("/")).must(&shared).await?;
    client.get(shop.url("/")).reaches([V1, V2], shared.and(not_served_by(V3))).await
}

async fn no_weighted_backend_is_500(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let route = http_route("nobody").attached_to(&shop).rule(path("/none"), nowhere());
    let route = route.rule(path("/zero"), backend(shop.subset(V1)).weight(0));
    t.apply(route.otherwise(shop.subset(V1))).await?;

    let nobody = status(500).and(passed(t.waypoint())).and(because("direct_response"));
    client.get(shop.url("/none")).must(&nobody).await?;
    client.get(shop.url("/zero")).must(nobody).await?;
    client.get(shop.url("/")).must(t.answered_by(V1)).await
}

async fn unknown_service_is_500(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let ghost = rule(path("/ghost"), backend(&t.no_service("ghost")));
    let route = http_route("ghosts").attached_to(&shop).with(ghost).otherwise(shop.subset(V1));
    let route = t.apply_unaccepted(route).await?;

    let nobody = status(500).and(passed(t.waypoint())).and(because("cluster_not_found"));
    client.get(shop.url("/ghost")).must(nobody).await?;
    client.get(shop.url("/")).must(t.answered_by(V1)).await?;
    t.must_say(&route, &shop, "Accepted", "True", "Accepted").await?;
    t.must_say(&route, &shop, "ResolvedRefs", "False", "BackendNotFound").await
}

async fn unknown_kind_is_500(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let odd = rule(path("/odd"), backend(shop.subset(V1)).of_kind("example.org", "Oddity"));
    let route = http_route("oddities").attached_to(&shop).with(odd).otherwise(shop.subset(V1));
    let route = t.apply_unaccepted(route).await?;

    let nobody = status(500).and(passed(t.waypoint())).and(because("cluster_not_found"));
    client.get(shop.url("/odd")).must(nobody).await?;
    client.get(shop.url("/")).must(t.answered_by(V1)).await?;
    t.must_say(&route, &shop, "Accepted", "True", "Accepted").await?;
    t.must_say(&route, &shop, "ResolvedRefs", "False", "InvalidKind").await
}

async fn other_namespace_needs_no_grant(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let far = t.service_without_waypoint("far", [V2]).await?;
    let client = t.client(ClientA);

    let route = http_route("far").attached_to(&shop).rule(path_prefix("/far"), &far);
    t.apply(route.otherwise(shop.subset(V1))).await?;

    client.get(shop.url("/far")).must(t.answered_by(V2)).await?;
    client.get(shop.url("/near")).must(t.answered_by(V1)).await
}
