/* Certified lower bounds on the excess of any evaluation order: reads + writes >= LB + excess, whatever the order and
 * the eviction policy, with M slots. Every figure is proven; where nothing is known it is 0. The proof:
 *
 * NOTATION. C = M - 1 slots hold neurons. A residency of v is a longest stretch of time in which v is in fast memory;
 * each begins with a load (1 read) for an access. v has r residencies, p of them with an access as destination, q with
 * one as source. Legal orders handle all connections into v before those out of v, so at most one residency has both:
 * r >= p + q - 1 if p, q >= 1. A residency with a destination access is dirty until it is written. x+ = max(x, 0). A
 * neuron is cheap if it has no incoming connections, or is an output with outgoing ones; others are normal. The levels
 * are the network's layers, or longest-path depths if a connection does not go to a later layer; every connection
 * leads to a higher level, and may skip some.
 *
 * A. SHARES. The excess is the sum over neurons v with connections of
 *         excess(v) = (r - 1) + writes(v) - [v is an output].
 * Let g = 1 if v is normal and absent at some time between its completion and its last access, else 0. Then
 *         excess(v) >= 2 (p - 1)+  +  (q - 1)+  +  g.                                                          (1)
 * Not an output, p, q >= 1, no residency with both kinds of access: r - 1 = p + q - 1, and all p dirty residencies end
 * before the last access, so by an eviction with a write: 2 (p - 1) + (q - 1) + 2. One residency with both: r - 1 = p
 * + q - 2, the first p - 1 dirty residencies are evicted, and the last one as well if q >= 2; if q = 1, v stays from
 * its completion to its last access and g = 0. p >= 1, q = 0: r - 1 = p - 1 and p - 1 evictions of dirty residencies.
 * p = 0: r - 1 = q - 1. An output's dirty residencies all end with a write, one of them compulsory: writes - 1 >= p -
 * 1. If it is cheap, complete and absent before a later access, then r - 1 >= (p - 1) + 1, so that
 *         a cheap v that is absent between its completion (and first access) and a later access has
 *         excess(v) >= 2 (p - 1)+ + 1.                                                                          (2)
 * Call 2 (p - 1)+ the destination share of v and what is left of excess(v) its source share: at least (q - 1)+ + g,
 * and at least 2 if g = 1 (no
 * residency with both: (q - 1) + 2; else q >= 2: (q - 1) + 1). Layer i, the connections
 * from level i to level i + 1, owns the source shares of level i and the destination shares of level i + 1. No share
 * has two owners, so bounds on the shares owned by disjoint sets of layers add. The certificate cuts the layers into
 * intervals and takes the best cut and the best of B, C and D in each (a dynamic program).
 *
 * B. PHASES (after J.-W. Hong and H. T. Kung, "I/O complexity: the red-blue pebble game", STOC 1981). Look at the
 * connections E of one layer only, between its n sources and m destinations that have one. S = number of residencies
 * of sources with an access in E, T the same for destinations: by (1) the layer's shares are at least
 *         (S - n) + 2 (T - m).
 * Order these residencies by their loads, let a source's load cost c and a destination's d, Q = c S + d T, and let each
 * load start where the costs before it end. Choose a span X and a number j: the first phase has the loads that start
 * before Q - j X, then come j phases of the loads that start in the next X each. The loads of a phase of span X cost
 * at most X + max(c, d) - 1 together. Give every connection of E to the phase in which the later of the two residencies
 * that handle it was loaded. A phase that loads sources X' and destinations Y' while sources A and destinations B are
 * resident at its start, |A| + |B| <= C, only gets connections of X' x (B u Y') and A x Y'; in the first phase of all
 * A and B are empty. For prices w >= 0 of connections let F(X) bound what a phase of span X can collect and F0(r) the
 * same for a first one of span r. Then
 *         w(E) <= F0(Q - j X) + j F(X)    for every X and j with j F(X) < w(E),
 * since Q < j X would mean w(E) <= j F(X). F0 bounds a monotone quantity, so any r with F0(r - 1) < w(E) - j F(X)
 * proves Q >= j X + r. Since S >= n and T >= m, a gap of h = Q - c n - d m proves
 *         (S - n) + 2 (T - m) >= min(h / c, 2 h / d)  and  S + T - n - m >= min(h / c, h / d), rounded upwards.
 *   What a phase collects is at most, for x distinct sources and y distinct destinations in x' and y' loads, |A| = a,
 *   |B| = b:
 *   - the prices that touch them: min(row(x), K x') + min(column(y), K y'), where row(x) adds the x largest sums of a
 *     source's prices, and K = (C - 1) times the dearest price: a load meets at most C - 1 residents;
 *   - the dearest price times min(pairs, (C - 1) (x' + y')), pairs = x (b + y) + a y;
 *   - by the spectrum. Let P be the n x m matrix of prices, mu = w(E) / (n m), E = P - mu 1 1^T and s >= |E|, its
 *     spectral norm. Write 1_X = (x / n) 1 + z with z orthogonal to 1, and 1_B alike with z': then
 *         w(X x B) = mu x b + z^T E z' + (x / n) sum over B of (column sum - w(E) / m)
 *                                      + (b / m) sum over X of (row sum - w(E) / n),
 *     the last two at most x b (dc / n + dr / m), dc and dr the largest deviations upwards. For the whole shape, sum
 *     of z^T E z' over its rectangles = <E, Z> <= s |Z|*, Z = z_X (z_B + z_Y)^T + z_A z_Y^T, |.|* the nuclear norm. Z
 *     has rank 2: |Z|*^2 = |Z|_F^2 + 2 (product of its singular values), with
 *         |Z|_F^2 = x (1 - x/n) (b+y) (1 - (b+y)/m) + a (1 - a/n) y (1 - y/m) - 2 (x a / n) y (1 - (b+y)/m),
 *         product^2 = det Gram(z_X, z_A) det Gram(z_B, z_Y) = x a (1 - (x+a)/n) b y (1 - (b+y)/m);
 *   - one rectangle by its spectrum (s sqrt(x (1 - x/n) b (1 - b/m)) for X x B, A x Y alike), and the rest by what
 *     touches the destinations (or the sources) loaded.
 *   The largest of these over x, y, a, b is found by branch and bound: the true maximum grows with each set (an A that
 *   no longer fits beside X' is absorbed by X'), so a range is bounded by its widest member.
 *   Prices are whole numbers, so sums and the Gram matrix of P are exact. s comes from a Cholesky factorization of
 *   s^2 I - E E^T with all roundings bounded (core/bounds/bounds_spectrum.h); other roundings, a few in double precision, are
 *   covered by a factor 1 + 2^-30. How the prices were found does not matter.
 *   The same norm bounds neighbourhoods: z sources and k destinations without a connection have
 *         0 = w >= mu' z k - s sqrt(z (1 - z/n) k (1 - k/m)),
 *   mu' = mu less the largest deviations downwards, which bounds z; any k destinations have at least n - z sources.
 *
 * C. WAVEFRONT. Take levels s < l, the step that completes the k-th neuron v of level l (those without incoming
 * connections do not count), and the moment in the middle of that step: its source u and v are resident. Let D be the
 * k - 1 neurons of level l completed before, and A the
 * ancestors in level s of D and v, by paths between the two levels; all of A is complete and has been accessed (u just
 * now, perhaps). Call a neuron live if it is accessed at or before this step, and at or after it. Every path from A to
 * a neuron of l outside D has a live neuron: it starts complete and ends incomplete, so a complete x is followed by an
 * incomplete y somewhere. If (x, y) was handled or is being handled, y has been accessed and, being incomplete, is
 * accessed now or later. If not, x is accessed later, and x has been accessed: it is in A or it was completed by a
 * connection. So live neurons, D, and the ancestors outside A together cut all paths from s to l. Give neurons
 * weights: with F the maximum flow from s to l with the weights as capacities of neurons,
 *         weight(live) >= F - weight(ancestors in s outside A) - weight(D),
 * and C neurons, u and v among them, are resident; the others were accessed before and will be again, so they are
 * absent in between. An absent incomplete neuron has p >= 2: its destination share is at least 2. An absent complete
 * one has a source share of 2, or 1 if it is cheap, by (2). So weights of 2, and 1 for cheap neurons, bound the shares
 * of the layers from s to l (an ancestor in s is complete, a neuron of l outside D is not):
 *         excess >= F - weight(ancestors outside A) - 2 (k - 1) - 2 C.
 * Any feasible flow will do for F. |A| for k neurons is bounded by the k-th smallest number of ancestors of one
 * neuron; by counting: sum of the k smallest numbers <= sum over A of min(k, descendants in l); by the neighbourhoods
 * of B one level down, then by the same for level l - 1; and by trying all unions of g different sets of ancestors, if
 * neurons with equal sets form groups and the g - 1 largest groups have fewer than k members. Everything here is whole
 * numbers (B's neighbourhoods apart).
 *
 * D. BOTH. With weight 1 for all, an absent incomplete neuron takes 1 of its destination share and leaves p - 1; an
 * absent complete normal one takes g and leaves (q - 1)+. So live neurons beyond C add to the sum of S + T - n - m, as
 * bounded by B, over the layers of the interval. An absent complete cheap neuron leaves nothing of its source share:
 * it weighs 0, or 1 and B is not counted in the layers that have cheap sources. Weight 1 for all without any B is a
 * bound by itself too.
 *
 * E. SEPARATION (networks of up to IOA_SEPARATION_NEURONS neurons with connections; after vertex separation, the
 * pathwidth of a graph as a linear layout, and its exact algorithms). Put the neurons with connections into the order
 * of their first accesses, a connection's source before its destination; T is the set of those before v, and T + v
 * follows. Let need(x) be x, its ancestors, and its destinations. A neuron x of T with need(x) not within T is LIVE: it has
 * been accessed, and has an access to come. For if a destination of x is not in T, its connection from x is to come; if
 * an ancestor is not, then neither is any connection on a path from it to x handled, the last one into x included,
 * since every neuron on it waits for the one before. When v is loaded for its first access, all of live(T) but the
 * absent ones are resident, and v:
 *         |live(T) without the absent| + 1 <= C.
 * By A, a neuron that is ever absent while live has an excess of at least w = 2 (incomplete: p >= 2; complete: a source
 * share of 2), or w = 1 if it is cheap. So the excess is at least the least cost of this GAME: from T = all neurons,
 * remove one neuron at a time until none is left, such that for each removal, T + v to T, |live(T) \ X| + 1 <= C
 * holds, where X, the spilled, are neurons that were live at this or an earlier moment of the game; each costs w once.
 * (A real order plays it with X = those absent at this moment or later. It pays each of them once, and may return from
 * X at no cost, so the game's least cost is a bound, seldom the optimum. With cost 0 it is exact: handle connections
 * as soon as both ends are resident, and the live neurons are those above.)
 *   Removing neurons makes others live, and what is live stays so until it is removed; so does what is in X. It is
 *   enough to add to X when the memory overflows, and no more than overflow, since waiting costs nothing.
 *   Safe steps. Let T' = T \ A be reached from T at no cost, up = live(T') \ live(T), down = live(T) \ X \ T'. If there
 *   is an injection f of up into down with f(y) in need(y) and w(y) <= w(f(y)), or w(f(y)) more than the budget still
 *   allows (then no play within it spills f(y)), then going to T' first never costs
 *   more: follow any play from T without the removals of A, and let y be spilled when it spills f(y). When the play
 *   is at U, with spilled X, we are at U \ A, and whoever is live and not spilled here is so there, or is a y of up
 *   that is complete and served in U: need(y) is within U, thus f(y) is in U; it is live in T, so in U; and were it
 *   in X, y would be spilled. So we never have more in memory. The search takes safe steps without asking: single
 *   removals, and removals followed by others as long as each is safe where it is taken.
 *   Least moves. Let N(v) be v and those who join its removal, up for T' = T \ v, less those present at T. If v and v'
 *   can be removed without an overflow and N(v') is within N(v), nobody needs v first: after it, the removal of v' brings
 *   back nobody who is not there, so it is a safe step, and T \ v \ v' is also reached by v' first, at no cost and without
 *   an overflow, since present(T) and N(v) fit together. Of removals without an overflow only those with least N(v) are
 *   tried, of equals one. (In F who returns belongs to up, and who returns for v' does so for v: the same state again.)
 *   The search is depth first with the states met, for budgets 0, 1, 2, ... (from what B, C, D prove), until a budget
 *   suffices or a fixed number of steps is used up.
 *
 * F. SEPARATION WITH RETURNS (the same networks; played where a budget suffices for E, from that budget on). In E who
 * has been paid for once never comes back. A neuron with a >= 1 absences, r = a + 1, has an excess of at least
 *         a, and a + 1 if it is not cheap;                                                                     (3)
 * for excess = (r - 1) + writes - [output], and one that is not cheap is first accessed as a destination: it is dirty
 * when evicted for the first time, and an output among them, which has no outgoing connections, is written once more
 * at its end. So a neuron spilled again after a return pays 1 again. When must it return?
 *   A connection e = (a, b) is FORMED in T if b, a and all ancestors of a are in T; E acts as if what is formed were
 * handled. Take a real order, the moment T before some load where memory overflows, and x, absent then, and let e be a
 * connection of x formed in T. If e is handled later nevertheless, its other end is live in truth, having been
 * accessed. So are both ends of every formed connection (c, d) with c = b or c a descendant of b: b is not complete
 * yet, so neither is c. If one of these neurons, y, is neither in live(T) nor spilled, then live(T) and y have
 * accesses to come at this moment, and of them at least one more is absent than the overflow of live(T) alone demands.
 * Otherwise e is EXCUSED at T. So whoever plays a real order backwards, at an overflow of o, either
 *   - spills o neurons of live(T), all absent in truth, and of each the formed connections that are not excused, the
 *     OPEN ones, are handled before its absence; or
 *   - spills one more neuron, of live(T) or another one of T, also absent in truth: these are all set free, and need
 *     not return, as in E.
 *   Going on backwards, the removal of v dissolves e if v = b or v is a or one of its ancestors: e is handled after
 * the first access of v. If an open connection of x dissolves, x is no longer absent, for e is handled after this load
 * and before the absence: x RETURNS, and takes a slot while it is live. If it is spilled again, that is another
 * absence. Every spill falls into an absence of its own, of a neuron that is touched and has an access to come; so by
 * (3) a play costs no more than the order: w for the first spill of a neuron, 1 for each further one. Choices left to
 * the player make the game cheaper at most, and so does setting more neurons free: those with many connections, or
 * when many others are absent already.
 *   Safe steps remain so, with f also defined for those x that return on the way to T', which pay 1 at most: f(x) is a
 * neuron that open connections of x wait for, b, a or an ancestor of a. As long as x is absent in the play that is
 * followed, f(x) is in U, live and in memory, or spilled, and then x is spilled here at the same time. Of a neuron
 * absent in both plays no more connections are open here: what is formed here is formed there, and live(U) less A is
 * within live(U less A). If a y that stands for f(y) must return here while the other play has spilled y itself in
 * between, it is spilled here again at once, for the 1 the other play paid and we did not. */
