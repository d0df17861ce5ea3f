//! Expressions from their text to a value, in bounded time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use cel::common::ast::{EntryExpr, Expr, LiteralValue, SourceInfo};
use cel::parser::Parser;
use cel::{Context, Env, ExecutionError, IdedExpr, Value};

use crate::core::caught::caught;
use crate::core::{Interval, stack};
use crate::guard::datum::{Datum, micros, size_bytes};
use crate::guard::types::{self, Type};

/// The longest expression, in bytes.
const LONGEST: usize = 4096;
/// How deep one may nest.
const DEEPEST: u16 = 40;
/// How many loops may stand in one another.
const LOOPS: u32 = 2;
/// How many parts of an expression one evaluation may visit.
const BUDGET: u64 = 20_000_000;

/// What is wrong with an expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where in its text, in bytes; `None` for all of it.
    pub range: Option<Range<usize>>,
    /// What.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Fault {
    pub(super) fn at(range: Option<Range<usize>>, message: impl Into<String>) -> Self {
        Self { range, message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Names what there is, the likeliest first.
    pub(super) fn near(self, word: &str, known: &[String], are: &str) -> Self {
        let scored = known.iter().map(|name| (strsim::jaro_winkler(name, word), name));
        match scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((_, near)) => self.help(format!("did you mean `{near}`?")),
            None if known.is_empty() => self,
            None => {
                let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                self.help(format!("{are} {}", known.join(", ")))
            }
        }
    }

    /// Says how a value gets the unit of the other.
    pub(super) fn units(self, a: &Type, b: &Type) -> Self {
        let either = |wanted: &Type| a == wanted || b == wanted;
        if either(&Type::Interval) && either(&Type::Text) {
            return self.help("write an interval as `interval('90 days')`");
        }
        if either(&Type::Interval) && either(&Type::Int) {
            return self.help(
                "write an interval as `interval('90 days')`; where time is a whole number, ages are whole numbers too, and `when` or `match` leaves such a table out",
            );
        }
        if either(&Type::Int) && either(&Type::Text) {
            return self.help("write a number without quotes, and a size as `pg_size_bytes('100 GB')`");
        }
        self
    }
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Expression {
    /// As it is written, and as its types are checked.
    tree: IdedExpr,
    /// As it is evaluated, with intervals and sizes as numbers.
    run: IdedExpr,
    ranges: HashMap<u64, Range<usize>>,
    /// Every dotted path that it reads, such as `retention.drop_after`.
    paths: BTreeSet<String>,
    parts: u64,
    loops: u32,
}

impl Expression {
    /// Compiles a text whose variables are of these types, and whose value is a truth value.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn compile(text: &str, variables: &BTreeMap<String, Type>) -> Result<Self, Fault> {
        if text.len() > LONGEST {
            return Err(Fault::at(None, format!("it is longer than {LONGEST} bytes")));
        }
        let parsed = stack::roomy(|| caught(|| parse(text)));
        let (tree, source) = parsed.unwrap_or_else(|| Err(Fault::at(None, "it cannot be read")))?;
        let mut found =
            Self { run: tree.clone(), tree, ranges: HashMap::new(), paths: BTreeSet::new(), parts: 0, loops: 0 };
        let mut walk =
            Walk { text, source: &source, found: &mut found.ranges, paths: &mut found.paths, parts: 0, loops: 0 };
        walk.expression(&found.tree, 0);
        (found.parts, found.loops) = (walk.parts, walk.loops);
        if found.loops > LOOPS {
            return Err(Fault::at(None, format!("more than {LOOPS} loops stand in one another")));
        }
        let kind = types::check(&found.tree, &found.ranges, variables)?;
        if !matches!(kind, Type::Bool | Type::Any) {
            return Err(Fault::at(None, "it must be true or false").help("compare it with something"));
        }
        write_out(&mut found.run);
        Ok(found)
    }

    /// Every dotted path that it reads.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// Its value for these variables; `declared` are the types of all that there may be.
    ///
    /// # Errors
    /// Why it has none.
    pub fn evaluate(
        &self,
        variables: &BTreeMap<String, Datum>,
        declared: &BTreeMap<String, Type>,
    ) -> Result<bool, Fault> {
        let mut types = declared.clone();
        for (name, datum) in variables {
            let own = datum.type_of();
            let own = declared.get(name).map_or_else(|| own.clone(), |declared| own.clone().within(declared));
            types.insert(name.clone(), own);
        }
        types::check(&self.tree, &self.ranges, &types)?;
        let longest = variables.values().map(Datum::longest).max().unwrap_or(0) as u64;
        if self.parts.saturating_mul(longest.max(self.parts).saturating_pow(self.loops)) > BUDGET {
            return Err(Fault::at(None, "it would take too long over so many items"));
        }
        let mut context = Context::with_env(Arc::clone(standard()));
        for (name, datum) in variables {
            context.add_variable_from_value(name.as_str(), datum.to_cel());
        }
        let value = caught(|| Value::resolve(&self.run, &context));
        match value {
            Some(Ok(Value::Bool(value))) => Ok(value),
            Some(Ok(_)) => Err(Fault::at(None, "it is neither true nor false")),
            Some(Err(error)) => Err(self.failed(&error)),
            None => Err(Fault::at(None, "it cannot be evaluated")),
        }
    }

    fn failed(&self, error: &ExecutionError) -> Fault {
        match error {
            ExecutionError::NoSuchKey(key) => {
                let path = self.paths.iter().find(|path| path.rsplit('.').next() == Some(key.as_str()));
                let path = path.map_or(key.as_str(), String::as_str);
                Fault::at(None, format!("`{path}` is not set"))
                    .help(format!("ask first whether it is: `has({path}) && …`, or `!has({path}) || …`"))
            }
            ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
                Fault::at(None, "it divides by zero")
            }
            ExecutionError::Overflow(..) => Fault::at(None, "a number in it is larger than 64 bits hold"),
            ExecutionError::FunctionError { function, message } => {
                let first = message.lines().next().unwrap_or_default();
                Fault::at(None, format!("`{function}` failed: {first}"))
            }
            other => Fault::at(None, other.to_string().lines().next().unwrap_or_default().to_owned()),
        }
    }
}

