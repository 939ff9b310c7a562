/* The commit rule's safety: no two replicas decide one slot differently. n = 4, t = 1, q = 3.
 *
 * What is modelled. One leader slot of round r, of any author, and every DAG from there on: any correct replica
 * may skip any round; a vertex has any >= q parents of distinct authors; the Byzantine author makes every vertex that is
 * valid, any number a round, and each vertex links whichever of them it likes. Then two replicas decide the slot, each
 * from a view of its own, and the decisions must agree.
 *
 * How it is kept small. What matters of a vertex is one value a round:
 *   r .. r+3  the first of the slot's vertices that the search reaches: NONE, X, Y or OTHER;
 *   r+4       the leader it certifies: NONE, X or Y;
 *   r+5 ..    the set of the leaders whose certificates it reaches: subsets of {X, Y}.
 * A vertex's value follows from its parents' values alone, so a layer is the values of its correct vertices (one each, or
 * ABSENT) and the set of the values that a valid Byzantine vertex can have. A layer that no later step needs is dropped.
 *
 * X and Y are the two twins about which replicas could disagree, OTHER is all further ones: they are in the search's way,
 * and no blame. A certificate for one of them is as good as none here: who decided for it would disagree as X or Y.
 *
 * A view is any part of the DAG with all ancestors. The direct rules are thresholds on the vertices held, so some view
 * decides directly exactly if the whole DAG holds the evidence; each replica takes any decision that some view allows.
 * Slots above r are decided alike by all who decide them (induction, from the highest round of both views down); which
 * are decided yet is each replica's own. Their order is the coin's, any.
 *
 * Mutants (-D): FEW_BLAMES, FEW_VOTES, FEW_CERTIFICATES, PASS_UNDECIDED, EARLY_ANCHOR, ANY_VOTE, as the rule's unit
 * tests plant them, and FEW_PARENTS. Spin must find each. WITNESS and LATE_WITNESS (1, 2, 3: as decisions below) claim that
 * nobody can decide so directly, or by an anchor alone; Spin must refute both, or the model would be empty.
 */

#define N 4
#define NONE 0
#define X 1
#define Y 2
#define OTHER 3 /* as a vote */
#define BOTH 3  /* as a set */
#define ABSENT 4
#define BIT(v) (1 << (v))
#define ONE_CORRECT 2
#define QUORUM 3

#ifdef FEW_BLAMES
#define BLAMES ONE_CORRECT
#else
#define BLAMES QUORUM
#endif
#ifdef FEW_VOTES
#define VOTES ONE_CORRECT
#else
#define VOTES QUORUM
#endif
#ifdef FEW_CERTIFICATES
#define CERTIFICATES ONE_CORRECT
#else
#define CERTIFICATES QUORUM
#endif
#ifdef FEW_PARENTS
#define PARENTS ONE_CORRECT
#else
#define PARENTS QUORUM
#endif

#ifdef ANY_VOTE
#define TWINS (BIT(X) | BIT(Y))
#define DOUBLE BOTH /* a vote for both */
#else
#define TWINS (BIT(X) | BIT(Y) | BIT(OTHER))
#define DOUBLE ABSENT /* never a vote */
#endif

/* How a vertex's value follows from its parents'. */
#define SEARCH 0
#define CERTIFY 1
#define REACH 2

/* What a decision can be. */
#define UNDECIDED 0
#define COMMIT_X 1
#define COMMIT_Y 2
#define SKIP 3

byte byzantine;      /* which author; its place in the order of authors matters to the search */
byte value[N];       /* the newest layer: of correct authors' vertices */
byte forged;         /* the newest layer: bit set of the values that Byzantine vertices can have */
bit can_commit_x;    /* some view commits X directly */
bit can_commit_y;
bit can_skip;
byte decision[2];

/* Scratch, always 0 between steps. */
byte possible, parents, fake, author, count, v, acc, votes_x, votes_y;

/* possible = bit set of the values that a valid vertex of the next layer can have. */
inline next_values(how) {
  possible = 0;
  fake = 0;
  do
  :: fake > BOTH -> break
  :: fake <= BOTH && !(forged & BIT(fake)) -> fake++
  :: fake <= BOTH && (forged & BIT(fake)) ->
    parents = 0;
    do
    :: parents == BIT(N) -> break
    :: parents < BIT(N) ->
      author = 0; count = 0; acc = NONE; votes_x = 0; votes_y = 0;
      do
      :: author == N -> break
      :: author < N && !(parents & BIT(author)) -> author++
      :: author < N && (parents & BIT(author)) ->
        v = (author == byzantine -> fake : value[author]);
        if
        :: v == ABSENT -> break /* no such vertex to link */
        :: else -> skip
        fi;
        count++;
        if
        :: how == SEARCH ->
#ifdef ANY_VOTE
          acc = acc | v
#else
          acc = (acc == NONE -> v : acc)
#endif
        :: how == CERTIFY ->
          votes_x = votes_x + (v == X || v == DOUBLE);
          votes_y = votes_y + (v == Y || v == DOUBLE)
        :: how == REACH -> acc = acc | v
        fi;
        author++
      od;
      if
      :: author == N && count >= PARENTS ->
        if
        :: how == CERTIFY && votes_x >= VOTES -> acc = X
        :: how == CERTIFY && votes_x < VOTES && votes_y >= VOTES -> acc = Y
        :: else -> skip
        fi;
        possible = possible | BIT(acc)
      :: else -> skip
      fi;
      parents++
    od;
    fake++
  od;
  parents = 0; fake = 0; author = 0; count = 0; v = 0; acc = 0; votes_x = 0; votes_y = 0
}

