//! Finds the tests of the crate and the clauses that they state: by indentation, which rustfmt guarantees, and without
//! a parser of Rust.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;

/// A section of an RFC, or a step of the algorithm in it; an empty section is the RFC as a whole. Of RFC 0: a pitfall.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clause {
    pub rfc: u32,
    pub section: String,
}

impl Clause {
    /// Numbers by value, appendices behind them.
    fn order(&self) -> (u32, Vec<(u32, &str)>) {
        let part = |part| str::parse(part).map_or((u32::MAX, part), |number| (number, ""));
        (self.rfc, self.section.split(['.', ' ']).filter(|part| !part.is_empty()).map(part).collect())
    }
}

impl Ord for Clause {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Clause {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.section.as_str() {
            number if self.rfc == 0 => write!(f, "pitfall {number}"),
            "" => write!(f, "RFC {}", self.rfc),
            section => write!(f, "RFC {} §{section}", self.rfc),
        }
    }
}

/// A test: its file and name, and what it states.
pub struct Test {
    pub name: String,
    pub clauses: BTreeSet<Clause>,
}

/// Every test of the crate. This test's own examples of tags state nothing.
pub fn tests(root: &Path) -> Vec<Test> {
    let mut found = Vec::new();
    for dir in ["src", "tests"] {
        walk(root, &root.join(dir), &mut found);
    }
    found
}

fn walk(root: &Path, dir: &Path, found: &mut Vec<Test>) {
    let mut paths: Vec<_> =
        fs::read_dir(dir).expect("a directory").flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.strip_prefix(root).expect("within").to_string_lossy().into_owned();
        if name.starts_with("tests/clauses") {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, found);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).expect("a source file");
            found.extend(in_file(&name, &text));
        }
    }
}

/// The tests of one file.
fn in_file(file: &str, text: &str) -> Vec<Test> {
    let is_of_tests = file.starts_with("tests/") || file.ends_with("tests.rs") || file.contains("/tests/");
    let lines: Vec<&str> = text.lines().collect();
    let items = items(&lines);
    let mut found = Vec::new();
    for item in &items {
        let within = item.within();
        let inner = self::items(&within);
        // Of a file that is shipped, only the module of its tests speaks for tests.
        let (tests, helpers) = match item.code() {
            code if code.starts_with("mod ") => (&inner[..], &inner[..]),
            code if code.starts_with("proptest! {") => (&inner[..], &items[..]),
            _ => (std::slice::from_ref(item), if is_of_tests { &items[..] } else { &[] }),
        };
        found.extend(tests.iter().filter(|one| one.is_test()).map(|one| test(file, one, helpers)));
    }
    found
}

/// What a test says, and what those helpers of its file say that it names, and those that they name.
fn test(file: &str, item: &Item<'_>, items: &[Item<'_>]) -> Test {
    let (mut said, mut seen) = (item.text(), BTreeSet::new());
    loop {
        let words: BTreeSet<&str> = said.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let named = items.iter().filter(|other| other.is_helper() && words.contains(other.name()));
        let more: Vec<String> = named.filter(|other| seen.insert(other.name())).map(Item::text).collect();
        if more.is_empty() {
            break;
        }
        said = said + "\n" + &more.join("\n");
    }
    let clauses = in_text(&said).into_iter().chain(in_name(item.name())).collect();
    Test { name: format!("{file}: {}", item.name()), clauses }
}

/// An item at one level of indentation, with the comments and attributes before it.
struct Item<'t> {
    lines: Vec<&'t str>,
    /// How many of the lines come before the item itself.
    prelude: usize,
}

impl<'t> Item<'t> {
    fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// From its first word, visibility aside.
    fn code(&self) -> &'t str {
        head(self.lines[self.prelude]).unwrap_or_default()
    }

    fn name(&self) -> &'t str {
        const WORDS: [&str; 14] = [
            "", "async", "const", "unsafe", "static", "mut", "fn", "struct", "enum", "trait", "type", "mod",
            "use", "impl",
        ];
        let mut words = self.code().split(|c: char| !c.is_alphanumeric() && c != '_');
        words.find(|word| !WORDS.contains(word)).unwrap_or_default()
    }

    fn is_test(&self) -> bool {
        let attributes = &self.lines[..self.prelude];
        attributes.iter().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
    }

    fn is_helper(&self) -> bool {
        let code = self.code();
        !self.is_test() && ["fn ", "async fn ", "const ", "static "].iter().any(|head| code.starts_with(head))
    }

    /// The lines between its braces, one level out.
    fn within(&self) -> Vec<&'t str> {
        self.lines[self.prelude + 1..].iter().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect()
    }
}

