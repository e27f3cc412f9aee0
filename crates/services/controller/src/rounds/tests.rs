//! The loop without an API: what a round does is given.

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};

use tokio::time::sleep;

use super::*;
use crate::turns::ROUNDS_MAX;

/// Which objects were looked at, and when.
type Looks = Arc<Mutex<Vec<(String, Duration)>>>;

fn key(name: &str) -> Key {
    Key { kind: Kind::Deployment, namespace: "default".to_owned(), name: name.to_owned() }
}

/// The events that each of these objects stirred, and then none for ever.
fn stirred(names: &[String]) -> impl Stream<Item = Event> + use<> {
    let keys: Vec<Event> = names.iter().map(|name| Event::Stirred(key(name))).collect();
    stream::iter(keys).chain(stream::pending())
}

/// Runs the loop for some time; answers what it looked at.
async fn run_for<L, F>(time: Duration, names: &[String], metrics: &Metrics, look: L) -> Vec<(String, Duration)>
where
    L: Fn(Key, Turn, Belief) -> F,
    F: Future<Output = Result<Next>> + Send + 'static,
{
    let (looks, begun) = (Looks::default(), Instant::now());
    let noted = Arc::clone(&looks);
    let look = move |key: Key, turn: Turn, belief: Belief| {
        noted.lock().unwrap().push((key.name.clone(), begun.elapsed()));
        look(key, turn, belief)
    };
    let (agenda, turns) = (Agenda::default(), Turns::of(ROUNDS_MAX));
    let rounds = Rounds { agenda, look, turns, metrics: metrics.clone(), under_way: UnderWay::default() };
    assert!(timeout(time, rounds.run(stirred(names))).await.is_err(), "the loop never ends");
    let looks = looks.lock().unwrap();
    looks.clone()
}

fn times(looks: &[(String, Duration)], name: &str) -> usize {
    looks.iter().filter(|(looked, _)| looked == name).count()
}

#[tokio::test(start_paused = true)]
async fn an_object_whose_round_panics_is_tried_again_and_the_others_go_on() {
    let metrics = Metrics::default();
    let names = ["bad".to_owned(), "good".to_owned()];
    let looks = run_for(Duration::from_secs(20), &names, &metrics, |key, _, _| async move {
        assert_ne!(key.name, "bad", "it is bad");
        Ok(Next::Again(Duration::from_secs(2)))
    })
    .await;
    // At 0, 0.25, 0.75, 1.75, 3.75, 7.75 and 15.75 seconds.
    assert_eq!(times(&looks, "bad"), 7, "{looks:?}");
    assert!(times(&looks, "good") >= 9, "{looks:?}");
    let text = metrics.text();
    for (result, least) in [("error", 7), ("ok", 9)] {
        let line = format!("kobel_reconcile_duration_seconds_count{{kind=\"FlinkDeployment\",result=\"{result}\"}} ");
        let count = text.lines().find_map(|found| found.strip_prefix(line.as_str())?.parse::<usize>().ok());
        assert!(count >= Some(least), "{result}: {count:?}");
    }
}

async fn panicking(with: Box<dyn Any + Send>) {
    resume_unwind(with)
}

#[tokio::test]
async fn what_a_panic_said_is_told() {
    let panics: [(Box<dyn Any + Send>, &str); 3] = [
        (Box::new("no such place"), "a round panicked: no such place"),
        (Box::new("number 7".to_owned()), "a round panicked: number 7"),
        (Box::new(7), "a round panicked: it left no words"),
    ];
    for (panic, expected) in panics {
        let error = tokio::spawn(panicking(panic)).await.unwrap_err();
        assert_eq!(broken_off(error).to_string(), expected);
    }
    let task = tokio::spawn(pending::<()>());
    task.abort();
    assert_eq!(broken_off(task.await.unwrap_err()).to_string(), "a round was broken off");
}

#[tokio::test(start_paused = true)]
async fn slow_downloads_keep_nobody_else_from_being_looked_at() {
    let metrics = Metrics::default();
    let slow = (0..100).map(|at| format!("slow-{at}"));
    let names: Vec<String> = slow.chain(["quick".to_owned()]).collect();
    let looks = run_for(Duration::from_secs(60), &names, &metrics, |key, turn, _| async move {
        if key.name != "quick" {
            let download = async {
                sleep(Duration::from_secs(600)).await;
                Ok(())
            };
            turn.slowly(download).await?;
        }
        Ok(Next::Again(Duration::from_secs(1)))
    })
    .await;
    assert!(times(&looks, "quick") > 55, "{} looks", times(&looks, "quick"));
    // Who found no room is not at fault.
    let text = metrics.text();
    assert!(!text.contains("result=\"error\""), "{text}");
    let put_off = |name: &String| times(&looks, name) > 1;
    assert!(names.iter().filter(|name| put_off(name)).count() > 40, "{looks:?}");
}

#[tokio::test(start_paused = true)]
async fn few_rounds_are_under_way_at_a_time_and_who_waits_is_counted() {
    let metrics = Metrics::default();
    let names: Vec<String> = (0..40).map(|at| format!("object-{at}")).collect();
    let looks = run_for(Duration::from_secs(5), &names, &metrics, |_, _, _| async {
        sleep(Duration::from_secs(10)).await;
        Ok(Next::Again(Duration::from_secs(60)))
    })
    .await;
    assert_eq!(looks.len(), ROUNDS_MAX);
    let text = metrics.text();
    let has = |line: String| text.lines().any(|found| found == line);
    assert!(has(format!("kobel_reconcile_active {ROUNDS_MAX}")), "{text}");
    assert!(has(format!("kobel_reconcile_queue {}", names.len() - ROUNDS_MAX)), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_gone_is_looked_for_once_more_and_never_again() {
    let names = ["gone".to_owned()];
    let looks = run_for(Duration::from_secs(600), &names, &Metrics::default(), |_, _, belief| async move {
        Ok(if belief == Belief::Gone { Next::Gone } else { Next::Missing })
    })
    .await;
    assert_eq!(looks.len(), 2, "{looks:?}");
}

#[test]
fn a_watch_that_begins_anew_says_of_no_object_that_it_is_gone() {
    for told in [watcher::Event::Init, watcher::Event::InitDone] {
        assert!(seen(Kind::Deployment, Ok(told)).is_empty(), "there may be other watches of the kind");
    }
}
