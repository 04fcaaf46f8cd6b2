//! What a rule of an HTTPRoute asks of a request decides whether the waypoint follows it.

use waymark_harness::prelude::*;

suite! {
    "routing_match", "HTTPRoute matches at the waypoint";
    exact_path_is_whole_path, Core, ["GWC-04"], "an exact path matches this path only, in this case of letters",
        killed_by = ["exact-path-as-prefix"];
    path_regex_is_whole_path, Extended, [], "a regular expression for a path must match all of it",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#pathmatchtype", killed_by = ["regex-open-ended"];
    header_regex_is_whole_value, Extended, [], "a regular expression for a header must match all of its value",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#headermatchtype", killed_by = ["regex-open-ended"];
    query_match_selects_backend, Core, ["GWC-07"], "a query parameter selects a rule by its exact value, whatever else is asked",
        killed_by = ["ignore-query-match"];
    method_match_selects_backend, Core, [], "a method selects a rule",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#httproutematch", killed_by = ["ignore-method-match"];
    all_conditions_must_hold, Core, ["GWC-07"], "a match with several conditions holds when all of them do",
        killed_by = ["ignore-query-match", "ignore-method-match", "ignore-header-match", "ignore-path-match"];
    any_match_suffices, Core, ["GWC-03", "GWC-07"], "a rule with several matches applies when one of them holds",
        killed_by = ["first-match-only"];
    named_rule_applies, Core, ["GWC-08"], "a rule applies with a name as it does without",
        needs = [GatewayApi(1, 4)], killed_by = ["ignore-path-match"];
}

async fn exact_path_is_whole_path(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    let route = http_route("exact").attached_to(&shop).rule(path("/one"), shop.subset(V2));
    t.apply(route.otherwise(shop.subset(V1))).await?;

    client.get(shop.url("/one")).must(t.answered_by(V2)).await?;
    client.get(shop.url("/one?a=b")).must(t.answered_by(V2)).await?;
    for other in ["/one/", "/one/two", "/One", "/"] {
        client.get(shop.url(other)).must(t.answered_by(V1)).await?;
    }
    Ok(())
}

async fn path_regex_is_whole_path(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    // Nothing else is routed: a rule for all paths ranks before any expression.
    let items = path_regex("/item/[0-9]+");
    t.apply(http_route("items").attached_to(&shop).rule(items, shop.subset(V2))).await?;

    client.get(shop.url("/item/42")).must(t.answered_by(V2)).await?;
    let refused = status(404).and(passed(t.waypoint())).and(because("route_not_found"));
    client.get(shop.url("/item/42/more")).must(&refused).await?;
    client.get(shop.url("/shop/item/42")).must(refused).await
}

async fn header_regex_is_whole_value(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    let canary = header_regex("x-user", "canary-[0-9]+");
    let route = http_route("canaries").attached_to(&shop).rule(canary, shop.subset(V2));
    t.apply(route.otherwise(shop.subset(V1))).await?;

    client.get(shop.url("/")).header("x-user", "canary-42").must(t.answered_by(V2)).await?;
    for other in ["canary-42-b", "a-canary-42", "canary-"] {
        client.get(shop.url("/")).header("x-user", other).must(t.answered_by(V1)).await?;
    }
    client.get(shop.url("/")).must(t.answered_by(V1)).await
}

async fn query_match_selects_backend(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    let route = http_route("whales").attached_to(&shop).rule(query("animal", "whale"), shop.subset(V2));
    t.apply(route.otherwise(shop.subset(V1))).await?;

    client.get(shop.url("/?animal=whale")).must(t.answered_by(V2)).await?;
    client.get(shop.url("/any?color=blue&animal=whale")).must(t.answered_by(V2)).await?;
    for other in ["/?animal=dolphin", "/?animal=whaleshark", "/?color=whale", "/animal=whale", "/"] {
        client.get(shop.url(other)).must(t.answered_by(V1)).await?;
    }
    Ok(())
}

async fn method_match_selects_backend(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    let route = http_route("posts").attached_to(&shop).rule(method(Method::Post), shop.subset(V2));
    t.apply(route.otherwise(shop.subset(V1))).await?;

    client.post(shop.url("/")).must(t.answered_by(V2)).await?;
    client.get(shop.url("/")).must(t.answered_by(V1)).await?;
    client.request("PUT", shop.url("/")).must(t.answered_by(V1)).await
}

async fn all_conditions_must_hold(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    let here = path_prefix("/new").and(method(Method::Post));
    let all = here.and(header("x-user", "canary")).and(query("beta", "yes"));
    let route = http_route("all").attached_to(&shop).rule(all, shop.subset(V2));
    t.apply(route.otherwise(shop.subset(V1))).await?;

    let canary = ("x-user", "canary");
    client.post(shop.url("/new?beta=yes")).header(canary.0, canary.1).must(t.answered_by(V2)).await?;
    client.get(shop.url("/new?beta=yes")).header(canary.0, canary.1).must(t.answered_by(V1)).await?;
    client.post(shop.url("/old?beta=yes")).header(canary.0, canary.1).must(t.answered_by(V1)).await?;
    client.post(shop.url("/new")).header(canary.0, canary.1).must(t.answered_by(V1)).await?;
    client.post(shop.url("/new?beta=yes")).must(t.answered_by(V1)).await
}

async fn any_match_suffices(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    let either = [path("/beta"), header("x-user", "canary")];
    let route = http_route("either").attached_to(&shop).rule(either, shop.subset(V2));
    t.apply(route.otherwise(shop.subset(V1))).await?;

    client.get(shop.url("/beta")).must(t.answered_by(V2)).await?;
    client.get(shop.url("/")).header("x-user", "canary").must(t.answered_by(V2)).await?;
    client.get(shop.url("/")).must(t.answered_by(V1)).await
}

async fn named_rule_applies(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    let named = rule(path_prefix("/named"), backend(shop.subset(V1))).named("by-name");
    let route = http_route("names").attached_to(&shop).with(named);
    t.apply(route.rule(path_prefix("/unnamed"), shop.subset(V2))).await?;

    client.get(shop.url("/unnamed")).must(t.answered_by(V2)).await?;
    client.get(shop.url("/named/page")).must(t.answered_by(V1)).await
}
