/** Who sends: the party (agent or custodian) or the control plane. */
export type Direction = 'party' | 'control-plane';

/** The byte that stands for each direction in signed bytes. */
export const DIRECTION_BYTE: Readonly<Record<Direction, number>> = { party: 0, 'control-plane': 1 };

/** What the party at a link's lower end is. */
export type PartyRole = 'agent' | 'custodian';
