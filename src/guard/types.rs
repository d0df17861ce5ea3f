//! The types of expressions: checked once when they are read, and again with what they are asked of.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, SelectExpr, operators as op};

use crate::core::Interval;
use crate::guard::datum::size_bytes;
use crate::guard::expression::Fault;

/// The type of a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Type {
    /// Not known before there is a value.
    Any,
    /// Nothing.
    Null,
    /// A truth value.
    Bool,
    /// A whole number.
    Int,
    /// Text.
    Text,
    /// A span of time.
    Interval,
    /// Items of one type.
    List(Box<Type>),
    /// Fields by name, and no others.
    Record(BTreeMap<String, Type>),
    /// Texts by any name.
    Words,
}

impl Type {
    /// A list of items.
    pub fn list(items: impl Iterator<Item = Self>) -> Self {
        Self::List(Box::new(items.reduce(Self::join).unwrap_or(Self::Any)))
    }

    /// What holds both.
    fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Record(mut a), Self::Record(b)) => {
                for (key, value) in b {
                    let joined = match a.remove(&key) {
                        Some(known) => known.join(value),
                        None => value,
                    };
                    a.insert(key, joined);
                }
                Self::Record(a)
            }
            (Self::List(a), Self::List(b)) => Self::List(Box::new(a.join(*b))),
            (a, b) if a == b => a,
            _ => Self::Any,
        }
    }

    /// The type with the fields that are declared and not there: those may be asked for.
    #[must_use]
    pub fn within(self, declared: &Self) -> Self {
        match (self, declared) {
            (Self::Record(mut fields), Self::Record(known)) => {
                for (name, declared) in known {
                    let field = fields.remove(name).map_or_else(|| declared.clone(), |field| field.within(declared));
                    fields.insert(name.clone(), field);
                }
                Self::Record(fields)
            }
            (Self::List(item), Self::List(known)) => Self::List(Box::new(item.within(known))),
            (Self::Any, known) => known.clone(),
            (own, _) => own,
        }
    }

    fn words(&self) -> &'static str {
        match self {
            Self::Any => "a value of any type",
            Self::Null => "null",
            Self::Bool => "a truth value",
            Self::Int => "a whole number",
            Self::Text => "text",
            Self::Interval => "an interval",
            Self::List(_) => "a list",
            Self::Record(_) | Self::Words => "a mapping",
        }
    }
}

/// Checks an expression against the types of its variables; gives the type of its value.
pub(super) fn check(
    expression: &IdedExpr,
    ranges: &HashMap<u64, Range<usize>>,
    variables: &BTreeMap<String, Type>,
) -> Result<Type, Fault> {
    Checker { ranges, scopes: vec![variables.clone()] }.check(expression)
}

struct Checker<'a> {
    ranges: &'a HashMap<u64, Range<usize>>,
    scopes: Vec<BTreeMap<String, Type>>,
}

