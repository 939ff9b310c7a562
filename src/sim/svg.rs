//! A run's DAG as a drawing (SVG 1.1), the same octets for the same run.
//!
//! One column a round, one row a replica. A box is a vertex, filled if it carries requests; two vertices of one slot stand
//! side by side. Thin lines are parents, dashed ones weak links. Above each column stand the round's leader slots in the
//! coin's order, the first on top: full for commit, hollow for skip, dashed if an anchor decided. So that votes can be told from one another, one
//! leader in five rounds is followed: the first that its round commits. Blue are the paths by which
//! votes reach it, orange the certificates, dotted, and the votes that they rest on.
use super::graph::{CERTIFY, Graph, VOTE};
use super::trace::{carried, short, slots};
use super::witness::{News, Seen, Witness};
use crate::codec;
use crate::consensus::{ClosedRound, Onlooker, Vertex, VertexRef};
use crate::limits::MAX_FRAME_BYTES;
use crate::quorum::{Committee, ReplicaId};
use crate::replica::PeerMessage;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// Pixels from column to column and from row to row, and what a vertex measures.
const COLUMN: u64 = 84;
const ROW: u64 = 66;
const WIDTH: u64 = 30;
const HEIGHT: u64 = 20;
/// Pixels left of the first column, and from mark to mark above it.
const LEFT: u64 = 56;
const MARK: u64 = 16;
/// Pixels of the legend.
const LEGEND: u64 = 46;
const LEGEND_WIDTH: u64 = 1_000;
/// Columns of a drawing: more cannot be read.
pub const MAX_COLUMNS: u64 = 200;

