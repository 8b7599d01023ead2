import { randomBelow, type Brand, type Rng } from '@ringfence/base';

/** Ten drawn letters: a member types them beside the password, and they say nothing of whose they are. */
export type SignInName = Brand<string, 'SignInName'>;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const LETTERS = 10;

/** A fresh name of 50 random bits. */
export function drawSignInName(rng: Rng): SignInName {
  return Array.from({ length: LETTERS }, () => ALPHABET.charAt(randomBelow(rng, ALPHABET.length))).join(
    '',
  ) as SignInName;
}

/** The name that somebody typed; case, spaces and dashes do not matter. Undefined where it can be nobody's. */
export function readSignInName(text: string): SignInName | undefined {
  const plain = text.toLowerCase().replaceAll(/[\s-]/g, '');
  return /^[a-z2-7]{10}$/.test(plain) ? (plain as SignInName) : undefined;
}
