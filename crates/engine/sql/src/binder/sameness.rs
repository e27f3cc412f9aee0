//! What computes the same, wherever it stands in the text: each is kept once, and found by a digest instead of by
//! comparing it with all others.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::plan::{Expr, ExprKind, Scalar};

/// What can compute the same as another.
pub(super) trait Alike: Clone {
    /// Whether it computes the same as `other`.
    fn is_like(&self, other: &Self) -> bool;

    /// Adds what things that compute the same have in common.
    fn digest(&self, hasher: &mut DefaultHasher);
}

/// Things in order, those that compute the same only once.
#[derive(Debug)]
pub(super) struct Once<T> {
    items: Vec<T>,
    /// Where the items of a digest stand.
    places: HashMap<u64, Vec<usize>>,
}

impl<T: Alike> Once<T> {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self { items: Vec::new(), places: HashMap::new() }
    }

    /// Where the item stands that computes the same.
    pub(super) fn find(&self, item: &T) -> Option<usize> {
        if self.items.is_empty() {
            return None;
        }
        let places = self.places.get(&digest_of(item))?;
        places.iter().copied().find(|place| self.items.get(*place).is_some_and(|known| known.is_like(item)))
    }

    /// Where the item stands that computes the same, which may be this one.
    pub(super) fn add(&mut self, item: &T) -> usize {
        if let Some(place) = self.find(item) {
            return place;
        }
        let place = self.items.len();
        self.items.push(item.clone());
        self.places.entry(digest_of(item)).or_default().push(place);
        place
    }

    /// The items in order.
    pub(super) fn items(&self) -> &[T] {
        &self.items
    }

    /// The items in order.
    pub(super) fn into_items(self) -> Vec<T> {
        self.items
    }
}

fn digest_of(item: &impl Alike) -> u64 {
    let mut hasher = DefaultHasher::new();
    item.digest(&mut hasher);
    hasher.finish()
}

impl Alike for Expr {
    fn is_like(&self, other: &Self) -> bool {
        same(self, other)
    }

    fn digest(&self, hasher: &mut DefaultHasher) {
        std::mem::discriminant(&self.kind).hash(hasher);
        match &self.kind {
            ExprKind::Column(index) => index.hash(hasher),
            ExprKind::Literal(scalar) => digest_scalar(scalar, hasher),
            ExprKind::Call(function, args) => {
                (function, args.len()).hash(hasher);
                args.iter().for_each(|arg| arg.digest(hasher));
            }
            ExprKind::Cast(input, mode) => {
                (mode, self.ty.kind).hash(hasher);
                input.digest(hasher);
            }
            ExprKind::Case { branches, otherwise } => {
                branches.len().hash(hasher);
                for (when, then) in branches {
                    when.digest(hasher);
                    then.digest(hasher);
                }
                otherwise.digest(hasher);
            }
        }
    }
}

fn digest_scalar(scalar: &Scalar, hasher: &mut DefaultHasher) {
    match scalar {
        Scalar::Null => {}
        Scalar::Boolean(value) => value.hash(hasher),
        Scalar::Integer(value) | Scalar::Timestamp(value) | Scalar::Millis(value) => value.hash(hasher),
        Scalar::Float(value) => value.to_bits().hash(hasher),
        Scalar::Decimal(value) => value.hash(hasher),
        Scalar::String(value) => value.hash(hasher),
        Scalar::Binary(value) => value.hash(hasher),
        Scalar::Date(value) | Scalar::Time(value) | Scalar::Months(value) => value.hash(hasher),
    }
}

/// Whether two expressions compute the same, wherever they stand in the text.
fn same(left: &Expr, right: &Expr) -> bool {
    let same_all = |left: &[Expr], right: &[Expr]| {
        left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
    };
    match (&left.kind, &right.kind) {
        (ExprKind::Column(left), ExprKind::Column(right)) => left == right,
        (ExprKind::Literal(left_value), ExprKind::Literal(right_value)) => {
            left_value == right_value && left.ty.kind.arrow() == right.ty.kind.arrow()
        }
        (ExprKind::Call(left_function, left_args), ExprKind::Call(right_function, right_args)) => {
            left_function == right_function
                && left.ty.kind.arrow() == right.ty.kind.arrow()
                && same_all(left_args, right_args)
        }
        (ExprKind::Cast(left_input, left_mode), ExprKind::Cast(right_input, right_mode)) => {
            left_mode == right_mode && left.ty.kind == right.ty.kind && same(left_input, right_input)
        }
        (
            ExprKind::Case { branches: left_branches, otherwise: left_otherwise },
            ExprKind::Case { branches: right_branches, otherwise: right_otherwise },
        ) => {
            left_branches.len() == right_branches.len()
                && left_branches
                    .iter()
                    .zip(right_branches)
                    .all(|(left, right)| same(&left.0, &right.0) && same(&left.1, &right.1))
                && same(left_otherwise, right_otherwise)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Once;
    use crate::error::Span;
    use crate::plan::{Expr, ExprKind, Function, Scalar};
    use crate::types::TypeKind;

    fn expr(kind: ExprKind, place: usize) -> Expr {
        Expr { kind, ty: TypeKind::Int.nullable(), span: Span::new(place, place + 1) }
    }

    fn sum(column: usize, number: i64, place: usize) -> Expr {
        let args = vec![expr(ExprKind::Column(column), place), expr(ExprKind::Literal(Scalar::Integer(number)), place)];
        expr(ExprKind::Call(Function::Add, args), place)
    }

    #[test]
    fn what_computes_the_same_stands_once_wherever_it_is_written() {
        let mut once = Once::new();
        let places: Vec<_> =
            [sum(0, 1, 5), sum(0, 2, 5), sum(1, 1, 5), sum(0, 1, 50)].iter().map(|item| once.add(item)).collect();
        assert_eq!(places, [0, 1, 2, 0]);
        assert_eq!((once.items().len(), once.find(&sum(1, 1, 9)), once.find(&sum(2, 1, 5))), (3, Some(2), None));
    }

    #[test]
    fn many_are_found_without_comparing_all() {
        let mut once = Once::new();
        let first: Vec<_> = (0..100_000).map(|number| once.add(&sum(0, number, 0))).collect();
        let again: Vec<_> = (0..100_000).map(|number| once.add(&sum(0, number, 1))).collect();
        assert_eq!(first, again);
        assert_eq!(once.into_items().len(), 100_000);
    }
}
