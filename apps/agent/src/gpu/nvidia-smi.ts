import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CARD_QUERY, readBusy, readCards, readMinors, type GpuCard } from './gpu-card.ts';

const WITHIN_MS = 30_000;

/** What a card does: per cent of the time, and bytes of its memory. */
export interface CardUse {
  readonly percent: number;
  readonly memoryBytes: number;
}

/** NVIDIA's own program, which comes with the driver. All that we know of cards is what it prints. */
export class NvidiaSmi {
  readonly #program: string;

  constructor(program: string) {
    this.#program = program;
  }

  /** Every card that a job can be given. Rejects when the driver does not answer. */
  async cards(): Promise<readonly GpuCard[]> {
    const csv = await this.#ask(`--query-gpu=${CARD_QUERY}`, '--format=csv,noheader,nounits');
    if (csv.trim() === '') return [];
    return readCards(csv, readMinors(await this.#ask('-q', '-x')));
  }

  /** UUIDs of cards that some process computes on. */
  async busy(): Promise<ReadonlySet<string>> {
    return readBusy(await this.#ask('--query-compute-apps=gpu_uuid,pid', '--format=csv,noheader'));
  }

  /** What each card does now, by index. */
  async use(): Promise<ReadonlyMap<number, CardUse>> {
    const csv = await this.#ask('--query-gpu=index,utilization.gpu,memory.used', '--format=csv,noheader,nounits');
    const rows = csv.split('\n').flatMap((line) => {
      const [index = '', percent = '', mebibytes = ''] = line.split(',').map((field) => field.trim());
      if (![index, percent, mebibytes].every((field) => /^\d{1,9}$/.test(field))) return [];
      return [[Number(index), { percent: Number(percent), memoryBytes: Number(mebibytes) * 1_048_576 }] as const];
    });
    return new Map(rows);
  }

  async #ask(...args: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(this.#program, args, {
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      timeout: WITHIN_MS,
      maxBuffer: 16_777_216,
    });
    return stdout;
  }
}
