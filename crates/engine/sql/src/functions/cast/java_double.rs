//! Floats as Java's `Double.toString` and `Float.toString` write them: the shortest digits that read back as the value.
//!
//! From 10⁻³ below 10⁷ they are written plainly (`1.0`, `0.001`), else as `1.0E10`, with a digit after the point
//! always.

use std::fmt::{LowerExp, Write};

/// Appends a DOUBLE.
pub fn push_f64(out: &mut String, value: f64) {
    if value.is_finite() {
        push_finite(out, value);
    } else {
        out.push_str(special(value));
    }
}

/// Appends a FLOAT.
pub fn push_f32(out: &mut String, value: f32) {
    if value.is_finite() {
        push_finite(out, value);
    } else {
        out.push_str(special(value.into()));
    }
}

fn special(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// The shortest decimal digits of a finite value as an integer, and the power of ten it is to be multiplied with.
pub fn shortest(value: f64) -> Option<(i128, i32)> {
    if !value.is_finite() {
        return None;
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}").parse::<i128>().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    Some((digits, exponent.parse::<i32>().ok()? - places))
}

fn push_finite(out: &mut String, value: impl LowerExp) {
    let mut text = String::with_capacity(32);
    // Writing to a string cannot fail.
    let _ = write!(text, "{value:e}");
    if !text.contains('.') {
        // Java writes two digits at least, and of all that read back those that are nearest to the value.
        text.clear();
        let _ = write!(text, "{value:.1e}");
    }
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent = exponent.parse::<i32>().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let rest = if rest == "0" { "" } else { rest };
    out.push_str(sign);
    if !(-3..7).contains(&exponent) {
        let _ = write!(out, "{first}.{}E{exponent}", if rest.is_empty() { "0" } else { rest });
        return;
    }
    if exponent < 0 {
        out.push_str("0.");
        for _ in exponent + 1..0 {
            out.push('0');
        }
        out.push_str(first);
        out.push_str(rest);
        return;
    }
    let places = usize::try_from(exponent).unwrap_or(0);
    out.push_str(first);
    let (whole, fraction) = rest.split_at(places.min(rest.len()));
    out.push_str(whole);
    for _ in whole.len()..places {
        out.push('0');
    }
    out.push('.');
    out.push_str(if fraction.is_empty() { "0" } else { fraction });
}

#[cfg(test)]
mod tests {
    use super::{push_f32, push_f64, shortest};

    #[test]
    fn doubles_are_written_as_java_writes_them() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (100.0, "100.0"),
            (-2.5, "-2.5"),
            (1e10, "1.0E10"),
            (1.25e10, "1.25E10"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (123_456.789, "123456.789"),
            (0.001, "0.001"),
            (0.0015, "0.0015"),
            (0.000_999, "9.99E-4"),
            (1e-10, "1.0E-10"),
            (5e-324, "4.9E-324"),
            (1e-323, "9.9E-324"),
            (0.5, "0.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, expected) in cases {
            let mut text = String::new();
            push_f64(&mut text, value);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn floats_have_the_digits_of_their_width() {
        for (value, expected) in
            [(0.1_f32, "0.1"), (16_777_216.0, "1.6777216E7"), (3.0, "3.0"), (1e-5, "1.0E-5"), (1e-45, "1.4E-45")]
        {
            let mut text = String::new();
            push_f32(&mut text, value);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn shortest_digits_and_power_of_ten_make_the_value() {
        let cases = [(1.255, Some((1255, -3))), (-2.5e10, Some((-25, 9))), (0.0, Some((0, 0))), (f64::NAN, None)];
        for (value, expected) in cases {
            assert_eq!(shortest(value), expected, "{value}");
        }
    }
}
