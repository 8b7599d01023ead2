import { join, resolve } from 'node:path';
import type { ProjectId } from '@ringfence/base';
import { makeFolder } from '@ringfence/base/platform';
import { ApiRefusal } from '@ringfence/client/api';
import { fingerprintWords, SigningKey } from '@ringfence/crypto/sign';
import { makeRecoveryKit, parseClaimCode, parseRegistrationCode } from '@ringfence/keyring';
import { CliError } from '../cli-error.ts';
import { text, type Command, type CommandContext, type Flags } from '../command.ts';
import { custodianKeys, sendClaim } from '../home/claim-custodian.ts';
import { DELEGATION_MS, firstKeyring } from '../home/first-keyring.ts';
import {
  readPendingClaim,
  removePendingClaim,
  replaceRegistration,
  storePendingClaim,
  type PendingClaim,
} from '../home/pending-claim.ts';
import { makeDevice } from '../home/make-device.ts';
import { hasProfile, readDeviceKeys, writeProfile } from '../home/profile.ts';
import { checkPassphrase, recoveryPage, sealRootKey } from '../home/root-key.ts';
import { secretInput } from '../secret-input.ts';

const LONGEST_NAME = 63;

export const command: Command = {
  usage:
    '--name NAME --claim-code-file FILE --registration-code-file FILE [--passphrase-file FILE] [--root-key-file FILE] [--kit-file FILE]',
  summary: 'make an organisation: root key, recovery kit, this device, its custodian, its control plane',
  options: {
    name: { type: 'string' },
    'claim-code-file': { type: 'string' },
    'registration-code-file': { type: 'string' },
    'passphrase-file': { type: 'string' },
    'root-key-file': { type: 'string' },
    'kit-file': { type: 'string' },
  },
  words: [0, 0],
  run: orgInit,
};

/** Everything that cannot be made again is on disk before the custodian hears of the organisation; a second call goes on where the first stopped. */
async function orgInit(context: CommandContext, _: readonly string[], flags: Flags): Promise<void> {
  const { home, terminal } = context;
  if (hasProfile(home))
    throw new CliError('profile-exists', `${home} already holds a profile`, {
      next: 'point RINGFENCE_HOME to another folder for another organisation',
    });
  makeFolder(home);
  const interrupted = readPendingClaim(home);
  if (interrupted !== undefined) terminal.note(`going on with the claim of ${interrupted.name} that did not finish`);
  const pending = interrupted ?? (await prepare(context, flags));
  finish(context, await claim(context, pending, flags));
}

async function prepare(context: CommandContext, flags: Flags): Promise<PendingClaim> {
  const { home, rng, clock, terminal } = context;
  const name = nameOf(flags);
  const kitFile = text(flags, 'kit-file');
  if (kitFile === undefined && terminal.json)
    throw new CliError('usage', 'with --json the recovery kit needs a file', { next: 'add --kit-file FILE' });
  const claimCode = await secretInput(context, flags, {
    flag: 'claim-code',
    prompt: 'claim code (the custodian wrote it to its state folder)',
  });
  const code = parseClaimCode(claimCode);
  const registration = await registrationCode(context, flags);
  const passphrase = await secretInput(context, flags, {
    flag: 'passphrase',
    prompt: 'new passphrase for the root key',
  });
  checkPassphrase(passphrase);
  const device = await makeDevice(context);
  const root = SigningKey.generate(rng);
  const recovery = makeRecoveryKit(rng, { threshold: 1, count: 1 });
  const custodian = await custodianKeys({ code, device, clock });
  const made = firstKeyring({ root, recovery, custodian, device }, { clock, rng });
  const rootKeyFile = resolve(text(flags, 'root-key-file') ?? join(home, 'root-key.sealed'));
  const page = recoveryPage(recovery, made.org);
  const kit = kitFile === undefined ? [] : [{ path: resolve(kitFile), content: page }];
  const claimed = { name, ...made, orgRoot: root.publicKey, claimCode, registration, rootKeyFile };
  const pending = storePendingClaim(home, { ...claimed, kitFile: kit[0]?.path ?? null }, [
    { path: rootKeyFile, content: await sealRootKey(root, passphrase, rng) },
    ...kit,
  ]);
  // Before the claim is sent: afterwards a lost page could not be made again.
  if (kitFile === undefined) terminal.line(`${page}\n`);
  return pending;
}

function nameOf(flags: Flags): string {
  const name = text(flags, 'name')?.trim();
  if (name !== undefined && name !== '' && name.length <= LONGEST_NAME) return name;
  throw new CliError('usage', `an organisation needs a name of at most ${LONGEST_NAME} characters`, {
    next: 'add --name NAME',
  });
}

async function registrationCode(context: CommandContext, flags: Flags): Promise<string> {
  const prompt = 'registration code of the control plane';
  const code = await secretInput(context, flags, { flag: 'registration-code', prompt });
  parseRegistrationCode(code);
  return code;
}

interface Claimed {
  readonly pending: PendingClaim;
  readonly project: ProjectId;
}

/** Sends the claim; where the control plane refused its code, once more with the code that this call brought. */
async function claim(context: CommandContext, pending: PendingClaim, flags: Flags): Promise<Claimed> {
  const { home, clock, terminal } = context;
  const at = { code: parseClaimCode(pending.claimCode), device: readDeviceKeys(home), clock };
  try {
    return { pending, project: await sendClaim(at, pending) };
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error;
    // Another claim won: this one can never be taken.
    if (error.code === 'claimed') removePendingClaim(home);
    else
      terminal.note(
        `the claim is kept: the same command goes on with it; without ${home}/pending-claim.json it starts afresh`,
      );
    if (error.code !== 'not-registered' || text(flags, 'registration-code-file') === undefined) throw error;
    const registration = await registrationCode(context, flags);
    if (registration === pending.registration) throw error;
    const replaced = replaceRegistration(home, pending, registration);
    return { pending: replaced, project: await sendClaim(at, replaced) };
  }
}

/** The control plane is pinned as the registration code named it, whatever the custodian says. */
function finish({ home, terminal }: CommandContext, { pending, project }: Claimed): void {
  const { org, orgRoot, device, name, rootKeyFile, kitFile } = pending;
  const { custodian } = parseClaimCode(pending.claimCode).route;
  const { controlPlane } = parseRegistrationCode(pending.registration).route;
  writeProfile(home, { v: 1, name, org, orgRoot, project, device, controlPlane, custodian });
  removePendingClaim(home);
  terminal.value({ org, device, custodian: custodian.id, controlPlane: controlPlane.id, rootKeyFile, kitFile });
  terminal.line(`Organisation ${name} (${org}) is made; this device is its owner.`);
  terminal.line(`Root fingerprint: ${fingerprintWords(orgRoot)}`);
  terminal.line(`Root key, sealed: ${rootKeyFile} (move it off this machine)`);
  if (kitFile !== null) terminal.line(`Recovery kit: ${kitFile} (print it, then delete the file)`);
  terminal.line(`The custodian may sign for ${DELEGATION_MS / 86_400_000} days; then the root key renews it.`);
}
