// Against a stand-in for nvidia-smi, and nodes of the null device in the place of a driver's: no card is behind these tests.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { need } from '../../../../scripts/needs.ts';
import { lookForCards } from '../gpu/gpu-cards.ts';
import { standIn, uuidOf, type StandIn } from '../gpu/stand-in.fixture.ts';
import { Places } from '../machine/capacity.ts';
import { WORKLOAD } from './members.fixture.ts';
import { openOrganisation, type TestOrganisation } from './organisation.fixture.ts';

const RESOURCES = { ...WORKLOAD.resources, gpus: { model: 'A100', memoryBytes: 80e9, count: 1 } };

async function openWithCards(t: TestContext): Promise<TestOrganisation & { smi: StandIn }> {
  const smi = standIn(t);
  const organisation = await openOrganisation(t);
  const gpus = await lookForCards(smi.program);
  const places = new Places(organisation.machine.capacity, 4, gpus);
  Object.assign(organisation.machine, { gpus, places, gpuFolder: smi.devices });
  return { ...organisation, smi };
}

test('a job sees the node of its own card and of no other, and gives it back', async (t) => {
  if (!need(t, 'bubblewrap', 'root')) return;
  const organisation = await openWithCards(t);
  assert.ok(readdirSync(organisation.smi.devices).length > 0);
  organisation.smi.use(uuidOf(0));
  const run = 'cd /dev; ls -d nvidia*; echo "$CUDA_VISIBLE_DEVICES $NVIDIA_VISIBLE_DEVICES"';
  for (let turn = 0; turn < 3; turn += 1) {
    const workload = { ...WORKLOAD, run, isolation: 'sandbox' as const, resources: RESOURCES };
    const { job } = await organisation.lease({ workload });
    await organisation.settled();
    assert.deepEqual(organisation.output(job), ['nvidia-uvm', 'nvidia0', 'nvidiactl', '0 1']);
  }
});

test('a job for a card that others compute on is refused with the reason, and runs nothing', async (t) => {
  if (!need(t, 'bubblewrap', 'root')) return;
  const organisation = await openWithCards(t);
  organisation.smi.use(uuidOf(0), uuidOf(1));
  const workload = { ...WORKLOAD, isolation: 'sandbox' as const, resources: RESOURCES };
  await organisation.lease({ workload });
  await organisation.settled();
  assert.ok(organisation.log.some((line) => /"attempt.refused".*"reason":"capacity,gpu-in-use"/.test(line)));
  assert.deepEqual(organisation.facts(), ['leased', 'refused']);
});

test('a job for a card is refused where only a container is enough, before the custodian is asked', async (t) => {
  if (!need(t, 'runc', 'root')) return;
  const organisation = await openWithCards(t);
  const workload = { ...WORKLOAD, isolation: 'container' as const, resources: RESOURCES };
  await organisation.lease({ workload });
  await organisation.settled();
  assert.ok(organisation.log.some((line) => /"attempt.refused".*"reason":"isolation,no-gpu-in-containers"/.test(line)));
  assert.deepEqual(organisation.facts(), ['leased', 'refused']);
});
