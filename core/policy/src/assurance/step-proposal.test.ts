import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, newId, seededRng, type EpochMs, type MemberId } from '@ringfence/base';
import fc from 'fast-check';
import {
  HIGHEST,
  LOOK_COUNTS_MS,
  LOOK_EVERY_MS,
  PROPOSAL_LIFE_MS,
  propose,
  quorumOf,
  stepProposal,
  USUAL_LONE_OFFICER,
  type Actor,
  type Officer,
  type Proposal,
  type ProposalCommand,
  type ProposalContext,
  type ProposalEvent,
  type ProposalStep,
} from './index.ts';

const rng = seededRng('proposals');
const start = epochMs(1_800_000_000_000);
const digest = 'ab'.repeat(32);
const { delayMs, foundingMs } = USUAL_LONE_OFFICER;

const officer = (member: string, locked = false): Officer => ({
  device: newId('device', rng),
  member: `mem_${member}` as MemberId,
  locked,
  roles: [{ role: 'officer' }],
});
const anna = officer('anna');
const annaAgain = officer('anna');
const ben = officer('ben');
const cleo = officer('cleo');

const acting = ({ device, member }: Officer, at: EpochMs): Actor => ({
  device,
  member,
  factors: [{ kind: 'passkey', at, userVerified: true, mayBeCopied: false }],
});
const contextOf = (officers: readonly Officer[], now: number = start): ProposalContext => ({
  now: epochMs(now),
  officers,
  requirement: HIGHEST,
  rules: { copiedPasskeysReachThree: false },
  loneOfficer: USUAL_LONE_OFFICER,
  foundedAt: epochMs(start - 2 * foundingMs),
  newestWordAt: start,
});

function allowed(decision: ReturnType<typeof stepProposal>): ProposalStep {
  return decision.allow ? decision : assert.fail(decision.reasons.join());
}
const refusal = (decision: ReturnType<typeof stepProposal>) => (decision.allow ? [] : decision.reasons);
const proposed = (officers: readonly Officer[], by = anna): ProposalStep =>
  allowed(propose(acting(by, start), digest, contextOf(officers)));
const agree = (state: Proposal, by: Officer, context: ProposalContext) =>
  stepProposal(state, { type: 'approved', by: acting(by, context.now), digest }, context);
const look = (state: Proposal, context: ProposalContext): ProposalStep =>
  allowed(stepProposal(state, { type: 'looked' }, context));
const taken = (state: Proposal, context: ProposalContext) => stepProposal(state, { type: 'taken', digest }, context);
const told = ({ commands }: { readonly commands: readonly ProposalCommand[] }) =>
  commands.flatMap((command) => (command.type === 'tell' ? [command.what] : []));

/** Looks as often as a waiting proposal asks, for `ms`. */
function waited(state: Proposal, officers: readonly Officer[], from: number, ms: number): ProposalStep {
  let step: ProposalStep = { state, commands: [] };
  for (let passed = LOOK_EVERY_MS; passed <= ms; passed += LOOK_EVERY_MS)
    step = look(step.state, contextOf(officers, from + passed));
  return step;
}

