//! A page as blocks, each with the mark that says what it is.

use std::path::Path;

/// A page.
pub struct Page {
    /// The tier that it runs on; none where nothing of it runs.
    pub tier: Option<String>,
    /// How many databases it needs.
    pub databases: usize,
    /// Its blocks, in order.
    pub blocks: Vec<Block>,
}

/// A fenced block.
pub struct Block {
    /// What it is.
    pub mark: Mark,
    /// The line that it begins at, from 1.
    pub line: usize,
    /// Its text, without the fences.
    pub text: String,
}

/// `<!-- word: value, exits 2 -->`
#[derive(Clone, Default)]
pub struct Mark {
    /// What it is.
    pub word: String,
    /// Of what.
    pub value: String,
    /// The exit code.
    pub exits: i32,
}

impl Mark {
    fn read(comment: &str) -> Self {
        let mut parts = comment.split(',').map(str::trim);
        let first = parts.next().unwrap_or_default();
        let (word, value) = first.split_once(':').unwrap_or((first, ""));
        let exits = parts.find_map(|part| part.strip_prefix("exits ")).map_or(0, |code| code.parse().unwrap());
        Self { word: word.trim().to_owned(), value: value.trim().to_owned(), exits }
    }
}

impl Page {
    /// Reads a page. A block that could be run and has no mark is an error: nothing on a page is
    /// untested by oversight.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let mut page = Self { tier: None, databases: 1, blocks: Vec::new() };
        let mut mark: Option<Mark> = None;
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            if let Some(comment) = line.strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->")) {
                match comment.trim().strip_prefix("tier:") {
                    Some(rest) => page.settings(rest),
                    None => mark = Some(Mark::read(comment.trim())),
                }
            } else if let Some(language) = line.strip_prefix("```") {
                let body: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
                let text = body.iter().map(|line| format!("{line}\n")).collect();
                let runs = matches!(language, "sh" | "yaml" | "sql");
                let at = format!("{}:{}", path.display(), index + 1);
                assert!(mark.is_some() || !runs, "{at}: say in a comment what this block is");
                if let Some(mark) = mark.take() {
                    page.blocks.push(Block { mark, line: index + 1, text });
                }
            } else if !line.trim().is_empty() {
                mark = None;
            }
        }
        page
    }

    fn settings(&mut self, text: &str) {
        for (index, part) in text.split(',').map(str::trim).enumerate() {
            match part.strip_prefix("databases:") {
                Some(number) => self.databases = number.trim().parse().unwrap(),
                None if index == 0 => self.tier = Some(part.to_owned()),
                None => panic!("`{part}` is no setting of a page"),
            }
        }
    }
}

/// Whether a text is as a page shows it: `…` is any text within a line, and alone any lines.
pub fn matches(shown: &str, text: &str) -> bool {
    fn lines(shown: &[&str], text: &[&str]) -> bool {
        match shown {
            [] => text.is_empty(),
            ["…", rest @ ..] => (0..=text.len()).any(|at| lines(rest, &text[at..])),
            [first, rest @ ..] => text.first().is_some_and(|line| fits(first, line)) && lines(rest, &text[1..]),
        }
    }
    let split = |text: &'_ str| -> Vec<String> { text.trim_end().lines().map(squeezed).collect() };
    let (shown, text) = (split(shown), split(text));
    let (shown, text): (Vec<&str>, Vec<&str>) =
        (shown.iter().map(String::as_str).collect(), text.iter().map(String::as_str).collect());
    lines(&shown, &text)
}

/// Runs of blanks count as one: a column is as wide as its widest name, which differs from run to run.
fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn fits(shown: &str, line: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}