/// The line from its first word, visibility aside, if an item begins there.
fn head(line: &str) -> Option<&str> {
    const HEADS: [&str; 14] = [
        "fn ",
        "async fn ",
        "unsafe fn ",
        "const ",
        "static ",
        "struct ",
        "enum ",
        "trait ",
        "impl",
        "mod ",
        "use ",
        "type ",
        "macro_rules!",
        "proptest! {",
    ];
    let restricted = line.strip_prefix("pub(").and_then(|rest| rest.split_once(") "));
    let code = restricted.map(|(_, code)| code).or(line.strip_prefix("pub ")).unwrap_or(line);
    HEADS.iter().any(|head| code.starts_with(head)).then_some(code)
}

/// The items among lines, each from an unindented line to the next.
fn items<'t>(lines: &[&'t str]) -> Vec<Item<'t>> {
    let mut items: Vec<Item<'t>> = Vec::new();
    let mut before = Vec::new();
    for line in lines {
        if head(line).is_some() {
            let (prelude, mut lines) = (before.len(), std::mem::take(&mut before));
            lines.push(*line);
            items.push(Item { lines, prelude });
        } else if line.starts_with("#[") || line.starts_with("//") && !line.starts_with("//!") {
            before.push(*line);
        } else if let Some(item) = items.last_mut() {
            item.lines.append(&mut before);
            item.lines.push(line);
        }
    }
    items
}

/// The clauses that a text names: `RFC n`, then any number of `§n.n`, after commas and `and`; an RFC alone counts too. And
/// pitfalls.
pub fn in_text(text: &str) -> Vec<Clause> {
    let mut found = pitfalls(text);
    for rest in text.split("RFC ").skip(1) {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let Ok(rfc) = rest[..digits].parse() else { continue };
        let mut rest = &rest[digits..];
        let before = found.len();
        while let Some((section, after)) = section(rest) {
            found.push(Clause { rfc, section: section.into() });
            rest = after;
        }
        if found.len() == before {
            found.push(Clause { rfc, section: String::new() });
        }
    }
    found
}

/// The pitfalls that a text or a name names: `pitfall 7`, `pitfalls 13 and 14`, `pitfall_15_and_16_…`.
fn pitfalls(text: &str) -> Vec<Clause> {
    let mut found = Vec::new();
    for rest in text.split("itfall").skip(1) {
        let mut rest = rest.trim_start_matches('s');
        loop {
            let between = [' ', '_', ',', '\n', '/'];
            let number = rest.trim_start_matches(between);
            let number = number.strip_prefix("and").unwrap_or(number).trim_start_matches(between);
            let digits = number.len() - number.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            if digits == 0 {
                break;
            }
            found.push(Clause { rfc: 0, section: number[..digits].into() });
            rest = &number[digits..];
        }
    }
    found
}

/// A section at the beginning of a text, and what comes after it. A line may end between.
fn section(text: &str) -> Option<(&str, &str)> {
    let mut text = text.trim_start_matches([',', ' ', '\n', '/']);
    if let Some(rest) = text.strip_prefix("and") {
        text = rest.trim_start_matches([' ', '\n', '/']);
    }
    let text = text.strip_prefix('§')?;
    let mut end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(text.len());
    // A step, as `§4.3.2 3b`.
    if let [b' ', b'1'..=b'9', b'a'..=b'd', rest @ ..] = &text.as_bytes()[end..]
        && !rest.first().is_some_and(u8::is_ascii_alphanumeric)
    {
        end += 3;
    }
    let section = text[..end].trim_end_matches('.');
    (!section.is_empty()).then_some((section, &text[section.len()..]))
}

