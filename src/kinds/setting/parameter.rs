//! A parameter's values as the server reads them: units, spellings and lists brought to the one form
//! that `SHOW` prints (`src/backend/utils/misc/guc.c`, PostgreSQL 14 to 18).

use crate::core::{Live, Value};

/// What sort of value a parameter takes (`pg_settings.vartype`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// `on` or `off`.
    Bool,
    /// A whole number, perhaps with a unit.
    Integer,
    /// A number, perhaps with a unit.
    Real,
    /// One of some words.
    Enum,
    /// Text.
    Text,
}

/// A parameter as `pg_settings` describes it.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameter {
    /// Its name in lower case; the server does not tell cases apart.
    pub name: String,
    /// What it takes.
    pub sort: Sort,
    /// The unit of its numbers, such as `8kB`.
    pub unit: Option<String>,
    /// The least number, in its unit.
    pub least: Option<f64>,
    /// The greatest.
    pub most: Option<f64>,
    /// The words that it takes.
    pub words: Vec<String>,
    /// When it can change (`pg_settings.context`).
    pub context: String,
}

/// The parameters that take a list of names, and quote each on its own (`GUC_LIST_QUOTE`).
const QUOTED_LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// Whether a parameter's value is a list of names.
pub fn is_list(name: &str) -> bool {
    QUOTED_LISTS.contains(&name)
}

/// Units of memory in bytes, largest first.
const MEMORY: [(&str, f64); 5] =
    [("TB", 1_099_511_627_776.0), ("GB", 1_073_741_824.0), ("MB", 1_048_576.0), ("kB", 1024.0), ("B", 1.0)];

/// Units of time in microseconds, largest first.
const TIME: [(&str, f64); 6] = [
    ("d", 86_400_000_000.0),
    ("h", 3_600_000_000.0),
    ("min", 60_000_000.0),
    ("s", 1_000_000.0),
    ("ms", 1000.0),
    ("us", 1.0),
];

impl Parameter {
    /// A parameter from the facts that [`super::observe`] keeps of it.
    pub fn of(live: &Live) -> Self {
        let text = |fact: &str| live.fact(fact).and_then(Value::as_text);
        let number = |fact: &str| text(fact).and_then(|text| text.parse().ok());
        Self {
            name: live.address.name.clone(),
            sort: match text("type") {
                Some("bool") => Sort::Bool,
                Some("integer") => Sort::Integer,
                Some("real") => Sort::Real,
                Some("enum") => Sort::Enum,
                _ => Sort::Text,
            },
            unit: text("unit").map(str::to_owned),
            least: number("least"),
            most: number("most"),
            words: live
                .fact("words")
                .map(Value::as_list)
                .unwrap_or_default()
                .iter()
                .filter_map(Value::as_text)
                .map(str::to_owned)
                .collect(),
            context: text("context").unwrap_or_default().to_owned(),
        }
    }

    /// The one form of a value.
    ///
    /// # Errors
    /// What the parameter takes instead, in words.
    pub fn canonical(&self, value: &Value) -> Result<Value, String> {
        let text = match value {
            Value::List(_) if is_list(&self.name) => return Ok(value.clone()),
            Value::List(items) if self.sort == Sort::Text => {
                items.iter().filter_map(Value::as_text).collect::<Vec<_>>().join(", ")
            }
            Value::List(_) => return Err(self.takes()),
            other => other.to_string(),
        };
        let found = match self.sort {
            Sort::Text if is_list(&self.name) => Some(Value::texts(split_list(&text))),
            Sort::Text => Some(Value::Text(text)),
            Sort::Bool => truth(&text).map(|value| Value::text(if value { "on" } else { "off" })),
            Sort::Enum => self.word(&text).map(Value::Text),
            Sort::Integer => {
                self.number(&text).map(f64::round_ties_even).filter(|n| self.in_range(*n)).map(|n| self.show(n))
            }
            Sort::Real => self.number(&text).filter(|n| self.in_range(*n)).map(|n| self.show(n)),
        };
        found.ok_or_else(|| self.takes())
    }

    /// The canonical form of what the server itself says, which is valid whatever this version makes
    /// of it.
    pub fn canonical_live(&self, text: &str) -> Value {
        self.canonical(&Value::text(text)).unwrap_or_else(|_| Value::text(text))
    }

    fn in_range(&self, number: f64) -> bool {
        self.least.is_none_or(|least| number >= least) && self.most.is_none_or(|most| number <= most)
    }

    /// A word that it takes. The spellings that `pg_settings` does not list are the server's own
    /// (`guc_tables.c`): truth values of what has on and off, and the old names of three words.
    fn word(&self, text: &str) -> Option<String> {
        let known = |word: &str| self.words.iter().find(|known| known.eq_ignore_ascii_case(word)).cloned();
        let other = match (text.to_ascii_lowercase().as_str(), self.name.as_str()) {
            ("debug", _) => Some("debug2"),
            ("archive" | "hot_standby", "wal_level") => Some("replica"),
            ("true" | "yes" | "1", _) => Some("on"),
            ("false" | "no" | "0", _) => Some("off"),
            _ => None,
        };
        known(text).or_else(|| other.and_then(known))
    }

    /// A number in the parameter's own unit, as `parse_int` and `parse_real` read one.
    pub fn number(&self, text: &str) -> Option<f64> {
        let text = text.trim();
        let length = number_length(text);
        let (digits, unit) = text.split_at_checked(length)?;
        let number = read_number(digits, self.sort == Sort::Integer)?;
        let unit = unit.trim();
        if unit.is_empty() {
            return Some(number);
        }
        let (units, base) = self.units()?;
        let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
        Some(number * factor / base)
    }

