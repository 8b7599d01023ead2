import { WHOLE_GPU, type PlacementOffer, type Take } from '@ringfence/policy/placement';

/** Whether an offer that has `free` when nothing runs there can hold all of `takes` at once, each card for itself. */
export function fits({ cpuMilli, memoryBytes, diskBytes }: PlacementOffer['free'], takes: readonly Take[]): boolean {
  let [cpu, memory, disk] = [0, 0, 0];
  let cards: Map<string, number> | undefined;
  for (const take of takes) {
    cpu += take.cpuMilli;
    memory += take.memoryBytes;
    disk += take.diskBytes;
    if (take.gpus === undefined) continue;
    cards ??= new Map();
    for (const card of take.gpus.cards) {
      const key = `${take.gpus.model} ${take.gpus.memoryBytes} ${card}`;
      const held = (cards.get(key) ?? 0) + take.gpus.milli;
      if (held > WHOLE_GPU) return false;
      cards.set(key, held);
    }
  }
  return cpu <= cpuMilli && memory <= memoryBytes && disk <= diskBytes;
}
