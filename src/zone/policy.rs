//! Who may change what: BIND's `update-policy` vocabulary.
//!
//! A policy is a list of statements: rules, and guards ([`super::guard`]). Of the rules the first that matches the key, the name
//! and the type decides, and where none matches the answer is no. A rule is one line:
//!
//! ```text
//! grant|deny KEY RULETYPE [NAME] [TYPE[(MOST)] …]
//! ```
//!
//! KEY is the name of the client's TSIG or SIG(0) key; `*` is any key, `*.example.` any key below `example.`
//! RULETYPE and NAME, for a record at the name *u* to be changed:
//!
//! | rule type | matches when | NAME |
//! |---|---|---|
//! | `name` | u is NAME | required |
//! | `subdomain` | u is NAME or below it | required |
//! | `wildcard` | u is an expansion of NAME, `*.something`: strictly below `something` | required |
//! | `zonesub` | always: u is in the zone | absent |
//! | `self` | u is the key's name | `.`, `*` or the key; may be absent |
//! | `selfsub` | u is the key's name or below it | as `self` |
//! | `selfwild` | u is strictly below the key's name | as `self` |
//!
//! TYPEs are record types, or `ANY` for all. Without any, a rule matches every type but NS, SOA, RRSIG, NSEC and NSEC3, as in
//! BIND; and, other than in BIND, not CDS and CDNSKEY, with which whoever may write them takes the zone over at its
//! parent: they must be named (or `ANY`). What belongs to the cluster ([`super::update`]) no rule can grant.
//!
//! MOST is how many records of that type there may be at the name after an update, as in `PTR(1)`; of `ANY(2)`, for the types that
//! are not named beside it. As in BIND, a record that would be one too many is silently not added.
//!
//! Not here: `6to4-self`, `tcp-self` and `local`, for what a client's address is only its gateway knows, and a replica need not
//! believe another; `krb5-…` and `ms-…`, for there is no GSS-TSIG; `external`, for what another process says no order agrees on.
//!
//! Deleting all records of a name asks for every type that is there and would go.

use super::guard::Guard;
use crate::dns::{Name, RrType};
use std::fmt;

/// What a rule without types does not match.
const MUST_BE_NAMED: [RrType; 7] =
    [RrType::NS, RrType::SOA, RrType::RRSIG, RrType::NSEC, RrType::NSEC3, RrType::CDS, RrType::CDNSKEY];

/// An ordered list of statements; the empty one allows nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UpdatePolicy {
    rules: Vec<Rule>,
    pub(super) guards: Vec<Guard>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Rule {
    statement: Statement,
    grant: bool,
    scope: Scope,
}

/// A statement as it was written, words parted by one space, and its number from 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Statement {
    pub(super) number: usize,
    pub(super) text: String,
}

/// Which keys, names and types a statement is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Scope {
    pub(super) keys: Keys,
    names: Names,
    pub(super) types: Types,
}

/// A key's name, or a wildcard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Keys(Name);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Names {
    Name(Name),
    Subdomain(Name),
    /// Strictly below this name.
    Wildcard(Name),
    Zonesub,
    OwnName,
    OwnSubtree,
    BelowOwnName,
}

/// Record types, each with how many records there may be; without any, those that need not be named.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Types {
    listed: Vec<(RrType, Option<u32>)>,
    any: Option<Option<u32>>,
}

/// What the rules say of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Decision<'a> {
    pub(super) grant: bool,
    /// How many records of the type there may be then.
    pub(super) most: Option<u32>,
    /// The rule that decides it.
    pub(super) by: Option<&'a Statement>,
}

/// Why a statement was not understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyError(String);

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicyError {}

impl UpdatePolicy {
    /// Parses statements, one a string; names are absolute, a final `;` is allowed.
    pub fn parse<S: AsRef<str>>(statements: &[S]) -> Result<Self, PolicyError> {
        let mut policy = Self::default();
        for (number, line) in (1..).zip(statements) {
            let line = line.as_ref();
            policy
                .statement(number, line)
                .map_err(|why| PolicyError(format!("update policy `{line}`: {why}")))?;
        }
        Ok(policy)
    }