#ifndef IOA_CORE_BOUNDS_H
#define IOA_CORE_BOUNDS_H

#include <ioanneal/network.h>

/* Which argument gave a figure. */
typedef enum ioa_bound_kind {
    IOA_BOUND_COMPULSORY = 0, /* nothing beyond LB is known */
    IOA_BOUND_PHASES,         /* B: loads per phase */
    IOA_BOUND_WAVEFRONT,      /* C: live neurons at a first completion */
    IOA_BOUND_BOTH,           /* D: both at once */
    IOA_BOUND_SEPARATION,     /* E, F: the games of first accesses; one interval, the whole network */
    IOA_BOUND_KIND_COUNT
} ioa_bound_kind;

/* The certified excess is the sum over intervals of layers, lowest first. */
typedef struct ioa_bound_interval {
    uint32_t first, last; /* connections from level `first` up to level `last` */
    ioa_bound_kind kind;
    uint64_t excess;
} ioa_bound_interval;

typedef struct ioa_certificate {
    uint64_t excess;      /* reads + writes >= LB + excess, for any order and policy */
    ioa_bound_kind kind;  /* the one all intervals with a positive figure share, else IOA_BOUND_BOTH */
    int truncated;        /* 1 if the work limit cut the search: more may be provable */
    uint32_t levels;      /* of the network: its layers, or depths of neurons where it has no usable layers */
    uint32_t count;       /* intervals */
    ioa_bound_interval *intervals; /* [count] owned; ioa_certificate_free */
} ioa_certificate;

const char *ioa_bound_kind_name(ioa_bound_kind kind); /* "compulsory", "phases", "wavefront", "phases+wavefront", "separation" */

/* Certifies what it can for `memory` slots within a fixed amount of work (seconds, not minutes; the same result on
 * every machine). IOA_ERR_INPUT if memory < 3; IOA_ERR_NOMEM. */
ioa_status ioa_certified_bound(const ioa_network *network, uint64_t memory, ioa_certificate *out, ioa_error *error);

/* The same with another limit for the games of small networks (E and F), in states tried; the default is 100 million,
 * two or three seconds. Takes up to 5 GiB where `game_work` is in the billions. Larger networks gain nothing. */
ioa_status ioa_certified_bound_within(const ioa_network *network, uint64_t memory, uint64_t game_work,
                                      ioa_certificate *out, ioa_error *error);

void ioa_certificate_free(ioa_certificate *certificate); /* zeroes it; a zeroed one is allowed */

#endif
