//! Takes secrets out of evidence: pure functions over text and JSON, applied to every file before it is written.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex, RegexSet};
use serde_json::Value;

/// What stands where a secret was.
pub const MASK: &str = "[redacted]";

/// Headers whose values are secrets.
const HEADERS: [&str; 6] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-forwarded-access-token"];

/// Fields whose whole value is a secret, in the spelling of config dumps, kubeconfigs and tokens.
const FIELDS: [&str; 17] = [
    "private_key",
    "privatekey",
    "private_key_provider",
    "session_ticket_keys",
    "generic_secret",
    "client-key-data",
    "client-certificate-data",
    "client_secret",
    "password",
    "token",
    "id-token",
    "id_token",
    "access-token",
    "access_token",
    "refresh-token",
    "refresh_token",
    "hmac_secret",
];

/// Patterns of secrets in text, each with what takes its place.
const PATTERNS: [(&str, &str); 6] = [
    // Up to its end, or the end of the text where it was cut off.
    (
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)",
        "[redacted private key]",
    ),
    // The same in base64, as kubeconfigs and config dumps carry it.
    (
        r"LS0tLS1CRUdJTi(?:BQUklWQVRF|BSU0EgUFJJVkFUR|BFQyBQUklWQVRF|BFTkNSWVBU|BPUEVOU1NI)[A-Za-z0-9+/=]*",
        "[redacted private key]",
    ),
    (r"(?i)\bbearer\s+[A-Za-z0-9._~+/=-]{6,}", "Bearer [redacted]"),
    // A token is worth nothing without its signature, and who reads wants to see its claims.
    (r"\b(eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,})\.[A-Za-z0-9_-]+", "${1}.[redacted]"),
    (
        r#"(?i)\b(authorization|proxy-authorization|cookie|set-cookie|x-api-key)((?:\\?["'])?\s*[:=]\s*(?:\\?["'])?|\\?["']\s*,\s*\\?["'])[^\r\n"'\\]+"#,
        "${1}${2}[redacted]",
    ),
    (
        r#"(?i)\b(client-key-data|client-certificate-data|client_secret|password|(?:access|id|refresh)[-_]token|token)(\\?["']?\s*[:=]\s*\\?["']?)[^\s"'\\,;&]{6,}"#,
        "${1}${2}[redacted]",
    ),
];

static ANY: LazyLock<Option<RegexSet>> =
    LazyLock::new(|| RegexSet::new(PATTERNS.map(|(pattern, _)| pattern)).ok());
static EACH: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let compiled = PATTERNS.iter().filter_map(|(pattern, mask)| Some((Regex::new(pattern).ok()?, *mask)));
    compiled.collect()
});

/// The text without what opens doors.
#[must_use]
pub fn text(input: &str) -> Cow<'_, str> {
    if ANY.as_ref().is_some_and(|any| !any.is_match(input)) {
        return Cow::Borrowed(input);
    }
    let mut output = Cow::Borrowed(input);
    for (pattern, mask) in EACH.iter() {
        let done = pattern.replace_all(&output, |found: &Captures<'_>| {
            let mut filled = String::new();
            found.expand(mask, &mut filled);
            filled
        });
        if let Cow::Owned(done) = done {
            output = Cow::Owned(done);
        }
    }
    output
}

