/**
 * How many activities a control worker takes at once.
 * Rule (L5): a wait never costs another machine its turn. The watch over a stopped source holds its place for as long as
 * nobody commits, which may be days, and the SDK's own limit is 100: a hundred machines at that gate would stop all others.
 * A place costs nothing but its number; how fast the worlds are asked is bounded elsewhere.
 */

/** At once of one machine: the watch (over home, later over the source), the probes at the commit gate, the step of its story, and two more for attempts on their way out. */
const perMachine = 5;
/** For machines that left the inventory while they are under way, or that another computer's inventory began. */
const unlisted = 1_500;

export const controlSlots = (machines: number): number => unlisted + perMachine * machines;
