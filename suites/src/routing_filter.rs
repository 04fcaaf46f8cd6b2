//! What an HTTPRoute's filters change of requests and responses, the waypoint changes.

use waymark_harness::prelude::*;

suite! {
    "routing_filter", "HTTPRoute filters at the waypoint";
    request_headers_are_modified, Core, ["GWC-09"], "a rule sets, adds and removes request headers, whatever case their names have",
        killed_by = ["headers-only-added"];
    response_headers_are_modified, Core, ["GWC-19"], "a rule sets, adds and removes response headers",
        killed_by = ["headers-only-added"];
    headers_are_modified_for_one_backend, Core, ["GWC-09"], "a backend's own filters change only what goes to it and comes from it",
        killed_by = ["backend-headers-off"];
    path_is_rewritten, Core, ["GWC-11"], "the backend sees a path with its prefix replaced, or replaced as a whole",
        killed_by = ["rewrite-off"];
    host_is_rewritten, Core, [], "the backend sees the host that a rule gives it",
        source = "https://gateway-api.sigs.k8s.io/guides/http-redirect-rewrite/", killed_by = ["host-rewrite-off"];
}

async fn request_headers_are_modified(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let edit = t.client(ClientA).get(shop.url("/"));

    let edited = rule(Matches::default(), backend(shop.subset(V1)));
    let edited = edited.set_request_header("X-Set", "new").add_request_header("x-add", "second");
    let edited = edited.remove_request_header("X-Gone");
    t.apply(http_route("requests").attached_to(&shop).with(edited)).await?;

    let created =
        t.answered_by(V1).and(request_header("x-set", "new")).and(request_header("x-add", "second"));
    edit.again().must(created).await?;

    let changed = t.answered_by(V1).and(request_header("x-set", "new"));
    let changed = changed.and(request_header("x-add", "first,second")).and(no_request_header("x-gone"));
    let edit =
        edit.header("x-set", "old").header("x-add", "first").header("x-gone", "1").header("x-kept", "1");
    edit.must(changed.and(request_header("x-kept", "1"))).await
}

async fn response_headers_are_modified(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let edited = rule(Matches::default(), backend(shop.subset(V1)));
    let edited = edited.set_response_header("X-Set", "new").add_response_header("x-add", "second");
    let edited = edited.remove_response_header("X-Gone");
    t.apply(http_route("responses").attached_to(&shop).with(edited)).await?;

    let created =
        t.answered_by(V1).and(response_header("x-set", "new")).and(response_header("x-add", "second"));
    client.get(shop.url("/")).must(created).await?;

    let changed = t.answered_by(V1).and(response_header("x-set", "new"));
    let changed = changed.and(response_header("x-add", "first,second")).and(no_response_header("x-gone"));
    let answer = "/?echo-header=x-set:old&echo-header=x-add:first&echo-header=x-gone:1&echo-header=x-kept:1";
    client.get(shop.url(answer)).must(changed.and(response_header("x-kept", "1"))).await
}

async fn headers_are_modified_for_one_backend(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    let first = backend(shop.subset(V1)).set_request_header("x-for", "v1").set_response_header("x-by", "v1");
    let second = backend(shop.subset(V2)).set_request_header("x-for", "v2").set_response_header("x-by", "v2");
    let shared = rule(Matches::default(), [first, second]).set_response_header("x-shared", "yes");
    t.apply(http_route("backends").attached_to(&shop).with(shared)).await?;

    let shared = status(200).and(passed(t.waypoint())).and(response_header("x-shared", "yes"));
    client.get(shop.url("/")).must(shared).await?;
    let v1 = t.answered_by(V1).and(request_header("x-for", "v1")).and(response_header("x-by", "v1"));
    let v2 = t.answered_by(V2).and(request_header("x-for", "v2")).and(response_header("x-by", "v2"));
    client.get(shop.url("/")).each_answers([(V1, v1), (V2, v2)]).await
}

async fn path_is_rewritten(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let to = |prefix| rule(path_prefix(prefix), backend(shop.subset(V1)));
    let route = http_route("paths").attached_to(&shop).with(to("/prefix/one").rewriting_prefix("/one"));
    let route = route.with(to("/strip").rewriting_prefix("/"));
    t.apply(route.with(to("/full").rewriting_path("/whole"))).await?;

    let rewritten = [
        ("/prefix/one/two", "/one/two"),
        ("/prefix/one", "/one"),
        ("/strip/three?a=b", "/three"),
        ("/strip", "/"),
        ("/full/four", "/whole"),
    ];
    for (sent, seen) in rewritten {
        client.get(shop.url(sent)).must(t.answered_by(V1).and(path_seen(seen))).await?;
    }
    Ok(())
}

async fn host_is_rewritten(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let renamed = rule(path_prefix("/renamed"), backend(shop.subset(V1))).rewriting_host("one.example.org");
    t.apply(http_route("hosts").attached_to(&shop).with(renamed).otherwise(shop.subset(V1))).await?;

    client.get(shop.url("/renamed")).must(t.answered_by(V1).and(host_seen("one.example.org"))).await?;
    client.get(shop.url("/")).must(t.answered_by(V1).and(host_seen(shop.host()))).await
}
