//! The plan as text: one relation a line, its inputs indented below it, expressions as SQL.
//!
//! What is printed is for people; nothing reads it back. Secrets among the options are not shown.

use std::fmt::Write;

use kobel_model::settings::redact;

use crate::plan::{
    Aggregate, CastMode, ChangelogMode, Expr, ExprKind, Function, JobPlan, Rel, RelKind, Scan, Schema, Target, Window,
};

mod scalar;

/// How many literal rows are shown.
const SHOWN_ROWS: usize = 5;

/// Prints a job: its sinks, each with the relations that feed it.
pub fn explain(plan: &JobPlan) -> String {
    let mut text = String::new();
    for sink in &plan.sinks {
        let names: Vec<_> = sink.input.schema.columns.iter().map(|column| column.name.as_str()).collect();
        let target = match &sink.target {
            Target::Table { table, .. } => table.name.as_str(),
            Target::Collect => "collect",
        };
        let kinds = row_kinds(&sink.input);
        line(&mut text, 0, &format!("Sink({target}, columns=[{}], changelog=[{kinds}])", names.join(", ")));
        relation(&mut text, 1, &sink.input);
    }
    text
}

/// Prints an expression as SQL over the columns of `schema`.
pub fn sql(expr: &Expr, schema: &Schema) -> String {
    match &expr.kind {
        ExprKind::Column(index) => match schema.columns.get(*index) {
            Some(column) => column.name.clone(),
            None => format!("${index}"),
        },
        ExprKind::Literal(value) => scalar::text(value, expr.ty.kind),
        ExprKind::Call(function, args) => {
            let args: Vec<_> = args.iter().map(|arg| sql(arg, schema)).collect();
            call(*function, &args)
        }
        ExprKind::Cast(input, mode) => {
            let name = match mode {
                CastMode::Strict => "CAST",
                CastMode::Try => "TRY_CAST",
            };
            format!("{name}({} AS {})", sql(input, schema), expr.ty.kind)
        }
        ExprKind::Case { branches, otherwise } => {
            let mut text = "CASE".to_owned();
            for (when, then) in branches {
                // Writing to a String cannot fail.
                let _ = write!(text, " WHEN {} THEN {}", sql(when, schema), sql(then, schema));
            }
            let _ = write!(text, " ELSE {} END", sql(otherwise, schema));
            text
        }
    }
}

/// The row kinds that a relation can emit.
fn row_kinds(rel: &Rel) -> &'static str {
    match rel.changelog_mode() {
        ChangelogMode::InsertOnly => "I",
        ChangelogMode::Updating if deletes(rel) => "I,UA,UB,D",
        ChangelogMode::Updating => "I,UA,UB",
    }
}

/// Whether a group can vanish: its input is updating itself.
fn deletes(rel: &Rel) -> bool {
    match &rel.kind {
        RelKind::Scan(_) | RelKind::Values(_) | RelKind::WindowAggregate { .. } => false,
        RelKind::GroupAggregate { input, .. } => input.changelog_mode() == ChangelogMode::Updating,
        RelKind::Filter { input, .. } => input.changelog_mode() == ChangelogMode::Updating,
        RelKind::Project { input, .. } | RelKind::Watermark { input, .. } | RelKind::Tumble { input, .. } => {
            deletes(input)
        }
        RelKind::UnionAll(inputs) => inputs.iter().any(deletes),
    }
}

fn line(text: &mut String, depth: usize, content: &str) {
    text.push_str(&"  ".repeat(depth));
    text.push_str(content);
    text.push('\n');
}

fn relation(text: &mut String, depth: usize, rel: &Rel) {
    line(text, depth, &describe(rel));
    match &rel.kind {
        RelKind::Scan(_) | RelKind::Values(_) => {}
        RelKind::Project { input, .. }
        | RelKind::Filter { input, .. }
        | RelKind::Watermark { input, .. }
        | RelKind::Tumble { input, .. }
        | RelKind::WindowAggregate { input, .. }
        | RelKind::GroupAggregate { input, .. } => relation(text, depth + 1, input),
        RelKind::UnionAll(inputs) => {
            for input in inputs {
                relation(text, depth + 1, input);
            }
        }
    }
}