/// The clauses that a name names: `rfc1034_4_3_2_…`, `rfc2136_3_2_1_and_3_2_2_…`; and pitfalls.
fn in_name(name: &str) -> Vec<Clause> {
    let mut found = pitfalls(name);
    let mut words = name.split('_').peekable();
    while let Some(word) = words.next() {
        let Some(rfc) = word.strip_prefix("rfc").and_then(|digits| digits.parse().ok()) else { continue };
        loop {
            let mut section = Vec::new();
            while let Some(number) = words.next_if(|word| word.parse::<u32>().is_ok()) {
                section.push(number);
            }
            found.push(Clause { rfc, section: section.join(".") });
            let mut ahead = words.clone();
            let goes_on =
                ahead.next() == Some("and") && ahead.next().is_some_and(|word| word.parse::<u32>().is_ok());
            if !goes_on {
                break;
            }
            words.next();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(clauses: &[Clause]) -> Vec<String> {
        clauses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn tags_are_read_as_people_write_them() {
        let text = "/// RFC 2136 §3.2.1, §3.2.2 and RFC 2181 §8: so. RFC 1034 §4.3.2 3b after 3a, and RFC 4034 §6.2 and\n\
                    /// §B. RFC 2782\nRFC 8906 §3.1.4 1232 octets; (RFC 1035 §5), not RFC x, §9";
        assert_eq!(
            shown(&in_text(text)),
            [
                "RFC 2136 §3.2.1",
                "RFC 2136 §3.2.2",
                "RFC 2181 §8",
                "RFC 1034 §4.3.2 3b",
                "RFC 4034 §6.2",
                "RFC 4034 §B",
                "RFC 2782",
                "RFC 8906 §3.1.4",
                "RFC 1035 §5",
            ]
        );
    }

    #[test]
    fn names_are_tags_too() {
        let name = "rfc2136_2_4_and_2_5_any_and_none_like_rfc8945_5_1_and_so_on_rfc6605";
        assert_eq!(shown(&in_name(name)), ["RFC 2136 §2.4", "RFC 2136 §2.5", "RFC 8945 §5.1", "RFC 6605"]);
        assert_eq!(shown(&in_name("rfcs_and_1_2")), [""; 0]);
        assert_eq!(
            shown(&in_name("pitfall_15_and_16_a_b_pitfall_2")),
            ["pitfall 15", "pitfall 16", "pitfall 2"]
        );
        assert_eq!(
            shown(&in_text("Pitfall 1: x. (pitfalls 13, 14 and\n/// 15), pitfall x 9")),
            ["pitfall 1", "pitfall 13", "pitfall 14", "pitfall 15"]
        );
    }

    #[test]
    fn sections_are_in_the_order_of_their_numbers() {
        let mut clauses =
            in_text("RFC 1034 §B.2 RFC 1034 §4.10 RFC 1034 §4.2 RFC 1034 §4.2 3a RFC 103 §9 RFC 1034 §A");
        clauses.sort();
        let sorted = [
            "RFC 103 §9",
            "RFC 1034 §4.2",
            "RFC 1034 §4.2 3a",
            "RFC 1034 §4.10",
            "RFC 1034 §A",
            "RFC 1034 §B.2",
        ];
        assert_eq!(shown(&clauses), sorted);
    }

    #[test]
    fn tests_say_what_they_and_those_they_name_say() {
        let text = "//! RFC 1 §1\n\
                    /// RFC 1 §2\nconst TABLE: &[&str] = &[\n    \"RFC 1 §3\",\n];\n\n\
                    fn through() {\n    TABLE;\n}\n\
                    fn unnamed() {\n    // RFC 1 §4\n}\n\n\
                    /// RFC 1 §5\n#[test]\nfn one() {\n    through(); // RFC 1 §6\n}\n\n\
                    proptest! {\n    #[test]\n    fn two(\n        a in TABLE,\n    ) {\n        a;\n    }\n\n    \
                    // RFC 1 §7\n    #[test]\n    fn three() {}\n}\n\n#[tokio::test]\nasync fn four() {}\n";
        let said = |file| -> Vec<String> {
            let found = in_file(file, text);
            let one = |test: &Test| {
                format!("{} {}", test.name, shown(&Vec::from_iter(test.clauses.clone())).join(" "))
            };
            found.iter().map(|test| one(test).replace("RFC 1 §", "")).collect()
        };
        assert_eq!(
            said("src/x/tests.rs"),
            [
                "src/x/tests.rs: one 2 3 5 6",
                "src/x/tests.rs: two 2 3",
                "src/x/tests.rs: three 7",
                "src/x/tests.rs: four "
            ]
        );
        let shipped = format!(
            "{text}\n#[cfg(test)]\nmod tests {{\n    /// RFC 1 §8\n    #[test]\n    fn five() {{ through() }}\n}}\n"
        );
        let last = in_file("src/x.rs", &shipped).pop().expect("a test");
        assert_eq!(
            (last.name.as_str(), shown(&Vec::from_iter(last.clauses))),
            ("src/x.rs: five", vec!["RFC 1 §8".into()])
        );
    }
}