fn standard() -> &'static Arc<Env> {
    static STANDARD: OnceLock<Arc<Env>> = OnceLock::new();
    STANDARD.get_or_init(|| Arc::new(Env::stdlib()))
}

fn parse(text: &str) -> Result<(IdedExpr, SourceInfo), Fault> {
    let parsed = Parser::new().max_recursion_depth(DEEPEST).error_recovery_limit(3).parse_with_source_info(text);
    parsed.map_err(|errors| {
        let first = errors.errors.into_iter().next();
        first.map_or_else(|| Fault::at(None, "it cannot be read"), |error| syntax(text, error.pos, &error.msg))
    })
}

/// The parser's complaint, short; its place is a line and a column, both from 1, in characters.
fn syntax(text: &str, (line, column): (isize, isize), message: &str) -> Fault {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let column = usize::try_from(column - 1).unwrap_or(0);
    let rest = text.get(before..).unwrap_or("");
    let at = before + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
    let width = text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let range = Some(at..at + width);
    let quoted = message.split('\'').nth(1).unwrap_or_default();
    if message.contains("Recursion limit") || message.contains("recovery") {
        return Fault::at(None, "it is nested too deep, or too much in it is wrong");
    }
    if message.contains("<EOF>") || message.contains("Incomplete") {
        return Fault::at(range, "the expression ends too early");
    }
    if quoted.trim() == "=" {
        return Fault::at(range, "`=` means nothing here").help("to compare, write `==`");
    }
    let what = if quoted.is_empty() {
        "this is not understood".to_owned()
    } else {
        format!("`{quoted}` is not understood here")
    };
    Fault::at(range, what)
        .help("it is CEL, the Common Expression Language: `&&`, `||`, `!`, `==`, `in`, texts in quotes")
}

/// Gathers where every part stands, and what is read.
struct Walk<'a> {
    text: &'a str,
    source: &'a SourceInfo,
    found: &'a mut HashMap<u64, Range<usize>>,
    paths: &'a mut BTreeSet<String>,
    parts: u64,
    loops: u32,
}

impl Walk<'_> {
    fn expression(&mut self, expression: &IdedExpr, loops: u32) {
        self.parts += 1;
        self.loops = self.loops.max(loops);
        if let Some((start, stop)) = self.source.offset_for(expression.id) {
            let (start, stop) = (start as usize, stop as usize + 1);
            let range = match &expression.expr {
                // The parser gives the dot.
                Expr::Select(select) if !select.test => start + 1..start + 1 + select.field.len(),
                _ => start..stop.max(start + 1),
            };
            if self.text.get(range.clone()).is_some() {
                self.found.insert(expression.id, range);
            }
        }
        match &expression.expr {
            Expr::Select(select) => {
                if let Some(path) = path_of(&expression.expr) {
                    self.paths.insert(path);
                }
                self.expression(&select.operand, loops);
            }
            Expr::Ident(name) => _ = self.paths.insert(name.clone()),
            Expr::Call(call) => {
                call.target.iter().for_each(|target| self.expression(target, loops));
                call.args.iter().for_each(|argument| self.expression(argument, loops));
            }
            Expr::List(list) => list.elements.iter().for_each(|item| self.expression(item, loops)),
            Expr::Comprehension(over) => {
                self.expression(&over.iter_range, loops);
                for part in [&over.accu_init, &over.loop_cond, &over.loop_step, &over.result] {
                    self.expression(part, loops + 1);
                }
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.expression(&entry.value, loops);
                    }
                }
            }
            Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => {}
        }
    }
}

/// `a.b.c`, where it is one.
fn path_of(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) => Some(format!("{}.{}", path_of(&select.operand.expr)?, select.field)),
        _ => None,
    }
}

/// Replaces intervals and sizes by their numbers. The checker has seen to it that they can be read,
/// and to their units.
fn write_out(expression: &mut IdedExpr) {
    if let Expr::Call(call) = &expression.expr
        && let (None, [IdedExpr { expr: Expr::Literal(LiteralValue::String(text)), .. }]) =
            (&call.target, call.args.as_slice())
    {
        let number = match call.func_name.as_str() {
            "interval" => Interval::parse(text.inner()).ok().map(|interval| micros(&interval)),
            "pg_size_bytes" => size_bytes(text.inner()),
            _ => None,
        };
        if let Some(number) = number {
            expression.expr = Expr::Literal(LiteralValue::Int(number.into()));
            return;
        }
    }
    let parts: Vec<&mut IdedExpr> = match &mut expression.expr {
        Expr::Call(call) => call.target.iter_mut().map(|target| &mut **target).chain(call.args.iter_mut()).collect(),
        Expr::Select(select) => vec![&mut *select.operand],
        Expr::List(list) => list.elements.iter_mut().collect(),
        Expr::Comprehension(over) => {
            vec![&mut over.iter_range, &mut over.accu_init, &mut over.loop_cond, &mut over.loop_step, &mut over.result]
        }
        _ => Vec::new(),
    };
    parts.into_iter().for_each(write_out);
}
