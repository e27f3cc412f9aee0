//! The functions whose arguments and result follow a simple pattern, as a table.
//!
//! # Source
//! Flink 2.3 `FlinkSqlOperatorTable`, `BuiltInFunctionDefinitions`; result types as observed.

use crate::plan::{Expr, Function};
use crate::types::{STRING, STRING_LENGTH, SqlType, TypeKind};

use super::coercion::{any_nullable, cast};

/// What an argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Param {
    /// CHAR or VARCHAR of any length.
    Text,
    /// TINYINT, SMALLINT or INT; the kernel gets an INT.
    Int,
    /// Any integer; the kernel gets a BIGINT.
    BigInt,
    /// Any number; the kernel gets a DOUBLE.
    Double,
    /// Any number, as it is.
    Number,
}

/// The type of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Returns {
    /// Always this one.
    Fixed(TypeKind),
    /// That of the first argument.
    First,
    /// That of the first argument, VARCHAR instead of CHAR.
    FirstVarying,
    /// That of the first argument, a DECIMAL without scale.
    FirstWhole,
}

/// When the result can be NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    /// If any argument can.
    Arguments,
    /// Always.
    Always,
}

/// A function: what it takes and gives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) function: Function,
    params: &'static [Param],
    /// How many of `params` must be given.
    required: usize,
    /// The last parameter may be repeated.
    is_variadic: bool,
    returns: Returns,
    nulls: Nulls,
}

const fn plain(name: &'static str, function: Function, params: &'static [Param], returns: Returns) -> Signature {
    let required = params.len();
    Signature { name, function, params, required, is_variadic: false, returns, nulls: Nulls::Arguments }
}

impl Signature {
    /// The last parameter need not be given.
    const fn optional(self) -> Self {
        Self { required: self.required - 1, ..self }
    }

    const fn variadic(self) -> Self {
        Self { is_variadic: true, ..self }
    }

    /// The result can always be NULL.
    const fn nullable(self) -> Self {
        Self { nulls: Nulls::Always, ..self }
    }

    /// The arguments as the kernel takes them; `None` if they do not fit.
    pub(super) fn convert(&self, args: Vec<Expr>) -> Option<Vec<Expr>> {
        let fits = args.len() >= self.required && (self.is_variadic || args.len() <= self.params.len());
        if !fits {
            return None;
        }
        let last = self.params.last();
        args.into_iter().enumerate().map(|(index, arg)| convert(arg, *self.params.get(index).or(last)?)).collect()
    }

    /// The type of the result.
    pub(super) fn result(&self, args: &[Expr]) -> SqlType {
        let first = args.first().map_or(TypeKind::Null, |arg| arg.ty.kind);
        let kind = match self.returns {
            Returns::Fixed(kind) => kind,
            Returns::First => first,
            Returns::FirstVarying => varying(first),
            Returns::FirstWhole => match first {
                TypeKind::Decimal(precision, _) => TypeKind::Decimal(precision, 0),
                other => other,
            },
        };
        SqlType { kind, nullable: self.nulls == Nulls::Always || any_nullable(args) }
    }

    /// How it is written, for messages: `LOCATE(STRING, STRING [, INT])`.
    pub(super) fn usage(&self) -> String {
        let mut text = format!("{}(", self.name);
        for (index, param) in self.params.iter().enumerate() {
            if index >= self.required {
                text.push_str(" [");
            }
            text.push_str(if index > 0 { ", " } else { "" });
            text.push_str(match param {
                Param::Text => "STRING",
                Param::Int => "INT",
                Param::BigInt => "BIGINT",
                Param::Double | Param::Number => "number",
            });
            if index >= self.required {
                text.push(']');
            }
        }
        text.push_str(if self.is_variadic { ", …)" } else { ")" });
        text
    }
}

/// VARCHAR(n) instead of CHAR(n).
pub(super) fn varying(kind: TypeKind) -> TypeKind {
    match kind {
        TypeKind::Char(length) => TypeKind::Varchar(length.min(STRING_LENGTH)),
        other => other,
    }
}

fn convert(arg: Expr, param: Param) -> Option<Expr> {
    let kind = arg.ty.kind;
    match param {
        Param::Text => kind.is_character().then_some(arg),
        Param::Int => (kind.is_integer() && kind != TypeKind::BigInt).then(|| cast(arg, TypeKind::Int)),
        Param::BigInt => kind.is_integer().then(|| cast(arg, TypeKind::BigInt)),
        Param::Double => kind.is_numeric().then(|| cast(arg, TypeKind::Double)),
        Param::Number => kind.is_numeric().then_some(arg),
    }
}

use Param::{BigInt, Double, Int, Number, Text};

