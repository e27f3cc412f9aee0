//! One certificate follows another step by step, and keys are shown to nobody.

use jiff::{SignedDuration, Timestamp};

use super::{Kept, Pace, Pair, Step};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn names() -> Vec<String> {
    vec!["hook.team.svc".to_owned(), "hook.team.svc.cluster.local".to_owned()]
}

fn count(bundle: &str) -> usize {
    bundle.matches("-----BEGIN CERTIFICATE-----").count()
}

#[test]
fn a_certificate_follows_another_in_three_steps() {
    let (names, pace) = (names(), Pace::default());
    let begun = at("2026-01-01T12:00:00Z");
    let first = Kept::first(&names, begun, &pace).unwrap();
    assert_eq!((first.current.from, first.current.until), (begun, at("2026-04-02T00:00:00Z")));
    let then = at("2026-03-01T00:00:00Z");
    assert_eq!(first.step(&names, Some(begun), then, &pace), Step::Stay);
    let due = at("2026-03-03T00:00:00Z");
    assert_eq!(first.step(&names, Some(begun), due, &pace), Step::Announce);

    let announced = first.after(Step::Announce, &names, due, &pace).unwrap().unwrap();
    assert_eq!(announced.current, first.current, "nothing else is served yet");
    let next = announced.next.clone().unwrap();
    assert_eq!(announced.bundle(), format!("{}{}", first.bundle(), next.authority));
    let seen = at("2026-03-03T00:01:00Z");
    for (trusted, now, expected) in [
        (None, at("2026-03-03T01:00:00Z"), Step::Stay),
        (Some(seen), seen, Step::Stay),
        (Some(seen), at("2026-03-03T00:01:29Z"), Step::Stay),
        (Some(seen), at("2026-03-03T00:01:30Z"), Step::Serve),
        (None, first.current.until, Step::Serve),
        (None, at("2026-05-05T00:00:00Z"), Step::Announce),
    ] {
        assert_eq!(announced.step(&names, trusted, now, &pace), expected, "{trusted:?} at {now}");
    }

    let served = announced.after(Step::Serve, &names, seen, &pace).unwrap().unwrap();
    assert_eq!((&served.current, &served.next), (&next, &None));
    assert_eq!(served.bundle(), announced.bundle(), "whoever trusted trusts on, and nothing is written");
    assert_eq!(served.step(&names, Some(seen), at("2026-03-03T01:00:59Z"), &pace), Step::Stay);
    let late = at("2026-03-03T01:01:00Z");
    assert_eq!(served.step(&names, Some(seen), late, &pace), Step::Forget);
    let forgotten = served.after(Step::Forget, &names, late, &pace).unwrap().unwrap();
    assert_eq!((count(&served.bundle()), count(&forgotten.bundle())), (2, 1));
    assert_eq!(forgotten.bundle(), next.authority);
    assert_eq!(forgotten.step(&names, Some(late), late, &pace), Step::Stay);
    for step in [Step::Stay, Step::Serve] {
        assert_eq!(forgotten.after(step, &names, late, &pace).unwrap(), None);
    }
}

#[test]
fn other_names_need_another_certificate() {
    let (names, pace, now) = (names(), Pace::default(), at("2026-01-01T00:00:00Z"));
    let kept = Kept::first(&["other.team.svc".to_owned()], now, &pace).unwrap();
    assert_eq!(kept.step(&names, None, now, &pace), Step::Announce);
    let kept = kept.after(Step::Announce, &names, now, &pace).unwrap().unwrap();
    assert_eq!(kept.step(&names, None, now, &pace), Step::Stay);
    assert_eq!(kept.step(&["third.team.svc".to_owned()], None, now, &pace), Step::Announce);
}

#[test]
fn what_was_announced_stays_so_when_an_authority_is_forgotten() {
    let (names, pace, now) = (names(), Pace::default(), at("2026-01-01T00:00:00Z"));
    let mut kept = Kept::first(&names, now, &pace).unwrap();
    for step in [Step::Announce, Step::Serve, Step::Announce] {
        kept = kept.after(step, &names, now, &pace).unwrap().unwrap();
    }
    assert_eq!(count(&kept.bundle()), 3);
    let later = kept.after(Step::Forget, &names, now, &pace).unwrap().unwrap();
    assert_eq!((&later.next, &later.former, count(&later.bundle())), (&kept.next, &None, 2));
}

#[test]
fn a_name_that_can_be_none_is_refused_and_no_key_is_shown() {
    let now = at("2026-01-01T00:00:00Z");
    let error = Pair::issue(&["é".to_owned()], now, SignedDuration::from_hours(1)).unwrap_err();
    assert_eq!(error.to_string(), "cannot make a certificate of the webhook");
    let kept = Kept::first(&names(), now, &Pace::default()).unwrap();
    assert!(kept.current.key.contains("PRIVATE KEY"));
    let shown = format!("{kept:?}");
    assert!(shown.contains("hook.team.svc") && !shown.contains("KEY"), "{shown}");
}
