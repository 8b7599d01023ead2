import { cliOf, homeOf } from './enrol.ts';
import type { Ground } from './roles.ts';
import { runCli, type CliCall, type CliResult } from './run-cli.ts';
import type { StartedProcess } from './started-process.ts';

/** A running house. */
export interface House {
  readonly root: string;
  readonly home: string;
  readonly processes: ReadonlyMap<string, StartedProcess>;
  process(name: string): StartedProcess;
  cli(
    args: readonly string[],
    options?: Partial<Pick<CliCall, 'input' | 'cwd' | 'onOutput' | 'within' | 'interrupt'>>,
  ): Promise<CliResult>;
  /** Ends the named process by SIGKILL and waits until it is gone. */
  kill(name: string): Promise<void>;
  /** Starts the named process again (after a kill, or after it killed itself at a fault point). */
  restart(name: string, env?: Readonly<Record<string, string>>): Promise<StartedProcess>;
  /** Stops all, clients first, databases with their owners. */
  stop(): Promise<void>;
}

/** What a running house is made from. */
export interface HouseParts {
  readonly ground: Ground;
  /** By name, in the order in which they were started; restarts change it. */
  readonly processes: Map<string, StartedProcess>;
  /** Environments by process name; a restart with another one changes it. */
  readonly env: Record<string, Readonly<Record<string, string>>>;
  /** Starts a process of this house by its name. */
  readonly start: (name: string) => Promise<StartedProcess>;
}

/** The house that these processes are. */
export function runningHouse({ ground, processes, env, start }: HouseParts): House {
  const process = (name: string): StartedProcess => {
    const found = processes.get(name);
    if (found === undefined) throw new Error(`${ground.root} has no process ${name}`);
    return found;
  };
  return {
    root: ground.root,
    home: homeOf(ground),
    processes,
    process,
    cli: (args, more = {}) => runCli({ ...cliOf(ground), args, ...more }),
    async kill(name) {
      process(name).kill('SIGKILL');
      await process(name).exited;
    },
    async restart(name, changed) {
      if (changed !== undefined) env[name] = changed;
      const again = await start(name);
      processes.set(name, again);
      return again;
    },
    async stop() {
      for (const name of [...processes.keys()].toReversed()) await processes.get(name)?.stop();
      processes.clear();
    },
  };
}
