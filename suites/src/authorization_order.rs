//! AuthorizationPolicies of one Service are weighed together: what denies comes before what allows.

use crate::authorization::{fine, refused};
use waymark_harness::prelude::*;

suite! {
    "authorization_order", "How AuthorizationPolicies are weighed together";
    allow_without_rules_allows_nothing, Core, ["AZ4-06"], "a policy that allows without a rule leaves nothing allowed",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/", denies = true, killed_by = ["policy-empty-ignored", "policy-empty-matches"];
    empty_rule_allows_everything, Core, [], "a rule without fields allows every request, beside rules that do not",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/", denies = true, killed_by = ["policy-one-policy"];
    empty_rule_denies_everything, Core, ["AZ7-05"], "a rule without fields denies every request, also what another policy allows",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/", denies = true, killed_by = ["policy-deny-off"];
    denied_path_below_allowed_one_is_403, Core, ["SCX-12"], "a denied path is refused below an allowed one, with a query too",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/", denies = true, killed_by = ["policy-deny-off"];
    allow_policies_add_up, Core, ["AZ7-02", "AZ7-04"], "a request is allowed that any one of several policies allows",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/", denies = true, killed_by = ["policy-one-policy"];
    audit_decides_nothing, Core, [], "a policy that audits neither allows nor denies",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/", denies = true, killed_by = ["policy-audit-denies"];
    dry_run_decides_nothing, Extended, ["AZ4-11"], "a policy on trial is not enforced by the waypoint",
        source = "https://istio.io/latest/docs/tasks/security/authorization/authz-dry-run/", denies = true, killed_by = ["policy-dry-run-enforced"];
    deleted_policy_is_over, Core, ["AZ7-05"], "when a policy is deleted what it denied is answered again",
        source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/", denies = true, killed_by = ["policy-deny-off"];
    changed_policy_takes_effect, Core, ["AZ7-01", "AZ7-02"], "when a policy is changed its new rules hold and its old ones do not",
        denies = true, killed_by = ["rbac-off"];
    provider_decides_what_it_is_asked, Core, ["SCX-17"], "an extension provider is asked about a request that a custom policy names, and about no other",
        needs = [Provider(EXT_AUTHZ)], source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/", denies = true, killed_by = ["custom-off"];
    provider_denies_before_deny_and_cannot_overrule_it, Core, ["SCX-17"], "an extension provider is asked before policies that deny, and what it allows they still deny",
        needs = [Provider(EXT_AUTHZ)], source = "https://istio.io/latest/docs/reference/config/security/authorization-policy/", denies = true, killed_by = ["custom-off", "policy-deny-off"];
}

async fn allow_without_rules_allows_nothing(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    client.get(shop.url("/")).must(fine(t)).await?;

    t.apply(allow("nothing").attached_to(&shop)).await?;

    client.get(shop.url("/")).must(refused(t)).await?;
    client.post(shop.url("/any")).must(refused(t)).await
}

async fn empty_rule_allows_everything(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(allow("a-some").attached_to(&shop).rule(request().path("/some"))).await?;
    client.get(shop.url("/")).must(refused(t)).await?;

    t.apply(allow("b-all").attached_to(&shop).rule(request())).await?;

    client.get(shop.url("/")).must(fine(t)).await?;
    client.post(shop.url("/any")).must(fine(t)).await
}

async fn empty_rule_denies_everything(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(allow("all").attached_to(&shop).rule(request())).await?;
    client.get(shop.url("/")).must(fine(t)).await?;

    t.apply(deny("everything").attached_to(&shop).rule(request())).await?;

    client.get(shop.url("/")).must(refused(t)).await?;
    client.post(shop.url("/any")).must(refused(t)).await
}

async fn denied_path_below_allowed_one_is_403(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(allow("shop").attached_to(&shop).rule(request().path("/shop*"))).await?;
    client.get(shop.url("/")).must(refused(t)).await?;
    client.get(shop.url("/shop/till")).must(fine(t)).await?;

    t.apply(deny("till").attached_to(&shop).rule(request().path("/shop/till"))).await?;

    client.get(shop.url("/shop/till?open=yes")).must(refused(t)).await?;
    client.get(shop.url("/shop/door")).must(fine(t)).await
}