    fn statement(&mut self, number: usize, line: &str) -> Result<(), String> {
        let line = line.trim_end_matches(|c: char| c == ';' || c.is_whitespace());
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.iter().any(|word| has_bare_semicolon(word)) {
            return Err("a `;` ends a statement, and is `\\;` in a name".into());
        }
        let statement = Statement { number, text: words.join(" ") };
        match words.split_first() {
            Some((&"guard", rest)) => self.guards.push(Guard::parse(statement, rest)?),
            Some((verb @ (&"grant" | &"deny"), rest)) => {
                let scope = Scope::parse(rest)?;
                self.rules.push(Rule { statement, grant: *verb == "grant", scope });
            }
            _ => return Err("a statement begins with `grant`, `deny` or `guard`".into()),
        }
        Ok(())
    }

    /// The statements, words parted by one space.
    pub(super) fn statements(&self) -> Vec<String> {
        let rules = self.rules.iter().map(|rule| &rule.statement);
        let mut all: Vec<&Statement> = rules.chain(self.guards.iter().map(Guard::statement)).collect();
        all.sort_by_key(|statement| statement.number);
        all.into_iter().map(|statement| statement.text.clone()).collect()
    }

    /// What the rules say of `key`'s changing records of this type at `name`, a name in the zone.
    pub(super) fn decide(&self, key: &Name, name: &Name, rtype: RrType) -> Decision<'_> {
        for Rule { statement, grant, scope } in &self.rules {
            if let Some(most) = scope.matches(key, name, rtype) {
                return Decision { grant: *grant, most, by: Some(statement) };
            }
        }
        Decision { grant: false, most: None, by: None }
    }

    /// Whether `key` may change records of this type at `name`, a name in the zone.
    pub fn allows(&self, key: &Name, name: &Name, rtype: RrType) -> bool {
        self.decide(key, name, rtype).grant || planted!(PolicyIgnored)
    }

    /// Whether `key` may change records of any type at all at `name`: some type's first matching rule is a grant.
    pub fn allows_some(&self, key: &Name, name: &Name) -> bool {
        // Types that no rule names are decided alike: one such stands for all.
        let named = self.rules.iter().flat_map(|rule| rule.scope.types.named());
        named.chain([RrType(0)]).any(|rtype| self.allows(key, name, rtype))
    }

    /// Whether a rule is about this key at all.
    pub fn knows(&self, key: &Name) -> bool {
        self.rules.iter().any(|rule| rule.scope.keys.contain(key)) || planted!(PolicyIgnored)
    }

    /// The key names that the statements mention, wildcards left out; for checking that they exist.
    pub fn keys(&self) -> impl Iterator<Item = &Name> {
        let rules = self.rules.iter().map(|rule| &rule.scope.keys.0);
        let guards = self.guards.iter().map(|guard| &guard.keys().0);
        rules.chain(guards).filter(|key| !key.is_wildcard())
    }
}

impl Scope {
    /// `KEY RULETYPE [NAME] [TYPE …]`.
    pub(super) fn parse(words: &[&str]) -> Result<Self, String> {
        let (key, words) = words.split_first().ok_or("the key is missing")?;
        Self::of(Keys::parse(key)?, words)
    }

