//! A RequestAuthentication says whose tokens the waypoint believes; an AuthorizationPolicy, what may be done with them.

use crate::authorization::{fine, refused};
use waymark_harness::prelude::*;

suite! {
    "jwt", "RequestAuthentication at the waypoint";
    request_without_token_passes, Core, ["SCX-19"], "a RequestAuthentication alone lets a request without a token pass, and refuses a bad one by 401",
        source = "https://istio.io/latest/docs/reference/config/security/request_authentication/", denies = true, killed_by = ["jwt-off", "jwt-missing-refused"];
    token_is_needed_by_policy, Core, ["JWT-01", "JWT-02", "JWT-03"], "a policy for a token's subject refuses requests with another or none by 403",
        denies = true, killed_by = ["policy-token-off"];
    token_past_its_time_is_401, Core, ["JWT-05"], "a token that is over or not good yet is answered 401",
        denies = true, killed_by = ["jwt-time-off"];
    unknown_issuer_is_401, Core, ["JWT-04"], "a token of an issuer that no rule names is answered 401",
        denies = true, killed_by = ["jwt-issuer-off"];
    forged_token_is_401, Core, ["SCX-10"], "a token that another key has signed is answered 401",
        source = "https://istio.io/latest/docs/reference/config/security/request_authentication/", denies = true, killed_by = ["jwt-off"];
    other_audience_is_403, Core, ["SCX-10"], "a token for another audience than the rule's is answered 403",
        source = "https://istio.io/latest/docs/reference/config/security/request_authentication/", denies = true, killed_by = ["jwt-audience-off"];
    claim_is_matched, Core, ["SCX-10"], "a condition on a claim holds for its value, alone or in a list",
        source = "https://istio.io/latest/docs/reference/config/security/conditions/", denies = true, killed_by = ["policy-claim-off"];
    open_path_needs_no_token, Core, ["JWT-01", "JWT-06"], "a path that a policy allows to all needs no token, while others do",
        denies = true, killed_by = ["policy-token-off"];
    request_without_token_is_denied, Core, ["SCX-10"], "a policy that denies requests without a token refuses them by 403",
        source = "https://istio.io/latest/docs/tasks/security/authorization/authz-jwt/", denies = true, killed_by = ["policy-not-source-off"];
    token_is_read_where_the_rule_says, Core, ["SCX-10"], "a token is read from the header or the query parameter that the rule names",
        source = "https://istio.io/latest/docs/reference/config/security/request_authentication/#JWTRule", denies = true, killed_by = ["jwt-places-off"];
    token_stays_at_the_waypoint, Core, ["SCX-10"], "a token does not reach the backend unless the rule forwards it, and a claim does when the rule copies it",
        source = "https://istio.io/latest/docs/reference/config/security/request_authentication/#JWTRule", denies = true, killed_by = ["jwt-forwarded", "jwt-claim-header-off"];
    tokens_of_gateway_hold_for_every_service, Core, ["JWT-01", "JWT-02", "JWT-03", "JWT-04", "JWT-05", "JWT-06"], "a RequestAuthentication attached to a waypoint holds for its Services, one that selects pods does not",
        isolation = Namespace, scopes = [Namespace], denies = true, killed_by = ["jwt-off"];
}

const ISSUER: &str = "https://issuer.example";

/// Answered 401 or 403 by the waypoint's token check, for this reason.
fn rejected(t: &Ctx, code: u16, why: &str) -> Expectation {
    status(code).and(passed(t.waypoint())).and(because(format!("jwt_authn_access_denied{{{why}}}")))
}

async fn request_without_token_passes(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let issuer = t.issuer(ISSUER)?;

    t.apply(request_authentication("tokens").attached_to(&shop).rule(issuer.rule())).await?;

    let old = issuer.token("alice").expired().sign()?;
    client.get(shop.url("/")).bearer(&old).must(rejected(t, 401, "Jwt_is_expired")).await?;
    client.get(shop.url("/")).must(fine(t)).await?;
    client.get(shop.url("/")).bearer(&issuer.token("alice").sign()?).must(fine(t)).await
}

