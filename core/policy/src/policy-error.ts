import { RingfenceError } from '@ringfence/base';

/** Why a set of policies or a declaration was refused at boot, or an evaluation could not be trusted. */
export type PolicyErrorCode = 'bad-policy' | 'undeclared-action' | 'wrong-resource';

/** The one error class of this package. */
export class PolicyError extends RingfenceError<PolicyErrorCode> {}