    /// `RULETYPE [NAME] [TYPE …]`, of these keys.
    pub(super) fn of(keys: Keys, words: &[&str]) -> Result<Self, String> {
        let mut words = words.iter().copied().peekable();
        let kind = words.next().ok_or("the rule type is missing")?;
        let names = match kind.to_ascii_lowercase().as_str() {
            "name" => Names::Name(required_name(words.next())?),
            "subdomain" => Names::Subdomain(required_name(words.next())?),
            "wildcard" => {
                let name = required_name(words.next())?;
                let below = name.parent().filter(|_| name.is_wildcard());
                Names::Wildcard(below.ok_or("the name of a `wildcard` rule begins with `*.`")?)
            }
            "zonesub" => Names::Zonesub,
            own @ ("self" | "selfsub" | "selfwild") => {
                let is_name = |word: &&str| *word == "*" || word.contains('.');
                if let Some(word) = words.next_if(is_name) {
                    let name = parse_name(word)?;
                    if word != "*" && !name.is_root() && name != keys.0 {
                        return Err(format!("the name of a `{own}` rule is `.`, `*` or the key"));
                    }
                }
                match own {
                    "self" => Names::OwnName,
                    "selfsub" => Names::OwnSubtree,
                    _ => Names::BelowOwnName,
                }
            }
            other => return Err(format!("there is no rule type `{other}`")),
        };
        Ok(Self { keys, names, types: Types::parse(words)? })
    }

    /// Whether it is about this; then how many records of the type there may be.
    pub(super) fn matches(&self, key: &Name, name: &Name, rtype: RrType) -> Option<Option<u32>> {
        let strictly_below = |top: &Name| name != top && name.is_subdomain_of(top);
        let name_matches = match &self.names {
            Names::Name(exact) => name == exact,
            Names::Subdomain(top) => name.is_subdomain_of(top),
            Names::Wildcard(top) => strictly_below(top),
            Names::Zonesub => true,
            Names::OwnName => name == key,
            Names::OwnSubtree => name.is_subdomain_of(key),
            Names::BelowOwnName => strictly_below(key),
        };
        if name_matches && self.keys.contain(key) { self.types.find(rtype) } else { None }
    }
}

impl Keys {
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        parse_name(word).map(Self)
    }

    pub(super) fn contain(&self, key: &Name) -> bool {
        match self.0.parent().filter(|_| self.0.is_wildcard()) {
            Some(top) => key != &top && key.is_subdomain_of(&top),
            None => *key == self.0,
        }
    }
}

impl Types {
    /// All, without bounds.
    pub(super) const ALL: Self = Self { listed: Vec::new(), any: Some(None) };

    fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut types = Self::default();
        for word in words {
            let wrong = || format!("`{word}` is no record type");
            let (name, most) = match word.strip_suffix(')').and_then(|word| word.split_once('(')) {
                Some((name, most)) => (name, Some(most.parse().map_err(|_| wrong())?)),
                None => (word, None),
            };
            match RrType::parse(name) {
                Some(RrType::ANY) => types.any = Some(most),
                Some(rtype) if !rtype.is_meta() => types.listed.push((rtype, most)),
                _ => return Err(wrong()),
            }
        }
        Ok(types)
    }

    /// Whether nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.any.is_none()
    }

    /// The types that are treated apart from others.
    fn named(&self) -> Vec<RrType> {
        let unsaid: &[RrType] = if self.is_empty() { &MUST_BE_NAMED } else { &[] };
        self.listed.iter().map(|(rtype, _)| *rtype).chain(unsaid.iter().copied()).collect()
    }

    fn find(&self, rtype: RrType) -> Option<Option<u32>> {
        if self.is_empty() {
            return (!MUST_BE_NAMED.contains(&rtype)).then_some(None);
        }
        let listed = self.listed.iter().find(|(held, _)| *held == rtype).map(|(_, most)| *most);
        listed.or(self.any)
    }
}

fn has_bare_semicolon(word: &str) -> bool {
    let mut letters = word.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => _ = letters.next(),
            ';' => return true,
            _ => {}
        }
    }
    false
}

fn required_name(word: Option<&str>) -> Result<Name, String> {
    parse_name(word.ok_or("the name is missing")?)
}

fn parse_name(word: &str) -> Result<Name, String> {
    Name::parse(word).map_err(|why| format!("`{word}`: {why}"))
}
