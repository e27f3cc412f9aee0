//! Decimals as Java rounds and prints them.

use proptest::prelude::*;

use super::*;

fn written(unscaled: i128, scale: u8, form: DecimalForm) -> String {
    let mut out = String::new();
    write_decimal(&mut out, unscaled, scale, form);
    out
}

#[test]
fn decimals_are_written_as_big_decimal_writes_them() {
    for (unscaled, scale, java, stripped, plain) in [
        (10_000_000, 2, "100000.00", "1E+5", "100000.00"),
        (-12_000_000, 5, "-120.00000", "-1.2E+2", "-120.00000"),
        (5, 2, "0.05", "0.05", "0.05"),
        (0, 2, "0.00", "0", "0.00"),
        (0, 10, "0E-10", "0", "0.0000000000"),
        (1, 10, "1E-10", "1E-10", "0.0000000001"),
        (12, 8, "1.2E-7", "1.2E-7", "0.00000012"),
        (1, 6, "0.000001", "0.000001", "0.000001"),
        (123, 0, "123", "123", "123"),
        (1_200, 0, "1200", "1.2E+3", "1200"),
    ] {
        let forms = [DecimalForm::Java, DecimalForm::Stripped, DecimalForm::Plain];
        assert_eq!(forms.map(|form| written(unscaled, scale, form)), [java, stripped, plain]);
    }
}

#[test]
fn decimals_are_rounded_half_up_and_bounded() {
    for (text, precision, scale, expected) in [
        ("0.5", 1, 0, Some(Decimal::Unscaled(1))),
        ("0.49999999999999999999999999999999999999999999", 1, 0, Some(Decimal::Unscaled(0))),
        ("-0.5", 1, 0, Some(Decimal::Unscaled(-1))),
        ("9.5", 1, 0, Some(Decimal::Overflow)),
        ("1e999999999", 38, 0, Some(Decimal::Overflow)),
        ("1e-999999999", 38, 38, Some(Decimal::Unscaled(0))),
        ("0e999999999", 5, 2, Some(Decimal::Unscaled(0))),
        ("99999999999999999999999999999999999999", 38, 0, Some(Decimal::Unscaled(10_i128.pow(38) - 1))),
        ("99999999999999999999999999999999999999.5", 38, 0, Some(Decimal::Overflow)),
        ("000000000000000000000000000000000000000000000001.10", 3, 1, Some(Decimal::Unscaled(11))),
        ("", 5, 2, None),
        (".", 5, 2, None),
        ("1e", 5, 2, None),
        ("1e99999999999", 5, 2, None),
        ("1.2.3", 5, 2, None),
        ("--1", 5, 2, None),
    ] {
        assert_eq!(decimal(text, precision, scale), expected, "for `{text}`");
    }
}

proptest! {
    #[test]
    fn decimals_are_read_back_from_every_form(unscaled in -10_i128.pow(37)..10_i128.pow(37), scale in 0_u8..=38) {
        for form in [DecimalForm::Java, DecimalForm::Stripped, DecimalForm::Plain] {
            let text = written(unscaled, scale, form);
            prop_assert_eq!(decimal(&text, 38, scale), Some(Decimal::Unscaled(unscaled)), "from `{}`", text);
        }
    }
}
