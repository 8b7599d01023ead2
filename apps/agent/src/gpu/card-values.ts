import { machineValue } from '../job-metrics/machine-values.ts';
import type { Measured } from '../job-metrics/metric-store.ts';
import type { GpuCard } from './gpu-card.ts';
import type { GpuCards } from './gpu-cards.ts';

/** What the cards of one job do now, numbered as the job sees them. */
export async function cardValues(gpus: GpuCards, cards: readonly GpuCard[]): Promise<readonly Measured[]> {
  const use = await gpus.use(cards);
  return use.flatMap((now, number) => {
    if (now === undefined) return [];
    const labels = { card: String(number) };
    return [
      machineValue('gpu', 'percent', now.percent, labels),
      machineValue('gpu-memory', 'bytes', now.memoryBytes, labels),
    ];
  });
}
