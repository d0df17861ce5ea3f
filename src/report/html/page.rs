//! The page around every HTML view, and the parts that they share.

use crate::plan::Message;
use crate::report::compare::{DiffLine, Tag};
use crate::report::escape;
use crate::report::phrase::{self, Level, Piece, Sentence};
use crate::report::table::{Cell, Mood, Table};

/// A page as it grows. What is pushed raw is this room's own; all else goes through [`escape::html`].
pub(in crate::report) struct Page {
    title: String,
    body: String,
}

impl Page {
    pub(super) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), body: String::new() }
    }

    /// The whole file.
    pub(super) fn finish(self) -> String {
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
            escape::html(&self.title),
            include_str!("page.css"),
            self.body
        )
    }

    /// Markup of this room's own.
    pub(super) fn raw(&mut self, markup: &str) {
        self.body.push_str(markup);
    }

    /// The heading of the page, with what it is about.
    pub(super) fn header(&mut self, kind: &str, about: &Sentence, verdict: &str, mood: Mood) {
        self.raw(&format!(
            "<header>\n<p class=\"about\">{} {}</p>\n<h1 class=\"{}\">{}</h1>\n</header>\n",
            escape::html(kind),
            sentence(about),
            class_of(mood),
            escape::html(verdict)
        ));
    }

    /// Sentences as paragraphs.
    pub(super) fn remarks(&mut self, remarks: &[Sentence]) {
        for remark in remarks {
            self.raw(&format!("<p class=\"remark\">{}</p>\n", sentence(remark)));
        }
    }

    /// Diagnostics as a list, worst first.
    pub(super) fn diagnostics(&mut self, messages: &[Message]) {
        if messages.is_empty() {
            return;
        }
        self.raw("<section>\n<h2>Diagnostics</h2>\n<ul class=\"said\">\n");
        for severity in ["error", "warning", "note"] {
            for message in messages.iter().filter(|message| message.severity == severity) {
                let item = diagnostic(message);
                self.raw(&item);
            }
        }
        self.raw("</ul>\n</section>\n");
    }

    /// A plain table.
    pub(super) fn table(&mut self, table: &Table) {
        self.raw(&format!("<div class=\"wide\"><table>\n<caption>{}</caption>\n", escape::html(&table.caption)));
        self.raw("<thead><tr>");
        for (title, right) in &table.columns {
            let class = if *right { " class=\"number\"" } else { "" };
            self.raw(&format!("<th scope=\"col\"{class}>{}</th>", escape::html(title)));
        }
        self.raw("</tr></thead>\n<tbody>\n");
        for row in &table.rows {
            self.raw("<tr>");
            for (cell, (_, right)) in row.iter().zip(&table.columns) {
                let class = if *right { "number" } else { class_of(cell.mood) };
                self.raw(&format!("<td class=\"{class}\">{}</td>", inline(cell)));
            }
            self.raw("</tr>\n");
        }
        self.raw("</tbody>\n</table></div>\n");
    }
}

fn diagnostic(message: &Message) -> String {
    let mut item = format!(
        "<li class=\"{}\"><strong>{}</strong> <code>{}</code>: {}",
        class_of(severity_mood(&message.severity)),
        escape::html(&message.severity),
        escape::html(&message.code),
        sentence(&Sentence::prose(&message.message))
    );
    if let Some(source) = &message.source {
        item.push_str(&format!(
            " <span class=\"dim\">at <code>{}</code></span>",
            escape::html(&phrase::source(source))
        ));
    }
    for (word, text) in [("Why", &message.why), ("Help", &message.help)] {
        if let Some(text) = text {
            item.push_str(&format!("<br><span class=\"dim\">{word}:</span> {}", sentence(&Sentence::prose(text))));
        }
    }
    item + "</li>\n"
}

fn severity_mood(severity: &str) -> Mood {
    match severity {
        "note" => Mood::Plain,
        "warning" => Mood::Warn,
        _ => Mood::Bad,
    }
}

/// The class of a mood.
pub(super) const fn class_of(mood: Mood) -> &'static str {
    match mood {
        Mood::Plain => "plain",
        Mood::Good => "good",
        Mood::Warn => "warn",
        Mood::Bad => "bad",
    }
}

/// A cell's content.
pub(super) fn inline(cell: &Cell) -> String {
    if cell.code { code(&cell.text) } else { escape::html(&cell.text) }
}

/// A name or value. Isolated, so that a name in a right-to-left script does not turn its neighbours.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", escape::html(text))
}

/// A sentence with its names set apart.
pub(super) fn sentence(sentence: &Sentence) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => escape::html(text),
        Piece::Code(text) => code(text),
    };
    sentence.0.iter().map(piece).collect()
}

/// A hazard's word.
pub(super) fn alarm(level: Level) -> String {
    let class = if level == Level::Danger { "danger" } else { "caution" };
    format!("<strong class=\"{class}\">{}</strong>", level.word())
}

/// Statements, one after another.
pub(super) fn block(text: &str) -> String {
    format!(
        "<pre><code>{}</code></pre>",
        escape::lines(text).iter().map(|line| escape::html(line) + "\n").collect::<String>()
    )
}

/// A diff. The signs stay, so that it does not need its colours.
pub(super) fn diff(lines: &[DiffLine]) -> String {
    let mut out = String::from("<pre class=\"diff\"><code>");
    for line in lines {
        let text = escape::html(&format!("{}{}", line.tag.sign(), line.text));
        match line.tag {
            Tag::Minus => out.push_str(&format!("<del>{text}</del>\n")),
            Tag::Plus => out.push_str(&format!("<ins>{text}</ins>\n")),
            Tag::Hunk => out.push_str(&format!("<span class=\"dim\">{text}</span>\n")),
            Tag::Same => out.push_str(&format!("{text}\n")),
        }
    }
    out + "</code></pre>"
}
