import type { Decision } from '@ringfence/policy';
import { LISTED_PASSWORDS } from './listed-passwords.ts';

/** Characters of a password (NIST SP 800-63B-4 §3.1.1.2 asks 15 alone, 8 beside another factor; there is always another here). */
export const PASSWORD_CHARACTERS = { least: 12, most: 128 } as const;

/** What this product and its pages suggest (docs/identity.md): a password has to be one without these words, too. */
const SUGGESTED =
  /ringfence|controlplane|custodian|keyring|organisation|administrator|operator|officer|auditor|owner|member|admin|password|account/g;
const LEAST_BESIDE = 8;

/** Whether a new password may be one: long enough, and not what everybody tries here. There are no rules on what it is made of. */
export function checkPassword(text: string): Decision<'too-short' | 'too-long' | 'common'> {
  const plain = text.normalize('NFKC');
  const characters = Array.from(plain).length;
  if (characters < PASSWORD_CHARACTERS.least) return { allow: false, reasons: ['too-short'] };
  if (characters > PASSWORD_CHARACTERS.most) return { allow: false, reasons: ['too-long'] };
  const joined = plain.toLowerCase().replaceAll(/[\s.-]/g, '');
  const beside = joined.replaceAll(SUGGESTED, '');
  const isSuggested = beside !== joined && Array.from(beside).length < LEAST_BESIDE;
  if (LISTED_PASSWORDS.has(joined) || isSuggested) return { allow: false, reasons: ['common'] };
  return { allow: true };
}
