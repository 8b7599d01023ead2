/** When to stop before the last round: after `patience` evaluations without a loss that is lower by at least `least`. JSON-safe. */
export interface EarlyStopping {
  readonly patience: number;
  readonly least: number;
}

/** What is remembered between evaluations; JSON-safe but for the first, which has no best yet. */
export interface StopState {
  readonly best: number | null;
  /** Evaluations since the best. */
  readonly since: number;
}

/** Before the first evaluation. */
export const NOT_EVALUATED: StopState = { best: null, since: 0 };

/** Takes the mean loss of an evaluation round into account. A loss that is not a number counts as no improvement. */
export function afterEvaluation(
  { patience, least }: EarlyStopping,
  state: StopState,
  loss: number,
): StopState & { readonly stop: boolean } {
  const isBetter = state.best === null ? Number.isFinite(loss) : loss < state.best && loss <= state.best - least;
  if (isBetter) return { best: loss, since: 0, stop: false };
  return { best: state.best, since: state.since + 1, stop: state.since + 1 >= patience };
}
