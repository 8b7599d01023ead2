/** A graphics card of this machine, as nvidia-smi tells of it. */
export interface GpuCard {
  readonly index: number;
  readonly uuid: string;
  /** Number of its device node, `/dev/nvidiaN`; it need not be the index. */
  readonly minor: number;
  /** As job files and offers spell it. */
  readonly model: string;
  readonly memoryBytes: number;
}

/** Asked for with `nvidia-smi --query-gpu=… --format=csv,noheader,nounits`; memory in MiB. */
export const CARD_QUERY = 'index,uuid,name,memory.total';

/** Reads the answer to {@link CARD_QUERY}, with the device numbers of {@link readMinors}; a card without one cannot be given to a job and is left out. */
export function readCards(csv: string, minors: ReadonlyMap<string, number>): readonly GpuCard[] {
  return rowsOf(csv).flatMap(([index = '', uuid = '', name = '', memory = '']) => {
    const minor = minors.get(uuid);
    const model = modelOf(name);
    if (!/^\d{1,3}$/.test(index) || minor === undefined || model === undefined) return [];
    // Where memory is shared with the processor nvidia-smi has no number of it.
    const memoryBytes = /^\d{1,9}$/.test(memory) ? Number(memory) * 1_048_576 : 0;
    return [{ index: Number(index), uuid, minor, model, memoryBytes }];
  });
}

/** Device numbers by UUID, in the answer to `nvidia-smi -q -x`: no csv query has them. */
export function readMinors(xml: string): ReadonlyMap<string, number> {
  const minors = xml.split('<gpu id="').flatMap((gpu) => {
    const uuid = /<uuid>(GPU-[0-9a-f-]{36})<\/uuid>/.exec(gpu)?.[1];
    const minor = /<minor_number>(\d{1,3})<\/minor_number>/.exec(gpu)?.[1];
    return uuid === undefined || minor === undefined ? [] : [[uuid, Number(minor)] as const];
  });
  return new Map(minors);
}

/** UUIDs of the cards that a process uses, in the answer to `nvidia-smi --query-compute-apps=gpu_uuid,pid --format=csv,noheader`. */
export function readBusy(csv: string): ReadonlySet<string> {
  return new Set(rowsOf(csv).flatMap(([uuid = '']) => (uuid.startsWith('GPU-') ? [uuid] : [])));
}

/** `NVIDIA A100-SXM4-80GB` is an A100, `NVIDIA GeForce RTX 4090` an RTX4090; undefined for a name that cannot be offered. */
export function modelOf(name: string): string | undefined {
  const words = name
    .toUpperCase()
    .split(' ')
    .filter((word) => !['NVIDIA', 'TESLA', 'QUADRO', 'GEFORCE', ''].includes(word));
  const [first = '', ...rest] = words;
  const model = /^(?:RTX|GTX|TITAN)$/.test(first)
    ? series(first, rest)
    : // What follows is how it is built in, or its memory.
      first.split('-', 1).join();
  return /^[A-Z][A-Z0-9-]{0,15}$/.test(model) ? model : undefined;
}

/** `RTX A6000` goes by A6000 alone; `RTX 3070 TI` and `RTX 6000 ADA GENERATION` by all that tells them apart. */
function series(first: string, [number = '', ...rest]: readonly string[]): string {
  if (/^A\d{4}$/.test(number)) return number;
  return [first, number, ...rest.filter((word) => ['TI', 'SUPER', 'D', 'ADA'].includes(word))].join('');
}

function rowsOf(csv: string): readonly (readonly string[])[] {
  return csv
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(',').map((field) => field.trim()));
}
