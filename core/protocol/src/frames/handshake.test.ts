import assert from 'node:assert/strict';
import test from 'node:test';
import { concatBytes, equalBytes, newId, seededRng, toHex } from '@ringfence/base';
import { sha256, type SigningKey } from '@ringfence/crypto/sign';
import { ACCEPT_BYTES, decodeAccept, decodeOpen, encodeAccept, OPEN_BYTES } from './handshake-frame.ts';
import { beginHandshake, readOpen, type PinnedControlPlane } from './handshake.ts';
import { controlPlaneIdentity, keysEnvelope, linkPair, NOW } from './link-pair.fixture.ts';
import type { FrameRefusal } from './refusal.ts';

const LAST = { seq: 41, hash: toHex(seededRng('last').bytes(32)) } as { seq: number; hash: never };

function ends(seed: string) {
  const rng = seededRng(seed);
  const controlPlane = controlPlaneIdentity(rng);
  const pinned: PinnedControlPlane = { controlPlane: controlPlane.id, root: controlPlane.root.publicKey };
  const party = newId('agent', rng);
  return { rng, controlPlane, pinned, party };
}

/** The accept frame of a control plane that answers `open` with `change`d parts. */
function answer(
  { rng, controlPlane }: ReturnType<typeof ends>,
  open: Uint8Array,
  change: Partial<{ keys: ReturnType<typeof keysEnvelope>; framesKey: SigningKey }> = {},
) {
  const request = readOpen(open, controlPlane.id);
  assert.ok(request.ok);
  const made = request.answer({ keys: controlPlane.keys, framesKey: controlPlane.frames, last: LAST, rng, ...change });
  assert.ok(made.ok);
  return made;
}

test('both ends arrive at the same keys and transcript, and the party learns its last point', () => {
  const side = ends('agree');
  const handshake = beginHandshake(side.party, side.pinned, side.rng);
  assert.equal(handshake.open.length, OPEN_BYTES);
  const request = readOpen(handshake.open, side.controlPlane.id);
  assert.ok(request.ok);
  assert.equal(request.party, side.party);
  const there = answer(side, handshake.open);
  assert.equal(there.accept.length, ACCEPT_BYTES);
  const here = handshake.finish(there.accept, NOW);
  assert.ok(here.ok);
  assert.deepEqual(here.last, LAST);
  assert.equal(here.controlPlaneKeys.leases, side.controlPlane.leases.publicKey);
  assert.ok(equalBytes(here.transcript, sha256(concatBytes(handshake.open, there.accept))));
  assert.ok(equalBytes(here.transcript, there.transcript));
  for (const direction of ['initiatorToResponder', 'responderToInitiator'] as const)
    assert.ok(equalBytes(here.keys[direction].key.expose(), there.keys[direction].key.expose()));
  assert.ok(!equalBytes(here.keys.initiatorToResponder.key.expose(), here.keys.responderToInitiator.key.expose()));
});

test('a party talks to nobody but the pinned control plane', () => {
  const side = ends('hostile');
  const other = ends('other control plane');
  const handshake = beginHandshake(side.party, side.pinned, side.rng);
  const { controlPlane: mine } = side;
  const refusal = (accept: Uint8Array, now = NOW): FrameRefusal | 'agreed' => {
    const result = handshake.finish(accept, now);
    return result.ok ? 'agreed' : result.code;
  };
  const otherRoot = keysEnvelope({ ...mine, root: other.controlPlane.root });
  assert.equal(refusal(answer(side, handshake.open, { keys: otherRoot }).accept), 'keys', 'another root');
  const claimed = keysEnvelope(mine, { signer: other.controlPlane.root });
  assert.equal(refusal(answer(side, handshake.open, { keys: claimed }).accept), 'keys', 'a root that did not sign');
  const otherId = keysEnvelope({ ...mine, id: other.controlPlane.id });
  assert.equal(refusal(answer(side, handshake.open, { keys: otherId }).accept), 'recipient', 'another id');
  const swapped = { framesKey: other.controlPlane.frames };
  assert.equal(refusal(answer(side, handshake.open, swapped).accept), 'handshake-signature', 'another frames key');
  const good = answer(side, handshake.open).accept;
  assert.equal(refusal(good, (NOW + 86_400_000) as typeof NOW), 'keys', 'keys whose time is over');
  assert.equal(refusal(good, (NOW - 400_000) as typeof NOW), 'keys', 'keys of the future');
  const replayed = answer(side, beginHandshake(side.party, side.pinned, side.rng).open).accept;
  assert.equal(refusal(replayed), 'handshake-signature', 'the accept frame of another connection');
  const elsewhere = beginHandshake(side.party, other.pinned, side.rng).open;
  const misdirected = readOpen(elsewhere, side.controlPlane.id);
  assert.equal(misdirected.ok ? 'ok' : misdirected.code, 'recipient');
  assert.equal(refusal(good), 'agreed');
});

