import { epochMs, newId, seededRng, type Rng } from '@ringfence/base';
import { SigningKey, signEnvelope, type Envelope } from '@ringfence/crypto/sign';
import type { PartyRole } from './direction.ts';
import { FrameReceiver } from './frame-receiver.ts';
import { FrameSender } from './frame-sender.ts';
import { beginHandshake, readOpen } from './handshake.ts';

/** The moment at which fixtures live. */
export const NOW = epochMs(1_800_000_000_000);

/** A control plane's identity with its signed online keys, valid around {@link NOW}. */
export function controlPlaneIdentity(rng: Rng) {
  const id = newId('controlPlane', rng);
  const root = SigningKey.generate(rng);
  const frames = SigningKey.generate(rng);
  const leases = SigningKey.generate(rng);
  return { id, root, frames, leases, keys: keysEnvelope({ id, root, frames, leases }) };
}

/** The statement of a control plane's online keys; `notAfter` a day after {@link NOW} unless told. */
export function keysEnvelope(
  identity: {
    id: string;
    root: SigningKey;
    frames: SigningKey;
    leases: SigningKey;
  },
  { at = NOW - 1_000, notAfter = NOW + 86_400_000, signer = identity.root } = {},
): Envelope {
  const body = {
    v: 1,
    controlPlane: identity.id,
    root: identity.root.publicKey,
    frames: identity.frames.publicKey,
    leases: identity.leases.publicKey,
    at,
    notAfter,
  };
  return signEnvelope('application/vnd.ringfence.control-plane-keys.v1+json', body, [signer]);
}

/** Both ends of one connection after the handshake. */
export function linkPair(seed: string, role: PartyRole = 'agent') {
  const rng = seededRng(seed);
  const controlPlane = controlPlaneIdentity(rng);
  const partyKey = SigningKey.generate(rng);
  const party = role === 'agent' ? newId('agent', rng) : newId('custodian', rng);
  const handshake = beginHandshake(party, { controlPlane: controlPlane.id, root: controlPlane.root.publicKey }, rng);
  const request = readOpen(handshake.open, controlPlane.id);
  if (!request.ok) throw new Error(request.code);
  const answer = request.answer({ keys: controlPlane.keys, framesKey: controlPlane.frames, last: null, rng });
  if (!answer.ok) throw new Error(answer.code);
  const agreed = handshake.finish(answer.accept, NOW);
  if (!agreed.ok) throw new Error(agreed.code);
  const { transcript, keys } = agreed;
  return {
    rng,
    party,
    partyKey,
    controlPlane,
    open: handshake.open,
    accept: answer.accept,
    transcript,
    keys,
    up: {
      sender: new FrameSender({ direction: 'party', key: keys.initiatorToResponder, transcript, signing: partyKey }),
      receiver: new FrameReceiver({
        direction: 'party',
        role,
        key: answer.keys.initiatorToResponder,
        transcript: answer.transcript,
        signer: partyKey.publicKey,
      }),
    },
    down: {
      sender: new FrameSender({
        direction: 'control-plane',
        key: answer.keys.responderToInitiator,
        transcript: answer.transcript,
        signing: controlPlane.frames,
      }),
      receiver: new FrameReceiver({
        direction: 'control-plane',
        role,
        key: keys.responderToInitiator,
        transcript,
        signer: agreed.controlPlaneKeys.frames,
      }),
    },
  };
}
