import { roundsPerMinute } from './federation/rounds.ts';
import { simulatedClientsPerSecond } from './federation/simulated.ts';
import { loadNow } from './measure.ts';
import { rounded, type Row } from './row.ts';

export const description =
  'federations: rounds a minute of three real agents on the breast-cancer data, simulated clients a second in one process';

const ROUNDS = 30;
/** In the open as many as a study of utility has; each pair of clients has keys to agree on under masks. */
const SIMULATED = [
  { sums: 'open', clients: 1_000, rounds: 3 },
  { sums: 'secure', clients: 100, rounds: 1 },
] as const;

/** `simulated_clients_per_s`, with masks and without, and `rounds_per_minute`. Half of the time goes into starting four organisations. */
export async function* run(): AsyncGenerator<Row> {
  for (const { sums, clients, rounds } of SIMULATED)
    yield {
      name: 'simulated_clients_per_s',
      value: rounded(simulatedClientsPerSecond(clients, rounds, sums)),
      unit: '1/s',
      params: { clients, rounds, parameters: 62, sums, load: loadNow() },
      goal: null,
      peer: null,
    };
  yield {
    name: 'rounds_per_minute',
    value: rounded(await roundsPerMinute(ROUNDS)),
    unit: '1/min',
    params: { agents: 3, rounds: ROUNDS, parameters: 62, epsilon: 2, load: loadNow() },
    goal: null,
    peer: null,
  };
}
