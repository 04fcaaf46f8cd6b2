//! What a route of a VirtualService makes of a request, at the waypoint of the Service it is about.

use waymark_harness::prelude::*;

suite! {
    "virtual_service_actions", "VirtualService header operations, rewrites and answers";
    request_headers_are_changed, Extended, ["RT-01", "RT-02"], "a route adds, sets and removes request headers",
        killed_by = ["header-set-appends"];
    response_headers_are_changed, Extended, [], "a route adds, sets and removes response headers",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#Headers",
        killed_by = ["headers-only-added"];
    authority_is_set, Extended, ["RT-03", "RT-04", "RT-05"], "a header operation on Host or :authority sets the authority, on route and on destination",
        killed_by = ["authority-kept"];
    authority_of_route_beats_destination, Extended, ["RT-06"], "the authority that a route sets beats that of its destinations",
        killed_by = ["authority-kept"];
    path_is_rewritten, Extended, ["RT-14"], "a path is rewritten whole, by its beginning or by expression, and its query stays",
        killed_by = ["regex-rewrite-off"];
    authority_is_rewritten, Extended, ["RT-15"], "an authority is rewritten",
        killed_by = ["authority-kept"];
    redirect_keeps_query, Extended, ["RT-08"], "a redirect leads to the path that it names, with the query of the request and the given status",
        killed_by = ["redirect-same-path"];
    redirect_names_scheme_and_port, Extended, ["RT-09"], "a redirect names scheme, host and port as told, or the port of the request",
        killed_by = ["redirect-same-path"];
    direct_answer_is_given, Extended, [], "a route answers by itself with the given status and body",
        source = "https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPDirectResponse",
        killed_by = ["answer-without-body"];
}

async fn request_headers_are_changed(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let changed = to(&shop)
        .add_request_header("x-new", "added")
        .add_request_header("x-both", "second")
        .set_request_header("x-set", "ours")
        .remove_request_header("x-secret");
    t.apply(virtual_service("headers").of(&shop).route(changed)).await?;

    let seen = request_header("x-new", "added").and(request_header("x-set", "ours"));
    let seen = seen.and(request_header("x-both", "first,second")).and(no_request_header("x-secret"));
    let probe = t.client(ClientA).get(shop.url("/")).header("x-both", "first").header("x-set", "theirs");
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    probe.header("x-secret", "1").must(answered.and(seen)).await
}

async fn response_headers_are_changed(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let changed = to(&shop)
        .add_response_header("x-new", "added")
        .set_response_header("x-set", "ours")
        .remove_response_header("x-secret");
    t.apply(virtual_service("headers").of(&shop).route(changed)).await?;

    let heard = response_header("x-new", "added").and(response_header("x-set", "ours"));
    let heard = heard.and(no_response_header("x-secret")).and(response_header("x-kept", "theirs"));
    let url = shop.url("/?echo-header=x-set:theirs&echo-header=x-secret:1&echo-header=x-kept:theirs");
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    t.client(ClientA).get(url).must(answered.and(heard)).await
}

async fn authority_is_set(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let (route, host, pseudo) = (to(&shop), to(&shop), to(&shop));
    let authorities = virtual_service("authorities")
        .of(&shop)
        .route(route.when_path("/route").set_request_header(":authority", "route.example"))
        .route(host.when_path("/host").destination_sets_request_header("Host", "host.example"))
        .route(pseudo.when_path("/pseudo").destination_sets_request_header(":authority", "pseudo.example"));
    t.apply(authorities).await?;

    let answered = || status(200).and(served_by(V1)).and(passed(t.waypoint()));
    for (path, authority) in
        [("/route", "route.example"), ("/host", "host.example"), ("/pseudo", "pseudo.example")]
    {
        let seen = answered().and(request_header(":authority", authority));
        client.get(shop.url(path)).must(seen).await?;
    }
    Ok(())
}

