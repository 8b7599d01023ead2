import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxLevel, SandboxSpec } from '../sandbox/index.ts';
import type { GpuCard } from './gpu-card.ts';

/** Nodes of the driver itself, which every program that computes on a card opens. */
const DRIVER_NODES = ['nvidiactl', 'nvidia-uvm', 'nvidia-uvm-tools', 'nvidia-modeset'];

/** What a sandbox needs for the cards of its job: the nodes of those alone, and the variables that programs choose cards by. */
export function gpuAccess(
  cards: readonly GpuCard[],
  level: SandboxLevel,
  folder = '/dev',
): Pick<SandboxSpec, 'env'> & { readonly devices: NonNullable<SandboxSpec['devices']> } {
  if (cards.length === 0) return { env: {}, devices: [] };
  const indices = cards.map(({ index }) => index).join();
  // A sandbox has the nodes of these cards alone, so that the driver numbers them from 0; a process on the machine sees all of them.
  const visible = level === 'process' ? indices : cards.map((_, number) => number).join();
  const nodes = cards.map(({ minor }) => `nvidia${minor}`);
  const driver = DRIVER_NODES.filter((name) => existsSync(join(folder, name)));
  return {
    env: { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: visible, NVIDIA_VISIBLE_DEVICES: indices },
    devices: [...nodes, ...driver].map((name) => ({ hostPath: join(folder, name), sandboxPath: `/dev/${name}` })),
  };
}
