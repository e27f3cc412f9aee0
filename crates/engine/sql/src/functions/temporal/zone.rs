//! A time zone as offsets in milliseconds.
//!
//! Zones change their offset on few instants, so an offset is looked up once per quarter of an hour of data and kept.

use std::cell::Cell;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::functions::call::Call;
use crate::types::TypeKind;

use super::civil::{MILLIS_PER_DAY, civil};

const BLOCK_MS: i64 = 900_000;

/// Which instant a wall clock time means that occurs twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// The first, as `java.time` chooses.
    Earlier,
    /// The second, as `java.util.Calendar` chooses.
    Later,
}

/// A time zone.
#[derive(Debug)]
pub struct Zone<'a> {
    rules: Option<&'a TimeZone>,
    /// The offset of a zone without rules.
    fixed: i64,
    /// The last block of time for which the offset is known, and the offset.
    known: Cell<Option<(i64, i64)>>,
}

impl<'a> Zone<'a> {
    /// The zone with the rules of `time_zone`.
    pub fn new(time_zone: &'a TimeZone) -> Self {
        match time_zone.to_fixed_offset() {
            Ok(offset) => Self { rules: None, fixed: i64::from(offset.seconds()) * 1000, known: Cell::new(None) },
            Err(_) => Self { rules: Some(time_zone), fixed: 0, known: Cell::new(None) },
        }
    }

    /// UTC.
    pub fn utc() -> Self {
        Self { rules: None, fixed: 0, known: Cell::new(None) }
    }

    /// Whether it is UTC, so that instants and wall clock times are the same numbers.
    pub fn is_utc(&self) -> bool {
        self.rules.is_none() && self.fixed == 0
    }

    /// The offset from UTC at an instant.
    ///
    /// # Units
    /// Milliseconds.
    pub fn offset_at(&self, instant: i64) -> i64 {
        let Some(rules) = self.rules else { return self.fixed };
        let block = instant.div_euclid(BLOCK_MS);
        if let Some((known, offset)) = self.known.get()
            && known == block
        {
            return offset;
        }
        let (first, last) =
            (block.saturating_mul(BLOCK_MS), block.saturating_mul(BLOCK_MS).saturating_add(BLOCK_MS - 1));
        let offset = looked_up(rules, first);
        if offset == looked_up(rules, last) {
            self.known.set(Some((block, offset)));
            return offset;
        }
        looked_up(rules, instant)
    }

    /// The wall clock time at an instant, as milliseconds since 1970-01-01 00:00 of the same wall clock.
    pub fn wall_at(&self, instant: i64) -> i64 {
        instant.wrapping_add(self.offset_at(instant))
    }

    /// The instant of a wall clock time; a time that is skipped moves on by the length of the gap.
    pub fn instant_of(&self, wall: i64, overlap: Overlap) -> i64 {
        let Some(rules) = self.rules else { return wall.wrapping_sub(self.fixed) };
        let Some(time) = date_time(wall) else { return wall.wrapping_sub(looked_up(rules, wall)) };
        let offset = match (rules.to_ambiguous_timestamp(time).offset(), overlap) {
            (AmbiguousOffset::Unambiguous { offset }, _) => offset,
            (AmbiguousOffset::Gap { before, .. }, _) => before,
            (AmbiguousOffset::Fold { before, .. }, Overlap::Earlier) => before,
            (AmbiguousOffset::Fold { after, .. }, Overlap::Later) => after,
        };
        wall.wrapping_sub(i64::from(offset.seconds()) * 1000)
    }
}

/// The offset by the rules; instants outside the years -9999 to 9999 have that of the nearest.
fn looked_up(rules: &TimeZone, instant: i64) -> i64 {
    let nearest = if instant < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let instant = Timestamp::from_millisecond(instant).unwrap_or(nearest);
    i64::from(rules.to_offset(instant).seconds()) * 1000
}

fn date_time(wall: i64) -> Option<DateTime> {
    let date = civil(wall.div_euclid(MILLIS_PER_DAY));
    let time = wall.rem_euclid(MILLIS_PER_DAY);
    let (hour, minute, second) = (time / 3_600_000, time / 60_000 % 60, time / 1000 % 60);
    DateTime::new(
        i16::try_from(date.year).ok()?,
        i8::try_from(date.month).ok()?,
        i8::try_from(date.day).ok()?,
        i8::try_from(hour).ok()?,
        i8::try_from(minute).ok()?,
        i8::try_from(second).ok()?,
        i32::try_from(time % 1000).ok()? * 1_000_000,
    )
    .ok()
}

/// The zone in which values of `kind` are read: the session's for TIMESTAMP_LTZ, else none.
pub fn zone_of<'a>(kind: TypeKind, call: &Call<'a>) -> Zone<'a> {
    match kind {
        TypeKind::TimestampLtz(_) => Zone::new(&call.context.time_zone),
        _ => Zone::utc(),
    }
}
