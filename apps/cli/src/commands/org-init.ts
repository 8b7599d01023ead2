import { join } from 'node:path';
import { CustodianClient } from '@ringfence/client/custodian';
import { createLinkIdentity } from '@ringfence/client/payload-link';
import { TlsKey } from '@ringfence/crypto/certificate';
import { fingerprintWords, SigningKey } from '@ringfence/crypto/sign';
import {
  checkCodeProof,
  codeProof,
  makeRecoveryKit,
  parseClaimCode,
  parseRegistrationCode,
  type ClaimCode,
} from '@ringfence/keyring';
import { makeFolder } from '@ringfence/base/platform';
import type { CustodianKeys } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import { text, type Command, type CommandContext, type Flags } from '../command.ts';
import { firstKeyring } from '../home/first-keyring.ts';
import { createLink } from '../home/link.ts';
import { hasProfile, writeDeviceKeys, writeProfile, type DeviceKeys } from '../home/profile.ts';
import { recoveryPage, writeRecoveryPage, writeRootKey } from '../home/root-key.ts';
import { secretInput } from '../secret-input.ts';

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

async function orgInit(context: CommandContext, _: readonly string[], flags: Flags): Promise<void> {
  const { home, rng, terminal } = context;
  if (hasProfile(home))
    throw new CliError('profile-exists', `${home} already holds a profile`, {
      next: 'point RINGFENCE_HOME to another folder for another organisation',
    });
  const name = text(flags, 'name') ?? 'organisation';
  const code = parseClaimCode(
    await secretInput(context, flags, {
      flag: 'claim-code',
      prompt: 'claim code (the custodian wrote it to its state folder)',
    }),
  );
  const registration = await secretInput(context, flags, {
    flag: 'registration-code',
    prompt: 'registration code of the control plane',
  });
  const { controlPlane } = parseRegistrationCode(registration).route;
  const passphrase = await secretInput(context, flags, {
    flag: 'passphrase',
    prompt: 'new passphrase for the root key',
  });
  makeFolder(home);
  const device = await makeDevice(context);
  const founders = {
    root: SigningKey.generate(rng),
    recovery: makeRecoveryKit(rng, { threshold: 1, count: 1 }),
    device,
  };
  const claimed = await claim(context, { code, registration, founders });
  const rootFile = text(flags, 'root-key-file') ?? join(home, 'root-key.sealed');
  await writeRootKey(rootFile, founders.root, passphrase, rng);
  const page = recoveryPage(founders.recovery, claimed.org);
  const kitFile = text(flags, 'kit-file');
  if (kitFile !== undefined) writeRecoveryPage(kitFile, page);
  await claimed.confirm();
  writeProfile(home, {
    v: 1,
    name,
    org: claimed.org,
    orgRoot: founders.root.publicKey,
    project: claimed.project(),
    device: claimed.device,
    controlPlane,
    custodian: code.route.custodian,
  });
  terminal.value({
    org: claimed.org,
    device: claimed.device,
    custodian: code.route.custodian.id,
    controlPlane: controlPlane.id,
    rootKeyFile: rootFile,
    kitFile: kitFile ?? null,
  });
  terminal.line(`Organisation ${name} (${claimed.org}) is made; this device is its owner.`);
  terminal.line(`Root fingerprint: ${fingerprintWords(founders.root.publicKey)}`);
  terminal.line(`Root key, sealed: ${rootFile} (move it off this machine)`);
  if (kitFile === undefined) terminal.line(`\n${page}`);
  else terminal.line(`Recovery kit: ${kitFile} (print it, then delete the file)`);
}

async function makeDevice({ clock, rng, home }: CommandContext): Promise<DeviceKeys> {
  const sign = SigningKey.generate(rng);
  const tls = TlsKey.generate(rng);
  const { tls: certificate } = await createLinkIdentity({ key: tls, clock, rng });
  const keys = { sign, tls, certificatePem: certificate.certificatePem };
  writeDeviceKeys(home, keys);
  return keys;
}

interface Claiming {
  readonly code: ClaimCode;
  readonly registration: string;
  readonly founders: Omit<Parameters<typeof firstKeyring>[0], 'custodian'>;
}

/** Asks the custodian for its keys (proven by the claim code's secret), signs the first keyring, and prepares the claim itself. */
async function claim({ clock, rng }: CommandContext, { code, registration, founders }: Claiming) {
  const { tls, certificatePem } = founders.device;
  const identity = { key: tls, tls: { certificatePem, privateKeyPem: tls.privateKeyPem() } };
  const custodian = new CustodianClient(createLink({ route: code.route.custodian, identity, clock }));
  const link = { client: tls.publicKey, server: code.route.custodian.tls };
  const keys = await custodianKeys(custodian, code, link);
  const { org, device, keyring } = firstKeyring({ ...founders, custodian: keys }, { clock, rng });
  const body = { keyring, registration, passphraseSealed: true };
  let project: Awaited<ReturnType<CustodianClient['claim']>>['project'] | undefined;
  return {
    org,
    device,
    confirm: async () => {
      try {
        const answer = await custodian.claim({
          ...body,
          proof: codeProof(code.secret, { message: 'claim-request', link, body }),
        });
        project = answer.project;
      } finally {
        custodian.close();
      }
    },
    project: () => {
      if (project === undefined) throw new CliError('not-trusted', 'the custodian did not take the claim');
      return project;
    },
  };
}

type Link = {
  readonly client: DeviceKeys['tls']['publicKey'];
  readonly server: ClaimCode['route']['custodian']['tls'];
};

async function custodianKeys(custodian: CustodianClient, code: ClaimCode, link: Link): Promise<CustodianKeys> {
  const asked = codeProof(code.secret, { message: 'claim-keys-request', link, body: {} });
  const { keys, proof } = await custodian.claimKeys({ proof: asked });
  const trusted = checkCodeProof(code.secret, { message: 'claim-keys-answer', link, body: { keys } }, proof);
  if (trusted && keys.tls === code.route.custodian.tls && keys.custodian === code.route.custodian.id) return keys;
  throw new CliError('not-trusted', 'the custodian did not prove that it knows the claim code', {
    next: 'read the claim code again from the custodian’s own machine',
  });
}