fn describe(rel: &Rel) -> String {
    match &rel.kind {
        RelKind::Scan(scan) => describe_scan(scan),
        RelKind::Values(rows) => describe_values(rows),
        RelKind::Project { input, exprs } => {
            let columns = exprs.iter().zip(&rel.schema.columns).map(|(expr, column)| {
                let text = sql(expr, &input.schema);
                if text == column.name { text } else { format!("{text} AS {}", column.name) }
            });
            format!("Project({})", columns.collect::<Vec<_>>().join(", "))
        }
        RelKind::Filter { input, predicate } => format!("Filter({})", sql(predicate, &input.schema)),
        RelKind::Watermark { input, rowtime, expr } => {
            format!("Watermark(rowtime=[{}], strategy=[{}])", name(&input.schema, *rowtime), sql(expr, &input.schema))
        }
        RelKind::UnionAll(_) => "UnionAll".to_owned(),
        RelKind::Tumble { input, window } => format!("Tumble({})", describe_window(window, &input.schema)),
        RelKind::WindowAggregate { input, window, keys, aggregates } => {
            let window = describe_window(window, &input.schema);
            format!("WindowAggregate({window}, {})", describe_groups(keys, aggregates, &input.schema))
        }
        RelKind::GroupAggregate { input, keys, aggregates } => {
            let groups = describe_groups(keys, aggregates, &input.schema);
            format!("GroupAggregate({groups}, changelog=[{}])", row_kinds(rel))
        }
    }
}

fn name(schema: &Schema, index: usize) -> String {
    schema.columns.get(index).map_or_else(|| format!("${index}"), |column| column.name.clone())
}

fn describe_scan(scan: &Scan) -> String {
    let columns = scan.columns.iter().map(|index| match scan.table.physical.get(*index) {
        Some(column) => column.name.as_str(),
        None => "?",
    });
    let mut text = format!("Scan({}, columns=[{}]", scan.table.name, columns.collect::<Vec<_>>().join(", "));
    let hinted = scan.options.iter().filter(|(key, option)| scan.table.options.get(*key) != Some(option));
    let hinted: Vec<_> = hinted.map(|(key, option)| format!("'{key}' = '{}'", redact(key, &option.value))).collect();
    if !hinted.is_empty() {
        let _ = write!(text, ", options=[{}]", hinted.join(", "));
    }
    text.push(')');
    text
}

fn describe_values(rows: &[Vec<Expr>]) -> String {
    let empty = Schema::default();
    let shown = rows.iter().take(SHOWN_ROWS).map(|row| {
        let values: Vec<_> = row.iter().map(|value| sql(value, &empty)).collect();
        format!("({})", values.join(", "))
    });
    let mut text = format!("Values({}", shown.collect::<Vec<_>>().join(", "));
    if rows.len() > SHOWN_ROWS {
        let _ = write!(text, ", … {} rows", rows.len());
    }
    text.push(')');
    text
}

fn describe_window(window: &Window, schema: &Schema) -> String {
    let mut text = format!("time=[{}], size=[{}]", name(schema, window.rowtime), scalar::duration(window.size_ms));
    if window.offset_ms != 0 {
        let _ = write!(text, ", offset=[{}]", scalar::duration(window.offset_ms));
    }
    text
}

fn describe_groups(keys: &[usize], aggregates: &[Aggregate], schema: &Schema) -> String {
    let keys: Vec<_> = keys.iter().map(|key| name(schema, *key)).collect();
    let aggregates: Vec<_> = aggregates.iter().map(|aggregate| describe_aggregate(aggregate, schema)).collect();
    format!("keys=[{}], aggregates=[{}]", keys.join(", "), aggregates.join(", "))
}

