//! Function calls: names to kernels. Names are case-insensitive.
//!
//! Most functions stand in the table of `signature`; here are those with rules of their own, and the aggregates.

use std::collections::BTreeSet;

use crate::ast::{self, Call, TrimSide};
use crate::error::{Span, SqlError, SqlResult};
use crate::plan::{AggregateFunction, Expr, ExprKind, Function, Scalar, TimeUnit};
use crate::types::{STRING, SqlType, TypeKind};

use super::arithmetic;
use super::coercion::{any_nullable, call, cast, decimal_rounded, literal, require_typed, type_list};
use super::expression::{AggregateCall, Aggregates, ExprBinder};
use super::refused;
use super::signature::{self, Signature, varying};

/// Functions with rules of their own, and how they are written.
const SPECIAL: &[(&str, &str)] = &[
    ("BTRIM", "BTRIM(STRING [, STRING])"),
    ("COALESCE", "COALESCE(value, …)"),
    ("CURRENT_DATE", "CURRENT_DATE"),
    ("CURRENT_ROW_TIMESTAMP", "CURRENT_ROW_TIMESTAMP()"),
    ("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP"),
    ("DATE_FORMAT", "DATE_FORMAT(TIMESTAMP, STRING)"),
    ("DAYOFMONTH", "DAYOFMONTH(DATE or TIMESTAMP)"),
    ("DAYOFWEEK", "DAYOFWEEK(DATE or TIMESTAMP)"),
    ("DAYOFYEAR", "DAYOFYEAR(DATE or TIMESTAMP)"),
    ("E", "E()"),
    ("GREATEST", "GREATEST(value, …)"),
    ("HOUR", "HOUR(TIMESTAMP or TIME)"),
    ("IF", "IF(BOOLEAN, value, value)"),
    ("IFNULL", "IFNULL(value, value)"),
    ("LEAST", "LEAST(value, …)"),
    ("LOCALTIMESTAMP", "LOCALTIMESTAMP"),
    ("LOG", "LOG([base,] number)"),
    ("LTRIM", "LTRIM(STRING [, STRING])"),
    ("MINUTE", "MINUTE(TIMESTAMP or TIME)"),
    ("MOD", "MOD(exact number, exact number)"),
    ("MONTH", "MONTH(DATE or TIMESTAMP)"),
    ("NOW", "NOW()"),
    ("NULLIF", "NULLIF(value, value)"),
    ("PI", "PI()"),
    ("PROCTIME", "PROCTIME()"),
    ("QUARTER", "QUARTER(DATE or TIMESTAMP)"),
    ("ROUND", "ROUND(number [, INT])"),
    ("RTRIM", "RTRIM(STRING [, STRING])"),
    ("SECOND", "SECOND(TIMESTAMP or TIME)"),
    ("TIMESTAMPADD", "TIMESTAMPADD(unit, integer literal, DATE or TIMESTAMP)"),
    ("TIMESTAMPDIFF", "TIMESTAMPDIFF(unit, TIMESTAMP, TIMESTAMP)"),
    ("TO_TIMESTAMP_LTZ", "TO_TIMESTAMP_LTZ(BIGINT [, 0 or 3])"),
    ("TRUNCATE", "TRUNCATE(number [, INT])"),
    ("WEEK", "WEEK(DATE or TIMESTAMP)"),
    ("YEAR", "YEAR(DATE or TIMESTAMP)"),
];

/// Functions that have a syntax instead of a list of arguments.
const WORDED: &[&str] = &["CASE", "CAST", "EXTRACT", "TRIM", "TRY_CAST"];

const AGGREGATES: &[(&str, AggregateFunction)] = &[
    ("AVG", AggregateFunction::Avg),
    ("COUNT", AggregateFunction::Count),
    ("MAX", AggregateFunction::Max),
    ("MIN", AggregateFunction::Min),
    ("SUM", AggregateFunction::Sum),
];

/// The names of all functions that the native engine runs, in order.
pub fn function_names() -> Vec<&'static str> {
    let mut names: BTreeSet<&'static str> = signature::SIGNATURES.iter().map(|signature| signature.name).collect();
    names.extend(SPECIAL.iter().map(|(name, _)| *name));
    names.extend(AGGREGATES.iter().map(|(name, _)| *name));
    names.extend(WORDED);
    names.into_iter().collect()
}

