import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRng } from '@ringfence/base';
import { TlsKey } from '@ringfence/crypto/certificate';
import { DEFAULT_LINK_LIMITS, LinkCounts, type Release } from './link-limits.ts';

const rng = seededRng('link-limits');
const peers = [TlsKey.generate(rng).publicKey, TlsKey.generate(rng).publicKey] as const;
const LIMITS = { ...DEFAULT_LINK_LIMITS, links: 6, handshakes: 3, linksPerAddress: 4, linksPerPeer: 2 };

interface Link {
  readonly address: string | undefined;
  readonly opened: Release;
  peer?: string;
  admitted?: Release;
}

test('no limit is ever passed, and all places come back', () => {
  const step = fc.record({
    act: fc.constantFrom('open', 'admit', 'close'),
    address: fc.constantFrom('10.0.0.1', '10.0.0.2', undefined),
    peer: fc.constantFrom(...peers),
    pick: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const counts = new LinkCounts(LIMITS);
      const links: Link[] = [];
      for (const { act, address, peer, pick } of steps) {
        const link = links[pick % Math.max(1, links.length)];
        if (act === 'open') {
          const allowed =
            links.length < 6 &&
            links.filter(({ admitted }) => admitted === undefined).length < 3 &&
            (address === undefined || links.filter((other) => other.address === address).length < 4);
          const opened = counts.open(address);
          assert.equal(opened !== undefined, allowed);
          if (opened !== undefined) links.push({ address, opened });
        } else if (act === 'admit' && link !== undefined && link.admitted === undefined) {
          const allowed = links.filter((other) => other.peer === peer).length < 2;
          const admitted = counts.admit(peer);
          assert.equal(admitted !== undefined, allowed);
          if (admitted !== undefined) Object.assign(link, { peer, admitted });
        } else if (act === 'close' && link !== undefined) {
          links.splice(links.indexOf(link), 1);
          link.opened();
          link.admitted?.();
        }
      }
    }),
    { numRuns: 1_000 },
  );
});
