//! Trees as text, so that a test can say in a line what was understood: every operator in parentheses.

use crate::ast::*;

/// An expression, fully parenthesised.
pub(super) fn expr(expr: &Expr) -> String {
    let show = self::expr;
    match &expr.kind {
        ExprKind::Column(name) => name.dotted(),
        ExprKind::Literal(value) => literal(value),
        ExprKind::Unary(operator, operand) => format!("({} {})", unary(*operator), show(operand)),
        ExprKind::Binary(operator, left, right) => format!("({} {} {})", show(left), binary(*operator), show(right)),
        ExprKind::Is(value, test, negated) => {
            format!("({} IS{} {})", show(value), not(*negated), format!("{test:?}").to_uppercase())
        }
        ExprKind::IsDistinctFrom(left, right, negated) => {
            format!("({} IS{} DISTINCT FROM {})", show(left), not(*negated), show(right))
        }
        ExprKind::Between { value, low, high, negated, symmetric } => {
            let symmetric = if *symmetric { " SYMMETRIC" } else { "" };
            format!("({}{} BETWEEN{symmetric} {} AND {})", show(value), not(*negated), show(low), show(high))
        }
        ExprKind::InList(value, items, negated) => format!("({}{} IN [{}])", show(value), not(*negated), list(items)),
        ExprKind::Like { value, pattern, escape, negated, similar } => {
            let escape = escape.as_ref().map_or(String::new(), |escape| format!(" ESCAPE {}", show(escape)));
            let word = if *similar { "SIMILAR TO" } else { "LIKE" };
            format!("({}{} {word} {}{escape})", show(value), not(*negated), show(pattern))
        }
        ExprKind::Case { operand, branches, otherwise } => case(operand, branches, otherwise),
        ExprKind::Cast { input, ty, is_try } => {
            let name = if *is_try { "TRY_CAST" } else { "CAST" };
            format!("{name}({} AS {})", show(input), type_name(ty))
        }
        ExprKind::Extract(unit, value) => format!("EXTRACT({} FROM {})", unit.name, show(value)),
        ExprKind::FloorTo(value, unit) => format!("FLOOR({} TO {})", show(value), unit.name),
        ExprKind::CeilTo(value, unit) => format!("CEIL({} TO {})", show(value), unit.name),
        ExprKind::Trim(side, characters, value) => {
            let characters = characters.as_ref().map_or("_".to_owned(), |characters| show(characters));
            format!("TRIM({side:?} {characters} FROM {})", show(value))
        }
        ExprKind::Call(call) => self::call(call),
        ExprKind::Subquery(name) => format!("<subquery {name}>"),
        ExprKind::Refused(name) => format!("<refused {name}>"),
    }
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Null => "NULL".to_owned(),
        Literal::Boolean(value) => value.to_string().to_uppercase(),
        Literal::Integer(text) => text.clone(),
        Literal::Decimal(text) => format!("{text}d"),
        Literal::Double(text) => format!("{text}f"),
        Literal::String(text) => format!("'{text}'"),
        Literal::Binary(bytes) => format!("{bytes:02x?}"),
        Literal::Date(text) => format!("DATE '{text}'"),
        Literal::Time(text) => format!("TIME '{text}'"),
        Literal::Timestamp(text) => format!("TIMESTAMP '{text}'"),
        Literal::Interval { value, from, to } => {
            let to = to.as_ref().map_or(String::new(), |to| format!(" TO {}", to.name));
            format!("INTERVAL '{value}' {}{to}", from.name)
        }
    }
}

fn case(operand: &Option<Box<Expr>>, branches: &[(Expr, Expr)], otherwise: &Option<Box<Expr>>) -> String {
    let mut text = "CASE".to_owned();
    if let Some(operand) = operand {
        text.push_str(&format!(" {}", expr(operand)));
    }
    for (when, then) in branches {
        text.push_str(&format!(" WHEN {} THEN {}", expr(when), expr(then)));
    }
    if let Some(otherwise) = otherwise {
        text.push_str(&format!(" ELSE {}", expr(otherwise)));
    }
    text + " END"
}

fn call(call: &Call) -> String {
    let distinct = if call.distinct { "DISTINCT " } else { "" };
    let args = if call.star { "*".to_owned() } else { list(&call.args) };
    let filter = call.filter.as_ref().map_or(String::new(), |filter| format!(" FILTER {}", expr(filter)));
    let over = if call.over.is_some() { " OVER" } else { "" };
    format!("{}({distinct}{args}){filter}{over}", call.name.dotted())
}

fn list(exprs: &[Expr]) -> String {
    joined(exprs, expr)
}

fn joined<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    items.iter().map(show).collect::<Vec<_>>().join(", ")
}

