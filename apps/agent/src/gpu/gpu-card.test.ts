import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelOf, readBusy, readCards, readMinors } from './gpu-card.ts';

// Names as drivers print them; models as job files of several platforms spell them.
const NAMES: Readonly<Record<string, string | undefined>> = {
  'NVIDIA H100 80GB HBM3': 'H100',
  'NVIDIA H100 NVL': 'H100',
  'NVIDIA H200': 'H200',
  'NVIDIA A100-SXM4-80GB': 'A100',
  'NVIDIA A100 80GB PCIe': 'A100',
  'A100-PCIE-40GB': 'A100',
  'Tesla V100-SXM2-16GB': 'V100',
  'Tesla T4': 'T4',
  'NVIDIA L40S': 'L40S',
  'NVIDIA A10G': 'A10G',
  'NVIDIA GeForce RTX 4090': 'RTX4090',
  'NVIDIA GeForce RTX 3070 Ti': 'RTX3070TI',
  'NVIDIA RTX A6000': 'A6000',
  'NVIDIA RTX 6000 Ada Generation': 'RTX6000ADA',
  'Quadro RTX 8000': 'RTX8000',
  NVIDIA: undefined,
  '': undefined,
  '4090': undefined,
  'NVIDIA $(reboot)': undefined,
};

test('names of cards become the models that job files ask for', () => {
  for (const [name, model] of Object.entries(NAMES)) assert.equal(modelOf(name), model, name);
});

test('a card without a device number is not given to anybody, and odd lines are no cards', () => {
  const uuid = 'GPU-11111111-aaaa-bbbb-cccc-000000000000';
  const minors = readMinors(
    `<gpu id="x"><uuid>${uuid}</uuid><minor_number>5</minor_number></gpu><gpu id="y"><uuid>${uuid.replace(/0$/, '1')}</uuid></gpu>`,
  );
  const csv = `0, ${uuid}, NVIDIA H100 80GB HBM3, 81559\n1, ${uuid.replace(/0$/, '1')}, NVIDIA H100 80GB HBM3, 81559\nNo devices were found\n\n`;
  assert.deepEqual(readCards(csv, minors), [
    { index: 0, uuid, minor: 5, model: 'H100', memoryBytes: 81_559 * 1_048_576 },
  ]);
  const [shared] = readCards(`0, ${uuid}, NVIDIA GH200 480GB, [N/A]\n`, minors);
  assert.equal(shared?.memoryBytes, 0);
});

test('a card is in use when any process is named with it', () => {
  assert.deepEqual([...readBusy('GPU-1, 12\nGPU-1, 13\nGPU-2, [Insufficient Permissions]\n')], ['GPU-1', 'GPU-2']);
  assert.deepEqual([...readBusy('\n')], []);
});
