import { formatDuration } from '@ringfence/base';
import type { NameOf } from '../placement/explanation-lines.ts';
import { momentText } from '../placement/moment-text.ts';
import { moneyText } from './pool-lines.ts';
import type { JudgedDecision, JudgedDeletion } from './verify-decisions.ts';

/** A decision for people: what, when, and what decided it. */
export function decisionLines({ verified, digest, body }: JudgedDecision, nameOf: NameOf): string[] {
  const { seq, at, decision, pressure, looks, queue, budget, away } = body;
  const { spent, reserved, microUnits, currency } = budget;
  const money = [spent, reserved].map((amount) => moneyText(amount, currency));
  return [
    `${seq}  ${momentText(at)}  ${whatText(decision, nameOf)}${verified ? '' : '  NOT SIGNED by the keys that the pinned root names'}`,
    `     ${queueText(queue)}${looks} looks: ${pressure}; ${away} away; ${money[0]} spent, ${money[1]} reserved of ${moneyText(microUnits, currency)}`,
    `     ${digest}`,
  ];
}

/** A deletion for people. */
export function deletionLines({ verified, digest, body }: JudgedDeletion, nameOf: NameOf): string[] {
  const { agent, at, attempts, request } = body;
  const word = verified ? 'signed by it' : 'NOT its word about an order that is shown here';
  return [
    `${momentText(at)}  ${nameOf(agent)} deleted what it held of ${attempts.length} attempts (${request}): ${word}`,
    `     ${digest}`,
  ];
}

function queueText(queue: JudgedDecision['body']['queue']): string {
  if (queue === undefined) return '';
  const { waiting, mayBurst, longestWaitMs } = queue;
  const longest = longestWaitMs === undefined ? 'for ever' : formatDuration(longestWaitMs);
  return `${waiting} waited, ${mayBurst} of them could leave${mayBurst === 0 ? '' : `, the longest ${longest}`}; `;
}

function whatText(decision: JudgedDecision['body']['decision'], nameOf: NameOf): string {
  switch (decision.type) {
    case 'open':
      return 'the gate opens';
    case 'close':
      return 'the gate closes';
    case 'cordon':
      return `no new work on ${nameOf(decision.agent)}`;
    case 'uncordon':
      return `new work on ${nameOf(decision.agent)} again`;
    case 'move':
      return `${decision.job} attempt ${decision.attempt} is to go on at home, away from ${nameOf(decision.agent)}`;
    case 'ask-deletion':
      return `${nameOf(decision.agent)} is to delete what it holds of ${decision.attempts.length} attempts`;
    case 'shred-keys':
      return `the custodian is to destroy the keys of ${decision.attempts.length} attempts on ${nameOf(decision.agent)}`;
    case 'release':
      return `${nameOf(decision.agent)} is given back, deletion ${decision.deletion}`;
    default:
      return decision satisfies never;
  }
}
