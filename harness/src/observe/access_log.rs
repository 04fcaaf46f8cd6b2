//! Istio's default text access log (`EnvoyTextLogFormat` in pilot/pkg/model/telemetry_logging.go).

/// One line of a waypoint's access log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLine {
    /// Start of the request, RFC 3339.
    pub start: String,
    /// HTTP method; empty for TCP.
    pub method: String,
    /// Path as the client sent it.
    pub path: String,
    /// `HTTP/1.1`, `HTTP/2`, or `-`.
    pub protocol: String,
    /// Response code; 0 when there was none.
    pub code: u16,
    /// Response flags, `-` when none.
    pub flags: String,
    /// Which part of Envoy decided the code, such as `via_upstream` or `fault_filter_abort`.
    pub details: String,
    /// Why the upstream transport failed, `-` when it did not.
    pub upstream_failure: String,
    /// Length of the request body.
    pub bytes_received: u64,
    /// Length of the response body.
    pub bytes_sent: u64,
    /// Whole duration in milliseconds.
    pub duration_ms: Option<u64>,
    /// The `user-agent` request header.
    pub user_agent: String,
    /// The `x-request-id` request header.
    pub request_id: String,
    /// The authority that was asked for.
    pub authority: String,
    /// The chosen endpoint, `-` when none was.
    pub upstream_host: String,
    /// The cluster, such as `inbound-vip|80|http|shop.ns.svc.cluster.local`.
    pub upstream_cluster: String,
    /// The peer as the waypoint saw it.
    pub downstream_remote: String,
    /// The name of the route that matched, `-` when none did.
    pub route: String,
}

impl AccessLine {
    /// Reads one line; `None` for anything else that a proxy logs.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let fields = fields(line)?;
        let [
            start,
            request,
            code,
            flags,
            details,
            _termination,
            failure,
            received,
            sent,
            duration,
            _upstream_time,
            _forwarded,
            agent,
            id,
            authority,
            host,
            cluster,
            _upstream_local,
            _downstream_local,
            remote,
            _server_name,
            route,
        ] = <[&str; 22]>::try_from(fields).ok()?;
        let mut request = request.splitn(3, ' ');
        let (method, path, protocol) = (request.next()?, request.next()?, request.next()?);
        let owned = str::to_owned;
        Some(Self {
            start: owned(start),
            method: owned(method),
            path: owned(path),
            protocol: owned(protocol),
            code: code.parse().ok()?,
            flags: owned(flags),
            details: owned(details),
            upstream_failure: owned(failure),
            bytes_received: received.parse().ok()?,
            bytes_sent: sent.parse().ok()?,
            duration_ms: duration.parse().ok(),
            user_agent: owned(agent),
            request_id: owned(id),
            authority: owned(authority),
            upstream_host: owned(host),
            upstream_cluster: owned(cluster),
            downstream_remote: owned(remote),
            route: owned(route),
        })
    }
}

/// Splits at blanks, but not inside of `[…]` at the start or `"…"`.
fn fields(line: &str) -> Option<Vec<&str>> {
    let mut rest = line.trim_end().strip_prefix('[')?;
    let (start, after) = rest.split_once("] ")?;
    let mut fields = vec![start];
    rest = after;
    while !rest.is_empty() {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (field, after) = quoted.split_once('"')?;
                (field, after.strip_prefix(' ').unwrap_or(after))
            }
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        fields.push(field);
        rest = after;
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const VIA_UPSTREAM: &str = "[2026-08-27T09:10:11.123Z] \"GET /a?b=c HTTP/1.1\" 200 - via_upstream - \"-\" 0 512 3 2 \
        \"-\" \"waymark/routing-1\" \"f2b9\" \"shop.wm-1-ns\" \
        \"envoy://connect_originate/10.1.2.3:8080\" inbound-vip|80|http|shop.wm-1-ns.svc.cluster.local - \
        10.96.3.4:80 10.1.9.9:41234 - default\n";

    #[test]
    fn a_request_answered_by_the_backend() {
        insta::assert_debug_snapshot!(AccessLine::parse(VIA_UPSTREAM).unwrap(), @r#"
        AccessLine {
            start: "2026-08-27T09:10:11.123Z",
            method: "GET",
            path: "/a?b=c",
            protocol: "HTTP/1.1",
            code: 200,
            flags: "-",
            details: "via_upstream",
            upstream_failure: "-",
            bytes_received: 0,
            bytes_sent: 512,
            duration_ms: Some(
                3,
            ),
            user_agent: "waymark/routing-1",
            request_id: "f2b9",
            authority: "shop.wm-1-ns",
            upstream_host: "envoy://connect_originate/10.1.2.3:8080",
            upstream_cluster: "inbound-vip|80|http|shop.wm-1-ns.svc.cluster.local",
            downstream_remote: "10.1.9.9:41234",
            route: "default",
        }
        "#);
    }

    #[rstest]
    #[case::denied(
        "403 - rbac_access_denied_matched_policy[none] -",
        403,
        "rbac_access_denied_matched_policy[none]"
    )]
    #[case::no_route("404 NR route_not_found -", 404, "route_not_found")]
    #[case::fault("418 FI fault_filter_abort -", 418, "fault_filter_abort")]
    fn the_waypoint_answers_itself(#[case] outcome: &str, #[case] code: u16, #[case] details: &str) {
        let line = VIA_UPSTREAM.replace("200 - via_upstream -", outcome);
        let line = AccessLine::parse(&line).unwrap();
        assert_eq!((line.code, line.details.as_str()), (code, details));
    }

    #[rstest]
    #[case::agent("2026-08-27T09:10:11.123Z\tinfo\tEnvoy proxy is ready")]
    #[case::connect("[2026-08-27T09:10:11.123Z] \"CONNECT - HTTP/2\" 200 - via_upstream - \"-\" 0 512")]
    #[case::empty("")]
    #[case::unclosed("[2026-08-27T09:10:11.123Z] \"GET / HTTP/1.1")]
    fn anything_else_is_no_line(#[case] line: &str) {
        assert_eq!(AccessLine::parse(line), None);
    }
}
