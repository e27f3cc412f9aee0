//! Scalar expressions: columns, literals, operators; calls go to `calls`.
//!
//! An aggregate call becomes a column behind those of the input; `aggregate` gives these columns their place later.

use std::hash::{DefaultHasher, Hash};

use crate::ast::{self, BinaryOperator, Call, ExprKind as Ast, IsTest, TypeName, UnaryOperator};
use crate::error::{Span, SqlError, SqlResult};
use crate::functions::cast::is_supported;
use crate::plan::{AggregateFunction, CastMode, Expr, ExprKind, Function};
use crate::types::{SqlType, TypeKind};

use super::budget::Budget;
use super::coercion::{any_nullable, call, cast, require_typed, typed_null};
use super::sameness::{Alike, Once};
use super::scope::Scope;
use super::{arithmetic, comparison, literal};

/// An aggregate call of a query.
#[derive(Debug, Clone)]
pub(super) struct AggregateCall {
    /// Which.
    pub(super) function: AggregateFunction,
    /// Over the input of the aggregation; `None` for `COUNT(*)`.
    pub(super) argument: Option<Expr>,
    /// DISTINCT.
    pub(super) distinct: bool,
    /// FILTER.
    pub(super) filter: Option<Expr>,
    /// Type of the result.
    pub(super) ty: crate::types::SqlType,
}

impl Alike for AggregateCall {
    fn is_like(&self, other: &Self) -> bool {
        let is_like = |left: &Option<Expr>, right: &Option<Expr>| match (left, right) {
            (Some(left), Some(right)) => left.is_like(right),
            (None, None) => true,
            _ => false,
        };
        self.function == other.function
            && self.distinct == other.distinct
            && is_like(&self.argument, &other.argument)
            && is_like(&self.filter, &other.filter)
    }

    fn digest(&self, hasher: &mut DefaultHasher) {
        (self.function, self.distinct, self.argument.is_some()).hash(hasher);
        self.argument.iter().chain(&self.filter).for_each(|expr| expr.digest(hasher));
    }
}

/// What to do with an aggregate call.
#[derive(Debug)]
pub(super) enum Aggregates {
    /// It is illegal in the clause of this name.
    Refused(&'static str),
    /// It is collected; `has_keys` tells whether there is a GROUP BY.
    Collected {
        /// The calls so far, each once.
        calls: Once<AggregateCall>,
        /// There is a GROUP BY.
        has_keys: bool,
    },
}

/// Binds the expressions of one clause.
pub(super) struct ExprBinder<'b> {
    pub(super) scope: &'b Scope,
    pub(super) budget: &'b Budget,
    pub(super) aggregates: Aggregates,
}

impl<'b> ExprBinder<'b> {
    /// A binder for a clause without aggregates.
    pub(super) fn scalar(scope: &'b Scope, budget: &'b Budget, clause: &'static str) -> Self {
        Self { scope, budget, aggregates: Aggregates::Refused(clause) }
    }

    /// Binds an expression that has a type.
    pub(super) fn bind_typed(&mut self, expr: &ast::Expr) -> SqlResult<Expr> {
        self.bind(expr).and_then(require_typed)
    }

    /// Binds a predicate; an untyped NULL is UNKNOWN.
    pub(super) fn bind_condition(&mut self, expr: &ast::Expr, clause: &str) -> SqlResult<Expr> {
        let bound = self.bind(expr)?;
        match bound.ty.kind {
            TypeKind::Boolean => Ok(bound),
            TypeKind::Null => Ok(typed_null(TypeKind::Boolean, bound.span)),
            other => {
                let message = format!("{clause} takes a condition of type `BOOLEAN`, not `{other}`");
                Err(SqlError::invalid(expr.span, message))
            }
        }
    }

