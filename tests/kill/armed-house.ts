// A house whose processes can be told, while they run, to kill themselves at a named step; and a client session that outlives them.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { CommandContext } from '../../apps/cli/src/command.ts';
import { withSession, type Session } from '../../apps/cli/src/session.ts';
import { startHouse, type House, type StartedProcess } from '../../scripts/house/index.ts';

/** The processes that have fault points. */
export const ARMED = ['control-plane', 'custodian', 'agent-1'] as const;

/** Where to kill: a process of the house, a fault point of its role, and at which passing. */
export interface KillPoint {
  readonly process: string;
  readonly point: string;
  readonly pass: number;
}

/** A running house under test. */
export interface ArmedHouse {
  readonly house: House;
  readonly root: string;
  readonly context: CommandContext;
  readonly session: Session;
  arm(kill: KillPoint): void;
  disarm(process: string): void;
  /** Waits for the process to die by SIGKILL, then starts it again; undefined when it lives on. */
  revive(process: string, within: number): Promise<StartedProcess | undefined>;
  close(): Promise<void>;
}

/** Starts a house below `root`; faults reach the first of its agents. `more` is environment by process name. */
export async function startArmedHouse(
  root: string,
  agents = 1,
  more: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): Promise<ArmedHouse> {
  const file = (process: string): string => join(root, `armed-${process}`);
  const env = Object.fromEntries(
    ARMED.map((process) => [process, { RINGFENCE_FAULT: `@${file(process)}`, ...more[process] }]),
  );
  const house = await startHouse({ root: join(root, 'house'), agents, env });
  const context = quietContext(house);
  const { session, close } = await openSession(context).catch(async (error: unknown) => {
    await house.stop();
    throw error;
  });
  return {
    house,
    root,
    context,
    session,
    arm: ({ process, point, pass }) => writeFileSync(file(process), `${point}:${pass}`),
    disarm: (process) => rmSync(file(process), { force: true }),
    async revive(process, within) {
      const exit = await endsWithin(house.process(process), within);
      if (exit === undefined) return undefined;
      assert.equal(exit.signal, 'SIGKILL', `${process} ended by itself`);
      return house.restart(process);
    },
    async close() {
      await close();
      await house.stop();
    },
  };
}

function endsWithin({ exited }: StartedProcess, milliseconds: number): Promise<Awaited<typeof exited> | undefined> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(undefined), milliseconds);
    void exited.then((exit) => {
      clearTimeout(late);
      resolve(exit);
    });
  });
}

/** What a command of the CLI runs with when nobody reads what it says. */
export function quietContext(house: House): CommandContext {
  const nothing = (): void => {};
  const terminal = { json: false, watched: false, line: nothing, value: nothing, note: nothing, raw: nothing };
  return { terminal, clock: systemClock, rng: systemRng, home: house.home, stdin: process.stdin };
}

/** The CLI's own session, open until `close`. */
export function openSession(context: CommandContext): Promise<{ session: Session; close: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    const { promise: closed, resolve: end } = Promise.withResolvers<void>();
    const over: Promise<void> = withSession(context, (session) => {
      const close = (): Promise<void> => {
        end();
        return over;
      };
      resolve({ session, close });
      return closed;
    });
    over.catch(reject);
  });
}
