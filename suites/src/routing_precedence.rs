//! Of all rules that a request matches, the most specific applies, wherever it stands.

use waymark_harness::prelude::*;

suite! {
    "routing_precedence", "Precedence of HTTPRoute rules at the waypoint";
    more_exact_path_ranks_first, Core, ["GWC-03"], "an exact path ranks before a prefix, and a longer prefix before a shorter one",
        killed_by = ["precedence-reversed"];
    path_ranks_before_query_and_more_headers_first, Core, ["GWC-07"], "a longer path ranks before other conditions, then more headers before fewer",
        killed_by = ["precedence-reversed"];
    rules_of_all_routes_rank_together, Core, [], "rules of several routes on one Service rank as those of one route do",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule", killed_by = ["first-route-only"];
    older_route_wins, Core, [], "of rules alike in two routes on one Service, the older route's applies",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule", killed_by = ["precedence-reversed"];
}

async fn more_exact_path_ranks_first(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2, V3]).await?;
    let client = t.client(ClientA);

    // The order of the rules is the reverse of their rank.
    let route = http_route("paths").attached_to(&shop).rule(path_prefix("/a"), shop.subset(V1));
    let route = route.rule(path_prefix("/a/b"), shop.subset(V2)).rule(path("/a/b"), shop.subset(V3));
    t.apply(route).await?;

    client.get(shop.url("/a/b")).must(t.answered_by(V3)).await?;
    client.get(shop.url("/a/b/c")).must(t.answered_by(V2)).await?;
    client.get(shop.url("/a/c")).must(t.answered_by(V1)).await
}

async fn path_ranks_before_query_and_more_headers_first(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2, V3]).await?;
    let client = t.client(ClientA);

    let (one, two) = (header("x-one", "1"), header("x-two", "2"));
    let route = http_route("ranks").attached_to(&shop).rule(query("a", "b"), shop.subset(V1));
    let route = route.rule(header("x-one", "1"), shop.subset(V1)).rule(one.and(two), shop.subset(V2));
    t.apply(route.rule(path_prefix("/page"), shop.subset(V3))).await?;

    client.get(shop.url("/page?a=b")).must(t.answered_by(V3)).await?;
    client.get(shop.url("/?a=b")).must(t.answered_by(V1)).await?;
    client.get(shop.url("/")).header("x-one", "1").header("x-two", "2").must(t.answered_by(V2)).await?;
    client.get(shop.url("/")).header("x-one", "1").must(t.answered_by(V1)).await
}

async fn rules_of_all_routes_rank_together(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    t.apply(http_route("broad").attached_to(&shop).otherwise(shop.subset(V1))).await?;
    t.apply(http_route("narrow").attached_to(&shop).rule(path_prefix("/new"), shop.subset(V2))).await?;

    client.get(shop.url("/new/page")).must(t.answered_by(V2)).await?;
    client.get(shop.url("/old/page")).must(t.answered_by(V1)).await
}

async fn older_route_wins(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    // Its name sorts last, so that only its age makes it first.
    let older = http_route("z").attached_to(&shop).rule(path("/both"), shop.subset(V1));
    let older = t.apply(older).await?;
    let young = rule(path("/young"), backend(shop.subset(V2))).set_response_header("x-young", "yes");
    let younger = http_route("a").attached_to(&shop).rule(path("/both"), shop.subset(V2)).with(young);
    t.apply_younger_than(&older, younger).await?;

    let arrived = t.answered_by(V2).and(response_header("x-young", "yes"));
    client.get(shop.url("/young")).must(arrived).await?;
    client.get(shop.url("/both")).must(t.answered_by(V1)).await
}
