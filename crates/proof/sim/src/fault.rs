//! What can go wrong, and where.

use crate::call::Call;

/// On which side of its effect a call is hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// It has no effect.
    Before,
    /// It has its effect, and nobody hears of it.
    After,
    /// Only so many of the processes that it starts are started.
    Within(u8),
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The controller is killed.
    Crash(Side),
    /// The controller is killed, and the call, which is on the wire, has its effect so many milliseconds later.
    Ghost {
        /// How much later.
        ms: i64,
    },
    /// The call has its effect, and the connection ends before the answer.
    Lost,
    /// No answer ever comes.
    Silent(Side),
    /// The answer is this HTTP status, and there is no effect.
    Refuse(u16),
    /// Somebody else writes the object first.
    Conflict,
    /// Reads show what was there so many revisions ago, for so many milliseconds.
    Stale {
        /// For how long.
        for_ms: i64,
        /// How many revisions back.
        back: u64,
    },
    /// An event of a watch is kept until the next one of its object, and then only that one is told.
    Hold,
    /// An event of a watch is told twice.
    Twice,
    /// An event of a watch comes so much later, and all behind it.
    Late {
        /// How much later.
        ms: i64,
    },
    /// The watches end and their revision is gone.
    Close410,
    /// The watches end.
    CloseWatch,
    /// The disk cannot be read or written in this call.
    DiskError,
}

/// Where a fault comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// At the call of this number.
    Call(u32),
    /// At the nth call of this name about this, from 1.
    Nth {
        /// The call.
        call: Call,
        /// Which one.
        nth: u32,
    },
    /// At the event of this revision.
    Event {
        /// The revision.
        rev: u64,
    },
    /// At this time, in virtual milliseconds; only for faults of watches and reads.
    Time(i64),
}

/// A fault with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aim {
    /// Where.
    pub at: At,
    /// What.
    pub fault: Fault,
}
