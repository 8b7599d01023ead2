import type { InNumbers, ModelSpec as SignedSpec } from '@ringfence/protocol/federation';
import type { ModelSpec } from './model-spec.ts';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** What the trainer trains is what a contract can say, no more and no less: the compiler finds any difference. Nothing here runs or is imported. */
export const SAME_MODELS: Same<ModelSpec, InNumbers<SignedSpec>> = true;
