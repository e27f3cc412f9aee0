//! Key groups: the unit in which keyed state is divided among subtasks, checkpointed and rescaled.
//!
//! # Source
//! Flink `KeyGroupRangeAssignment`; the hash differs from Flink's, the arithmetic does not.

use std::ops::RangeInclusive;

use crate::error::{Error, Result};

/// Number of key groups of a job; also the largest parallelism it can ever have. Between 1 and 32768, 128 unless set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxParallelism(u16);

impl MaxParallelism {
    /// Checks the bounds.
    ///
    /// # Errors
    /// Invalid if `value` is not between 1 and 32768.
    pub fn new(value: u32) -> Result<Self> {
        match u16::try_from(value) {
            Ok(groups) if (1..=32768).contains(&groups) => Ok(Self(groups)),
            _ => Err(Error::invalid(format!("the maximum parallelism must be between 1 and 32768, got `{value}`"))),
        }
    }

    /// As a number.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }

    /// The key group of a key with this (well mixed) hash.
    pub fn key_group(self, hash: u64) -> usize {
        ((u128::from(hash) * u128::from(self.0)) >> 64) as usize
    }

    /// The subtask that owns a key group: `key_group * parallelism / max`.
    pub fn subtask(self, key_group: usize, parallelism: usize) -> usize {
        key_group * parallelism / self.get()
    }

    /// The key groups that a subtask owns.
    pub fn key_groups(self, subtask: usize, parallelism: usize) -> RangeInclusive<usize> {
        let start = (subtask * self.get()).div_ceil(parallelism);
        let end = ((subtask + 1) * self.get() - 1) / parallelism;
        start..=end
    }
}

impl Default for MaxParallelism {
    fn default() -> Self {
        Self(128)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_group_belongs_to_exactly_the_subtask_whose_range_holds_it() {
        for max in [1, 7, 128, 32768] {
            let max = MaxParallelism::new(max).expect("in bounds");
            for parallelism in [1, 2, 3, 5, 128].into_iter().filter(|parallelism| *parallelism <= max.get()) {
                for group in 0..max.get() {
                    let owner = max.subtask(group, parallelism);
                    assert!(owner < parallelism);
                    let owners =
                        (0..parallelism).filter(|subtask| max.key_groups(*subtask, parallelism).contains(&group));
                    assert_eq!(owners.collect::<Vec<_>>(), [owner]);
                }
            }
        }
    }

    #[test]
    fn bounds_are_checked() {
        assert!(MaxParallelism::new(0).is_err());
        assert!(MaxParallelism::new(32769).is_err());
        assert_eq!(MaxParallelism::new(32768).expect("the largest").key_group(u64::MAX), 32767);
    }
}