    /// Binds an expression; NULL stays untyped.
    pub(super) fn bind(&mut self, expr: &ast::Expr) -> SqlResult<Expr> {
        let span = expr.span;
        match &expr.kind {
            Ast::Column(name) => self.scope.resolve(name).map(|column| Expr { span, ..column }),
            Ast::Literal(written) => literal::bind(written, span),
            Ast::Unary(operator, operand) => self.bind_unary(*operator, operand, span),
            Ast::Binary(operator, left, right) => self.bind_binary(*operator, left, right, span),
            Ast::Is(operand, test, negated) => {
                let test = self.bind_is(operand, *test, span)?;
                Ok(if *negated { opposite(test) } else { test })
            }
            Ast::IsDistinctFrom(left, right, negated) => {
                let function = if *negated { Function::IsNotDistinctFrom } else { Function::IsDistinctFrom };
                let (left, right) = (self.bind(left)?, self.bind(right)?);
                comparison::compare(function, left, right, span)
            }
            Ast::Between { value, low, high, negated, symmetric } => {
                let bounds = [self.bind(value)?, self.bind(low)?, self.bind(high)?];
                let between = if *symmetric {
                    comparison::between_symmetric(self.budget, bounds, span)?
                } else {
                    comparison::between(self.budget, bounds, span)?
                };
                Ok(if *negated { not(between, span) } else { between })
            }
            Ast::InList(value, items, negated) => {
                let value = self.bind_typed(value)?;
                let items = items.iter().map(|item| self.bind(item)).collect::<SqlResult<Vec<_>>>()?;
                let found = comparison::is_in(value, items, span)?;
                Ok(if *negated { not(found, span) } else { found })
            }
            Ast::Like { similar: true, .. } => Err(SqlError::unsupported(span, "`SIMILAR TO`")),
            Ast::Like { value, pattern, escape, negated, .. } => {
                let like = self.bind_like(value, pattern, escape.as_deref(), span)?;
                Ok(if *negated { not(like, span) } else { like })
            }
            Ast::Case { operand, branches, otherwise } => {
                self.bind_case(operand.as_deref(), branches, otherwise.as_deref(), span)
            }
            Ast::Cast { input, ty, is_try } => {
                let mode = if *is_try { CastMode::Try } else { CastMode::Strict };
                self.bind_cast(input, ty, mode, span)
            }
            Ast::Extract(unit, operand) => self.bind_extract(unit, operand, span),
            Ast::FloorTo(operand, unit) => self.bind_round_to(Function::FloorTo, operand, unit, span),
            Ast::CeilTo(operand, unit) => self.bind_round_to(Function::CeilTo, operand, unit, span),
            Ast::Trim(side, characters, text) => self.bind_trim(*side, characters.as_deref(), text, span),
            Ast::Call(written) => self.bind_call(written, span),
            Ast::Subquery(name) | Ast::Refused(name) => Err(SqlError::unsupported(span, format!("`{name}`"))),
        }
    }

    /// Binds the arguments of a call.
    pub(super) fn bind_args(&mut self, written: &Call) -> SqlResult<Vec<Expr>> {
        written.args.iter().map(|arg| self.bind(arg)).collect()
    }

    fn bind_unary(&mut self, operator: UnaryOperator, operand: &ast::Expr, span: Span) -> SqlResult<Expr> {
        if operator == UnaryOperator::Minus
            && let Some(number) = signed_integer(operand, span)?
        {
            return Ok(number);
        }
        let operand = self.bind_typed(operand)?;
        match operator {
            UnaryOperator::Not => {
                require_boolean("`NOT`", &operand)?;
                Ok(not(operand, span))
            }
            UnaryOperator::Minus => arithmetic::negate(operand, span),
            UnaryOperator::Plus if operand.ty.kind.is_numeric() || operand.ty.kind.is_interval() => Ok(operand),
            UnaryOperator::Plus => {
                Err(SqlError::invalid(span, format!("cannot apply unary `+` to `{}`", operand.ty.kind)))
            }
        }
    }