fn describe_aggregate(aggregate: &Aggregate, schema: &Schema) -> String {
    let argument = aggregate.argument.map_or_else(|| "*".to_owned(), |argument| name(schema, argument));
    let distinct = if aggregate.distinct { "DISTINCT " } else { "" };
    let filter = match aggregate.filter {
        Some(filter) => format!(" FILTER (WHERE {})", name(schema, filter)),
        None => String::new(),
    };
    format!("{}({distinct}{argument}){filter}", aggregate.function)
}

/// A call in the form of SQL; operators are in parentheses.
fn call(function: Function, args: &[String]) -> String {
    if let Some(operator) = infix(function) {
        return match args {
            [only] => format!("{operator}{only}"),
            _ => format!("({})", args.join(&format!(" {operator} "))),
        };
    }
    if let (Some(test), [operand]) = (postfix(function), args) {
        return format!("{operand} IS {test}");
    }
    match (function, args) {
        (Function::Negate, [operand]) => format!("-{operand}"),
        (Function::Not, [operand]) => format!("NOT {operand}"),
        (Function::In, [value, items @ ..]) => format!("{value} IN ({})", items.join(", ")),
        (Function::Like, [value, pattern]) => format!("{value} LIKE {pattern}"),
        (Function::Like, [value, pattern, escape]) => format!("{value} LIKE {pattern} ESCAPE {escape}"),
        (Function::TrimBoth, [characters, text]) => format!("TRIM(BOTH {characters} FROM {text})"),
        (Function::TrimLeading, [characters, text]) => format!("TRIM(LEADING {characters} FROM {text})"),
        (Function::TrimTrailing, [characters, text]) => format!("TRIM(TRAILING {characters} FROM {text})"),
        (Function::Extract(unit), [operand]) => format!("EXTRACT({} FROM {operand})", screaming(&format!("{unit:?}"))),
        (Function::FloorTo(unit), [operand]) => format!("FLOOR({operand} TO {})", screaming(&format!("{unit:?}"))),
        (Function::CeilTo(unit), [operand]) => format!("CEIL({operand} TO {})", screaming(&format!("{unit:?}"))),
        (Function::TimestampDiff(unit), [from, to]) => {
            format!("TIMESTAMPDIFF({}, {from}, {to})", screaming(&format!("{unit:?}")))
        }
        (Function::StartsWith, args) => format!("STARTSWITH({})", args.join(", ")),
        (Function::EndsWith, args) => format!("ENDSWITH({})", args.join(", ")),
        _ => format!("{}({})", screaming(&format!("{function:?}")), args.join(", ")),
    }
}

fn infix(function: Function) -> Option<&'static str> {
    Some(match function {
        Function::Add | Function::AddInterval => "+",
        Function::Subtract | Function::SubtractInterval => "-",
        Function::Multiply => "*",
        Function::Divide => "/",
        Function::Modulo => "%",
        Function::Equal => "=",
        Function::NotEqual => "<>",
        Function::Less => "<",
        Function::LessOrEqual => "<=",
        Function::Greater => ">",
        Function::GreaterOrEqual => ">=",
        Function::IsDistinctFrom => "IS DISTINCT FROM",
        Function::IsNotDistinctFrom => "IS NOT DISTINCT FROM",
        Function::And => "AND",
        Function::Or => "OR",
        _ => return None,
    })
}

fn postfix(function: Function) -> Option<&'static str> {
    Some(match function {
        Function::IsNull => "NULL",
        Function::IsNotNull => "NOT NULL",
        Function::IsTrue => "TRUE",
        Function::IsNotTrue => "NOT TRUE",
        Function::IsFalse => "FALSE",
        Function::IsNotFalse => "NOT FALSE",
        _ => return None,
    })
}

/// `CHAR_LENGTH` for `CharLength`.
fn screaming(camel: &str) -> String {
    let mut text = String::with_capacity(camel.len() + 4);
    for (index, letter) in camel.chars().enumerate() {
        if index > 0 && letter.is_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}
