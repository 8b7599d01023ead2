import type { KEYRING_ROLES } from '@ringfence/protocol/statements';
import { OWNER_POLICY } from '../authorise/owner-policy.ts';
import { DATA_OWNER_POLICY, ML_ENGINEER_POLICY } from './roles-with-payload.ts';
import {
  AUDITOR_POLICY,
  OFFICER_POLICY,
  OPERATOR_POLICY,
  PROVIDER_POLICY,
  READ_ONLY_POLICY,
} from './roles-without-payload.ts';

/** The name of a role that the keyring can bind a device to. */
export type RoleName = (typeof KEYRING_ROLES)[number];

/**
 * What each role may do, in Cedar: the files of `core/policy/policies` as strings, so that a bundle carries them. The owner's file also says
 * what agents may, and that nothing reaches into another organisation; docs/roles.md has the whole matrix.
 */
export const BUILT_IN_ROLES: Readonly<Record<RoleName, string>> = {
  owner: OWNER_POLICY,
  officer: OFFICER_POLICY,
  operator: OPERATOR_POLICY,
  'ml-engineer': ML_ENGINEER_POLICY,
  'data-owner': DATA_OWNER_POLICY,
  auditor: AUDITOR_POLICY,
  provider: PROVIDER_POLICY,
  'read-only': READ_ONLY_POLICY,
};

/** All of {@link BUILT_IN_ROLES}, for `createAuthoriser(...BUILT_IN_POLICIES)`. */
export const BUILT_IN_POLICIES: readonly string[] = Object.values(BUILT_IN_ROLES);
