import type { AssuranceRules } from '@ringfence/policy/assurance';

/** What factors are taken for at the control plane: an organisation cannot choose yet, so the stricter reading holds. */
export const ASSURANCE_RULES: AssuranceRules = { copiedPasskeysReachThree: false };