/// The same for every text in a JSON value, and for fields and headers that are secret by their name.
pub fn json(value: &mut Value) {
    match value {
        Value::String(string) => {
            if let Cow::Owned(clean) = text(string) {
                *string = clean;
            }
        }
        Value::Array(items) => {
            // A header as a pair.
            if let [Value::String(name), secret @ Value::String(_)] = items.as_mut_slice()
                && HEADERS.contains(&name.to_ascii_lowercase().as_str())
            {
                *secret = MASK.into();
                return;
            }
            items.iter_mut().for_each(json);
        }
        Value::Object(fields) => {
            let kind = fields.get("kind").and_then(Value::as_str);
            let secret_kind = kind == Some("Secret");
            // A header as an object: its name in one field, its value or what it must match in others.
            let named = ["name", "key"].iter().filter_map(|field| fields.get(*field)?.as_str());
            let header = named.map(str::to_ascii_lowercase).any(|name| HEADERS.contains(&name.as_str()));
            for (key, value) in fields.iter_mut() {
                let low = key.to_ascii_lowercase();
                let secret = FIELDS.contains(&low.as_str())
                    || HEADERS.contains(&low.as_str())
                    || (secret_kind && matches!(low.as_str(), "data" | "stringdata"))
                    || (header && !matches!(low.as_str(), "name" | "key"));
                match secret {
                    true => mask(value),
                    false => json(value),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Masks every text below, and leaves the shape.
fn mask(value: &mut Value) {
    match value {
        Value::String(string) => MASK.clone_into(string),
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Object(fields) => fields.values_mut().for_each(mask),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl-_x";

    #[test]
    fn every_pattern_compiles() {
        assert_eq!((EACH.len(), ANY.as_ref().map(RegexSet::len)), (PATTERNS.len(), Some(PATTERNS.len())));
    }

    #[rstest]
    #[case::header("authorization: Basic dXNlcjpwYXNz", "authorization: [redacted]")]
    #[case::header_as_pair("'cookie', 'session=1; x=2'", "'cookie', '[redacted]'")]
    #[case::header_of_a_response("< Set-Cookie: a=b; Path=/\n< x: y", "< Set-Cookie: [redacted]\n< x: y")]
    #[case::key_in_json_text(r#"{\"x-api-key\": \"k-12345\"}"#, r#"{\"x-api-key\": \"[redacted]\"}"#)]
    #[case::bearer("sent Bearer abcdef.ghi again", "sent Bearer [redacted] again")]
    #[case::jwt(JWT, "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.[redacted]")]
    #[case::key(
        "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb",
        "a\n[redacted private key]\nb"
    )]
    #[case::key_cut_off("-----BEGIN PRIVATE KEY-----\\nMIIEv", "[redacted private key]")]
    #[case::key_in_base64("key: LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t", "key: [redacted private key]")]
    #[case::kubeconfig("    client-key-data: TUlJRQ==", "    client-key-data: [redacted]")]
    #[case::token("token: abcdefgh\nuser: a", "token: [redacted]\nuser: a")]
    #[case::query("GET /?access_token=abcdefgh&x=1", "GET /?access_token=[redacted]&x=1")]
    fn secrets_leave_text(#[case] given: &str, #[case] want: &str) {
        assert_eq!(text(given), want);
    }

    #[rstest]
    #[case("AuthorizationPolicy wm-1-ns/readers: WaypointAccepted")]
    #[case("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----")]
    #[case("\"GET /a?b=c HTTP/1.1\" 403 - rbac_access_denied_matched_policy[none] - \"waymark/c7-1\"")]
    #[case("src.identity=\"spiffe://cluster.local/ns/wm-1-client/sa/client-a\" direction=\"inbound\"")]
    #[case("the bearer of this")]
    fn what_is_no_secret_stays(#[case] given: &str) {
        assert_eq!(text(given), given);
    }

    #[test]
    fn secrets_leave_json() {
        let mut value = json!({
            "headers": [["Authorization", "x"], ["accept", "y"]],
            "request_headers_to_add": [{"header": {"key": "x-api-key", "value": "k"}}],
            "match": {"name": "cookie", "string_match": {"exact": "k"}, "invert": true},
            "tls_certificate": {
                "certificate_chain": {"inline_bytes": "Y2VydA=="},
                "private_key": {"inline_bytes": "a2V5", "inline_string": "key"},
            },
            "users": [{"name": "a", "user": {"token": "t", "client-key-data": "k"}}],
            "note": format!("sent {JWT}"),
            "object": {"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "b"}},
            "count": 7,
        });
        json(&mut value);
        insta::assert_json_snapshot!(value, @r#"
        {
          "headers": [
            [
              "Authorization",
              "[redacted]"
            ],
            [
              "accept",
              "y"
            ]
          ],
          "request_headers_to_add": [
            {
              "header": {
                "key": "x-api-key",
                "value": "[redacted]"
              }
            }
          ],
          "match": {
            "name": "cookie",
            "string_match": {
              "exact": "[redacted]"
            },
            "invert": true
          },
          "tls_certificate": {
            "certificate_chain": {
              "inline_bytes": "Y2VydA=="
            },
            "private_key": {
              "inline_bytes": "[redacted]",
              "inline_string": "[redacted]"
            }
          },
          "users": [
            {
              "name": "a",
              "user": {
                "token": "[redacted]",
                "client-key-data": "[redacted]"
              }
            }
          ],
          "note": "sent eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.[redacted]",
          "object": {
            "kind": "Secret",
            "metadata": {
              "name": "s"
            },
            "data": {
              "a": "[redacted]"
            }
          },
          "count": 7
        }
        "#);
    }

    #[test]
    fn redacting_twice_changes_nothing_more() {
        let once = text("authorization: x\nBearer abcdefgh").into_owned();
        assert_eq!(text(&once), once);
    }
}