impl Checker<'_> {
    fn fault(&self, id: u64, message: impl Into<String>) -> Fault {
        Fault::at(self.ranges.get(&id).cloned(), message)
    }

    fn check(&mut self, expression: &IdedExpr) -> Result<Type, Fault> {
        let id = expression.id;
        match &expression.expr {
            Expr::Literal(literal) => self.literal(id, literal),
            Expr::Ident(name) => self.variable(id, name),
            Expr::Select(select) => self.select(id, select),
            Expr::Call(call) => self.call(id, call),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::List(list) => {
                let items: Result<Vec<Type>, Fault> = list.elements.iter().map(|item| self.check(item)).collect();
                Ok(Type::list(items?.into_iter()))
            }
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                Err(self.fault(id, "mappings cannot be written in a guardrail's expression"))
            }
        }
    }

    fn literal(&self, id: u64, literal: &LiteralValue) -> Result<Type, Fault> {
        match literal {
            LiteralValue::Boolean(_) => Ok(Type::Bool),
            LiteralValue::Int(_) => Ok(Type::Int),
            LiteralValue::String(_) => Ok(Type::Text),
            LiteralValue::Null => Ok(Type::Null),
            LiteralValue::Bytes(_) | LiteralValue::Double(_) | LiteralValue::UInt(_) => {
                Err(self.fault(id, "only whole numbers, texts and truth values can be written here"))
            }
        }
    }

    fn variable(&self, id: u64, name: &str) -> Result<Type, Fault> {
        let found = self.scopes.iter().rev().find_map(|scope| scope.get(name));
        found.cloned().ok_or_else(|| {
            let known: Vec<String> =
                self.scopes.iter().flat_map(BTreeMap::keys).filter(|name| !name.starts_with('@')).cloned().collect();
            self.fault(id, format!("there is no variable `{name}` here")).near(name, &known, "the variables are")
        })
    }

    fn select(&mut self, id: u64, select: &SelectExpr) -> Result<Type, Fault> {
        let of = self.check(&select.operand)?;
        let field = match &of {
            Type::Any => Type::Any,
            Type::Words => Type::Text,
            Type::Record(fields) => match fields.get(&select.field) {
                Some(field) => field.clone(),
                None => {
                    let known: Vec<String> = fields.keys().cloned().collect();
                    let fault = self.fault(id, format!("there is no `{}` in this", select.field));
                    return Err(fault.near(&select.field, &known, "it has"));
                }
            },
            other => return Err(self.fault(id, format!("{} has no `{}`", other.words(), select.field))),
        };
        Ok(if select.test { Type::Bool } else { field })
    }

    fn comprehension(&mut self, over: &ComprehensionExpr) -> Result<Type, Fault> {
        let item = match self.check(&over.iter_range)? {
            Type::List(item) => *item,
            Type::Words => Type::Text,
            Type::Any => Type::Any,
            other => return Err(self.fault(over.iter_range.id, format!("{} has no items", other.words()))),
        };
        let mut scope = BTreeMap::from([(over.iter_var.clone(), item)]);
        if let Some(second) = &over.iter_var2 {
            scope.insert(second.clone(), Type::Any);
        }
        let start = self.check(&over.accu_init)?;
        scope.insert(over.accu_var.clone(), start.clone());
        self.scopes.push(scope);
        let step = self.check(&over.loop_cond).and_then(|_| self.check(&over.loop_step));
        let joined = step.map(|step| match (start, step) {
            (Type::List(_), Type::List(step)) => Type::List(step),
            (start, step) => start.join(step),
        });
        if let (Ok(joined), Some(scope)) = (&joined, self.scopes.last_mut()) {
            scope.insert(over.accu_var.clone(), joined.clone());
        }
        let result = joined.and_then(|_| self.check(&over.result));
        self.scopes.pop();
        result
    }

    fn call(&mut self, id: u64, call: &CallExpr) -> Result<Type, Fault> {
        let target = call.target.as_ref().map(|target| self.check(target)).transpose()?;
        let mut types = Vec::new();
        for argument in &call.args {
            types.push(self.check(argument)?);
        }
        match (&target, types.as_slice()) {
            (None, [only]) => self.unary(id, call, only),
            (None, [a, b]) => self.binary(id, &call.func_name, a, b),
            (None, [condition, a, b]) if call.func_name == op::CONDITIONAL => {
                self.must(id, condition, &Type::Bool, "what stands before `?`")?;
                Ok(a.clone().join(b.clone()))
            }
            (Some(target), arguments) => self.method(id, &call.func_name, target, arguments),
            _ => Err(self.unknown(id, &call.func_name)),
        }
    }

    fn unary(&self, id: u64, call: &CallExpr, only: &Type) -> Result<Type, Fault> {
        match call.func_name.as_str() {
            op::LOGICAL_NOT => self.must(id, only, &Type::Bool, "what `!` turns round").map(|()| Type::Bool),
            op::NOT_STRICTLY_FALSE => Ok(Type::Bool),
            op::NEGATE if matches!(only, Type::Int | Type::Interval | Type::Any) => Ok(only.clone()),
            "size" if matches!(only, Type::Text | Type::List(_) | Type::Words | Type::Any) => Ok(Type::Int),
            "string" if matches!(only, Type::Int | Type::Text | Type::Bool | Type::Any) => Ok(Type::Text),
            "interval" => self.written(id, call, |text| Interval::parse(text).is_ok(), "interval", "90 days"),
            "pg_size_bytes" => self.written(id, call, |text| size_bytes(text).is_some(), "size", "100 GB"),
            op::NEGATE | "size" | "string" => {
                Err(self.fault(id, format!("`{}` does not take {}", plain(&call.func_name), only.words())))
            }
            other => Err(self.unknown(id, other)),
        }
    }

    /// A function of a text that must be written out, so that it can be read beforehand.
    fn written(
        &self,
        id: u64,
        call: &CallExpr,
        reads: fn(&str) -> bool,
        what: &str,
        example: &str,
    ) -> Result<Type, Fault> {
        let argument = call.args.first();
        let text = argument.and_then(|argument| match &argument.expr {
            Expr::Literal(LiteralValue::String(text)) => Some(text.inner().to_owned()),
            _ => None,
        });
        match text {
            Some(text) if reads(&text) => Ok(if what == "interval" { Type::Interval } else { Type::Int }),
            _ => Err(self
                .fault(argument.map_or(id, |argument| argument.id), format!("this is no {what}"))
                .help(format!("write it out, as PostgreSQL does: `{}('{example}')`", call.func_name))),
        }
    }

    fn binary(&self, id: u64, name: &str, a: &Type, b: &Type) -> Result<Type, Fault> {
        use Type::{Any, Bool, Int, Interval, List, Null, Text, Words};
        let no = |what: &str| Err(self.fault(id, format!("{} and {} cannot be {what}", a.words(), b.words())));
        match name {
            op::LOGICAL_AND | op::LOGICAL_OR => {
                self.must(id, a, &Bool, "what stands on the left")?;
                self.must(id, b, &Bool, "what stands on the right").map(|()| Bool)
            }
            op::EQUALS | op::NOT_EQUALS => match (a, b) {
                (Any | Null, _) | (_, Any | Null) => Ok(Bool),
                (a, b) if same(a, b) => Ok(Bool),
                _ => no("compared").map_err(|fault: Fault| fault.units(a, b)),
            },
            op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS => match (a, b) {
                (Any, _) | (_, Any) | (Int, Int) | (Interval, Interval) | (Text, Text) => Ok(Bool),
                _ => no("compared").map_err(|fault: Fault| fault.units(a, b)),
            },
            op::ADD => match (a, b) {
                (Int, Int) | (Interval, Interval) | (Text, Text) => Ok(a.clone()),
                (List(_), List(_)) => Ok(a.clone().join(b.clone())).map(|joined| match (a, b) {
                    (List(item), List(other)) if **item == Any => List(other.clone()),
                    _ => joined,
                }),
                (Any, _) | (_, Any) => Ok(Any),
                _ => no("added").map_err(|fault: Fault| fault.units(a, b)),
            },
            op::SUBSTRACT | op::MODULO => match (a, b) {
                (Int, Int) | (Interval, Interval) => Ok(a.clone()),
                (Any, _) | (_, Any) => Ok(Any),
                _ => no("subtracted"),
            },
            op::MULTIPLY => match (a, b) {
                (Int, Int) => Ok(Int),
                (Interval, Int) | (Int, Interval) => Ok(Interval),
                (Any, _) | (_, Any) => Ok(Any),
                _ => no("multiplied"),
            },
            op::DIVIDE => match (a, b) {
                (Int, Int) | (Interval, Interval) => Ok(Int),
                (Interval, Int) => Ok(Interval),
                (Any, _) | (_, Any) => Ok(Any),
                _ => no("divided"),
            },
            op::IN => match (a, b) {
                (_, Any) | (Text, Words) | (Any, List(_) | Words) => Ok(Bool),
                (a, List(item)) if **item == Any || same(a, item) => Ok(Bool),
                (Text, Type::Record(_)) => Ok(Bool),
                _ => no("compared by `in`"),
            },
            op::INDEX => match (a, b) {
                (Words, Text | Any) => Ok(Text),
                (List(item), Int | Any) => Ok((**item).clone()),
                (Any, _) => Ok(Any),
                _ => no("indexed by it"),
            },
            other => Err(self.unknown(id, other)),
        }
    }

    fn method(&self, id: u64, name: &str, target: &Type, arguments: &[Type]) -> Result<Type, Fault> {
        match (name, target, arguments) {
            ("size", Type::Text | Type::List(_) | Type::Words | Type::Any, []) => Ok(Type::Int),
            ("startsWith" | "endsWith" | "contains" | "matches", Type::Text | Type::Any, [Type::Text | Type::Any]) => {
                Ok(Type::Bool)
            }
            ("size" | "startsWith" | "endsWith" | "contains" | "matches", ..) => {
                Err(self.fault(id, format!("`{name}` cannot be asked of {} so", target.words())))
            }
            _ => Err(self.unknown(id, name)),
        }
    }

    fn must(&self, id: u64, found: &Type, wanted: &Type, what: &str) -> Result<(), Fault> {
        if found == wanted || *found == Type::Any {
            return Ok(());
        }
        Err(self.fault(id, format!("{what} must be {}, and is {}", wanted.words(), found.words())))
    }

    fn unknown(&self, id: u64, name: &str) -> Fault {
        const KNOWN: [&str; 13] = [
            "has",
            "size",
            "interval",
            "pg_size_bytes",
            "string",
            "startsWith",
            "endsWith",
            "contains",
            "matches",
            "exists",
            "exists_one",
            "all",
            "filter",
        ];
        let known: Vec<String> = KNOWN.iter().map(|name| (*name).to_owned()).collect();
        self.fault(id, format!("there is no function `{}` here", plain(name))).near(name, &known, "there are")
    }
}

/// Whether two types can hold the same value.
fn same(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::List(a), Type::List(b)) => same(a, b),
        _ => a == b,
    }
}

/// An operator as it is written.
fn plain(name: &str) -> String {
    name.trim_start_matches('@').replace('_', if name.starts_with(['_', '!', '-']) { "" } else { "_" })
}