describe('a proposal among officers', () => {
  it('is ready when a second member agrees, and is carried out once', () => {
    const first = proposed([anna, ben]);
    assert.equal(first.state.phase, 'collecting');
    assert.deepEqual(first.commands, [
      { type: 'tell', what: 'proposed' },
      { type: 'look-again', inMs: PROPOSAL_LIFE_MS },
    ]);
    const second = allowed(agree(first.state, ben, contextOf([anna, ben])));
    assert.equal(second.state.phase, 'ready');
    assert.deepEqual(second.commands, [
      { type: 'tell', what: 'approved' },
      { type: 'tell', what: 'ready' },
      { type: 'carry-out', digest },
    ]);
    assert.deepEqual(look(second.state, contextOf([anna, ben])).commands, [{ type: 'carry-out', digest }]);
    const done = allowed(taken(second.state, contextOf([anna, ben])));
    assert.equal(done.state.phase, 'done');
    assert.deepEqual(refusal(taken(done.state, contextOf([anna, ben]))), ['over']);
    assert.deepEqual(refusal(agree(done.state, cleo, contextOf([anna, ben, cleo]))), ['over']);
  });

  it('counts members and not devices', () => {
    const first = proposed([anna, annaAgain, ben]);
    const same = allowed(agree(first.state, annaAgain, contextOf([anna, annaAgain, ben])));
    assert.equal(same.state.phase, 'collecting');
    assert.deepEqual(quorumOf([anna, annaAgain], 2), { needed: 1, lone: true });
    assert.equal(proposed([anna, annaAgain]).state.phase, 'waiting');
  });

  it('takes no word of a stranger, a locked officer, one who is not sure, or for other bytes', () => {
    const { state } = proposed([anna, ben]);
    const context = contextOf([anna, { ...ben, locked: true }]);
    assert.deepEqual(refusal(agree(state, cleo, context)), ['not-an-officer']);
    assert.deepEqual(refusal(agree(state, ben, context)), ['locked']);
    const stolen = { ...ben, member: anna.member };
    assert.deepEqual(refusal(agree(state, stolen, contextOf([anna, ben]))), ['not-an-officer']);
    const late = contextOf([anna, ben], start + HIGHEST.withinMs);
    const unsure: ProposalEvent = { type: 'approved', by: acting(ben, start), digest };
    assert.deepEqual(refusal(stepProposal(state, unsure, late)), ['step-up']);
    const other: ProposalEvent = { type: 'approved', by: acting(ben, start), digest: 'cd'.repeat(32) };
    assert.deepEqual(refusal(stepProposal(state, other, contextOf([anna, ben]))), ['other-digest']);
    assert.deepEqual(refusal(propose(acting(cleo, start), digest, contextOf([anna]))), ['not-an-officer']);
    const weak: Actor = { ...acting(anna, start), factors: [{ kind: 'device-key', at: start }] };
    assert.deepEqual(refusal(propose(weak, digest, contextOf([anna]))), ['step-up']);
  });

  it('does not make an officer lone by a lock on the other', () => {
    const locked = [anna, { ...ben, locked: true }];
    assert.equal(proposed(locked).state.phase, 'collecting');
    assert.equal(waited(proposed(locked).state, locked, start, delayMs + LOOK_EVERY_MS).state.phase, 'collecting');
  });

  it('is judged again when it is carried out', () => {
    const { state } = allowed(agree(proposed([anna, ben]).state, ben, contextOf([anna, ben])));
    for (const now of [[anna, { ...ben, locked: true }], [anna, cleo], []])
      assert.deepEqual(refusal(taken(state, contextOf(now))), ['not-ready']);
    assert.equal(look(state, contextOf([anna, cleo])).state.phase, 'collecting');
    const other: ProposalEvent = { type: 'taken', digest: 'cd'.repeat(32) };
    assert.deepEqual(refusal(stepProposal(state, other, contextOf([anna, ben]))), ['other-digest']);
  });

  it('ends by the word of an officer or owner alone, and at its end', () => {
    const { state } = proposed([anna, ben]);
    const object = (by: Officer, owner: boolean, officers: readonly Officer[]) =>
      stepProposal(state, { type: 'objected', owner, by }, contextOf(officers));
    assert.deepEqual(refusal(object(cleo, false, [anna, ben])), ['may-not-object']);
    assert.deepEqual(refusal(object(ben, false, [anna, { ...ben, locked: true }])), ['may-not-object']);
    for (const ended of [object(cleo, true, [anna, ben]), object(ben, false, [anna, ben])]) {
      assert.deepEqual([allowed(ended).state.phase, allowed(ended).state.endedAs], ['ended', 'objected']);
      assert.deepEqual(refusal(agree(allowed(ended).state, ben, contextOf([anna, ben]))), ['over']);
    }
    const last = contextOf([anna, ben], start + PROPOSAL_LIFE_MS - 1);
    assert.equal(look(state, last).state.phase, 'collecting');
    const end = contextOf([anna, ben], start + PROPOSAL_LIFE_MS);
    assert.equal(look(state, end).state.endedAs, 'expired');
    assert.equal(allowed(agree(state, ben, end)).state.endedAs, 'expired');
  });
});

