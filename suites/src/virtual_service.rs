//! Which route of a VirtualService a request takes, at the waypoint of the Service it is about.
//!
//! Routes are told apart by the response header that each of them sets.

use waymark_harness::prelude::*;

suite! {
    "virtual_service", "VirtualService conditions and their order";
    path_selects_route, Extended, [], "a path selects a route exactly, by its beginning or by expression, and by case unless the route says otherwise",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest",
        killed_by = ["path-case-ignored", "ignore-path-match"];
    header_selects_route, Extended, [], "a header selects a route exactly, by its beginning, by expression or by being there",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest",
        killed_by = ["ignore-header-match"];
    odd_header_name_selects_route, Extended, ["RT-12"], "a header whose name has every legal character selects a route",
        needs = [IstioFrom(1, 25)], killed_by = ["ignore-header-match"];
    method_selects_route, Extended, ["RT-13"], "a method selects a route, named as such or as a pseudo header",
        needs = [IstioFrom(1, 25)], killed_by = ["ignore-method-match"];
    query_selects_route, Extended, [], "a query parameter selects a route exactly or by expression",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest",
        killed_by = ["ignore-query-match"];
    absent_header_selects_route, Extended, ["RT-20"], "a route without a header value takes requests that lack the header or have another value",
        killed_by = ["without-headers-ignored"];
    absent_header_of_any_value_selects_route, Extended, ["RT-21", "RT-22"], "a route without any value of a header takes requests that lack the header, and no other",
        killed_by = ["without-headers-ignored"];
    conditions_join, Extended, [], "all conditions of one match must hold, and one match of many is enough",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRoute",
        killed_by = ["ignore-header-match"];
    port_selects_route, Extended, [], "a route for one port of a Service is not taken at another",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest",
        killed_by = ["port-match-ignored"];
    first_match_wins, Extended, [], "of the routes that match the first is taken, not the most specific",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService",
        killed_by = ["longest-path-first"];
    match_of_everything_ends_list, Extended, ["RT-19"], "no route after one that matches everything is taken",
        killed_by = ["fault-off"];
    hosts_share_routes, Extended, [], "a VirtualService of two Services holds for both",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService",
        killed_by = ["ignore-path-match"];
    virtual_services_of_one_host_join, Extended, ["RT-29"], "the routes of two VirtualServices of one Service are both in force",
        needs = [IstioFrom(1, 30)], killed_by = ["second-object-ignored"];
    source_labels_select_nothing, Observed, ["RT-30"], "a route that asks for labels of the client is never taken at the waypoint",
        needs = [IstioFrom(1, 25)], killed_by = ["ignore-path-match"];
}

/// A route to the Service that tells by a response header that it was taken.
fn route(shop: &Service, name: &str) -> Route {
    to(shop).set_response_header("x-route", name)
}

/// What a request gets that took this route.
fn took(t: &Ctx, name: &str) -> Expectation {
    status(200).and(served_by(V1)).and(passed(t.waypoint())).and(response_header("x-route", name))
}

/// What a request gets that no route took.
fn took_none(t: &Ctx) -> Expectation {
    status(404).and(passed(t.waypoint())).and(because("route_not_found"))
}

async fn path_selects_route(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let paths = virtual_service("paths")
        .of(&shop)
        .route(route(&shop, "exact").when_path("/exact"))
        .route(route(&shop, "prefix").when_path(starting_with("/pre")))
        .route(route(&shop, "regex").when_path(matching("/item/[0-9]+")))
        .route(route(&shop, "any-case").when_path("/case").ignoring_case());
    t.apply(paths).await?;

    client.get(shop.url("/exact")).must(took(t, "exact")).await?;
    client.get(shop.url("/prefixed/on")).must(took(t, "prefix")).await?;
    client.get(shop.url("/item/42")).must(took(t, "regex")).await?;
    client.get(shop.url("/CASE")).must(took(t, "any-case")).await?;
    for path in ["/exact/not", "/EXACT", "/item/42/on", "/item/x"] {
        client.get(shop.url(path)).must(took_none(t)).await?;
    }
    Ok(())
}

async fn header_selects_route(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let headers = virtual_service("headers")
        .of(&shop)
        .route(route(&shop, "exact").when_header("x-user", "ann"))
        .route(route(&shop, "prefix").when_header("x-user", starting_with("bob-")))
        .route(route(&shop, "regex").when_header("x-user", matching("c[0-9]+")))
        .route(route(&shop, "present").when_header("x-trial", present()))
        .route(route(&shop, "rest"));
    t.apply(headers).await?;

    for (user, name) in
        [("ann", "exact"), ("bob-by", "prefix"), ("c42", "regex"), ("ANN", "rest"), ("c4x", "rest")]
    {
        client.get(shop.url("/")).header("x-user", user).must(took(t, name)).await?;
    }
    client.get(shop.url("/")).header("x-trial", "").must(took(t, "present")).await?;
    client.get(shop.url("/")).must(took(t, "rest")).await
}

async fn odd_header_name_selects_route(t: &Ctx) -> Verdict {
    const ODD: &str = "a!#$%&'*+-.^_`|~z";
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let odd = route(&shop, "odd").when_header(ODD, "why");
    t.apply(virtual_service("odd").of(&shop).route(odd)).await?;

    client.get(shop.url("/")).must(took_none(t)).await?;
    client.get(shop.url("/")).header(ODD, "why").must(took(t, "odd")).await
}

