//! The operators. Each is a plain struct; none knows what is before or behind it.

pub mod calc;
pub mod group;
pub mod source;
pub mod watermark;
pub mod window;