describe('a lone officer', () => {
  it('waits a day, and everybody is told at the beginning, at half and at the end', () => {
    const first = proposed([anna]);
    assert.equal(first.state.phase, 'waiting');
    assert.deepEqual(first.commands, [
      { type: 'tell', what: 'proposed' },
      { type: 'tell', what: 'waiting', remainingMs: delayMs },
      { type: 'look-again', inMs: LOOK_EVERY_MS },
    ]);
    assert.deepEqual(refusal(taken(first.state, contextOf([anna]))), ['not-ready']);
    assert.deepEqual(told(waited(first.state, [anna], start, delayMs / 2)), ['half-waited']);
    const almost = waited(first.state, [anna], start, delayMs - LOOK_EVERY_MS);
    assert.equal(almost.state.phase, 'waiting');
    const ready = waited(first.state, [anna], start, delayMs);
    assert.deepEqual(ready.commands, [
      { type: 'tell', what: 'ready' },
      { type: 'carry-out', digest },
    ]);
    const done = allowed(taken(ready.state, contextOf([anna], start + delayMs)));
    assert.deepEqual(told(done), ['done']);
  });

  it('waits for nothing on the first day of an organisation, and again from the second on', () => {
    const on = (ageMs: number, setBackMs = 0) => {
      const context = { ...contextOf([anna], start - setBackMs), foundedAt: epochMs(start - ageMs) };
      return allowed(propose(acting(anna, context.now), digest, context));
    };
    assert.equal(on(0).state.phase, 'ready');
    assert.equal(on(foundingMs - 1).state.phase, 'ready');
    assert.equal(on(foundingMs).state.phase, 'waiting');
    assert.equal(on(-1).state.phase, 'waiting', 'a genesis of the future is no first day');
    assert.equal(on(foundingMs, 1).state.phase, 'waiting', 'nor is a clock that was set back');
  });

  it('is not helped by a clock that jumps, nor by a custodian that was down', () => {
    const { state } = proposed([anna]);
    const jumped = look(state, contextOf([anna], start + 10 * delayMs));
    assert.deepEqual([jumped.state.phase, jumped.state.waitedMs], ['waiting', LOOK_COUNTS_MS]);
    const back = look(jumped.state, contextOf([anna], start));
    assert.deepEqual([back.state.phase, back.state.waitedMs], ['waiting', LOOK_COUNTS_MS]);
  });

  it('who is joined by another officer needs that one, and begins anew when alone again', () => {
    const half = waited(proposed([anna]).state, [anna], start, delayMs / 2);
    const joined = look(half.state, contextOf([anna, ben], start + delayMs / 2));
    assert.deepEqual([joined.state.phase, joined.state.waitedMs], ['collecting', 0]);
    const alone = look(joined.state, contextOf([anna], start + delayMs / 2));
    assert.deepEqual([alone.state.phase, alone.state.waitedMs], ['waiting', 0]);
    assert.equal(allowed(agree(joined.state, ben, contextOf([anna, ben]))).state.phase, 'ready');
  });

  it('who is locked while it waits has agreed to nothing', () => {
    const half = waited(proposed([anna]).state, [anna], start, delayMs / 2);
    const locked = look(half.state, contextOf([{ ...anna, locked: true }], start + delayMs / 2));
    assert.deepEqual([locked.state.phase, locked.state.waitedMs], ['collecting', 0]);
  });

  it('has a day to see it carried out, however long the delay was', () => {
    const long = { ...USUAL_LONE_OFFICER, delayMs: 2 * PROPOSAL_LIFE_MS };
    const context = { ...contextOf([anna]), loneOfficer: long };
    let { state } = allowed(propose(acting(anna, start), digest, context));
    let now: number = start;
    while (state.phase === 'waiting') {
      now += LOOK_COUNTS_MS;
      ({ state } = look(state, { ...context, now: epochMs(now) }));
    }
    assert.deepEqual([state.phase, now - start], ['ready', long.delayMs]);
    assert.equal(look(state, { ...context, now: epochMs(now + 86_000_000) }).state.phase, 'ready');
    assert.equal(look(state, { ...context, now: epochMs(now + 86_400_000) }).state.endedAs, 'expired');
  });
});

/** A walk: officers come, go and are locked; some agree, object, look, and try to carry it out; the clock moves as it likes. */
const walk = fc.array(
  fc.record({
    who: fc.constantFrom(anna, annaAgain, ben, cleo),
    officers: fc.subarray([anna, annaAgain, ben, cleo]),
    locked: fc.oneof({ weight: 4, arbitrary: fc.constant<Officer[]>([]) }, fc.subarray([anna, annaAgain, ben, cleo])),
    act: fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom('approved', 'looked', 'taken') },
      fc.constant('objected' as const),
    ),
    passedMs: fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 0, max: 120_000 }) },
      fc.integer({ min: -delayMs, max: 2 * delayMs }),
    ),
  }),
  { maxLength: 60 },
);

describe('any walk', () => {
  it('carries out only what enough members of that moment agreed to, or a lone one waited for', () => {
    let dones = 0;
    fc.assert(
      fc.property(walk, (steps) => {
        const shortRule = { delayMs: 150_000, foundingMs };
        let now: number = start;
        let { state } = allowed(propose(acting(anna, start), digest, { ...contextOf([anna]), loneOfficer: shortRule }));
        const agreed = new Set([anna.device]);
        for (const { who, officers: members, locked, act, passedMs } of steps) {
          now += passedMs;
          const officers = members.map((each) => ({ ...each, locked: locked.includes(each) }));
          const context = { ...contextOf(officers, now), loneOfficer: shortRule };
          const by = acting(who, context.now);
          const event: ProposalEvent =
            act === 'approved'
              ? { type: act, by, digest }
              : act === 'objected'
                ? { type: act, owner: false, by }
                : act === 'taken'
                  ? { type: act, digest }
                  : { type: act };
          const before = state;
          const decision = stepProposal(state, event, context);
          if (!decision.allow) continue;
          if (act === 'approved') agreed.add(who.device);
          state = decision.state;
          const carried = decision.commands.some(({ type }) => type === 'carry-out') || state.phase === 'done';
          if (!carried) continue;
          const counting = new Set(
            officers.filter(({ device, locked: cut }) => !cut && agreed.has(device)).map(({ member }) => member),
          );
          const all = new Set(officers.map(({ member }) => member));
          assert.ok(counting.size >= Math.max(1, Math.min(2, all.size)));
          if (all.size === 1 && before.phase !== 'ready') assert.ok(state.waitedMs >= shortRule.delayMs);
          if (state.phase === 'done') dones += 1;
        }
      }),
      { numRuns: 3_000 },
    );
    assert.ok(dones > 50, `only ${dones} walks came to an end`);
  });
});