async fn method_selects_route(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let methods = virtual_service("methods")
        .of(&shop)
        .route(route(&shop, "put").when_method("PUT").when_path("/methods"))
        .route(route(&shop, "pseudo").when_header(":method", "GET").when_path("/methods"));
    t.apply(methods).await?;

    client.request("PUT", shop.url("/methods")).must(took(t, "put")).await?;
    client.get(shop.url("/methods")).must(took(t, "pseudo")).await?;
    client.post(shop.url("/methods")).must(took_none(t)).await?;
    client.get(shop.url("/")).must(took_none(t)).await
}

async fn query_selects_route(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let queries = virtual_service("queries")
        .of(&shop)
        .route(route(&shop, "exact").when_query("color", "blue"))
        .route(route(&shop, "regex").when_query("size", matching("[0-9]+")))
        .route(route(&shop, "rest"));
    t.apply(queries).await?;

    client.get(shop.url("/?color=blue")).must(took(t, "exact")).await?;
    client.get(shop.url("/?size=42&color=red")).must(took(t, "regex")).await?;
    client.get(shop.url("/?size=4x")).must(took(t, "rest")).await?;
    client.get(shop.url("/")).must(took(t, "rest")).await
}

async fn absent_header_selects_route(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let strangers = route(&shop, "strangers").without_header("end-user", "jason");
    t.apply(virtual_service("without").of(&shop).route(strangers).route(route(&shop, "jason"))).await?;

    client.get(shop.url("/")).header("end-user", "jason").must(took(t, "jason")).await?;
    client.get(shop.url("/")).header("end-user", "not-jason").must(took(t, "strangers")).await?;
    client.get(shop.url("/")).must(took(t, "strangers")).await
}

async fn absent_header_of_any_value_selects_route(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let nameless = virtual_service("nameless")
        .of(&shop)
        .route(route(&shop, "star").when_path("/star").without_header("end-user", matching("*")))
        .route(route(&shop, "any").when_path("/any").without_header("end-user", matching(".*")))
        .route(route(&shop, "rest"));
    t.apply(nameless).await?;

    client.get(shop.url("/star")).must(took(t, "star")).await?;
    for user in ["jason", ""] {
        client.get(shop.url("/star")).header("end-user", user).must(took(t, "rest")).await?;
        client.get(shop.url("/any")).header("end-user", user).must(took(t, "rest")).await?;
    }
    // A header that is missing counts as empty, which `.*` matches, too.
    client.get(shop.url("/any")).must(took(t, "rest")).await
}

async fn conditions_join(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let both = route(&shop, "taken").when_path("/both").when_header("x-user", "ann");
    let either = both.or().when_path("/either").or().when_method("PUT");
    t.apply(virtual_service("joined").of(&shop).route(either).route(route(&shop, "rest"))).await?;

    client.get(shop.url("/both")).header("x-user", "ann").must(took(t, "taken")).await?;
    client.get(shop.url("/either")).must(took(t, "taken")).await?;
    client.request("PUT", shop.url("/")).must(took(t, "taken")).await?;
    client.get(shop.url("/both")).must(took(t, "rest")).await?;
    client.get(shop.url("/")).header("x-user", "ann").must(took(t, "rest")).await
}

async fn port_selects_route(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Alt]).await?;
    let client = t.client(ClientA);
    let ports = virtual_service("ports")
        .of(&shop)
        .route(route(&shop, "alt").when_port(Alt))
        .route(route(&shop, "http").when_port(Http));
    t.apply(ports).await?;

    client.get(shop.url_at(Alt, "/")).must(took(t, "alt")).await?;
    client.get(shop.url("/")).must(took(t, "http")).await
}

async fn first_match_wins(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let ordered = virtual_service("ordered")
        .of(&shop)
        .route(route(&shop, "first").when_path(starting_with("/a")))
        .route(route(&shop, "exact").when_path("/a/b"))
        .route(route(&shop, "rest"));
    t.apply(ordered).await?;

    client.get(shop.url("/a/b")).must(took(t, "first")).await?;
    client.get(shop.url("/c")).must(took(t, "rest")).await
}

async fn match_of_everything_ends_list(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let everything = to(&shop).when_path(matching(".*")).abort(418, 100.0);
    let never = route(&shop, "never").when_path("/late");
    t.apply(virtual_service("everything").of(&shop).route(everything).route(never)).await?;

    let aborted = status(418).and(passed(t.waypoint())).and(because("fault_filter_abort"));
    client.get(shop.url("/")).must(&aborted).await?;
    client.get(shop.url("/late")).must(aborted).await
}

async fn hosts_share_routes(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let store = t.service("store", [V1]).await?;
    let client = t.client(ClientA);
    let shared = route(&shop, "shared").when_path("/shared");
    t.apply(virtual_service("both").of(&shop).of(&store).route(shared)).await?;

    for service in [&shop, &store] {
        client.get(service.url("/shared")).must(took(t, "shared")).await?;
        client.get(service.url("/")).must(took_none(t)).await?;
    }
    Ok(())
}

async fn virtual_services_of_one_host_join(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(virtual_service("old").of(&shop).route(route(&shop, "old").when_path("/old"))).await?;
    t.apply(virtual_service("new").of(&shop).route(route(&shop, "new").when_path("/new"))).await?;

    client.get(shop.url("/old")).must(took(t, "old")).await?;
    client.get(shop.url("/new")).must(took(t, "new")).await?;
    client.get(shop.url("/")).must(took_none(t)).await
}

async fn source_labels_select_nothing(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let own = route(&shop, "own").when_path("/page").when_from(client);
    let rest = route(&shop, "rest").when_path("/page");
    t.apply(virtual_service("labels").of(&shop).route(own).route(rest)).await?;

    client.get(shop.url("/page")).must(took(t, "rest")).await?;
    client.get(shop.url("/page")).must_never(took(t, "own")).await?;
    client.get(shop.url("/")).must(took_none(t)).await
}