    fn bind_binary(
        &mut self,
        operator: BinaryOperator,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> SqlResult<Expr> {
        use BinaryOperator as B;
        let function = match operator {
            B::And => return self.bind_connective(Function::And, left, right, span),
            B::Or => return self.bind_connective(Function::Or, left, right, span),
            B::Concat => return self.bind_concat(left, right, span),
            B::Equal => Function::Equal,
            B::NotEqual => Function::NotEqual,
            B::Less => Function::Less,
            B::LessOrEqual => Function::LessOrEqual,
            B::Greater => Function::Greater,
            B::GreaterOrEqual => Function::GreaterOrEqual,
            B::Add => Function::Add,
            B::Subtract => Function::Subtract,
            B::Multiply => Function::Multiply,
            B::Divide => Function::Divide,
            B::Modulo => Function::Modulo,
        };
        if matches!(operator, B::Add | B::Subtract | B::Multiply | B::Divide | B::Modulo) {
            let (left, right) = (self.bind_typed(left)?, self.bind_typed(right)?);
            return arithmetic::apply(function, left, right, span);
        }
        let (left, right) = (self.bind(left)?, self.bind(right)?);
        comparison::compare(function, left, right, span)
    }

    fn bind_connective(
        &mut self,
        function: Function,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> SqlResult<Expr> {
        let what = if function == Function::And { "`AND`" } else { "`OR`" };
        let mut args = Vec::new();
        for side in [left, right] {
            let bound = self.bind_typed(side)?;
            require_boolean(what, &bound)?;
            match bound.kind {
                ExprKind::Call(inner, inner_args) if inner == function => args.extend(inner_args),
                _ => args.push(bound),
            }
        }
        let ty = SqlType { kind: TypeKind::Boolean, nullable: any_nullable(&args) };
        Ok(call(function, args, ty, span))
    }

    fn bind_concat(&mut self, left: &ast::Expr, right: &ast::Expr, span: Span) -> SqlResult<Expr> {
        let args = vec![self.bind_typed(left)?, self.bind_typed(right)?];
        let kind = match (args[0].ty.kind, args[1].ty.kind) {
            (TypeKind::Char(a), TypeKind::Char(b)) => TypeKind::Char(a.saturating_add(b)),
            (TypeKind::Char(a) | TypeKind::Varchar(a), TypeKind::Char(b) | TypeKind::Varchar(b)) => {
                TypeKind::Varchar(a.saturating_add(b).min(crate::types::STRING_LENGTH))
            }
            (left, right) if left.is_binary() && right.is_binary() => {
                return Err(SqlError::unsupported(span, "`||` of binary values"));
            }
            (left, right) => {
                let error = SqlError::invalid(span, format!("cannot apply `||` to `{left}` and `{right}`"));
                return Err(error.with_hint("convert the other values: CAST(x AS STRING)"));
            }
        };
        let ty = SqlType { kind, nullable: any_nullable(&args) };
        Ok(call(Function::Concat, args, ty, span))
    }

    fn bind_is(&mut self, operand: &ast::Expr, test: IsTest, span: Span) -> SqlResult<Expr> {
        let mut operand = self.bind(operand)?;
        if operand.ty.kind == TypeKind::Null {
            operand = typed_null(TypeKind::Boolean, operand.span);
        }
        if test != IsTest::Null {
            require_boolean("`IS`", &operand)?;
        }
        let function = match test {
            IsTest::Null | IsTest::Unknown => Function::IsNull,
            IsTest::True => Function::IsTrue,
            IsTest::False => Function::IsFalse,
        };
        Ok(call(function, vec![operand], TypeKind::Boolean.not_null(), span))
    }

    fn bind_like(
        &mut self,
        value: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&ast::Expr>,
        span: Span,
    ) -> SqlResult<Expr> {
        let mut args = vec![self.bind_typed(value)?, self.bind_typed(pattern)?];
        if let Some(escape) = escape {
            args.push(self.bind_typed(escape)?);
        }
        if let Some(other) = args.iter().find(|arg| !arg.ty.kind.is_character()) {
            let message = format!("`LIKE` takes character strings, not `{}`", other.ty.kind);
            return Err(SqlError::invalid(other.span, message));
        }
        if let Some(escape) = args.get(2)
            && let ExprKind::Literal(crate::plan::Scalar::String(text)) = &escape.kind
            && text.chars().nth(1).is_some()
        {
            return Err(SqlError::invalid(escape.span, "`ESCAPE` takes a single character"));
        }
        let ty = SqlType { kind: TypeKind::Boolean, nullable: any_nullable(&args) };
        Ok(call(Function::Like, args, ty, span))
    }

    fn bind_cast(&mut self, input: &ast::Expr, ty: &TypeName, mode: CastMode, span: Span) -> SqlResult<Expr> {
        let input = self.bind(input)?;
        let target = match &ty.ty {
            Ok(target) => target.kind,
            Err(name) => return Err(SqlError::unsupported(ty.span, format!("type `{name}`"))),
        };
        if input.ty.kind == TypeKind::Null {
            return Ok(typed_null(target, span));
        }
        let kind = input.ty.kind;
        // There is a kernel for an interval as a number, but Flink has no such cast.
        if kind != target && (!is_supported(kind, target) || kind.is_interval() && target.is_numeric()) {
            return Err(refused_cast(kind, target, span));
        }
        let bound = Expr { span, ..cast(input, target) };
        if mode == CastMode::Strict {
            return Ok(bound);
        }
        let ty = target.nullable();
        Ok(match bound.kind {
            // A cast to the type that the operand has already is none; the operand may be a cast itself.
            ExprKind::Cast(input, _) if kind != target => Expr { kind: ExprKind::Cast(input, mode), ty, span },
            bound => Expr { kind: bound, ty, span },
        })
    }
}

/// `-1`, `-(-1)` and so on, where `operand` stands after the first sign: the signs belong to the number, so that
/// `-2147483648` is an INT and `-(-2147483648)` a BIGINT.
fn signed_integer(operand: &ast::Expr, span: Span) -> SqlResult<Option<Expr>> {
    let (mut is_negative, mut inner) = (true, operand);
    while let Ast::Unary(UnaryOperator::Minus, next) = &inner.kind {
        is_negative = !is_negative;
        inner = next.as_ref();
    }
    match &inner.kind {
        Ast::Literal(written @ ast::Literal::Integer(_)) if is_negative => literal::bind_negated(written, span),
        Ast::Literal(written @ ast::Literal::Integer(_)) => literal::bind(written, span).map(Some),
        _ => Ok(None),
    }
}

fn refused_cast(from: TypeKind, to: TypeKind, span: Span) -> SqlError {
    let error = SqlError::invalid(span, format!("cannot cast `{from}` to `{to}`"));
    match (from, to) {
        (from, TypeKind::Timestamp(_)) if from.is_numeric() => {
            error.with_hint("use TO_TIMESTAMP(FROM_UNIXTIME(seconds))")
        }
        (from, TypeKind::TimestampLtz(_)) if from.is_numeric() => {
            error.with_hint("use TO_TIMESTAMP_LTZ(number, precision)")
        }
        (TypeKind::Timestamp(_), to) if to.is_numeric() => {
            error.with_hint("use UNIX_TIMESTAMP(CAST(timestamp AS STRING))")
        }
        _ => error,
    }
}

/// The negation of a condition.
pub(super) fn not(operand: Expr, span: Span) -> Expr {
    let ty = operand.ty;
    call(Function::Not, vec![operand], ty, span)
}

/// `IS NOT …` for `IS …`.
fn opposite(test: Expr) -> Expr {
    let kind = match test.kind {
        ExprKind::Call(Function::IsNull, args) => ExprKind::Call(Function::IsNotNull, args),
        ExprKind::Call(Function::IsTrue, args) => ExprKind::Call(Function::IsNotTrue, args),
        ExprKind::Call(Function::IsFalse, args) => ExprKind::Call(Function::IsNotFalse, args),
        other => other,
    };
    Expr { kind, ..test }
}

fn require_boolean(what: &str, operand: &Expr) -> SqlResult<()> {
    if operand.ty.kind == TypeKind::Boolean {
        return Ok(());
    }
    let message = format!("{what} takes a condition of type `BOOLEAN`, not `{}`", operand.ty.kind);
    Err(SqlError::invalid(operand.span, message))
}
