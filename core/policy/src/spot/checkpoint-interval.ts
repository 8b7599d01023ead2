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

/** A mean time between losses as receipts say it: the greatest n, 0 to 30, with 2ⁿ seconds no longer. */
export function lossBucket(mtbfMs: number): number {
  return Math.min(30, Math.floor(Math.log2(Math.max(1, mtbfMs / 1_000))));
}

/** The milliseconds that {@link lossBucket} stands for. */
export function bucketMs(bucket: number): number {
  return 2 ** bucket * 1_000;
}

/**
 * How much work to do between two checkpoints that cost `costMs` each, in milliseconds: √(2 · C · M), a first-order approximation for C much less than M (Young,
 * CACM 17(9), 1974), and never less than a checkpoint itself takes.
 */
export function checkpointInterval({ costMs, mtbfMs }: { readonly costMs: number; readonly mtbfMs: number }): number {
  return Math.max(costMs, Math.sqrt(2 * costMs * mtbfMs));
}
