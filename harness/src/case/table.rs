//! The table of contents of a suite file.

/// The table of contents of a suite file: name and subject, then one row a case with its function, level,
/// catalogue rows and promise, and what differs from the defaults (isolation `Host`, scopes `Namespace` and
/// `ServiceAccount`, no needs, no denial claimed); a `source` link where the catalogue has no row; last the named
/// defects that turn it red. Expands to `pub const SUITE: Suite`.
///
/// ```ignore
/// suite! {
///     "routing", "Gateway API HTTPRoute, mesh binding";
///     header_match_selects_backend, Core, ["GWC-03"], "a request matching a rule's header reaches that rule's backend";
///     deleted_gateway_frees_traffic, Core, ["WPL-04"], "traffic flows at L4 after the waypoint is deleted",
///         isolation = Namespace, scopes = [Namespace], needs = [IstioFrom(1, 22)], killed_by = ["removal-leaves-policy"];
/// }
/// ```
#[macro_export]
macro_rules! suite {
    (@isolation) => { $crate::case::Isolation::Host };
    (@isolation $isolation:ident) => { $crate::case::Isolation::$isolation };
    (@scopes) => { &[$crate::case::Scope::Namespace, $crate::case::Scope::ServiceAccount] };
    (@scopes [$($scope:ident),* $(,)?]) => { &[$($crate::case::Scope::$scope),*] };
    (@source) => { None };
    (@source $link:literal) => { Some($link) };
    (@needs) => { &[] };
    (@killed_by) => { &[] };
    (@killed_by [$($defect:literal),* $(,)?]) => { &[$($defect),*] };
    (@needs [$($need:ident $(($($value:expr),*))?),* $(,)?]) => {
        &[$($crate::case::Need::$need $(($($value),*))?),*]
    };
    (@denies) => { false };
    (@denies $denies:literal) => { $denies };
    (
        $suite:literal, $about:literal;
        $(
            $case:ident, $level:ident, [$($reference:literal),* $(,)?], $promise:literal
            $(, isolation = $isolation:ident)?
            $(, scopes = $scopes:tt)?
            $(, needs = $needs:tt)?
            $(, source = $link:literal)?
            $(, denies = $denies:literal)?
            $(, killed_by = $killed_by:tt)?
            $(,)?;
        )*
    ) => {
        #[doc = $about]
        pub const SUITE: $crate::case::Suite = $crate::case::Suite {
            name: $suite,
            about: $about,
            cases: &[$($crate::case::Case {
                suite: $suite,
                name: stringify!($case),
                level: $crate::case::Level::$level,
                refs: &[$($reference),*],
                source: $crate::suite!(@source $($link)?),
                promise: $promise,
                file: file!(),
                isolation: $crate::suite!(@isolation $($isolation)?),
                scopes: $crate::suite!(@scopes $($scopes)?),
                needs: $crate::suite!(@needs $($needs)?),
                denies: $crate::suite!(@denies $($denies)?),
                killed_by: $crate::suite!(@killed_by $($killed_by)?),
                run: |t| ::std::boxed::Box::pin($case(t)),
            }),*],
        };
    };
}
