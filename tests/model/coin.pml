/* The coin's timing, and what it buys: an adversary that knows no coin cannot aim. n = 4, t = 1, q = 3.
 *
 * What is modelled. Rounds r to r+4, with all their vertices of correct replicas, made in any order that the links allow,
 * any round skipped: the adversary schedules. A vertex has q parents of distinct authors, hence at least q - t = 2 of
 * correct ones. The share of round r's coin travels in the vertex of round r+4; the adversary holds the Byzantine share
 * from the start, and knows the order of round r's leaders as soon as t + 1 shares exist. From then on it may use it.
 *
 * Claimed: (timing) the coin is not known before a correct replica has made a vertex of round r+4; (aim) at that moment
 * at least two slots of the four are settled: every vertex of round r+3, whoever makes it and whenever, votes for them,
 * so that every vertex of round r+4 certifies them. So with probability 1/2 or more the first leader is a settled one.
 * `src/manual/liveness.md` proves the same for every n, and says which slots are settled.
 *
 * How it is kept small. Of a vertex only the slots of correct authors that it reaches through correct parents matter:
 * what it reaches through Byzantine ones is more, and more votes for these slots, which have one vertex each.
 *
 * Mutants (-D): EARLY_SHARE (the share travels in round r+3), FEW_SHARES (t shares are enough), FEW_PARENTS (t + 1), and
 * EARLY_AIM and SHORT_WAVE, which leave the first claim out to show what the second needs: the share in round r+2; votes
 * in round r+2 and the share in r+3. Spin must find each.
 */

#define CORRECT 3
#define BYZANTINE 1
#define ABSENT 8
#define ROUNDS 5 /* round r is 1, round r+4 is 5; 0 is before */

#ifdef FEW_PARENTS
#define FROM_CORRECT 1
#else
#define FROM_CORRECT 2
#endif
#ifdef FEW_SHARES
#define SHARES 1
#else
#define SHARES 2
#endif
#ifdef SHORT_WAVE
#define VOTE 3
#define SHARE 4
#define UNTIMED
#else
#define VOTE 4
#ifdef EARLY_SHARE
#define SHARE 4
#else
#ifdef EARLY_AIM
#define SHARE 3
#define UNTIMED
#else
#define SHARE 5
#endif
#endif
#endif

typedef Round { byte reaches[CORRECT] }; /* slots of round r, as bits, or ABSENT */
Round round[6];
byte newest[CORRECT];
byte shares = BYZANTINE;
byte settled; /* once the coin is known: the slots it cannot aim at */
bool known;

/* Scratch. */
byte who, at, i, a, left_out, reach, children, total;

/* The slots of at least α + 1 children, where α = |A| - (q - t) is how many vertices of round r+1 one of r+2 may miss. */
inline settle() {
  total = 0; i = 0;
  do
  :: i == CORRECT -> break
  :: i < CORRECT -> total = total + (round[2].reaches[i] != ABSENT); i++
  od;
  a = 0; settled = 0;
  do
  :: a == CORRECT -> break
  :: a < CORRECT ->
    children = 0; i = 0;
    do
    :: i == CORRECT -> break
    :: i < CORRECT -> children = children + ((round[2].reaches[i] >> a) & 1); i++
    od;
    if
    :: children + FROM_CORRECT > total -> settled = settled | (1 << a)
    :: else -> skip
    fi;
    a++
  od;
  i = 0; a = 0; children = 0; total = 0
}

inline make() {
  round[at].reaches[who] = reach;
  newest[who] = at;
  if
  :: at == SHARE -> shares++
  :: else -> skip
  fi;
  if
  :: !known && shares >= SHARES ->
    known = true;
    settle();
#ifndef UNTIMED
    assert(newest[0] == 5 || newest[1] == 5 || newest[2] == 5);
#endif
    assert(((settled & 1) + ((settled >> 1) & 1) + ((settled >> 2) & 1)) >= 2)
  :: else -> skip
  fi
}

/* reach = what a vertex of round `at` reaches: it links any of the vertices below, but at least q - t. */
inline choose_parents() {
  select(left_out : 0 .. 3); /* at most one of three can be; 3 is none */
  i = 0; total = 0; reach = 0;
  do
  :: i == CORRECT -> break
  :: i < CORRECT && i != left_out && round[at - 1].reaches[i] != ABSENT ->
    reach = reach | round[at - 1].reaches[i]; total++; i++
  :: i < CORRECT && (i == left_out || round[at - 1].reaches[i] == ABSENT) -> i++
  od;
  total >= FROM_CORRECT;
  i = 0; total = 0; left_out = 0
}

/* Every vertex of the voting round so far votes for what is settled. */
inline all_vote() {
  i = 0;
  do
  :: i == CORRECT -> break
  :: i < CORRECT ->
    assert(round[VOTE].reaches[i] == ABSENT || (round[VOTE].reaches[i] & settled) == settled);
    i++
  od;
  i = 0
}

init {
  d_step {
    at = 1;
    do
    :: at > ROUNDS -> break
    :: else -> round[at].reaches[0] = ABSENT; round[at].reaches[1] = ABSENT; round[at].reaches[2] = ABSENT; at++
    od;
    at = 0
  };
  do
  :: atomic {
      select(who : 0 .. 2);
      select(at : 1 .. 5);
      at > newest[who];
      if
      :: at == 1 -> reach = (1 << who)
      :: at > 1 -> choose_parents()
      fi;
      make();
      if
      :: known -> all_vote()
      :: else -> skip
      fi;
      who = 0; at = 0; reach = 0
    }
  :: atomic {
      known; /* a Byzantine vertex of the voting round */
      at = VOTE;
      choose_parents();
      assert((reach & settled) == settled);
      at = 0; reach = 0
    }
  od
}