async fn token_is_needed_by_policy(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let issuer = t.issuer(ISSUER)?;
    client.get(shop.url("/")).must(fine(t)).await?;

    t.apply(request_authentication("tokens").attached_to(&shop).rule(issuer.rule())).await?;
    let of_alice = request().with_token_of(issuer.principal("alice"));
    t.apply(allow("alice").attached_to(&shop).rule(of_alice)).await?;

    client.get(shop.url("/")).must(refused(t)).await?;
    client.get(shop.url("/")).bearer(&issuer.token("bob").sign()?).must(refused(t)).await?;
    client.get(shop.url("/")).bearer(&issuer.token("alice").sign()?).must(fine(t)).await
}

async fn token_past_its_time_is_401(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let issuer = t.issuer(ISSUER)?;

    t.apply(request_authentication("tokens").attached_to(&shop).rule(issuer.rule())).await?;

    let old = issuer.token("alice").expired().sign()?;
    client.get(shop.url("/")).bearer(&old).must(rejected(t, 401, "Jwt_is_expired")).await?;
    let early = issuer.token("alice").not_yet_good().sign()?;
    client.get(shop.url("/")).bearer(&early).must(rejected(t, 401, "Jwt_not_yet_valid")).await?;
    client.get(shop.url("/")).bearer(&issuer.token("alice").sign()?).must(fine(t)).await
}

async fn unknown_issuer_is_401(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let issuer = t.issuer(ISSUER)?;

    t.apply(request_authentication("tokens").attached_to(&shop).rule(issuer.rule())).await?;

    let foreign = issuer.token("alice").claim("iss", "https://other.example").sign()?;
    let unknown = rejected(t, 401, "Jwt_issuer_is_not_configured");
    client.get(shop.url("/")).bearer(&foreign).must(unknown).await?;
    client.get(shop.url("/")).bearer(&issuer.token("alice").sign()?).must(fine(t)).await
}

async fn forged_token_is_401(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let (issuer, forger) = (t.issuer(ISSUER)?, t.issuer(ISSUER)?);

    t.apply(request_authentication("tokens").attached_to(&shop).rule(issuer.rule())).await?;

    let forged = forger.token("alice").sign()?;
    client.get(shop.url("/")).bearer(&forged).must(rejected(t, 401, "Jwt_verification_fails")).await?;
    client.get(shop.url("/")).bearer(&issuer.token("alice").sign()?).must(fine(t)).await
}

async fn other_audience_is_403(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let issuer = t.issuer(ISSUER)?;

    let for_shop = issuer.rule().audience("shop").audience("till");
    t.apply(request_authentication("tokens").attached_to(&shop).rule(for_shop)).await?;

    let other = issuer.token("alice").audience("bank").sign()?;
    let unwanted = rejected(t, 403, "Audiences_in_Jwt_are_not_allowed");
    client.get(shop.url("/")).bearer(&other).must(unwanted).await?;
    let own = issuer.token("alice").audience("till").sign()?;
    client.get(shop.url("/")).bearer(&own).must(fine(t)).await
}

async fn claim_is_matched(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let issuer = t.issuer(ISSUER)?;

    t.apply(request_authentication("tokens").attached_to(&shop).rule(issuer.rule())).await?;
    let gold = request().when("request.auth.claims[kind]", "gold");
    t.apply(allow("gold").attached_to(&shop).rule(gold)).await?;

    let lead = issuer.token("alice").claim("kind", "lead").sign()?;
    client.get(shop.url("/")).bearer(&lead).must(refused(t)).await?;
    client.get(shop.url("/")).must(refused(t)).await?;
    let gold = issuer.token("alice").claim("kind", "gold").sign()?;
    client.get(shop.url("/")).bearer(&gold).must(fine(t)).await?;
    let both = issuer.token("alice").claim("kind", ["lead", "gold"]).sign()?;
    client.get(shop.url("/")).bearer(&both).must(fine(t)).await
}