test('every byte of both frames is checked', () => {
  const side = ends('bytes');
  const handshake = beginHandshake(side.party, side.pinned, side.rng);
  const good = answer(side, handshake.open).accept;
  for (let at = 0; at < ACCEPT_BYTES; at += 1) {
    const changed = Uint8Array.from(good);
    changed[at] = (changed[at] ?? 0) ^ 4;
    assert.ok(!handshake.finish(changed, NOW).ok, `accept byte ${at}`);
  }
  const opened = decodeOpen(handshake.open);
  assert.ok(opened.ok);
  let shareBytes = 0;
  for (let at = 0; at < OPEN_BYTES; at += 1) {
    const changed = Uint8Array.from(handshake.open);
    changed[at] = (changed[at] ?? 0) ^ 4;
    const result = decodeOpen(changed);
    if (!result.ok) continue;
    // Ids, nonce and share may be any: the signature over the transcript then no longer fits.
    shareBytes += 1;
    if (shareBytes % 16 !== 1) continue;
    const request = readOpen(changed, side.controlPlane.id);
    if (!request.ok) continue;
    const made = request.answer({
      keys: side.controlPlane.keys,
      framesKey: side.controlPlane.frames,
      last: null,
      rng: side.rng,
    });
    if (made.ok) assert.ok(!handshake.finish(made.accept, NOW).ok, `open byte ${at}`);
  }
  assert.ok(shareBytes >= opened.share.length);
});

test('sizes, versions and kinds other than the right ones are refused', () => {
  const { open, accept } = linkPair('sizes');
  for (const length of [0, 3, 512, OPEN_BYTES - 1])
    assert.deepEqual(decodeOpen(open.subarray(0, length)), { ok: false, code: 'size' });
  assert.deepEqual(decodeOpen(accept), { ok: false, code: 'size' });
  const changed = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
    const copy = Uint8Array.from(bytes);
    copy[at] = value;
    return copy;
  };
  assert.deepEqual(decodeOpen(changed(open, 0, 0)), { ok: false, code: 'version' });
  assert.deepEqual(decodeAccept(changed(accept, 0, 2)), { ok: false, code: 'version' });
  assert.deepEqual(decodeOpen(changed(open, 1, 2)), { ok: false, code: 'kind' });
  assert.deepEqual(decodeAccept(changed(accept, 1, 1)), { ok: false, code: 'kind' });
  assert.deepEqual(decodeOpen(changed(open, 2, 0xff)), { ok: false, code: 'length' });
  assert.deepEqual(decodeOpen(changed(open, OPEN_BYTES - 1, 1)), { ok: false, code: 'padding' });
  assert.deepEqual(decodeAccept(changed(accept, ACCEPT_BYTES - 1, 1)), { ok: false, code: 'padding' });
});

test('a head that does not fit is an error of the caller', () => {
  const { controlPlane, rng } = ends('long');
  const one = controlPlane.keys.signatures;
  const keys = { ...controlPlane.keys, payload: 'A'.repeat(12_000), signatures: one };
  const share = rng.bytes(32 + 1_088);
  assert.throws(() => encodeAccept({ keys, last: null, share }, rng, () => new Uint8Array(64)), RangeError);
  assert.throws(
    () => encodeAccept({ keys: controlPlane.keys, last: null, share: share.subarray(1) }, rng, () => share),
    RangeError,
  );
});
