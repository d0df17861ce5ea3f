//! The present of whole-number times, asked of the functions that tell it. Nobody but their author knows what those
//! need, and one that fails would end the query that counts for every table. All of them are called in one round
//! trip; only where one fails is each called on its own, to learn which. What they set is undone. One that is another
//! role's code is not called: a plan would run it with its own rights.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::QualifiedName;
use crate::diag::Failure;
use crate::kinds::{Relations, Untold};
use crate::pg::{PgError, PgErrorKind, Session};

type Told = BTreeMap<QualifiedName, Result<i64, Untold>>;

/// What is called may set whatever the rest of the snapshot depends on.
const UNDO: &str = "ROLLBACK TO SAVEPOINT canon";

pub(super) fn ask(session: &mut Session, relations: &mut Relations) -> Result<(), Failure> {
    let times = relations.values().filter_map(|relation| relation.hypertable.as_ref()?.time());
    let ours = times.filter(|time| time.present.is_none());
    let functions: BTreeSet<QualifiedName> = ours.filter_map(|time| time.integer_now.clone()).collect();
    if functions.is_empty() {
        return Ok(());
    }
    let calls: Vec<String> = functions.iter().map(call).chain([UNDO.to_owned()]).collect();
    let told: Told = match session.batch_texts(&calls.join("; ")) {
        // The undoing, the last, gives no rows, and has no function beside it.
        Ok(answers) => functions.into_iter().zip(answers.iter().map(|rows| number(rows))).collect(),
        Err(error) if error.kind == PgErrorKind::Server => one_by_one(session, functions)?,
        Err(error) => return Err(lost(&error)),
    };
    let times = relations.values_mut().filter_map(|relation| relation.hypertable.as_mut()?.dimensions.first_mut());
    for time in times.filter(|time| time.present.is_none()) {
        time.present = time.integer_now.as_ref().and_then(|function| told.get(function)).cloned();
    }
    Ok(())
}

fn call(function: &QualifiedName) -> String {
    format!("SELECT {function}()::text")
}

fn number(rows: &[String]) -> Result<i64, Untold> {
    let text = rows.first().map(String::as_str).unwrap_or_default();
    text.parse().map_err(|_| Untold::Fails("it gives no number".to_owned()))
}

fn one_by_one(session: &mut Session, functions: BTreeSet<QualifiedName>) -> Result<Told, Failure> {
    session.batch(UNDO).map_err(|error| lost(&error))?;
    let mut told = Told::new();
    for function in functions {
        let present = match session.batch_texts(&format!("{}; {UNDO}", call(&function))) {
            Ok(answers) => number(answers.first().map_or(&[], Vec::as_slice)),
            Err(error) if error.kind == PgErrorKind::Server => {
                session.batch(UNDO).map_err(|error| lost(&error))?;
                Err(Untold::Fails(error.to_string()))
            }
            Err(error) => return Err(lost(&error)),
        };
        told.insert(function, present);
    }
    Ok(told)
}

fn lost(error: &PgError) -> Failure {
    error.diagnostic("asking for the present of whole-number times").into()
}
