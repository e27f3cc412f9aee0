//! CASE, COALESCE, NULLIF, IF, GREATEST and LEAST: values that meet in one type.

use crate::ast;
use crate::error::{Span, SqlError, SqlResult};
use crate::plan::{Expr, ExprKind, Function};
use crate::types::{SqlType, TypeKind};

use super::coercion::{Approximate, any_nullable, call, common_type, require_typed, typed_null, unify};
use super::comparison;
use super::expression::ExprBinder;

impl ExprBinder<'_> {
    /// `CASE [operand] WHEN … THEN … ELSE … END`
    pub(super) fn bind_case(
        &mut self,
        operand: Option<&ast::Expr>,
        branches: &[(ast::Expr, ast::Expr)],
        otherwise: Option<&ast::Expr>,
        span: Span,
    ) -> SqlResult<Expr> {
        let operand = operand.map(|operand| self.bind_typed(operand)).transpose()?;
        let mut conditions = Vec::with_capacity(branches.len());
        let mut values = Vec::with_capacity(branches.len() + 1);
        for (when, then) in branches {
            conditions.push(match &operand {
                None => self.bind_condition(when, "`WHEN`")?,
                Some(operand) => {
                    let value = self.bind(when)?;
                    comparison::compare(Function::Equal, self.budget.copy(operand)?, value, when.span)?
                }
            });
            values.push(self.bind(then)?);
        }
        values.push(match otherwise {
            Some(otherwise) => self.bind(otherwise)?,
            None => typed_null(TypeKind::Null, span),
        });
        case(conditions, values, span)
    }

    /// `COALESCE(a, b, …)`: the first that is not NULL.
    pub(super) fn bind_coalesce(&mut self, written: &ast::Call, span: Span) -> SqlResult<Expr> {
        coalesce(self.bind_args(written)?, "`COALESCE`", span)
    }

    /// `IFNULL(a, b)`: a with its own type if it cannot be NULL, else as COALESCE.
    pub(super) fn bind_ifnull(&mut self, value: &ast::Expr, replacement: &ast::Expr, span: Span) -> SqlResult<Expr> {
        let (value, replacement) = (self.bind(value)?, self.bind(replacement)?);
        let common = common_type(value.ty.kind, replacement.ty.kind, Approximate::Double);
        if common.is_some() && !value.ty.nullable {
            return Ok(Expr { span, ..value });
        }
        coalesce(vec![value, replacement], "`IFNULL`", span)
    }

    /// `NULLIF(a, b)`: NULL if they are equal, else a.
    pub(super) fn bind_nullif(&mut self, left: &ast::Expr, right: &ast::Expr, span: Span) -> SqlResult<Expr> {
        let left = self.bind_typed(left)?;
        let right = self.bind(right)?;
        let condition = comparison::compare(Function::Equal, self.budget.copy(&left)?, right, span)?;
        let kind = left.ty.kind;
        let branches = vec![(condition, typed_null(kind, span))];
        Ok(Expr { kind: ExprKind::Case { branches, otherwise: Box::new(left) }, ty: kind.nullable(), span })
    }

    /// `IF(condition, a, b)`; NULL if any argument can be NULL, as far as the type says.
    pub(super) fn bind_if(&mut self, args: &[ast::Expr; 3], span: Span) -> SqlResult<Expr> {
        let [condition, then, otherwise] = args;
        let condition = self.bind_condition(condition, "`IF`")?;
        let values = vec![self.bind_typed(then)?, self.bind_typed(otherwise)?];
        let nullable = condition.ty.nullable;
        let bound = case(vec![condition], values, span)?;
        let ty = SqlType { kind: bound.ty.kind, nullable: nullable || bound.ty.nullable };
        Ok(Expr { ty, ..bound })
    }

    /// GREATEST and LEAST.
    pub(super) fn bind_extreme(&mut self, function: Function, written: &ast::Call, span: Span) -> SqlResult<Expr> {
        let name = written.name.dotted();
        let (kind, args) = unify(self.bind_args(written)?, Approximate::Double, &format!("`{name}`"))?;
        match kind {
            TypeKind::Null => return require_typed(typed_null(kind, span)),
            kind if kind.is_binary() || kind.is_interval() => {
                return Err(SqlError::unsupported(span, format!("`{name}` of `{kind}`")));
            }
            _ => {}
        }
        let ty = SqlType { kind, nullable: any_nullable(&args) };
        Ok(call(function, args, ty, span))
    }
}

fn coalesce(args: Vec<Expr>, what: &str, span: Span) -> SqlResult<Expr> {
    let (kind, args) = unify(args, Approximate::Double, what)?;
    if kind == TypeKind::Null {
        return require_typed(typed_null(kind, span));
    }
    let nullable = args.iter().all(|arg| arg.ty.nullable);
    Ok(call(Function::Coalesce, args, SqlType { kind, nullable }, span))
}

/// A CASE with one value more than it has conditions.
fn case(conditions: Vec<Expr>, values: Vec<Expr>, span: Span) -> SqlResult<Expr> {
    let (kind, mut values) = unify(values, Approximate::First, "`CASE`")?;
    if kind == TypeKind::Null {
        return Err(SqlError::invalid(span, "`CASE` has no value that is not `NULL`")
            .with_hint("give one of them a type: CAST(NULL AS INT)"));
    }
    let ty = SqlType { kind, nullable: any_nullable(&values) };
    let otherwise = values.pop().unwrap_or_else(|| typed_null(kind, span));
    let branches = conditions.into_iter().zip(values).collect();
    Ok(Expr { kind: ExprKind::Case { branches, otherwise: Box::new(otherwise) }, ty, span })
}