async fn open_path_needs_no_token(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let issuer = t.issuer(ISSUER)?;

    t.apply(request_authentication("tokens").attached_to(&shop).rule(issuer.rule())).await?;
    let known = allow("known").attached_to(&shop).rule(request().with_token_of("*"));
    t.apply(known.rule(request().path("/healthz"))).await?;

    client.get(shop.url("/")).must(refused(t)).await?;
    client.get(shop.url("/healthz")).must(fine(t)).await?;
    client.get(shop.url("/")).bearer(&issuer.token("alice").sign()?).must(fine(t)).await
}

async fn request_without_token_is_denied(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let issuer = t.issuer(ISSUER)?;

    t.apply(request_authentication("tokens").attached_to(&shop).rule(issuer.rule())).await?;
    t.apply(deny("nameless").attached_to(&shop).rule(request().without_token_of("*"))).await?;

    client.get(shop.url("/")).must(refused(t)).await?;
    client.get(shop.url("/")).bearer(&issuer.token("alice").sign()?).must(fine(t)).await
}

async fn token_is_read_where_the_rule_says(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let issuer = t.issuer(ISSUER)?;

    let places = issuer.rule().from_header("x-token", "Key ").from_param("token");
    t.apply(request_authentication("tokens").attached_to(&shop).rule(places)).await?;
    t.apply(allow("known").attached_to(&shop).rule(request().with_token_of("*"))).await?;

    let token = issuer.token("alice").sign()?;
    client.get(shop.url("/")).bearer(&token).must(refused(t)).await?;
    client.get(shop.url("/")).token_header("x-token", "Key ", &token).must(fine(t)).await?;
    client.get(shop.url("/")).token_param("token", &token).must(fine(t)).await
}

async fn token_stays_at_the_waypoint(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let issuer = t.issuer(ISSUER)?;

    let copied = issuer.rule().claim_to_header("kind", "x-kind");
    t.apply(request_authentication("tokens").attached_to(&shop).rule(copied)).await?;

    let token = issuer.token("alice").claim("kind", "gold").sign()?;
    let taken = fine(t).and(request_header("x-kind", "gold")).and(no_request_header("authorization"));
    client.get(shop.url("/")).bearer(&token).must(taken).await?;
    // What a client writes itself into the header of a claim does not reach the backend.
    client.get(shop.url("/")).header("x-kind", "gold").must(fine(t).and(no_request_header("x-kind"))).await
}

async fn tokens_of_gateway_hold_for_every_service(t: &Ctx) -> Verdict {
    let (shop, bank) = (t.service("shop", [V1]).await?, t.service("bank", [V1]).await?);
    let client = t.client(ClientA);
    let (one, two, unheeded) = (t.issuer(ISSUER)?, t.issuer("two")?, t.issuer("unheeded")?);

    let both = request_authentication("both").attached_to(t.waypoint()).rule(one.rule()).rule(two.rule());
    t.apply(both).await?;
    t.apply(request_authentication("pods").selecting(t.workload(V1)).rule(unheeded.rule())).await?;
    let known = request().with_token_of(one.principal("alice")).with_token_of(unheeded.principal("alice"));
    let known = allow("known").attached_to(t.waypoint()).rule(known);
    t.apply(known.rule(request().path("/healthz"))).await?;

    let asks = |token: &Token| client.get(shop.url("/")).bearer(token);
    client.get(shop.url("/")).must(refused(t)).await?;
    client.get(bank.url("/")).must(refused(t)).await?;
    let expired = one.token("alice").expired().sign()?;
    asks(&expired)
        .must(status(401).and(passed(t.waypoint())).and(because("jwt_authn_access_denied{")))
        .await?;
    asks(&unheeded.token("alice").sign()?).must(rejected(t, 401, "Jwt_issuer_is_not_configured")).await?;
    asks(&two.token("alice").sign()?).must(refused(t)).await?;
    asks(&one.token("alice").sign()?).must(fine(t)).await?;
    client.get(shop.url("/healthz")).must(fine(t)).await
}