const TEXT: Returns = Returns::Fixed(STRING);
const INT: Returns = Returns::Fixed(TypeKind::Int);
const DOUBLE: Returns = Returns::Fixed(TypeKind::Double);
const BOOLEAN: Returns = Returns::Fixed(TypeKind::Boolean);

/// The table, in order of name.
pub(super) const SIGNATURES: &[Signature] = &[
    plain("ABS", Function::Abs, &[Number], Returns::First),
    plain("ASCII", Function::Ascii, &[Text], INT),
    plain("CEIL", Function::Ceil, &[Number], Returns::FirstWhole),
    plain("CEILING", Function::Ceil, &[Number], Returns::FirstWhole),
    plain("CHARACTER_LENGTH", Function::CharLength, &[Text], INT),
    plain("CHAR_LENGTH", Function::CharLength, &[Text], INT),
    plain("CHR", Function::Chr, &[BigInt], TEXT).nullable(),
    plain("CONCAT", Function::Concat, &[Text], TEXT).variadic(),
    plain("CONCAT_WS", Function::ConcatWs, &[Text, Text], TEXT).variadic().optional(),
    plain("ENDSWITH", Function::EndsWith, &[Text, Text], BOOLEAN),
    plain("EXP", Function::Exp, &[Double], DOUBLE),
    plain("FLOOR", Function::Floor, &[Number], Returns::FirstWhole),
    plain("FROM_UNIXTIME", Function::FromUnixtime, &[BigInt, Text], TEXT).optional().nullable(),
    plain("INITCAP", Function::Initcap, &[Text], Returns::First),
    plain("INSTR", Function::Instr, &[Text, Text], INT),
    plain("LEFT", Function::Left, &[Text, Int], Returns::FirstVarying).nullable(),
    plain("LN", Function::Ln, &[Double], DOUBLE),
    plain("LOCATE", Function::Locate, &[Text, Text, Int], INT).optional(),
    plain("LOG10", Function::Log10, &[Double], DOUBLE),
    plain("LOG2", Function::Log2, &[Double], DOUBLE),
    plain("LOWER", Function::Lower, &[Text], Returns::First),
    plain("LPAD", Function::Lpad, &[Text, Int, Text], TEXT),
    plain("POSITION", Function::Position, &[Text, Text, Int], INT).optional(),
    plain("POWER", Function::Power, &[Double, Double], DOUBLE),
    plain("REPEAT", Function::Repeat, &[Text, Int], TEXT),
    plain("REPLACE", Function::Replace, &[Text, Text, Text], TEXT),
    plain("REVERSE", Function::Reverse, &[Text], TEXT).nullable(),
    plain("RIGHT", Function::Right, &[Text, Int], Returns::FirstVarying).nullable(),
    plain("RPAD", Function::Rpad, &[Text, Int, Text], TEXT),
    plain("SIGN", Function::Sign, &[Number], Returns::First),
    plain("SPLIT_INDEX", Function::SplitIndex, &[Text, Text, Int], TEXT).nullable(),
    plain("SQRT", Function::Sqrt, &[Double], DOUBLE),
    plain("STARTSWITH", Function::StartsWith, &[Text, Text], BOOLEAN),
    plain("SUBSTR", Function::Substring, &[Text, Int, Int], Returns::FirstVarying).optional().nullable(),
    plain("SUBSTRING", Function::Substring, &[Text, Int, Int], Returns::FirstVarying).optional().nullable(),
    plain("TO_DATE", Function::ToDate, &[Text, Text], Returns::Fixed(TypeKind::Date)).optional().nullable(),
    plain("TO_TIMESTAMP", Function::ToTimestamp, &[Text, Text], Returns::Fixed(TypeKind::Timestamp(3)))
        .optional()
        .nullable(),
    plain("UNIX_TIMESTAMP", Function::UnixTimestamp, &[Text, Text], Returns::Fixed(TypeKind::BigInt)).optional(),
    plain("UPPER", Function::Upper, &[Text], Returns::First),
];

/// The signature of a function by its name in upper case.
pub(super) fn find(upper: &str) -> Option<&'static Signature> {
    SIGNATURES.iter().find(|signature| signature.name == upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_shows_what_is_optional_and_what_repeats() {
        for (name, expected) in [
            ("UPPER", "UPPER(STRING)"),
            ("LOCATE", "LOCATE(STRING, STRING [, INT])"),
            ("CONCAT", "CONCAT(STRING, …)"),
            ("POWER", "POWER(number, number)"),
        ] {
            assert_eq!(find(name).map(Signature::usage).as_deref(), Some(expected));
        }
    }

    #[test]
    fn names_are_unique_and_in_order() {
        assert!(SIGNATURES.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
