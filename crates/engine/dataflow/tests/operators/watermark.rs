//! Watermarks of a source.

use std::sync::Arc;

use datafusion_physical_expr::expressions::Column;
use kobel_dataflow::graph::WatermarkSpec;
use kobel_dataflow::operator::Element;
use kobel_dataflow::operators::watermark::WatermarkGenerator;

use super::{batch, shown};

fn generator(windows: Vec<(i64, i64)>, idle_timeout_ms: i64) -> WatermarkGenerator {
    WatermarkGenerator::new(WatermarkSpec {
        rowtime: 2,
        column: "t".into(),
        expr: Arc::new(Column::new("t", 2)),
        interval_ms: 200,
        idle_timeout_ms,
        windows,
    })
}

fn rows(generator: &mut WatermarkGenerator, split: &str, times: &[i64], now_ms: i64, out: &mut Vec<Element>) {
    let input: Vec<_> = times.iter().map(|time| (Some("k"), 0, *time)).collect();
    generator.rows(&Arc::from(split), &batch(&input), now_ms, out).expect("no NULL");
}

/// Only watermarks, and how many rows stand before each.
fn marks(elements: &[Element]) -> Vec<(usize, i64)> {
    let mut before = 0;
    let mut marks = Vec::new();
    for element in elements {
        match element {
            Element::Batch(batch) => before += batch.num_rows(),
            Element::Watermark(watermark) => marks.push((before, *watermark)),
            Element::Idle => {}
        }
    }
    marks
}

#[test]
fn batches_of_any_size_are_cut_at_the_same_window_ends() {
    let times: Vec<i64> = (0..500).map(|index| index * 37 % 400 + index * 10).collect();
    let crossings = |batch_rows: usize| {
        let (mut generator, mut out) = (generator(vec![(1000, 0)], 0), Vec::new());
        times.chunks(batch_rows).for_each(|times| rows(&mut generator, "s", times, 0, &mut out));
        let mut crossings: Vec<(usize, i64)> = Vec::new();
        for (before, watermark) in marks(&out) {
            let window = (watermark + 1).div_euclid(1000);
            if crossings.last().is_none_or(|(_, last)| *last < window) {
                crossings.push((before, window));
            }
        }
        crossings
    };
    let row_by_row = crossings(1);
    assert!(row_by_row.len() > 4);
    assert_eq!(crossings(7), row_by_row);
    assert_eq!(crossings(500), row_by_row);
}

#[test]
fn the_watermark_is_the_least_over_the_splits_and_a_split_that_ends_lets_it_go() {
    let (mut generator, mut out) = (generator(Vec::new(), 0), Vec::new());
    generator.register("a", None);
    generator.register("b", None);
    rows(&mut generator, "a", &[1000], 0, &mut out);
    assert_eq!(marks(&out), [], "split b has said nothing");
    rows(&mut generator, "b", &[400], 0, &mut out);
    generator.split_end("b", &mut out);
    assert_eq!(marks(&out), [(2, 400), (2, 1000)]);
}

#[test]
fn small_growth_is_held_back_until_the_source_is_idle() {
    let (mut generator, mut out) = (generator(Vec::new(), 0), Vec::new());
    rows(&mut generator, "a", &[1000, 1100, 1200], 0, &mut out);
    assert_eq!(marks(&out), [(3, 1000)]);
    generator.idle(5, &mut out);
    assert_eq!(marks(&out), [(3, 1000), (3, 1200)]);
}

#[test]
fn a_silent_split_stops_to_count_after_the_timeout() {
    let (mut generator, mut out) = (generator(Vec::new(), 100), Vec::new());
    rows(&mut generator, "a", &[1000], 10, &mut out);
    rows(&mut generator, "b", &[2000], 90, &mut out);
    generator.idle(105, &mut out);
    assert_eq!(marks(&out), [(1, 1000)]);
    generator.idle(120, &mut out);
    assert_eq!(marks(&out), [(1, 1000), (2, 2000)]);
    generator.idle(500, &mut out);
    assert_eq!(shown(&out).last().map(String::as_str), Some("idle"));
    rows(&mut generator, "a", &[2500], 510, &mut out);
    assert_eq!(marks(&out).last(), Some(&(3, 2500)));
}
