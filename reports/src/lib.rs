//! Records, verdicts and renderers: events in, bytes out.
#![forbid(unsafe_code)]
