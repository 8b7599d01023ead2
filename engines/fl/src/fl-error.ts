import { RingfenceError } from '@ringfence/base';
import type { SecAggRefusal } from './secagg/refusal-code.ts';

/**
 * Why federated learning refused: `bad-parameters` (a plan that cannot be carried out or is unsafe), `bad-size` (bytes or values of another count than agreed),
 * `bad-data` (a table that is not what the contract says), `bad-encoding` (bytes no honest party writes), `bad-share` (shares that do not belong together or to their commitment), `bad-update` (numbers that nothing can be learned from), `wiped` (a secret that was used
 * up); the
 * others are refusals of secure aggregation.
 */
export type FlErrorCode =
  | 'bad-data'
  | 'bad-encoding'
  | 'bad-parameters'
  | 'bad-share'
  | 'bad-size'
  | 'bad-update'
  | 'wiped'
  | SecAggRefusal;

/** The one error class of this package; messages carry no secrets and nothing that a peer chose. */
export class FlError extends RingfenceError<FlErrorCode> {}
