/** Ways in which a simulation can be told to do wrong, one for each thing that is checked: the check has to find it. */
const BREAKAGES = [
  'second-attempt',
  'ignore-constraints',
  'ignore-capacity',
  'ignore-budget',
  'restricted-away',
  'false-explanation',
  'forget-a-job',
  'starve-a-job',
  'renew-for-ever',
  'place-without-term',
  'leave-a-dead-term',
  'split-a-gang',
] as const;
export type Breakage = (typeof BREAKAGES)[number];