impl ExprBinder<'_> {
    /// Binds a function call.
    pub(super) fn bind_call(&mut self, written: &Call, span: Span) -> SqlResult<Expr> {
        if let Some(over) = written.over {
            return Err(SqlError::unsupported(over, "`OVER`"));
        }
        let upper = written.name.dotted().to_uppercase();
        if let Some((_, function)) = AGGREGATES.iter().find(|(name, _)| *name == upper) {
            return self.bind_aggregate(*function, written, span);
        }
        if written.star || written.distinct || written.filter.is_some() {
            return match self.bind_plain(&upper, written, span) {
                // The name is the greater problem.
                Err(error) if error.span == written.name.span => Err(error),
                _ => Err(SqlError::invalid(span, format!("`{upper}` is not an aggregate function"))),
            };
        }
        self.bind_plain(&upper, written, span)
    }

    fn bind_plain(&mut self, upper: &str, written: &Call, span: Span) -> SqlResult<Expr> {
        if let Some(signature) = signature::find(upper) {
            return self.bind_signature(signature, written, span);
        }
        if let Some((_, usage)) = SPECIAL.iter().find(|(name, _)| *name == upper) {
            return self.bind_special(upper, usage, written, span);
        }
        Err(unknown_function(upper, written))
    }

    fn bind_signature(&mut self, signature: &Signature, written: &Call, span: Span) -> SqlResult<Expr> {
        let args = self.bind_args(written)?.into_iter().map(require_typed).collect::<SqlResult<Vec<_>>>()?;
        refuse_other_forms(signature.name, &args, span)?;
        let types = type_list(&args);
        let Some(args) = signature.convert(args) else {
            return Err(no_match(signature.name, &types, &signature.usage(), span));
        };
        let ty = signature.result(&args);
        Ok(call(signature.function, args, ty, span))
    }

    fn bind_special(&mut self, upper: &str, usage: &str, written: &Call, span: Span) -> SqlResult<Expr> {
        let args = written.args.as_slice();
        let bound = match (upper, args) {
            ("COALESCE", [_, ..]) => return self.bind_coalesce(written, span),
            ("IFNULL", [value, replacement]) => return self.bind_ifnull(value, replacement, span),
            ("NULLIF", [left, right]) => return self.bind_nullif(left, right, span),
            ("GREATEST", [_, ..]) => return self.bind_extreme(Function::Greatest, written, span),
            ("LEAST", [_, ..]) => return self.bind_extreme(Function::Least, written, span),
            ("IF", args) => match <&[ast::Expr; 3]>::try_from(args) {
                Ok(args) => return self.bind_if(args, span),
                Err(_) => None,
            },
            ("TIMESTAMPADD", [unit, count, moment]) => return self.bind_timestamp_add(unit, count, moment, span),
            ("TIMESTAMPDIFF", [unit, from, to]) => return self.bind_timestamp_diff(unit, [from, to], span),
            (_, []) => niladic(upper, span),
            (_, [first, rest @ ..]) => self.bind_with_operand(upper, first, rest, span)?,
        };
        match bound {
            Some(bound) => Ok(bound),
            None => {
                let types = type_list(&self.bind_args(written)?);
                Err(no_match(upper, &types, usage, span))
            }
        }
    }

    /// Functions of one value and perhaps something more; `None` if the arguments do not fit.
    fn bind_with_operand(
        &mut self,
        upper: &str,
        first: &ast::Expr,
        rest: &[ast::Expr],
        span: Span,
    ) -> SqlResult<Option<Expr>> {
        let operand = self.bind_typed(first)?;
        let rest = rest.iter().map(|arg| self.bind_typed(arg)).collect::<SqlResult<Vec<_>>>()?;
        if let (Some(unit), []) = (date_part(upper), rest.as_slice()) {
            return super::temporal::extract(unit, upper, operand, span).map(Some);
        }
        match (upper, rest.as_slice()) {
            ("MOD", [divisor]) if operand.ty.kind.is_numeric() && divisor.ty.kind.is_numeric() => {
                arithmetic::numbers(Function::Modulo, operand, divisor.clone(), span).map(Some)
            }
            ("ROUND", [] | [_]) => Ok(round(Function::Round, operand, rest.into_iter().next(), span)),
            ("TRUNCATE", [] | [_]) => Ok(round(Function::Truncate, operand, rest.into_iter().next(), span)),
            ("LOG", [] | [_]) => Ok(logarithm(operand, rest.into_iter().next(), span)),
            ("LTRIM", [] | [_]) => Ok(trim(Function::TrimLeading, operand, rest.into_iter().next(), span)),
            ("RTRIM", [] | [_]) => Ok(trim(Function::TrimTrailing, operand, rest.into_iter().next(), span)),
            ("BTRIM", [] | [_]) => Ok(trim(Function::TrimBoth, operand, rest.into_iter().next(), span)
                .map(|trimmed| Expr { ty: SqlType { kind: STRING, nullable: trimmed.ty.nullable }, ..trimmed })),
            ("DATE_FORMAT", [format]) => super::temporal::date_format(operand, format.clone(), span),
            ("TO_TIMESTAMP_LTZ", [_, _]) if operand.ty.kind.is_character() => {
                super::temporal::to_timestamp_ltz(operand, None, span)
            }
            ("TO_TIMESTAMP_LTZ", [] | [_]) => super::temporal::to_timestamp_ltz(operand, rest.first(), span),
            _ => Ok(None),
        }
    }

    /// `TRIM([BOTH | LEADING | TRAILING] [characters] FROM text)`
    pub(super) fn bind_trim(
        &mut self,
        side: TrimSide,
        characters: Option<&ast::Expr>,
        text: &ast::Expr,
        span: Span,
    ) -> SqlResult<Expr> {
        let characters = characters.map(|characters| self.bind_typed(characters)).transpose()?;
        let text = self.bind_typed(text)?;
        let function = match side {
            TrimSide::Both => Function::TrimBoth,
            TrimSide::Leading => Function::TrimLeading,
            TrimSide::Trailing => Function::TrimTrailing,
        };
        let types = text.ty.kind.to_string();
        trim(function, text, characters, span)
            .ok_or_else(|| no_match("TRIM", &types, "TRIM([BOTH | LEADING | TRAILING] [STRING FROM] STRING)", span))
    }

    fn bind_aggregate(&mut self, function: AggregateFunction, written: &Call, span: Span) -> SqlResult<Expr> {
        let has_keys = match &self.aggregates {
            Aggregates::Refused(clause) => {
                let message = format!("aggregate function `{function}` is not allowed in {clause}");
                return Err(SqlError::invalid(written.name.span, message));
            }
            Aggregates::Collected { has_keys, .. } => *has_keys,
        };
        let mut inner = ExprBinder::scalar(self.scope, self.budget, "the arguments of an aggregate function");
        let argument = match written.args.as_slice() {
            [] if written.star && function == AggregateFunction::Count && !written.distinct => None,
            [argument] if !written.star => Some(inner.bind_typed(argument)?),
            [_, second, ..] if function == AggregateFunction::Count => {
                return Err(SqlError::unsupported(second.span, "`COUNT` of several values"));
            }
            _ => return Err(no_match(&function.to_string(), "", &format!("{function}(value)"), span)),
        };
        let filter = written.filter.as_deref();
        let filter = filter.map(|filter| inner.bind_condition(filter, "`FILTER`")).transpose()?;
        let kind = aggregate_type(function, argument.as_ref(), span)?;
        let is_empty_possible = !has_keys || filter.is_some() || argument.as_ref().is_some_and(|arg| arg.ty.nullable);
        let ty = SqlType { kind, nullable: function != AggregateFunction::Count && is_empty_possible };
        // The least of the distinct values is the least of all.
        let distinct = written.distinct && !matches!(function, AggregateFunction::Min | AggregateFunction::Max);
        let index = self.collect(&AggregateCall { function, argument, distinct, filter, ty });
        Ok(Expr { kind: ExprKind::Column(index), ty, span })
    }

    /// Takes up an aggregate call; the answer is the column that stands for it.
    fn collect(&mut self, new: &AggregateCall) -> usize {
        let first = self.scope.schema().columns.len();
        match &mut self.aggregates {
            Aggregates::Collected { calls, .. } => first + calls.add(new),
            Aggregates::Refused(_) => first,
        }
    }
}

