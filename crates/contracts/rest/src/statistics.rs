//! Summaries of a series of measurements: of checkpoints, of rescales, and of the subtasks of a vertex.
//!
//! Invariant: smallest, largest and mean are whole numbers; a percentile that is not kept is `NaN`.

use serde::{Deserialize, Serialize};

use crate::number::Number;

/// The summary of a series, with percentiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatsSummary {
    /// The smallest value.
    pub min: i64,
    /// The largest value.
    pub max: i64,
    /// The mean, cut to a whole number.
    pub avg: i64,
    /// The median.
    pub p50: Number,
    /// The value that nine of ten do not exceed.
    pub p90: Number,
    /// The value that 95 of 100 do not exceed.
    pub p95: Number,
    /// The value that 99 of 100 do not exceed.
    pub p99: Number,
    /// The value that 999 of 1,000 do not exceed.
    pub p999: Number,
}

impl StatsSummary {
    /// Returns the summary of a series of which only the ends and the mean are known.
    pub const fn without_percentiles(min: i64, max: i64, avg: i64) -> Self {
        let unknown = Number::NAN;
        Self { min, max, avg, p50: unknown, p90: unknown, p95: unknown, p99: unknown, p999: unknown }
    }

    /// Returns the summary of a series in any order; without values it is zero with unknown percentiles.
    pub fn of(values: &[i64]) -> Self {
        let series = Series::new(values);
        let at = |percent| Number(series.percentile(percent));
        Self {
            min: series.min(),
            max: series.max(),
            avg: series.sum() / i64::try_from(values.len().max(1)).unwrap_or(i64::MAX),
            p50: at(50.0),
            p90: at(90.0),
            p95: at(95.0),
            p99: at(99.0),
            p999: at(99.9),
        }
    }
}

/// The summary of one metric over the subtasks of a vertex.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SubtaskSummary {
    /// The value that a quarter of the subtasks do not exceed.
    pub p25: i64,
    /// The smallest value.
    pub min: i64,
    /// The mean.
    pub avg: i64,
    /// The median.
    pub median: i64,
    /// The largest value.
    pub max: i64,
    /// The sum.
    pub sum: i64,
    /// The value that 95 of 100 subtasks do not exceed.
    pub p95: i64,
    /// The value that three quarters of the subtasks do not exceed.
    pub p75: i64,
}

impl SubtaskSummary {
    /// Returns the summary of one value for each subtask; without values it is zero.
    pub fn of(values: &[i64]) -> Self {
        let series = Series::new(values);
        // A float that is not a number becomes zero.
        let at = |percent| series.percentile(percent) as i64;
        Self {
            p25: at(25.0),
            min: series.min(),
            avg: series.sum() / i64::try_from(values.len().max(1)).unwrap_or(i64::MAX),
            median: at(50.0),
            max: series.max(),
            sum: series.sum(),
            p95: at(95.0),
            p75: at(75.0),
        }
    }
}

/// A series from its smallest value to its largest.
struct Series(Vec<i64>);

impl Series {
    fn new(values: &[i64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        Self(sorted)
    }

    fn min(&self) -> i64 {
        self.0.first().copied().unwrap_or(0)
    }

    fn max(&self) -> i64 {
        self.0.last().copied().unwrap_or(0)
    }

    fn sum(&self) -> i64 {
        self.0.iter().fold(0, |sum, value| sum.saturating_add(*value))
    }

    /// Interpolates between the two values around the position `percent × (n + 1)`, as Flink does.
    ///
    /// Without values the answer is `NaN`.
    fn percentile(&self, percent: f64) -> f64 {
        if self.0.is_empty() {
            return f64::NAN;
        }
        let position = percent / 100.0 * (self.0.len() as f64 + 1.0);
        if position < 1.0 {
            return self.min() as f64;
        }
        let below = self.0.get(position as usize - 1).copied().unwrap_or(self.max()) as f64;
        let above = self.0.get(position as usize).copied().unwrap_or(self.max()) as f64;
        below + position.fract() * (above - below)
    }
}

#[cfg(test)]
mod tests {
    use super::{StatsSummary, SubtaskSummary};
    use crate::number::Number;
    use crate::round_trip::printed_back;

    #[test]
    fn a_summary_is_read_with_and_without_percentiles() {
        let known: StatsSummary =
            printed_back(r#"{"min":1,"max":3,"avg":2,"p50":2.0,"p90":3.0,"p95":3.0,"p99":3.0,"p999":3.0}"#);
        assert_eq!(known, StatsSummary::of(&[3, 1, 2]));
        let unknown: StatsSummary =
            printed_back(r#"{"min":1,"max":3,"avg":2,"p50":"NaN","p90":"NaN","p95":"NaN","p99":"NaN","p999":"NaN"}"#);
        assert_eq!(unknown, StatsSummary::without_percentiles(1, 3, 2));
    }

    #[test]
    fn no_values_give_zero_and_unknown_percentiles() {
        let nothing = StatsSummary::of(&[]);
        assert_eq!((nothing.min, nothing.max, nothing.avg, nothing.p50), (0, 0, 0, Number::NAN));
        assert_eq!(SubtaskSummary::of(&[]), SubtaskSummary::default());
    }

    #[test]
    fn two_subtasks_are_summed_up_as_flink_sums_them_up() {
        let summary: SubtaskSummary = printed_back(
            r#"{"p25":29946,"min":29946,"avg":29972,"median":29972,"max":29998,"sum":59944,"p95":29998,"p75":29998}"#,
        );
        assert_eq!(summary, SubtaskSummary::of(&[29998, 29946]));
    }

    #[test]
    fn a_percentile_lies_between_its_neighbours() {
        let summary = SubtaskSummary::of(&[10, 20, 30, 40, 50, 60, 70]);
        assert_eq!((summary.p25, summary.median, summary.p75, summary.p95), (20, 40, 60, 70));
        assert_eq!(SubtaskSummary::of(&[10, 20, 30]).p75, 30);
        assert_eq!(SubtaskSummary::of(&[10, 20, 30, 40]).p75, 37);
    }
}
