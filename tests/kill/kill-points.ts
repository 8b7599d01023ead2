// Every named step between an order and its commit, by process.
import { FAULT_POINTS as AGENT } from '../../apps/agent/src/fault-points.ts';
import { FAULT_POINTS as CONTROL_PLANE } from '../../apps/control-plane/src/fault-points.ts';
import { FAULT_POINTS as CUSTODIAN } from '../../apps/custodian/src/fault-points.ts';
import type { KillPoint } from './armed-house.ts';

/** Steps of enrolment, of keys, of releases and of the end of data, of serving, of federations and their budgets, of fences and of return; they have tests of their own. */
const ELSEWHERE =
  /^(claim|join|deletion|shred|ring|rotation|rewrap|kek|tombstone|expire|erase|release|opening|endpoint|replica|scale|wanted|fence|federation|debit)-/;

function pointsOf(process: string, points: readonly string[], pass: number): KillPoint[] {
  return points.filter((point) => !ELSEWHERE.test(point)).map((point) => ({ process, point, pass }));
}

/** All steps, each at its `pass`-th passing; the kill test's agent is called `agent-1`. */
export function killPoints(pass: number): KillPoint[] {
  return [
    ...pointsOf('control-plane', CONTROL_PLANE, pass),
    ...pointsOf('custodian', CUSTODIAN, pass),
    ...pointsOf('agent-1', AGENT, pass),
  ];
}

/** Twenty steps around what is durable, for every run of the tests. */
export const KEY_POINTS: readonly KillPoint[] = killPoints(1).filter(({ process, point }) => {
  const wanted: Readonly<Record<string, RegExp>> = {
    'control-plane': /^(submit|place|committed)-/,
    custodian: /^(deposit|grant|commit)-|outbox-after/,
    'agent-1': /^(lease-after|grant-after|start-after|run-|commit-before-request|commit-after-answer)/,
  };
  return wanted[process]?.test(point) ?? false;
});
