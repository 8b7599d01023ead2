/**
 * About how long the slower files take, in seconds: those start first. `npm test -- --durations` prints what they took; a figure that
 * is off costs a little time and nothing else.
 */
export const EXPECTED_SECONDS: Readonly<Record<string, number>> = {};