fn names(names: &[Ident]) -> String {
    joined(names, |name| name.name.clone())
}

fn not(negated: bool) -> &'static str {
    if negated { " NOT" } else { "" }
}

fn unary(operator: UnaryOperator) -> &'static str {
    match operator {
        UnaryOperator::Minus => "-",
        UnaryOperator::Plus => "+",
        UnaryOperator::Not => "NOT",
    }
}

fn binary(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::Add => "+",
        BinaryOperator::Subtract => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        BinaryOperator::Concat => "||",
        BinaryOperator::Equal => "=",
        BinaryOperator::NotEqual => "<>",
        BinaryOperator::Less => "<",
        BinaryOperator::LessOrEqual => "<=",
        BinaryOperator::Greater => ">",
        BinaryOperator::GreaterOrEqual => ">=",
        BinaryOperator::And => "AND",
        BinaryOperator::Or => "OR",
    }
}

/// A type, or what is refused in its place.
pub(super) fn type_name(ty: &TypeName) -> String {
    match &ty.ty {
        Ok(ty) => ty.to_string(),
        Err(name) => format!("<refused {name}>"),
    }
}

/// A query.
pub(super) fn query(query: &Query) -> String {
    let mut text = String::new();
    for cte in &query.ctes {
        text.push_str(&format!("WITH {}({}) AS [{}] ", cte.name.name, names(&cte.columns), self::query(&cte.query)));
    }
    text.push_str(&match &query.body {
        QueryBody::Select(select) => self::select(select),
        QueryBody::Values(rows, _) => format!("VALUES {}", joined(rows, |row| format!("[{}]", list(row)))),
        QueryBody::SetOperation { operator, all, left, right, .. } => {
            let all = if *all { " ALL" } else { "" };
            format!("({} {operator:?}{all} {})", self::query(left), self::query(right))
        }
        QueryBody::Nested(inner) => format!("[{}]", self::query(inner)),
    });
    for item in &query.order_by {
        let nulls = item.nulls_first.map_or(String::new(), |first| format!(" nulls_first={first}"));
        let direction = if item.descending { " DESC" } else { "" };
        text.push_str(&format!(" ORDER {}{direction}{nulls}", expr(&item.expr)));
    }
    for (word, count) in [("LIMIT", &query.limit), ("OFFSET", &query.offset)] {
        if let Some(count) = count {
            text.push_str(&format!(" {word} {}", expr(count)));
        }
    }
    text
}

fn select(select: &Select) -> String {
    let mut text = if select.distinct { "SELECT DISTINCT ".to_owned() } else { "SELECT ".to_owned() };
    text.push_str(&hints(&select.hints));
    text.push_str(&joined(&select.items, |item| match item {
        SelectItem::Wildcard(_) => "*".to_owned(),
        SelectItem::QualifiedWildcard(name) => format!("{}.*", name.dotted()),
        SelectItem::Expr(value, None) => expr(value),
        SelectItem::Expr(value, Some(alias)) => format!("{} AS {}", expr(value), alias.name),
    }));
    if let Some(from) = &select.from {
        text.push_str(&format!(" FROM {}", table(from)));
    }
    if let Some(filter) = &select.filter {
        text.push_str(&format!(" WHERE {}", expr(filter)));
    }
    for item in &select.group_by {
        text.push_str(&match item {
            GroupItem::Expr(item) => format!(" GROUP {}", expr(item)),
            GroupItem::Refused(name, _) => format!(" GROUP <refused {name}>"),
        });
    }
    if let Some(having) = &select.having {
        text.push_str(&format!(" HAVING {}", expr(having)));
    }
    if let Some((name, _)) = &select.refused {
        text.push_str(&format!(" <refused {name}>"));
    }
    text
}

fn hints(hints: &[Hint]) -> String {
    let shown = joined(hints, |hint| {
        let options = joined(&hint.options, |option| format!("{}={}", option.key.name, option.value.name));
        format!("{}({options})", hint.name.name)
    });
    if shown.is_empty() { shown } else { format!("/*+ {shown} */ ") }
}

fn alias(alias: &Option<TableAlias>) -> String {
    match alias {
        Some(alias) if alias.columns.is_empty() => format!(" AS {}", alias.name.name),
        Some(alias) => format!(" AS {}({})", alias.name.name, names(&alias.columns)),
        None => String::new(),
    }
}