fn aggregate_type(function: AggregateFunction, argument: Option<&Expr>, span: Span) -> SqlResult<TypeKind> {
    let Some(argument) = argument else {
        return Ok(TypeKind::BigInt);
    };
    let kind = argument.ty.kind;
    match (function, kind) {
        (AggregateFunction::Count, _) => Ok(TypeKind::BigInt),
        (AggregateFunction::Sum, TypeKind::Decimal(_, scale)) => Ok(TypeKind::Decimal(38, scale)),
        (AggregateFunction::Avg, TypeKind::Decimal(_, scale)) => Ok(TypeKind::Decimal(38, scale.max(6))),
        (AggregateFunction::Sum | AggregateFunction::Avg, kind) if kind.is_numeric() => Ok(kind),
        (AggregateFunction::Sum | AggregateFunction::Avg, _) => {
            Err(no_match(&function.to_string(), &kind.to_string(), &format!("{function}(number)"), span))
        }
        (_, kind) if kind.is_binary() || kind.is_interval() => {
            Err(SqlError::unsupported(span, format!("`{function}` of `{kind}`")))
        }
        (_, kind) => Ok(kind),
    }
}

fn niladic(upper: &str, span: Span) -> Option<Expr> {
    let (function, kind) = match upper {
        "PI" => return Some(literal(Scalar::Float(std::f64::consts::PI), TypeKind::Double, span)),
        "E" => return Some(literal(Scalar::Float(std::f64::consts::E), TypeKind::Double, span)),
        "CURRENT_TIMESTAMP" | "CURRENT_ROW_TIMESTAMP" | "NOW" => {
            (Function::CurrentTimestamp, TypeKind::TimestampLtz(3))
        }
        "LOCALTIMESTAMP" => (Function::LocalTimestamp, TypeKind::Timestamp(3)),
        "CURRENT_DATE" => (Function::CurrentDate, TypeKind::Date),
        "PROCTIME" => (Function::Proctime, TypeKind::TimestampLtz(3)),
        _ => return None,
    };
    Some(call(function, Vec::new(), kind.not_null(), span))
}

