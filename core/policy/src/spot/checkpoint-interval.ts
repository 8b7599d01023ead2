/** What is known of losses: milliseconds that machines ran, and how often one was lost. */
export interface SeenLosses {
  readonly ranMs: number;
  readonly losses: number;
  /** The mean time between losses that is believed in before any was seen, in milliseconds. */
  readonly priorMs: number;
}

/** The mean time between losses, in milliseconds: as seen, with one loss in the time believed in counted along. */
export function observedMtbf({ ranMs, losses, priorMs }: SeenLosses): number {
  return (ranMs + priorMs) / (losses + 1);
}

/**
 * How much work to do between two checkpoints that cost `costMs` each, in milliseconds: √(2 · C · M), a first-order approximation for C much less than M (Young,
 * CACM 17(9), 1974), and never less than a checkpoint itself takes.
 */
export function checkpointInterval({ costMs, mtbfMs }: { readonly costMs: number; readonly mtbfMs: number }): number {
  return Math.max(costMs, Math.sqrt(2 * costMs * mtbfMs));
}
