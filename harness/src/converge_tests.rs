//! Time is paused: these take no time at all.

use super::*;

type Seen = Result<Look<u32>, std::io::Error>;

fn unmet() -> Seen {
    Ok(Look::Unmet("answered 404".into()))
}

#[tokio::test(start_paused = true)]
async fn must_wants_a_streak_and_starts_again_after_a_miss() {
    let mut script = [true, true, false, true, true, true].into_iter();
    let settled = Converge::default()
        .must("200", || {
            let met = script.next().unwrap();
            async move { if met { Ok(Look::Met(1)) } else { unmet() } }
        })
        .await
        .unwrap();
    assert_eq!(settled.attempts, 6);
    assert_eq!(settled.after, Duration::from_millis(10), "one pause after the miss");
}

#[tokio::test(start_paused = true)]
async fn must_says_what_it_saw_last() {
    let waiting = Converge::default();
    let start = Instant::now();
    let missed = waiting.must("status 200", || async { unmet() }).await.unwrap_err();
    assert!(matches!(missed, Missed::Late { ref last, .. } if last == "answered 404"), "{missed}");
    assert!(start.elapsed() <= waiting.budgets().traffic);
    assert!(start.elapsed() >= waiting.budgets().traffic - waiting.budgets().pause_ceiling);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_hangs_is_late_not_a_hang() {
    let missed = Converge::default().must("status 200", std::future::pending::<Seen>).await.unwrap_err();
    assert!(matches!(missed, Missed::Late { attempts: 0, .. }), "{missed}");
}

#[tokio::test(start_paused = true)]
async fn a_broken_look_ends_it_at_once() {
    let mut looks = 0;
    let missed = Converge::default()
        .must("status 200", || {
            looks += 1;
            async { Seen::Err(std::io::Error::other("port-forward closed")) }
        })
        .await
        .unwrap_err();
    assert!(matches!(missed, Missed::Broken(_)));
    assert_eq!(looks, 1);
}

#[tokio::test(start_paused = true)]
async fn must_never_lasts_as_long_as_the_pace_asks() {
    let waiting = Converge::default();
    assert_eq!(waiting.never_window(), Duration::from_millis(500), "the floor");
    waiting.pace().note(Duration::from_secs(1));
    waiting.pace().note(Duration::from_millis(3));
    assert_eq!(waiting.never_window(), Duration::from_secs(3));
    waiting.pace().note(Duration::from_secs(60));
    assert_eq!(waiting.never_window(), Duration::from_secs(10), "the ceiling");

    let start = Instant::now();
    waiting.must_never("a 403", || async { unmet() }).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn must_never_fails_on_the_one_time_it_happened() {
    let mut looks = 0;
    let missed = Converge::default()
        .must_never("a 403", || {
            looks += 1;
            let met = looks == 4;
            async move { if met { Ok(Look::Met(403)) } else { unmet() } }
        })
        .await
        .unwrap_err();
    assert!(matches!(missed, Missed::Happened { ref seen, .. } if seen == "403"), "{missed}");
}

#[tokio::test(start_paused = true)]
async fn until_gives_the_reason_why_not_yet() {
    let missed = Converge::default()
        .until("Service bound", || async { Seen::Ok(Look::Unmet("WaypointIsNotReady".into())) })
        .await
        .unwrap_err();
    assert!(missed.to_string().ends_with("last seen: WaypointIsNotReady"), "{missed}");
}
