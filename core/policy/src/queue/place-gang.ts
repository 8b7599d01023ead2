/** Where members of a gang are placed one by one, and taken out again. */
export interface GangDesk<Member, Placed> {
  /** Places one and takes its room; undefined when it fits nowhere now. */
  place(member: Member): Placed | undefined;
  /** Gives back what {@link place} took. */
  undo(placed: Placed): void;
}

/** So often is another order tried. */
const MOST_ORDERS = 8;

/**
 * Places all members of a gang or none. One that found no room goes first in the next try, up to eight orders: of members that ask for the
 * same, all are placed whenever that is possible at all; of different ones a way may be missed. Undefined when it was not done.
 */
export function placeGang<Member, Placed>(
  members: readonly Member[],
  desk: GangDesk<Member, Placed>,
): ReadonlyMap<Member, Placed> | undefined {
  let order = [...members];
  for (let tries = 0; tries < MOST_ORDERS; tries += 1) {
    const placed = new Map<Member, Placed>();
    const stuck = order.find((member) => {
      const found = desk.place(member);
      if (found !== undefined) placed.set(member, found);
      return found === undefined;
    });
    if (stuck === undefined) return placed;
    for (const one of [...placed.values()].toReversed()) desk.undo(one);
    // Alone it does not fit either.
    if (placed.size === 0) return undefined;
    order = [stuck, ...order.filter((member) => member !== stuck)];
  }
  return undefined;
}