/* The next layer: every correct replica makes a vertex of any possible value, or none; two at least make one, since a
 * vertex of the layer after it has q parents. */
inline layer(how) {
  d_step { next_values(how); forged = possible };
  author = 0; count = 0;
  do
  :: author == N -> break
  :: author < N && author == byzantine -> value[author] = NONE; author++
  :: author < N && author != byzantine ->
    if
    :: possible & BIT(NONE) -> value[author] = NONE; count++
    :: possible & BIT(X) -> value[author] = X; count++
    :: possible & BIT(Y) -> value[author] = Y; count++
    :: possible & BIT(BOTH) -> value[author] = BOTH; count++
    :: value[author] = ABSENT
    fi;
    author++
  od;
  count >= PARENTS - 1;
  possible = 0; author = 0; count = 0
}

/* count = authors of a vertex of this value in the newest layer. */
inline authors_of(which) {
  author = 0; count = 0;
  do
  :: author == N -> break
  :: author < N ->
    count = count + (author == byzantine -> ((forged & BIT(which)) != 0) : (value[author] == which));
    author++
  od;
  author = 0
}

/* An anchor: any vertex of the newest layer. What it reaches decides; if it reached both, either may come first. */
inline decide_by_anchor(who) {
  if
  :: author = 0
  :: author = 1
  :: author = 2
  :: author = 3
  fi;
  if
  :: author == byzantine && (forged & BIT(NONE)) -> v = NONE
  :: author == byzantine && (forged & BIT(X)) -> v = X
  :: author == byzantine && (forged & BIT(Y)) -> v = Y
  :: author == byzantine && (forged & BIT(BOTH)) -> v = BOTH
  :: author != byzantine && value[author] != ABSENT -> v = value[author]
  fi;
  if
  :: v == NONE -> decision[who] = SKIP
  :: v == X || v == BOTH -> decision[who] = COMMIT_X
  :: v == Y || v == BOTH -> decision[who] = COMMIT_Y
  fi;
  author = 0; v = 0
}

/* What a replica decides without its anchor, in whatever view it has. */
inline decide_directly(who) {
  if
  :: can_commit_x -> decision[who] = COMMIT_X
  :: can_commit_y -> decision[who] = COMMIT_Y
  :: can_skip -> decision[who] = SKIP
  :: decision[who] = UNDECIDED
  fi
}

inline agree() {
  assert(decision[0] == UNDECIDED || decision[1] == UNDECIDED || decision[0] == decision[1])
}

/* Whose slot it is. A Byzantine author's has any number of twins, a correct author's one vertex. */
inline slot() {
  if
  :: byzantine = 0
  :: byzantine = 1
  :: byzantine = 2
  :: byzantine = 3
  fi;
  if
  :: forged = TWINS
  :: forged = BIT(NONE);
    if
    :: byzantine != 0 -> value[0] = X
    :: byzantine != 1 -> value[1] = X
    :: byzantine != 2 -> value[2] = X
    :: byzantine != 3 -> value[3] = X
    fi
  fi
}

init {
  slot();
  layer(SEARCH);   /* r+1 */
  layer(SEARCH);   /* r+2 */
  layer(SEARCH);   /* r+3: votes */
  d_step { authors_of(NONE); can_skip = (count >= BLAMES); count = 0 };
  layer(CERTIFY);  /* r+4: certificates */
  d_step {
    authors_of(X); can_commit_x = (count >= CERTIFICATES);
    authors_of(Y); can_commit_y = (count >= CERTIFICATES);
    count = 0
  };
#ifndef EARLY_ANCHOR
  layer(REACH);    /* r+5: the first anchors */
  do
  :: break
  :: layer(REACH)  /* r+6, r+7 and so on: all slots below are skipped */
  od;
#endif
  /* The first slot decided commit, in the coin's order, is one vertex, the same for all who get that far. */
  decide_by_anchor(0);
#ifdef PASS_UNDECIDED
  if
  :: decision[1] = decision[0]
  :: decide_by_anchor(1) /* the first is undecided in this view: the next is taken */
  fi;
#else
  decision[1] = decision[0];
#endif
  if
  :: skip
  :: decide_directly(0)
  fi;
  if
  :: skip
  :: decide_directly(1)
  fi;
  agree();
#ifdef WITNESS
  assert(!((WITNESS == COMMIT_X && can_commit_x || WITNESS == COMMIT_Y && can_commit_y || WITNESS == SKIP && can_skip)
    && decision[0] == WITNESS && decision[1] == WITNESS));
#endif
#ifdef LATE_WITNESS
  assert(can_commit_x || can_commit_y || can_skip || decision[0] != LATE_WITNESS)
#endif
}
