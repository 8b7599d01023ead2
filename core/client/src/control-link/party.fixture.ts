import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { newId, silentLog, systemRng, type Clock } from '@ringfence/base';
import { SigningKey } from '@ringfence/crypto/sign';
import { createControlLink } from './control-link.ts';
import type { ControlLink, ControlLinkOptions } from './control-link-options.ts';
import type { LoopbackControlPlane } from './control-plane.fixture.ts';
import { LinkJournal, type LinkParty, type SegmentLimits, type StoredFact } from './link-journal.ts';

/** A temporary folder that the test removes. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-link-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A fresh identity of an agent or custodian. */
export function newParty(role: LinkParty['role'] = 'agent'): { party: LinkParty; key: SigningKey } {
  const id = role === 'agent' ? newId('agent', systemRng) : newId('custodian', systemRng);
  return { party: { id, org: newId('org', systemRng), role }, key: SigningKey.generate(systemRng) };
}

/** A link of `identity` to `controlPlane` with its journal in `folder`; the test stops and closes it. */
export function dial(
  t: TestContext,
  controlPlane: LoopbackControlPlane,
  setup: {
    identity: ReturnType<typeof newParty>;
    folder: string;
    clock: Clock;
    onFact?: (fact: StoredFact) => void;
    limits?: SegmentLimits;
  } & Partial<ControlLinkOptions>,
): { link: ControlLink; journal: LinkJournal; close: () => Promise<void> } {
  const { identity, folder, clock } = setup;
  const journal = LinkJournal.open({
    folder,
    party: identity.party,
    controlPlane: controlPlane.id,
    clock,
    onFact: setup.onFact,
    key: identity.key,
    rng: systemRng,
    limits: setup.limits,
  });
  const link = createControlLink({
    url: `https://127.0.0.1:${controlPlane.port}`,
    controlPlane: controlPlane.id,
    root: controlPlane.root.publicKey,
    ...identity,
    journal,
    rng: systemRng,
    log: silentLog,
    trust: controlPlane.trust,
    firstDelayMs: 200,
    onMessage: async () => undefined,
    heartbeat: () => ({ attempts: [] }),
    ...setup,
  });
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await link.stop();
    await journal.close();
  };
  t.after(close);
  link.start();
  return { link, journal, close };
}
