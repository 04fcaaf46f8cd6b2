//! What a rule of an AuthorizationPolicy says of a request is compared with that request, and nothing else.

use crate::authorization::{fine, refused};
use waymark_harness::prelude::*;

suite! {
    "authorization_match", "What a rule of an AuthorizationPolicy matches";
    path_matches_whole_or_at_one_end, Core, ["AZ7-06", "SCX-01"], "a path of a rule matches whole, by its beginning or by its end, without the query",
        denies = true, killed_by = ["policy-exact-path-off"];
    path_template_matches_by_segment, Core, ["SCX-13"], "in a path of a rule `{*}` stands for one segment and `{**}` for all that follow",
        needs = [IstioFrom(1, 22)], source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation", denies = true, killed_by = ["policy-template-off"];
    excepted_path_is_403, Core, ["SCX-12"], "a rule does not match a path that it excepts",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation", denies = true, killed_by = ["policy-not-operation-off"];
    excepted_method_is_403, Core, ["SCX-07"], "a rule does not match a method that it excepts",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation", denies = true, killed_by = ["policy-not-operation-off"];
    host_matches_in_any_case, Core, ["SCX-06"], "a host of a rule matches the request's host in upper and lower case, but for those it excepts",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation", denies = true, killed_by = ["policy-host-off", "policy-not-operation-off"];
    port_is_the_one_of_the_connection, Core, ["SCX-08"], "a port of a rule matches the port that the client connected to, or any that it does not except",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation", denies = true, killed_by = ["policy-port-off"];
    header_matches_its_value, Core, ["AZ7-07", "AZ7-08", "AZ7-15"], "a condition on a header holds for its value, whole or by its beginning, and not without the header",
        denies = true, killed_by = ["policy-header-off"];
    excepted_header_is_403, Core, ["AZ7-08", "SCX-15"], "a condition does not hold for a value of a header that it excepts",
        denies = true, killed_by = ["policy-not-source-off"];
    identity_matches_by_its_end, Core, ["SCX-01"], "an identity of a rule matches by its end",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule", denies = true, killed_by = ["policy-identity-off"];
    identity_matches_by_its_beginning, Core, ["SCX-01"], "an identity of a rule matches by its beginning",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule", denies = true, killed_by = ["policy-identity-off", "policy-one-policy"];
    excepted_identity_is_403, Core, ["SCX-03"], "a rule does not match a client whose identity it excepts",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source", denies = true, killed_by = ["policy-not-source-off"];
    service_account_is_matched, Core, ["SCX-02"], "a rule for a service account matches clients that run under it",
        needs = [IstioFrom(1, 25)], source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source", denies = true, killed_by = ["policy-identity-off"];
    namespace_is_matched, Core, ["SCX-05"], "a rule for a namespace matches clients of that namespace, one that excepts it all others",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source", denies = true, killed_by = ["policy-identity-off", "policy-one-policy"];
    other_address_is_403, Core, ["SCX-14", "SCX-15"], "a rule for an address does not match another client, whatever address it says that it forwards for",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source", denies = true, killed_by = ["policy-address-off"];
    address_is_the_clients_own, Core, ["SCX-14", "SCX-15"], "a rule for an address matches the client's own pod address at the waypoint",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source", denies = true, killed_by = ["rbac-off"];
    conditions_all_hold, Core, ["SCX-15"], "conditions on a header and on the destination port must both hold",
        source = "https://istio.io/latest/docs/reference/config/security/conditions/", denies = true, killed_by = ["policy-port-off", "policy-header-off"];
    rules_are_alternatives, Core, ["AZ7-01", "AZ7-02", "AZ7-04"], "a policy applies to a request that any one of its rules matches",
        denies = true, killed_by = ["policy-first-rule-only"];
    fields_of_a_rule_all_hold, Core, ["SCX-01"], "a rule matches only a request of which all its fields hold",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule", denies = true, killed_by = ["policy-method-off", "policy-header-off"];
    values_of_a_field_are_alternatives, Core, ["SCX-01"], "a field of a rule holds for any one of its values",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation", denies = true, killed_by = ["policy-first-value-only", "policy-method-off"];
}

