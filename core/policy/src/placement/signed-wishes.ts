import type { PlacementPart } from '@ringfence/protocol/statements';
import type { PlacementWishes, Weights } from './requirement.ts';

const THOUSANDTHS = 1_000;

/** What a signed placement part wishes; weights in it are thousandths. */
export function signedWishes({ residencyDeny, customerKey, weights }: PlacementPart): PlacementWishes {
  return {
    ...(residencyDeny === undefined ? {} : { residencyDeny }),
    ...(customerKey === undefined ? {} : { customerKey }),
    ...(weights === undefined ? {} : { weights: weightsOf(weights) }),
  };
}

function weightsOf(weights: NonNullable<PlacementPart['weights']>): Partial<Weights> {
  const entries = Object.entries(weights).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value / THOUSANDTHS] as const],
  );
  return Object.fromEntries(entries) satisfies Partial<Weights>;
}
