import type { Envelope, SigningKey } from '@ringfence/crypto/sign';
import type { Keyring } from '@ringfence/keyring';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { text, type CommandContext, type Flags } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { openRootKey } from '../home/root-key.ts';
import { writeNewFile } from '../new-file.ts';
import { secretInput } from '../secret-input.ts';
import { withSession, type Session } from '../session.ts';
import { isEnough, propose } from './keyring-proposal.ts';

/** Flags of commands that the root key may sign in place of this device's. */
export const ROOT_FLAGS = { 'root-key-file': { type: 'string' }, 'passphrase-file': { type: 'string' } } as const;

/** Flags of commands that sign a change of the keyring; `--out` leaves handing it in to others. */
export const SIGNER_FLAGS = { ...ROOT_FLAGS, out: { type: 'string' } } as const;

/**
 * Signs a change with this device's key, which counts for an officer's, or with the root key where `--root-key-file` names it, and hands it in;
 * with `--out` it is written to a file instead, for others to sign. True when it was handed in. `check` sees the keyring before anything is signed.
 * Throws CliError `usage`.
 */
export async function changeKeyring(
  context: CommandContext,
  flags: Flags,
  change: KeyringChange,
  check: (keyring: Keyring) => void = () => {},
): Promise<boolean> {
  const out = text(flags, 'out');
  return withSigner(context, flags, async (signer) => {
    check(signer.keyring);
    if (out === undefined) {
      await appendChange(context, signer, change);
      return true;
    }
    const proposal = propose(signer.keyring, change, signer.key, context.clock.now());
    const enough = isEnough(signer.keyring, proposal, context.clock.now());
    writeProposal(context, out, proposal, enough);
    context.terminal.value({ file: out, change, signatures: 1, enough });
    return false;
  });
}

/** Signs a change and hands it in. Throws CliError `usage` where this signature is not enough. */
export async function appendChange(
  { clock }: CommandContext,
  { session, keyring, key }: Signer,
  change: KeyringChange,
): Promise<void> {
  const proposal = propose(keyring, change, key, clock.now());
  if (!isEnough(keyring, proposal, clock.now()))
    throw new CliError('usage', 'this signature is not enough for this change', {
      next: 'with several officers another one signs too: --out FILE, then `ringfence keyring sign FILE`; or the root: --root-key-file FILE',
    });
  await session.custodian.appendStatement(proposal);
}

/** Whoever signs, and the keyring as it is now. */
export interface Signer {
  readonly session: Session;
  readonly keyring: Keyring;
  readonly key: SigningKey;
}

/** Opens the key that the flags name, or takes this device's. */
export async function withSigner<T>(
  context: CommandContext,
  flags: Flags,
  run: (signer: Signer) => Promise<T>,
): Promise<T> {
  const file = text(flags, 'root-key-file');
  const ask = { flag: 'passphrase', prompt: 'passphrase of the root key' };
  const root = file === undefined ? undefined : await openRootKey(file, await secretInput(context, flags, ask));
  return withSession(context, async (session) =>
    run({ session, keyring: await checkedKeyring(context, session), key: root ?? session.keys.sign }),
  );
}

/** Writes a proposal, and says what is done with it. Throws CliError `bad-file`. */
export function writeProposal({ terminal }: CommandContext, path: string, proposal: Envelope, enough: boolean): void {
  writeNewFile(path, `${JSON.stringify(proposal)}\n`);
  terminal.note(
    enough
      ? `its signatures are enough: ringfence keyring submit ${path}`
      : `another officer signs it, before the keyring changes: ringfence keyring sign ${path} --out FILE`,
  );
}
