import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { newId, type CustodianId, type Rng } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { makeClaimCode, parseClaimCode, KeyringError, OneTimeCode, type ClaimCode } from '@ringfence/keyring';
import type { PartyRoute } from '@ringfence/protocol/payload';

/** Where the claim code of an unclaimed custodian lies (0600). */
export function claimCodeFile(state: string): string {
  return join(state, 'claim-code');
}

/** The claim code of the state folder; made the first time, and written anew when the routes changed. */
export function openClaimCode(state: string, at: { id: CustodianId; route: PartyRoute; rng: Rng }): ClaimCode {
  const file = claimCodeFile(state);
  const route = { custodian: { id: at.id, ...at.route } };
  const kept = readKept(file);
  if (kept !== undefined && JSON.stringify(kept.route) === JSON.stringify(route)) return kept;
  const code =
    kept?.route.custodian.id === at.id
      ? new OneTimeCode('claim', { id: kept.id, secret: kept.secret, route })
      : makeClaimCode(newId('joinCode', at.rng), route, at.rng);
  writeFileAtomic(file, code.text().expose());
  return code;
}

/** A claimed custodian has none. */
export function removeClaimCode(state: string): void {
  rmSync(claimCodeFile(state), { force: true });
}

function readKept(file: string): ClaimCode | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return parseClaimCode(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof KeyringError) return undefined;
    throw error;
  }
}