/// The unit of YEAR(x), HOUR(x) and so on.
fn date_part(upper: &str) -> Option<TimeUnit> {
    Some(match upper {
        "YEAR" => TimeUnit::Year,
        "QUARTER" => TimeUnit::Quarter,
        "MONTH" => TimeUnit::Month,
        "WEEK" => TimeUnit::Week,
        "DAYOFYEAR" => TimeUnit::Doy,
        "DAYOFMONTH" => TimeUnit::Day,
        "DAYOFWEEK" => TimeUnit::Dow,
        "HOUR" => TimeUnit::Hour,
        "MINUTE" => TimeUnit::Minute,
        "SECOND" => TimeUnit::Second,
        _ => return None,
    })
}

fn round(function: Function, operand: Expr, digits: Option<Expr>, span: Span) -> Option<Expr> {
    let digits = digits.unwrap_or_else(|| literal(Scalar::Integer(0), TypeKind::Int, span));
    if !operand.ty.kind.is_numeric() || !digits.ty.kind.is_integer() || digits.ty.kind == TypeKind::BigInt {
        return None;
    }
    let kind = match (operand.ty.kind, &digits.kind) {
        (TypeKind::Decimal(precision, scale), ExprKind::Literal(Scalar::Integer(digits))) => {
            decimal_rounded(precision, scale, *digits)
        }
        (kind, _) => kind,
    };
    let args = vec![operand, cast(digits, TypeKind::Int)];
    let ty = SqlType { kind, nullable: any_nullable(&args) };
    Some(call(function, args, ty, span))
}

/// `LOG(x)`, `LOG(base, x)`
fn logarithm(first: Expr, second: Option<Expr>, span: Span) -> Option<Expr> {
    let natural = |operand: Expr| {
        let ty = SqlType { kind: TypeKind::Double, nullable: operand.ty.nullable };
        operand.ty.kind.is_numeric().then(|| call(Function::Ln, vec![cast(operand, TypeKind::Double)], ty, span))
    };
    let Some(second) = second else {
        return natural(first);
    };
    let args = vec![natural(second)?, natural(first)?];
    let ty = SqlType { kind: TypeKind::Double, nullable: any_nullable(&args) };
    Some(call(Function::Divide, args, ty, span))
}

fn trim(function: Function, text: Expr, characters: Option<Expr>, span: Span) -> Option<Expr> {
    let characters = characters.unwrap_or_else(|| super::literal::string(" ", span));
    if !text.ty.kind.is_character() || !characters.ty.kind.is_character() {
        return None;
    }
    let kind = varying(text.ty.kind);
    let args = vec![characters, text];
    let ty = SqlType { kind, nullable: any_nullable(&args) };
    Some(call(function, args, ty, span))
}

/// Refuses forms of functions that Flink has and the native engine has not.
fn refuse_other_forms(name: &str, args: &[Expr], span: Span) -> SqlResult<()> {
    let construct = match (name, args) {
        ("SPLIT_INDEX", [_, separator, ..]) if separator.ty.kind.is_integer() => {
            "`SPLIT_INDEX` with the code of a character"
        }
        ("UNIX_TIMESTAMP", []) => "`UNIX_TIMESTAMP` without arguments",
        _ => return Ok(()),
    };
    Err(SqlError::unsupported(span, construct))
}

/// The error for arguments that a function does not take.
pub(super) fn no_match(name: &str, types: &str, usage: &str, span: Span) -> SqlError {
    SqlError::invalid(span, format!("no match for function `{name}` with arguments ({types})"))
        .with_hint(format!("it is written {usage}"))
}

fn unknown_function(upper: &str, written: &Call) -> SqlError {
    let span = written.name.span;
    if refused::is_group_window(upper) {
        let window = upper.split('_').next().unwrap_or(upper);
        let hint = "use a windowing table function: FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)) \
                    GROUP BY window_start, window_end";
        let error = SqlError::unsupported(span, format!("`{upper}` as a group window"));
        return if window == "TUMBLE" { error.with_hint(hint) } else { error };
    }
    if refused::is_flink_function(upper) {
        return SqlError::unsupported(span, format!("function `{upper}`"));
    }
    SqlError::invalid(span, format!("function `{}` does not exist", written.name.dotted()))
        .with_suggestion(upper, function_names())
}