async fn path_matches_whole_or_at_one_end(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let paths = request().path("/whole").path("/begin*").path("*.end");
    t.apply(allow("paths").attached_to(&shop).rule(paths)).await?;

    client.get(shop.url("/wholesale")).must(refused(t)).await?;
    client.get(shop.url("/not/begin")).must(refused(t)).await?;
    client.get(shop.url("/whole?a=b")).must(fine(t)).await?;
    client.get(shop.url("/beginning")).must(fine(t)).await?;
    client.get(shop.url("/any/page.end")).must(fine(t)).await
}

async fn path_template_matches_by_segment(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let items = request().path("/shops/{*}/items/{**}");
    t.apply(allow("items").attached_to(&shop).rule(items)).await?;

    client.get(shop.url("/shops/a/b/items/1")).must(refused(t)).await?;
    client.get(shop.url("/shops/items/1")).must(refused(t)).await?;
    client.get(shop.url("/shops/a/items/1")).must(fine(t)).await?;
    client.get(shop.url("/shops/b/items/1/parts/2")).must(fine(t)).await
}

async fn excepted_path_is_403(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let open = request().path("/open*").not_path("/open/but/this").not_path("*.secret");
    t.apply(allow("open").attached_to(&shop).rule(open)).await?;

    client.get(shop.url("/open/but/this")).must(refused(t)).await?;
    client.get(shop.url("/open/page.secret")).must(refused(t)).await?;
    client.get(shop.url("/open/page")).must(fine(t)).await
}

async fn excepted_method_is_403(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    t.apply(allow("all-but-put").attached_to(&shop).rule(request().not_method("PUT"))).await?;

    client.request("PUT", shop.url("/")).must(refused(t)).await?;
    client.get(shop.url("/")).must(fine(t)).await
}

async fn host_matches_in_any_case(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let hosts = request().host("*.example").not_host("shut.example");
    t.apply(allow("hosts").attached_to(&shop).rule(hosts)).await?;

    let asking = |host: &str| client.get(shop.url("/")).header("host", host);
    asking("open.other").must(refused(t)).await?;
    asking("Shut.Example").must(refused(t)).await?;
    asking("open.example").must(fine(t)).await?;
    asking("OPEN.Example").must(fine(t)).await
}

async fn port_is_the_one_of_the_connection(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Alt, H2c]).await?;
    let client = t.client(ClientA);

    let one = request().port(Http.number());
    let all_but_two = request().not_port(Http.number()).not_port(Alt.number());
    t.apply(allow("ports").attached_to(&shop).rule(one).rule(all_but_two)).await?;

    client.get(shop.url_at(Alt, "/")).must(refused(t)).await?;
    client.get(shop.url("/")).must(fine(t)).await?;
    client.get(shop.url_at(H2c, "/")).must(fine(t)).await
}

async fn header_matches_its_value(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let known = allow("known").attached_to(&shop).rule(request().header("x-kind", "gold"));
    t.apply(known.rule(request().header("x-kind", "silver-*"))).await?;

    client.get(shop.url("/")).must(refused(t)).await?;
    client.get(shop.url("/")).header("x-kind", "golden").must(refused(t)).await?;
    client.get(shop.url("/")).header("x-kind", "gold").must(fine(t)).await?;
    client.get(shop.url("/")).header("x-kind", "silver-7").must(fine(t)).await
}

async fn excepted_header_is_403(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    t.apply(allow("all-but-lead").attached_to(&shop).rule(request().not_header("x-kind", "lead"))).await?;

    client.get(shop.url("/")).header("x-kind", "lead").must(refused(t)).await?;
    client.get(shop.url("/")).header("x-kind", "gold").must(fine(t)).await
}

async fn identity_matches_by_its_end(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let (friend, stranger) = (t.client(ClientA), t.client(ClientB));

    t.apply(allow("friends").attached_to(&shop).rule(request().from_namesake_of(friend))).await?;

    stranger.get(shop.url("/")).must(refused(t)).await?;
    friend.get(shop.url("/")).must(fine(t)).await
}

async fn identity_matches_by_its_beginning(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let of_shop = request().from_neighbour_of(t.workload(V1));
    t.apply(allow("a-neighbours").attached_to(&shop).rule(of_shop)).await?;
    client.get(shop.url("/")).must(refused(t)).await?;

    t.apply(allow("b-guests").attached_to(&shop).rule(request().from_neighbour_of(client))).await?;
    client.get(shop.url("/")).must(fine(t)).await
}