async fn authority_of_route_beats_destination(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let single = to(&shop).destination_sets_request_header("Host", "destination.example");
    let many = to(&shop).weight(50).destination_sets_request_header("Host", "destination.example");
    let beaten = virtual_service("beaten")
        .of(&shop)
        .route(single.when_path("/single").set_request_header(":authority", "route.example"))
        .route(many.and_to(&shop, None).weight(50).set_request_header(":authority", "route.example"));
    t.apply(beaten).await?;

    let seen = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let seen = seen.and(request_header(":authority", "route.example"));
    client.get(shop.url("/single")).must(&seen).await?;
    client.get(shop.url("/many")).count(10).kept().once(seen).await?;
    Ok(())
}

async fn path_is_rewritten(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let rewrites = virtual_service("rewrites")
        .of(&shop)
        .route(to(&shop).when_path("/foo").rewrite_path("/new/path"))
        .route(to(&shop).when_path(starting_with("/old/")).rewrite_path("/young/"))
        .route(to(&shop).rewrite_path_regex("^/service/([^/]+)(/.*)$", r"/custom\2/\1"));
    t.apply(rewrites).await?;

    let answered = || status(200).and(served_by(V1)).and(passed(t.waypoint()));
    for (path, rewritten) in [
        ("/foo?key=value", "/new/path?key=value"),
        ("/old/page?a=b", "/young/page?a=b"),
        ("/service/update/v1/api?c=d", "/custom/v1/api/update?c=d"),
    ] {
        let seen = answered().and(request_header(":path", rewritten));
        client.get(shop.url(path)).must(seen).await?;
    }
    client.get(shop.url("/foo/bar")).must(answered().and(request_header(":path", "/foo/bar"))).await
}

async fn authority_is_rewritten(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let renamed = to(&shop).when_path("/foo").rewrite_authority("new-authority");
    t.apply(virtual_service("renamed").of(&shop).route(renamed).route(to(&shop))).await?;

    let answered = || status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/foo")).must(answered().and(request_header(":authority", "new-authority"))).await?;
    client.get(shop.url("/bar")).must(answered().and(request_header(":authority", shop.host()))).await
}

async fn redirect_keeps_query(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let redirects = virtual_service("redirects")
        .of(&shop)
        .route(moved().when_path("/foo").to_path("/new/path"))
        .route(moved().when_path("/bar").to_path("/newer/path").by_status(308));
    t.apply(redirects).await?;

    for (path, code, location) in
        [("/foo?key=value", 301, "/new/path?key=value"), ("/bar?a=b", 308, "/newer/path?a=b")]
    {
        let sent = status(code).and(passed(t.waypoint())).and(because("direct_response"));
        let sent = sent.and(response_header("location", shop.url(location)));
        client.get(shop.url(path)).must(sent).await?;
    }
    Ok(())
}

async fn redirect_names_scheme_and_port(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let elsewhere = moved().when_path("/away").to_authority("other.example").to_port(8080).to_path("/here");
    let redirects = virtual_service("redirects")
        .of(&shop)
        .route(moved().when_path("/foo").to_scheme("https").to_same_port())
        .route(elsewhere.by_status(302));
    t.apply(redirects).await?;

    let sent = |code| status(code).and(passed(t.waypoint())).and(because("direct_response"));
    let same = response_header("location", format!("https://{}:80/foo", shop.host()));
    client.get(shop.url("/foo")).must(sent(301).and(same)).await?;
    let other = response_header("location", "http://other.example:8080/here");
    client.get(shop.url("/away")).must(sent(302).and(other)).await
}

async fn direct_answer_is_given(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let closed = answer(451, "closed by law").when_path("/closed");
    t.apply(virtual_service("closed").of(&shop).route(closed).route(to(&shop))).await?;

    let closed = status(451).and(body("closed by law")).and(passed(t.waypoint()));
    let closed = closed.and(because("direct_response"));
    client.get(shop.url("/closed")).must(&closed).await?;
    let sent = client.get(shop.url("/closed")).once(closed).await?;
    t.must_arrive(V1, &sent, 0).await?;
    client.get(shop.url("/")).must(status(200).and(served_by(V1)).and(passed(t.waypoint()))).await
}