async fn allow_policies_add_up(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    t.apply(allow("a-read").attached_to(&shop).rule(request().method("GET"))).await?;
    client.post(shop.url("/inbox")).must(refused(t)).await?;

    t.apply(allow("b-inbox").attached_to(&shop).rule(request().path("/inbox"))).await?;

    client.post(shop.url("/inbox")).must(fine(t)).await?;
    client.get(shop.url("/")).must(fine(t)).await?;
    client.post(shop.url("/")).must(refused(t)).await
}

async fn audit_decides_nothing(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(audit("a-watched").attached_to(&shop).rule(request().path("/watched"))).await?;

    // What comes later shows that the first has arrived.
    t.apply(deny("b-shut").attached_to(&shop).rule(request().path("/shut"))).await?;

    client.get(shop.url("/shut")).must(refused(t)).await?;
    client.get(shop.url("/watched")).must(fine(t)).await?;
    client.get(shop.url("/")).must(fine(t)).await
}

async fn dry_run_decides_nothing(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(deny("a-trial").attached_to(&shop).rule(request().path("/trial")).dry_run()).await?;

    // What comes later shows that the first has arrived.
    t.apply(deny("b-shut").attached_to(&shop).rule(request().path("/shut"))).await?;

    client.get(shop.url("/shut")).must(refused(t)).await?;
    client.get(shop.url("/trial")).must(fine(t)).await
}

async fn deleted_policy_is_over(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let policy = t.apply(deny("for-a-while").attached_to(&shop).rule(request())).await?;
    client.get(shop.url("/")).must(refused(t)).await?;

    t.delete(&policy).await?;

    client.get(shop.url("/")).must(fine(t)).await?;
    client.get(shop.url("/")).must_never(status(403)).await
}

async fn changed_policy_takes_effect(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(allow("rule").attached_to(&shop).rule(request().path("/old"))).await?;
    client.get(shop.url("/new")).must(refused(t)).await?;
    client.get(shop.url("/old")).must(fine(t)).await?;

    t.apply(allow("rule").attached_to(&shop).rule(request().path("/new"))).await?;

    client.get(shop.url("/old")).must(refused(t)).await?;
    client.get(shop.url("/new")).must(fine(t)).await
}

/// Answered by the extension provider with this status, in place of the backend.
fn denied_by_provider(t: &Ctx, code: u16) -> Expectation {
    status(code)
        .and(response_header(VERDICT_HEADER, "asked"))
        .and(passed(t.waypoint()))
        .and(because("ext_authz_denied"))
}

async fn provider_decides_what_it_is_asked(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    client.get(shop.url("/asked")).must(fine(t)).await?;

    t.apply(custom("asked", EXT_AUTHZ).attached_to(&shop).rule(request().path("/asked*"))).await?;

    client.get(shop.url("/asked")).header("x-echo-status", "401").must(denied_by_provider(t, 401)).await?;
    client.get(shop.url("/asked")).must(fine(t).and(request_header(VERDICT_HEADER, "asked"))).await?;
    client.get(shop.url("/other")).must(fine(t).and(no_request_header(VERDICT_HEADER))).await
}

async fn provider_denies_before_deny_and_cannot_overrule_it(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    client.get(shop.url("/shut")).must(fine(t)).await?;

    t.apply(custom("asked", EXT_AUTHZ).attached_to(&shop).rule(request())).await?;
    t.apply(deny("shut").attached_to(&shop).rule(request().path("/shut"))).await?;

    client.get(shop.url("/shut")).must(refused(t)).await?;
    client.get(shop.url("/shut")).header("x-echo-status", "401").must(denied_by_provider(t, 401)).await?;
    client.get(shop.url("/open")).must(fine(t).and(request_header(VERDICT_HEADER, "asked"))).await
}
