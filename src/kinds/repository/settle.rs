//! What is wanted, once somebody has looked on the server's machine.

use crate::core::{Desired, Value};
use crate::diag::Diagnostic;
use crate::kinds::View;
use crate::kinds::backup;
use crate::kinds::repository::{
    CODE, CONFIG, ELSEWHERE, HELP, NOT_AT_HAND, NOT_HERE, PROBLEM, READY, STANZA, UNKNOWN, UNUSABLE, WANTED,
};

/// What is to be compared. `None` where nobody has looked, or nobody can from here.
pub fn settle(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
    let live = view.live.get(&desired.address)?;
    let fact = |name: &str| live.fact(name).and_then(Value::as_text);
    if let Some(why) = fact(ELSEWHERE) {
        let message = format!("what pgBackRest needs for {} cannot be looked at: {why}", desired.address);
        sink.push(
            Diagnostic::warning(&NOT_HERE, message)
                .at(&desired.place)
                .why("its configuration is on the server's machine, and readable only there")
                .help("run this on that machine, as root or as the server's own user"),
        );
        return None;
    }
    let wanted = live.fact(WANTED)?.clone();
    let unknown: Vec<&str> =
        live.fact(UNKNOWN).map(Value::as_list).unwrap_or_default().iter().filter_map(Value::as_text).collect();
    let differs = live.get(CONFIG) != Some(&wanted) || live.get(STANZA).and_then(Value::as_text) != Some(READY);
    if !unknown.is_empty() {
        let message = format!("{} is not at hand", unknown.join(" and "));
        let help = "set the variable, or make the file readable, for whoever runs Chronoform";
        let said = match differs {
            true => Diagnostic::error(&NOT_AT_HAND, message).why("the configuration cannot be written without it"),
            false => Diagnostic::warning(&NOT_AT_HAND, message)
                .why("whether the configuration has it as it is cannot be told"),
        };
        sink.push(said.at(&desired.place).help(help));
        if differs {
            return None;
        }
    }
    if let Some(why) = fact(PROBLEM) {
        let own = fact(CODE).and_then(|name| backup::CODES.into_iter().find(|code| code.name == name));
        let error = Diagnostic::error(own.unwrap_or(&UNUSABLE), why).at(&desired.place);
        sink.push(match fact(HELP) {
            Some(help) => error.help(help),
            None => error,
        });
        return None;
    }
    let mut desired = desired.clone();
    desired.set(CONFIG, wanted);
    desired.set(STANZA, Value::text(READY));
    Some(desired)
}