const STYLE: &str = "\
text{font:11px sans-serif;fill:#333}.small{font-size:9px;fill:#666}.mid{text-anchor:middle}
.v{fill:#fff;stroke:#555}.p{fill:#cfe3cf}.lead{stroke:#1a7f37;stroke-width:2.5}.cert{fill:#d9730d}
.e{stroke:#c4c4c4;stroke-width:.8}.w{stroke:#8a63a8;stroke-width:1;stroke-dasharray:5 3;fill:none}
.vote{stroke:#2f6fd0;stroke-width:1.8}.base{stroke:#d9730d;stroke-width:1.8}
.c{fill:#1a7f37;stroke:#1a7f37}.s{fill:#fff;stroke:#c0392b}.a{stroke-dasharray:3 2;stroke-width:1.6}
.c+text{fill:#fff}.s+text{fill:#c0392b}
";

/// Collects what is to be drawn.
pub struct Drawing {
    committee: Option<Committee>,
    graph: Option<Graph>,
    closed: BTreeMap<u64, ClosedRound>,
}

impl Default for Drawing {
    fn default() -> Self {
        Self::new()
    }
}

impl Drawing {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { committee: None, graph: None, closed: BTreeMap::new() }
    }

    /// The drawing of some rounds, of which at most [`MAX_COLUMNS`] are drawn.
    pub fn svg(&self, rounds: RangeInclusive<u64>) -> String {
        let (Some(graph), Some(committee)) = (&self.graph, self.committee) else { return String::new() };
        let highest = graph.rounds(rounds.clone()).last().map_or(*rounds.start(), |(id, _)| id.round);
        let last = highest.min(rounds.start() + MAX_COLUMNS - 1);
        let rounds = *rounds.start()..=last;
        Page { graph, committee, closed: &self.closed, rounds, out: String::new() }.draw()
    }
}

impl Witness for Drawing {
    fn begin(&mut self, committee: Committee, onlooker: Onlooker) {
        self.committee = Some(committee);
        self.graph = Some(Graph::new(onlooker));
    }

    fn see(&mut self, seen: &Seen<'_>) {
        match &seen.news {
            News::Sent { bytes, .. } => {
                if let (Ok(PeerMessage::Consensus(message)), Some(graph)) =
                    (codec::decode(bytes, MAX_FRAME_BYTES), &mut self.graph)
                {
                    for vertex in carried(message) {
                        graph.see(&vertex);
                    }
                }
            }
            News::Closed(round) => {
                self.closed.entry(round.round).or_insert_with(|| (*round).clone());
            }
            _ => {}
        }
    }
}

/// One drawing under way.
struct Page<'a> {
    graph: &'a Graph,
    committee: Committee,
    closed: &'a BTreeMap<u64, ClosedRound>,
    rounds: RangeInclusive<u64>,
    out: String,
}

impl Page<'_> {
    fn draw(mut self) -> String {
        let n = self.committee.n() as u64;
        let columns = self.rounds.end() - self.rounds.start() + 1;
        let (width, height) = ((LEFT + columns * COLUMN).max(LEGEND_WIDTH), self.top() + n * ROW + LEGEND);
        self.add(&format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
             <style>\n{STYLE}</style>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>"
        ));
        for id in self.committee.members() {
            let y = self.row(id) + HEIGHT / 2 + 4;
            self.add(&format!("<text x=\"12\" y=\"{y}\">{id:?}</text>"));
        }
        let vertices: Vec<(VertexRef, Vertex)> =
            self.graph.rounds(self.rounds.clone()).map(|(id, vertex)| (*id, vertex.clone())).collect();
        vertices.iter().for_each(|(id, vertex)| self.links(id, vertex));
        let certificates: BTreeSet<VertexRef> =
            self.followed().into_iter().flat_map(|leader| self.follow(leader)).collect();
        vertices.iter().for_each(|(id, vertex)| self.vertex(id, vertex, certificates.contains(id)));
        self.rounds.clone().for_each(|round| self.marks(round));
        self.legend(height);
        self.add("</svg>");
        self.out
    }

    fn add(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// Where the first row begins.
    fn top(&self) -> u64 {
        40 + self.committee.n() as u64 * MARK
    }

    fn row(&self, author: ReplicaId) -> u64 {
        self.top() + author.slot() as u64 * ROW + (ROW - HEIGHT) / 2
    }

    fn column(&self, round: u64) -> u64 {
        LEFT + (round - self.rounds.start()) * COLUMN
    }

    /// The left upper corner of a vertex: those of one slot stand side by side, overlapping if they are many.
    fn corner(&self, id: &VertexRef) -> (u64, u64) {
        let slot = self.graph.rounds(id.round..=id.round).filter(|(other, _)| other.author == id.author);
        let before = slot.take_while(|(other, _)| *other < id).count() as u64;
        (self.column(id.round) + 6 + (before * (WIDTH + 4)).min(COLUMN - WIDTH - 8), self.row(id.author))
    }

    /// A line from a vertex back to one it links, if both are in the drawing.
    fn line(&mut self, from: &VertexRef, to: &VertexRef, class: &str) {
        if self.rounds.contains(&from.round) && self.rounds.contains(&to.round) {
            let ((x1, y1), (x2, y2)) = (self.corner(from), self.corner(to));
            let (y1, y2, x2) = (y1 + HEIGHT / 2, y2 + HEIGHT / 2, x2 + WIDTH);
            if class == "w" {
                // An arc, so that it does not lie on the row's vertices.
                let (x, y) = (u64::midpoint(x1, x2), u64::midpoint(y1, y2) + ROW / 2);
                self.add(&format!("<path class=\"w\" d=\"M{x1} {y1}Q{x} {y} {x2} {y2}\"/>"));
            } else {
                self.add(&format!(
                    "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"
                ));
            }
        }
    }

    fn links(&mut self, id: &VertexRef, vertex: &Vertex) {
        let parents: Vec<VertexRef> = self.graph.parents(id).collect();
        parents.iter().for_each(|parent| self.line(id, parent, "e"));
        vertex.body().weak.iter().for_each(|link| self.line(id, link, "w"));
    }

    /// The leaders whose votes are shown: of every fifth round, so that no two share a column.
    fn followed(&self) -> Vec<VertexRef> {
        let mut leaders: Vec<VertexRef> = Vec::new();
        for closed in self.rounds.clone().filter_map(|round| self.closed.get(&round)) {
            let free = leaders.last().is_none_or(|last| closed.round > last.round + CERTIFY);
            leaders.extend(closed.slots.iter().find_map(|slot| slot.commit).filter(|_| free));
        }
        leaders
    }

    /// Draws the votes for a leader and their paths, and returns its certificates.
    fn follow(&mut self, leader: VertexRef) -> Vec<VertexRef> {
        let of = |round: u64| self.graph.rounds(round..=round).map(|(id, _)| *id).collect::<Vec<_>>();
        let votes: Vec<VertexRef> = of(leader.round + VOTE)
            .into_iter()
            .filter(|voter| self.graph.vote(voter, leader.author) == Some(leader))
            .collect();
        let certificates: Vec<VertexRef> = of(leader.round + CERTIFY)
            .into_iter()
            .filter(|id| self.graph.certified(id, leader.author, self.committee) == Some(leader))
            .collect();
        for voter in &votes {
            let path = self.graph.path(*voter, leader.author, VOTE).unwrap_or_default();
            path.windows(2).for_each(|step| self.line(&step[0], &step[1], "vote"));
        }
        for certificate in &certificates {
            let parents: Vec<VertexRef> = self.graph.parents(certificate).collect();
            for vote in parents.iter().filter(|parent| votes.contains(parent)) {
                self.line(certificate, vote, "base");
            }
        }
        certificates
    }

    fn vertex(&mut self, id: &VertexRef, vertex: &Vertex, certifies: bool) {
        let (x, y) = self.corner(id);
        let requests = vertex.body().payload.len();
        let committed = self.closed.get(&id.round);
        let leads = committed.is_some_and(|closed| closed.slots.iter().any(|slot| slot.commit == Some(*id)));
        let classes = ["v", "p", "lead"].into_iter().zip([true, requests > 0, leads]);
        let class: Vec<&str> = classes.filter(|(_, holds)| *holds).map(|(class, _)| class).collect();
        let title = format!(
            "{}: {} parents, {} weak links, {requests} requests",
            short(id),
            vertex.body().parents.len(),
            vertex.body().weak.len()
        );
        self.add(&format!(
            "<g><title>{title}</title><rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"3\"/>",
            class.join(" ")
        ));
        if certifies {
            let (x, y) = (x + WIDTH - 3, y + 3);
            self.add(&format!("<circle class=\"cert\" cx=\"{x}\" cy=\"{y}\" r=\"5\"/>"));
        }
        if requests > 0 {
            let (x, y) = (x + WIDTH / 2, y + HEIGHT / 2 + 4);
            self.add(&format!("<text class=\"mid\" x=\"{x}\" y=\"{y}\">{requests}</text>"));
        }
        self.add("</g>");
    }

    /// The number of a round, and above its column its slots in the coin's order.
    fn marks(&mut self, round: u64) {
        let x = self.column(round) + 6;
        self.add(&format!("<text x=\"{x}\" y=\"18\">{round}</text>"));
        let Some(closed) = self.closed.get(&round) else {
            let known: Vec<String> = self
                .graph
                .leaders(round)
                .iter()
                .flat_map(|all| all.iter())
                .map(|id| format!("{id:?}"))
                .collect();
            let order = if known.is_empty() { "no coin".to_owned() } else { known.join(" ") };
            return self.add(&format!("<text class=\"small\" x=\"{x}\" y=\"38\">open: {order}</text>"));
        };
        let title = slots(closed);
        let marks: Vec<String> = closed.slots.iter().zip(0..).map(|(slot, place)| {
            let y = 26 + place * MARK;
            let class = match (slot.commit.is_some(), slot.anchor.is_some()) {
                (true, false) => "c",
                (true, true) => "c a",
                (false, false) => "s",
                (false, true) => "s a",
            };
            let mut mark = format!(
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"20\" height=\"13\" rx=\"2\"/><text class=\"mid\" x=\"{}\" y=\"{}\">{:?}</text>",
                x + 10, y + 10, slot.author
            );
            if let Some(anchor) = slot.anchor {
                let _ = write!(mark, "<text class=\"small\" x=\"{}\" y=\"{}\">{:?}@{}</text>", x + 24, y + 10, anchor.author, anchor.round);
            }
            mark
        }).collect();
        self.add(&format!("<g><title>{title}</title>{}</g>", marks.join("")));
    }

    fn legend(&mut self, height: u64) {
        let y = height - 20;
        let text = "green slots: commit · red: skip · dashed: by the anchor named beside it · filled vertex: requests (their number) · green \
                    border: committed leader · blue: votes for one leader in five rounds · orange, dotted: its certificates · violet: weak links";
        self.add(&format!("<text x=\"12\" y=\"{y}\" class=\"small\">{text}</text>"));
    }
}
