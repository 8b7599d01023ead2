// What crossed the control links of the house, by its own parties' journals.
import { stateOf, type House } from '../house/index.ts';

/** What `wire verify` said of one journal. */
export interface WireReport {
  readonly party: string;
  readonly frames: number;
  readonly bytes: number;
  readonly ok: boolean;
}

/** Verifies the journals of custodian and agents. */
export async function verifyWire(house: House): Promise<WireReport[]> {
  const parties = [...house.processes.keys()].filter((name) => name === 'custodian' || name.startsWith('agent-'));
  const reports: WireReport[] = [];
  for (const party of parties) {
    const call = await house.cli([
      'wire',
      'verify',
      '--state',
      stateOf({ root: house.root, entries: { kind: 'source' }, env: {} }, party),
      '--json',
    ]);
    const report: { ok?: boolean; frames?: number; bytes?: number } = JSON.parse(call.stdout || '{}');
    reports.push({
      party,
      ok: call.code === 0 && report.ok === true,
      frames: report.frames ?? 0,
      bytes: report.bytes ?? 0,
    });
  }
  return reports;
}
