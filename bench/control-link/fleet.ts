// The parent's side of the simulators: asks all of them, and adds up what they say.
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { cpuSeconds } from '../control-plane/process-cost.ts';
import type { Answer, Ask, Setup } from './simulator.ts';

/** Many agents in a few processes. */
export type Fleet = {
  /** Shares the agents out, and begins to dial. */
  dial(setup: Setup): Promise<Answer>;
  /** Asks all simulators at once; rates are shared out among them. */
  ask(ask: Exclude<Ask, { kind: 'dial' }>): Promise<Answer>;
  cpuSeconds(): number;
  end(): void;
};

/** Starts so many simulators. */
export function startFleet(simulators: number): Fleet {
  const children = Array.from({ length: simulators }, () =>
    fork(join(import.meta.dirname, 'simulator.ts'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
  );
  const all = async (asks: readonly Ask[]): Promise<Answer> =>
    sum(await Promise.all(asks.map((ask, index) => answerOf(children[index], ask))));
  return {
    dial: (setup) =>
      all(
        children.map((_, index) => ({
          kind: 'dial',
          setup: {
            ...setup,
            perSecond: setup.perSecond / simulators,
            agents: setup.agents.filter((_agent, at) => at % simulators === index),
          },
        })),
      ),
    ask: (ask) =>
      all(children.map(() => (ask.kind === 'talk' ? { ...ask, perSecond: ask.perSecond / simulators } : ask))),
    cpuSeconds: () => children.reduce((total, { pid = 0 }) => total + cpuSeconds(pid), 0),
    end: () => void children.map((child) => child.kill('SIGKILL')),
  };
}

function answerOf(child: ChildProcess | undefined, ask: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('a simulator ended'));
    child?.once('exit', gone);
    child?.once('message', (answer) => {
      child.off('exit', gone);
      resolve(answer as Answer);
    });
    child?.send(ask);
  });
}

function sum(answers: readonly Answer[]): Answer {
  const total = (count: (answer: Answer) => number) => answers.reduce((all, answer) => all + count(answer), 0);
  return {
    up: total(({ up }) => up),
    sent: total(({ sent }) => sent),
    open: total(({ open }) => open),
    upAt: answers.flatMap(({ upAt }) => upAt),
    ackMs: answers.flatMap(({ ackMs }) => ackMs),
    renewMs: answers.flatMap(({ renewMs }) => renewMs),
  };
}