fn table(table: &TableRef) -> String {
    match table {
        TableRef::Named { name, hints, alias } => {
            format!("{}{}{}", self::hints(hints), name.dotted(), self::alias(alias))
        }
        TableRef::Derived { query, alias, lateral } => {
            let lateral = if *lateral { "LATERAL " } else { "" };
            format!("{lateral}[{}]{}", self::query(query), self::alias(alias))
        }
        TableRef::Function { name, args, alias, .. } => {
            format!("{}({}){}", name.dotted(), joined(args, argument), self::alias(alias))
        }
        TableRef::Join { left, right, operator, on, .. } => {
            let on = on.as_ref().map_or(String::new(), |on| format!(" ON {}", expr(on)));
            format!("({} {operator} {}{on})", self::table(left), self::table(right))
        }
        TableRef::Refused(name, _) => format!("<refused {name}>"),
    }
}

fn argument(argument: &TableArg) -> String {
    let name = argument.name.as_ref().map_or(String::new(), |name| format!("{} => ", name.name));
    let value = match &argument.value {
        TableArgValue::Table(table) => format!("TABLE {}", self::table(table)),
        TableArgValue::Descriptor(columns, _) => format!("DESCRIPTOR({})", names(columns)),
        TableArgValue::Expr(value) => expr(value),
    };
    name + &value
}

/// A statement.
pub(super) fn statement(statement: &Statement) -> String {
    match &statement.kind {
        StatementKind::Set(None) => "SET".to_owned(),
        StatementKind::Set(Some(set)) => format!("SET [{}] = [{}]", set.key.name, set.value.name),
        StatementKind::Reset(key) => format!("RESET {:?}", key.as_ref().map(|key| key.name.as_str())),
        StatementKind::CreateTable(table) => create_table(table),
        StatementKind::CreateView(view) => {
            let CreateView { name, columns, query, .. } = view;
            let create = create("VIEW", view.temporary, view.if_not_exists);
            format!("{create} {}({}) AS {}", name.dotted(), names(columns), self::query(query))
        }
        StatementKind::Drop(Drop { is_view, temporary, if_exists, name }) => {
            format!("DROP view={is_view} temporary={temporary} if_exists={if_exists} {}", name.dotted())
        }
        StatementKind::Show(Show::Create(name)) => format!("SHOW CREATE {}", name.dotted()),
        StatementKind::Show(Show::Columns(name)) => format!("SHOW COLUMNS {}", name.dotted()),
        StatementKind::Show(show) => format!("SHOW {show:?}"),
        StatementKind::Describe(name) => format!("DESCRIBE {}", name.dotted()),
        StatementKind::Explain(inner) => format!("EXPLAIN {}", self::statement(inner)),
        StatementKind::Insert(insert) => self::insert(insert),
        StatementKind::StatementSet(inserts) => format!("SET OF [{}]", joined(inserts, self::insert)),
        StatementKind::Query(query) => self::query(query),
    }
}

fn insert(insert: &Insert) -> String {
    let word = if insert.overwrite { "OVERWRITE" } else { "INTO" };
    let Insert { target, columns, query, .. } = insert;
    let hints = self::hints(&insert.hints);
    format!("INSERT {word} {hints}{}({}) {}", target.dotted(), names(columns), self::query(query))
}

fn create(what: &str, temporary: bool, if_not_exists: bool) -> String {
    let temporary = if temporary { "TEMPORARY " } else { "" };
    let if_not_exists = if if_not_exists { " IF NOT EXISTS" } else { "" };
    format!("CREATE {temporary}{what}{if_not_exists}")
}

fn create_table(table: &CreateTable) -> String {
    let mut parts: Vec<String> = table.columns.iter().map(column).collect();
    parts
        .extend(table.watermarks.iter().map(|mark| format!("WATERMARK {} {}", mark.column.dotted(), expr(&mark.expr))));
    parts.extend(table.primary_keys.iter().map(|key| format!("KEY {} {}", names(&key.columns), key.not_enforced)));
    let create = create("TABLE", table.temporary, table.if_not_exists);
    let mut text = format!("{create} {} [{}]", table.name.dotted(), parts.join("; "));
    if let Some(comment) = &table.comment {
        text.push_str(&format!(" COMMENT {comment}"));
    }
    if !table.partitioned_by.is_empty() {
        text.push_str(&format!(" PARTITIONED {}", names(&table.partitioned_by)));
    }
    if !table.options.is_empty() {
        let options = joined(&table.options, |option| format!("{}={}", option.key.name, option.value.name));
        text.push_str(&format!(" WITH {options}"));
    }
    text
}

fn column(column: &ColumnDef) -> String {
    let kind = match &column.kind {
        ColumnKind::Physical(ty) => type_name(ty),
        ColumnKind::Computed(value) => format!("AS {}", expr(value)),
        ColumnKind::Metadata(ty, key) => format!("{} METADATA {key:?}", type_name(ty)),
    };
    let comment = column.comment.as_ref().map_or(String::new(), |comment| format!(" COMMENT {comment}"));
    format!("{} {kind}{comment}", column.name.name)
}
