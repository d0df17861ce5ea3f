//! What counts as one closed expression here must be one for the server too: told apart by asking
//! it, over thousands of texts put together from what its scanner gives a meaning to.

use chronoform::core::SqlText;
use postgres::error::SqlState;

use crate::servers::Db;

const TEXTS: usize = 20_000;

const PIECES: [&str; 44] = [
    "'",
    "'",
    "'",
    "\\",
    "\\",
    "''",
    "E'",
    "e'",
    "U&'",
    "u&\"",
    "N'",
    "x'",
    "b'",
    "\"",
    "\"\"",
    "$",
    "$$",
    "$a$",
    "$a$",
    "$1",
    "1",
    ".5",
    "1e",
    "0x1F",
    "a",
    "e",
    "a$b",
    "é",
    "(",
    ")",
    "(",
    ")",
    "[",
    "]",
    "--",
    "/*",
    "*/",
    ";",
    "\n",
    " ",
    "\r\n",
    ",",
    "||",
    ")); SELECT ((",
];

/// Numbers that are the same in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 33).unwrap() % sides
    }
}

pub fn run(db: &Db) {
    let mut dice = Dice(1);
    let mut client = db.connect();
    let (mut accepted, mut parsed) = (0, 0);
    for _ in 0..TEXTS {
        let text: String = (0..=dice.throw(12)).map(|_| PIECES[dice.throw(PIECES.len())]).collect();
        let Ok(sql) = SqlText::new(&text) else { continue };
        accepted += 1;
        // Two columns as long as the text stays within its parentheses, and one statement.
        match client.prepare(&format!("SELECT ({sql}), 1")) {
            Ok(statement) => {
                parsed += 1;
                assert_eq!(statement.columns().len(), 2, "it gets out of its parentheses: {text:?}");
            }
            Err(error) => {
                let said = error.as_db_error().unwrap();
                let several = said.message().contains("multiple commands");
                assert!(!several, "it is several statements: {text:?}");
                let known = [SqlState::SYNTAX_ERROR, SqlState::UNDEFINED_COLUMN].contains(said.code());
                assert!(
                    known || said.code().code().starts_with("22") || said.code().code().starts_with("42"),
                    "{said}"
                );
            }
        }
    }
    assert!(accepted > 1000 && parsed > 200, "{accepted} accepted, of which the server parsed {parsed}");
}