    /// The table of units that it is measured in, and how much one of its own is.
    fn units(&self) -> Option<(&'static [(&'static str, f64)], f64)> {
        let unit = self.unit.as_deref()?;
        let digits = unit.chars().take_while(char::is_ascii_digit).count();
        let (count, name) = unit.split_at_checked(digits)?;
        let count: f64 = if count.is_empty() { 1.0 } else { count.parse().ok()? };
        let tables: [&[(&str, f64)]; 2] = [&MEMORY, &TIME];
        tables
            .into_iter()
            .find_map(|table| table.iter().find(|(known, _)| *known == name).map(|(_, factor)| (table, factor * count)))
    }

    /// As `SHOW` prints it: in the largest unit that needs no fraction, and without one from zero down.
    fn show(&self, number: f64) -> Value {
        let Some((units, base)) = self.units().filter(|_| number > 0.0) else { return Value::Text(plain(number)) };
        let amount = number * base;
        let whole = units.iter().find(|(_, factor)| amount >= *factor && (amount / factor).fract() == 0.0);
        match whole {
            Some((name, factor)) => Value::Text(format!("{}{name}", plain(amount / factor))),
            // Smaller than the smallest unit, or a fraction of it.
            None => match units.iter().find(|(_, factor)| amount >= *factor).or(units.last()) {
                Some((name, factor)) => Value::Text(format!("{}{name}", plain(amount / factor))),
                None => Value::Text(plain(number)),
            },
        }
    }

    /// What it takes, in words.
    pub fn takes(&self) -> String {
        let range = |what: &str| match (self.least, self.most) {
            (Some(least), Some(most)) => {
                let show = |number: f64| self.show(number).to_string();
                format!("{what} from {} to {}", show(least), show(most))
            }
            _ => what.to_owned(),
        };
        let unit = match self.units() {
            Some((units, _)) => {
                let names: Vec<&str> = units.iter().rev().map(|(name, _)| *name).collect();
                format!(", with one of the units {}", names.join(", "))
            }
            None => String::new(),
        };
        match self.sort {
            Sort::Bool => "on or off".to_owned(),
            Sort::Integer => format!("{}{unit}", range("a whole number")),
            Sort::Real => format!("{}{unit}", range("a number")),
            Sort::Enum => format!("one of {}", self.words.join(", ")),
            Sort::Text => "text".to_owned(),
        }
    }
}

/// A number without an exponent or a useless fraction.
fn plain(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 9e15 { format!("{number:.0}") } else { number.to_string() }
}

/// How many bytes of a text are its number: what `strtol` and `strtod` would read of it.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let sign = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
    let hex = bytes.get(sign) == Some(&b'0') && matches!(bytes.get(sign + 1), Some(b'x' | b'X'));
    if hex {
        return sign + 2 + bytes.iter().skip(sign + 2).take_while(|byte| byte.is_ascii_hexdigit()).count();
    }
    let mut at = sign;
    let mut exponent = false;
    while let Some(byte) = bytes.get(at) {
        let next = bytes.get(at + 1);
        at += match byte {
            b'0'..=b'9' | b'.' => 1,
            b'e' | b'E' if !exponent && matches!(next, Some(b'0'..=b'9' | b'-' | b'+')) => {
                exponent = true;
                2
            }
            _ => break,
        };
    }
    at
}

fn read_number(digits: &str, integer: bool) -> Option<f64> {
    let bare = digits.trim_start_matches(['-', '+']);
    let sign = if digits.starts_with('-') { -1.0 } else { 1.0 };
    if integer {
        if let Some(hex) = bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X")) {
            return i64::from_str_radix(hex, 16).ok().map(|number| sign * number as f64);
        }
        // As in C, a leading zero makes it octal.
        if bare.len() > 1 && bare.starts_with('0') && bare.bytes().all(|byte| byte.is_ascii_digit()) {
            return i64::from_str_radix(bare, 8).ok().map(|number| sign * number as f64);
        }
    }
    digits.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// As the server's `parse_bool` reads it: a whole word, or a beginning of it that is no other's.
fn truth(text: &str) -> Option<bool> {
    let text = text.trim().to_ascii_lowercase();
    let begins = |word: &str| !text.is_empty() && word.starts_with(&text);
    match text.as_str() {
        "1" => Some(true),
        "0" => Some(false),
        "o" => None,
        "on" => Some(true),
        _ if begins("true") || begins("yes") => Some(true),
        _ if begins("false") || begins("no") || begins("off") => Some(false),
        _ => None,
    }
}

/// The elements of a list as the server stores one: separated by commas, each perhaps quoted.
pub fn split_list(text: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let mut item = String::new();
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut chars = quoted.char_indices().peekable();
            let mut end = quoted.len();
            while let Some((at, c)) = chars.next() {
                match c {
                    '"' if chars.next_if(|(_, next)| *next == '"').is_some() => item.push('"'),
                    '"' => {
                        end = at + 1;
                        break;
                    }
                    c => item.push(c),
                }
            }
            rest = quoted.get(end..).unwrap_or("");
            rest = rest.split_once(',').map_or("", |(_, after)| after);
        } else {
            let (first, after) = rest.split_once(',').unwrap_or((rest, ""));
            first.trim().clone_into(&mut item);
            rest = after;
        }
        items.push(item);
        rest = rest.trim_start();
    }
    items
}