async fn excepted_identity_is_403(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let (friend, stranger) = (t.client(ClientA), t.client(ClientB));

    t.apply(allow("all-but-one").attached_to(&shop).rule(request().not_from(stranger))).await?;

    stranger.get(shop.url("/")).must(refused(t)).await?;
    friend.get(shop.url("/")).must(fine(t)).await
}

async fn service_account_is_matched(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let (friend, stranger) = (t.client(ClientA), t.client(ClientB));

    t.apply(allow("friends").attached_to(&shop).rule(request().from_account_of(friend))).await?;

    stranger.get(shop.url("/")).must(refused(t)).await?;
    friend.get(shop.url("/")).must(fine(t)).await
}

async fn namespace_is_matched(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let home = t.workload(V1);
    t.apply(allow("a-home").attached_to(&shop).rule(request().from_namespace_of(&home))).await?;
    client.get(shop.url("/")).must(refused(t)).await?;

    let away = request().path("/away").not_from_namespace_of(&home);
    t.apply(allow("b-away").attached_to(&shop).rule(away)).await?;
    client.get(shop.url("/away")).must(fine(t)).await?;

    let guests = request().path("/guests").from_namespace_of(client);
    t.apply(allow("c-guests").attached_to(&shop).rule(guests)).await?;
    client.get(shop.url("/guests")).must(fine(t)).await
}

async fn other_address_is_403(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let (friend, stranger) = (t.client(ClientA), t.client(ClientB));
    stranger.get(shop.url("/")).must(fine(t)).await?;

    let near = request().from_address(friend.address()?);
    t.apply(allow("near").attached_to(&shop).rule(near)).await?;

    stranger.get(shop.url("/")).must(refused(t)).await?;
    stranger.get(shop.url("/")).header("x-forwarded-for", &friend.address()?).must(refused(t)).await
}

async fn address_is_the_clients_own(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let (friend, stranger) = (t.client(ClientA), t.client(ClientB));

    let near = request().from_address(friend.address()?);
    t.apply(allow("near").attached_to(&shop).rule(near)).await?;

    stranger.get(shop.url("/")).must(refused(t)).await?;
    friend.get(shop.url("/")).must(fine(t)).await
}

async fn conditions_all_hold(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Alt]).await?;
    let client = t.client(ClientA);

    let near = request().header("x-kind", "gold").when("destination.port", Http.number().to_string());
    t.apply(allow("near").attached_to(&shop).rule(near)).await?;

    client.get(shop.url("/")).must(refused(t)).await?;
    client.get(shop.url_at(Alt, "/")).header("x-kind", "gold").must(refused(t)).await?;
    client.get(shop.url("/")).header("x-kind", "gold").must(fine(t)).await
}

async fn rules_are_alternatives(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let readers = allow("readers").attached_to(&shop).rule(request().method("GET"));
    t.apply(readers.rule(request().path("/inbox"))).await?;

    client.post(shop.url("/")).must(refused(t)).await?;
    client.get(shop.url("/")).must(fine(t)).await?;
    client.post(shop.url("/inbox")).must(fine(t)).await
}

async fn fields_of_a_rule_all_hold(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let gold_readers = request().method("GET").path("/vault").header("x-kind", "gold").from(client);
    t.apply(allow("gold-readers").attached_to(&shop).rule(gold_readers)).await?;

    let with_gold =
        |method: &str, path: &str| client.request(method, shop.url(path)).header("x-kind", "gold");
    with_gold("POST", "/vault").must(refused(t)).await?;
    with_gold("GET", "/").must(refused(t)).await?;
    client.get(shop.url("/vault")).must(refused(t)).await?;
    with_gold("GET", "/vault").must(fine(t)).await
}

async fn values_of_a_field_are_alternatives(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let either = request().method("GET").method("POST");
    t.apply(allow("either").attached_to(&shop).rule(either)).await?;

    client.request("PUT", shop.url("/")).must(refused(t)).await?;
    client.get(shop.url("/")).must(fine(t)).await?;
    client.post(shop.url("/")).must(fine(t)).await
}
