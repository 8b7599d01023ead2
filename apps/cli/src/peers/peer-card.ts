import { canonicalJson } from '@ringfence/base';
import { fingerprintWords, type SigningPublicKey } from '@ringfence/crypto/sign';
import { idOf, signKey } from '@ringfence/protocol';
import { plainText } from '@ringfence/protocol/federation';
import { z } from 'zod';
import { CliError } from '../cli-error.ts';
import { readTextFile } from '../job/read-text-file.ts';

const peerCard = z.strictObject({ v: z.literal(1), org: idOf('org'), root: signKey, name: plainText(64) });

/** What one organisation gives another to become its peer; no secrets. */
export type PeerCard = z.infer<typeof peerCard>;

/** The text of a card: one line. */
export function cardText(card: PeerCard): string {
  return `${canonicalJson(peerCard.parse(card))}\n`;
}

/** The card in a file, whose root's words are those that somebody heard from the other organisation. Throws CliError `bad-file`, `not-trusted`. */
export function readPeerCard(path: string, words: string): PeerCard {
  const next = 'take the file as `ringfence peer card` wrote it there';
  let value: unknown;
  try {
    value = JSON.parse(readTextFile(path, next));
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError('bad-file', `${path} is damaged or another file`, { cause, next });
  }
  const card = peerCard.safeParse(value);
  if (!card.success) throw new CliError('bad-file', `${path} is damaged or another file`, { cause: card.error, next });
  assertWords(card.data.root, words);
  return card.data;
}

function assertWords(root: SigningPublicKey, words: string): void {
  if (fingerprintWords(root) === words.trim().toLowerCase()) return;
  throw new CliError('not-trusted', 'these are not the words of the root in the file', {
    next: 'ask the other organisation for them again, over a way that is not the file’s',
  });
}
