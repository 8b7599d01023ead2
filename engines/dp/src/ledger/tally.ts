import type { PrivacyEvent } from '../accountant/index.ts';

/** An event that happened `times` over; of a run of steps the event is one step. */
export interface Counted {
  readonly event: PrivacyEvent;
  readonly times: number;
}

/** What happened, each different event once: it stays as short as what is done to data is uniform, however often it is done. */
export type Tally = readonly Counted[];

/** Events as a tally. */
export function tallyOf(events: readonly PrivacyEvent[]): Tally {
  return addTallies([], events.map(once));
}

/** Everything of both. */
export function addTallies(one: Tally, other: Tally): Tally {
  const sum = new Map<string, Counted>();
  for (const { event, times } of [...one, ...other]) {
    const key = eventKey(event);
    sum.set(key, { event, times: times + (sum.get(key)?.times ?? 0) });
  }
  return [...sum.values()];
}

/** The same as events, each run of equal steps as one. */
export function eventsOf(tally: Tally): PrivacyEvent[] {
  return tally.map(({ event, times }) => repeated(event, times));
}

/** One spelling of an event, fields in the order of their names: equal events have equal keys. */
export function eventKey(event: PrivacyEvent): string {
  return JSON.stringify(event, Object.keys(event).toSorted());
}

function once(event: PrivacyEvent): Counted {
  return event.type === 'tree'
    ? { event: { ...event, restarts: 1 }, times: event.restarts }
    : { event: { ...event, steps: 1 }, times: event.steps };
}

function repeated(event: PrivacyEvent, times: number): PrivacyEvent {
  return event.type === 'tree'
    ? { ...event, restarts: event.restarts * times }
    : { ...event, steps: event.steps * times };
}
