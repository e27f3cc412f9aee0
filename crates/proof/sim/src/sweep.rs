//! Sweeps: one fault at every place of a run where it can come.
//!
//! A sweep plays a script without faults first. What breaks already then is told, and nothing else is tried. Each run
//! after that is the same up to its fault, must break no invariant, and must come to the same end.

pub mod coverage;
pub mod crash;
pub mod faults;
pub mod missed;
pub mod outcome;
pub mod properties;
pub mod spread;
pub mod stale;

pub use self::crash::crashes;
pub use self::faults::faults;
pub use self::missed::missed;
pub use self::outcome::{Case, Depth, Failure, Sweep};
pub use self::properties::properties;
pub use self::spread::over;
pub use self::stale::staleness;
