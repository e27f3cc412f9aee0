//! Summing up one metric over several components, as Flink does it.

use std::collections::HashSet;

use kobel_rest::metrics::{AggregatedMetric, AggregatedMetricsResponseBody};
use kobel_rest::number::Number;

use crate::monitor::Component;

/// A way to sum up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregation {
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The sum.
    Sum,
    /// The mean.
    Avg,
    /// The mean distance from the mean, in percent of the mean and at most 100.
    Skew,
}

impl Aggregation {
    /// All ways.
    pub(crate) const ALL: [Self; 5] = [Self::Min, Self::Max, Self::Sum, Self::Avg, Self::Skew];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Skew => "skew",
        }
    }

    /// The way with this name, in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name))
    }

    /// Sums up; a value that is not a number makes the result none.
    fn of(self, values: &[f64]) -> f64 {
        let sum: f64 = values.iter().sum();
        if sum.is_nan() {
            return f64::NAN;
        }
        match self {
            Self::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Sum => sum,
            Self::Avg => sum / values.len() as f64,
            Self::Skew => skew(values, sum / values.len() as f64),
        }
    }
}

fn skew(values: &[f64], mean: f64) -> f64 {
    const PERCENT_MAX: f64 = 100.0;
    if mean == 0.0 {
        return 0.0;
    }
    let distance: f64 = values.iter().map(|value| (mean - value).abs()).sum();
    (distance / values.len() as f64 / mean * PERCENT_MAX).min(PERCENT_MAX)
}

/// The names of all metrics that one of the components has; or what those asked for sum up to.
///
/// As in Flink, texts are left out, and one name that no component has empties the whole answer.
pub(crate) fn aggregated(
    components: &[Component],
    names: Option<&[String]>,
    aggregations: &[Aggregation],
) -> AggregatedMetricsResponseBody {
    let Some(names) = names else { return all_names(components) };
    let mut metrics = Vec::with_capacity(names.len());
    for name in names {
        let values: Vec<_> = components.iter().filter_map(|component| component.value(name)).collect();
        if values.is_empty() {
            return Vec::new();
        }
        let numbers: Option<Vec<f64>> = values.iter().map(|value| value.number()).collect();
        if let Some(numbers) = numbers {
            metrics.push(summed_up(name, &numbers, aggregations));
        }
    }
    metrics
}

fn all_names(components: &[Component]) -> AggregatedMetricsResponseBody {
    let mut seen = HashSet::new();
    let names = components.iter().flat_map(Component::names).filter(|name| seen.insert(name.clone()));
    names.map(|id| AggregatedMetric { id, ..AggregatedMetric::default() }).collect()
}

fn summed_up(name: &str, values: &[f64], aggregations: &[Aggregation]) -> AggregatedMetric {
    let asked = |aggregation: Aggregation| aggregations.contains(&aggregation).then(|| Number(aggregation.of(values)));
    AggregatedMetric {
        id: name.to_owned(),
        min: asked(Aggregation::Min),
        max: asked(Aggregation::Max),
        avg: asked(Aggregation::Avg),
        sum: asked(Aggregation::Sum),
        skew: asked(Aggregation::Skew),
    }
}

#[cfg(test)]
mod tests {
    use super::Aggregation;

    #[test]
    fn values_sum_up_as_flink_sums_them_up() {
        // The third and fourth rows are what Flink 2.1 and 2.3 answered for these values.
        let cases: [(&[f64], [f64; 5]); 5] = [
            (&[7.0], [7.0, 7.0, 7.0, 7.0, 0.0]),
            (&[0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]),
            (&[136.0, 139.0], [136.0, 139.0, 275.0, 137.5, 1.090_909_090_909_091]),
            (&[124.0, 191.0], [124.0, 191.0, 315.0, 157.5, 21.269_841_269_841_27]),
            (&[0.0, 0.0, 0.0, 8.0], [0.0, 8.0, 8.0, 2.0, 100.0]),
        ];
        for (values, expected) in cases {
            let actual = Aggregation::ALL.map(|aggregation| aggregation.of(values));
            for (actual, expected) in actual.iter().zip(expected) {
                assert!((actual - expected).abs() < 1e-9, "{values:?}: {actual} instead of {expected}");
            }
        }
    }

    #[test]
    fn what_is_not_a_number_spoils_the_result() {
        for aggregation in Aggregation::ALL {
            assert!(aggregation.of(&[1.0, f64::NAN, 2.0]).is_nan(), "{aggregation:?}");
        }
    }
}
