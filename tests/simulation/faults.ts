import type { OfferId } from '@ringfence/base';
import type { ControlPlane } from './control-plane.ts';
import { Custodian } from './custodian.ts';
import { claim, randomPrice } from './offers.ts';
import type { Replicas } from './replicas.ts';
import { CONTROL_PLANE, CUSTODIAN, type World } from './world.ts';

/** Breaks something at random, and mends it some time later by itself. */
export class Faults {
  readonly #world: World;
  readonly #replicas: Replicas;
  readonly #setWall: (offset: number) => void;

  constructor(world: World, replicas: Replicas, setWall: (offset: number) => void) {
    this.#world = world;
    this.#replicas = replicas;
    this.#setWall = setWall;
  }

  /** One fault. */
  strike(): void {
    const { chance, watch } = this.#world;
    const faults: [string, () => void][] = [
      ['agent killed', () => this.#killAgent()],
      ['agent cut from control plane', () => this.#cut(CONTROL_PLANE)],
      ['agent cut from custodian', () => this.#cut(CUSTODIAN)],
      ['price changed', () => this.#change(() => ({ price: randomPrice(chance) }))],
      ['evidence made anew', () => this.#change((wall) => ({ evidence: [claim(chance, wall), claim(chance, wall)] }))],
      ['evidence revoked', () => this.#revoke()],
      ['agent locked', () => this.#lock()],
      ['control plane killed', () => this.#killControlPlane()],
      ['replica paused', () => this.#pauseReplica()],
      ['custodian killed', () => this.#killCustodian()],
      ['wall clock set', () => this.#setWall(chance.between(-600_000, 600_000))],
      ['bad weather', () => this.#storm()],
    ];
    const [name, run] = chance.pick(faults);
    watch.count(`fault: ${name}`);
    run();
  }

  /** Everything that is broken is mended. */
  heal(): void {
    const { network, agents, books, chance } = this.#world;
    network.heal();
    network.weather = { dropPercent: 0, duplicatePercent: 0, straggleMs: 100 };
    this.#setWall(0);
    for (const agent of agents.values()) agent.restart();
    books.locked.clear();
    for (const [id, offer] of books.offers) {
      if (offer.tier === 'private') continue;
      const wall = this.#world.wall();
      const good = { grade: 'third-party', notAfter: (wall + 400 * 3_600_000) as typeof wall } as const;
      const evidence = (['iso27001', 'soc2'] as const).map((standard) => ({
        ...claim(chance, wall),
        ...good,
        standard,
      }));
      const price = { microUnits: 1_000_000, currency: 'EUR' };
      books.offers.set(id, { ...offer, epoch: offer.epoch + 1, evidence, price });
    }
    for (const { alive, name } of this.#replicas.all) if (!alive) this.#replicas.restart(name);
    for (const id of books.offers.keys()) this.#world.controlPlane.refresh(id);
  }

  #killAgent(): void {
    const { chance, agents, timeline } = this.#world;
    const agent = chance.pick([...agents.values()]);
    agent.kill();
    timeline.after(chance.between(1_000, 120_000), () => agent.restart());
  }

  #cut(from: string): void {
    const { chance, agents, network, timeline } = this.#world;
    const agent = chance.pick([...agents.keys()]);
    network.setCut(agent, from, true);
    timeline.after(chance.between(1_000, 180_000), () => network.setCut(agent, from, false));
  }

  #change(make: (wall: number) => object): void {
    const { chance, books, wall } = this.#world;
    const away = [...books.offers.values()].filter(({ tier }) => tier !== 'private');
    const offer = chance.pick(away);
    this.#put(offer.offer, { ...make(wall()), epoch: offer.epoch + 1 });
  }

  /** What runs on the strength of it is drained; the claim counts no more. */
  #revoke(): void {
    const { chance, books, controlPlane } = this.#world;
    // An empty list of claims may be revoked too: nothing changes then but what runs.
    const offer = chance.pick([...books.offers.values()].filter(({ tier }) => tier !== 'private'));
    this.#put(offer.offer, { evidence: [], epoch: offer.epoch + 1 });
    for (const rows of books.attempts.values())
      for (const row of rows)
        if (row.live && row.away && row.offer === offer.offer && controlPlane.alive)
          controlPlane.sendStop(row, 'interrupted');
  }

  #lock(): void {
    const { chance, books, timeline } = this.#world;
    const id = chance.pick([...books.offers.keys()]);
    books.locked.add(id);
    this.#refresh(id);
    timeline.after(chance.between(10_000, 200_000), () => {
      books.locked.delete(id);
      this.#refresh(id);
    });
  }

  /** At once, or in the middle of its next placement; now and then all of them. */
  #killControlPlane(): void {
    const { chance } = this.#world;
    const { all } = this.#replicas;
    for (const plane of chance.oneIn(4) ? all : [chance.pick(all)]) this.#killReplica(plane);
  }

  #killReplica(plane: ControlPlane): void {
    const { chance, timeline } = this.#world;
    if (!plane.alive) return;
    if (chance.oneIn(2)) plane.diesPlacing = true;
    else plane.alive = false;
    this.#replicas.changed();
    timeline.after(chance.between(1_000, 60_000), () => {
      if (!this.#replicas.all.includes(plane)) return;
      plane.alive = false;
      this.#replicas.restart(plane.name);
    });
  }

  /** It stands still for longer than a term lasts, and goes on believing that it has one. */
  #pauseReplica(): void {
    const { chance, books } = this.#world;
    const holder = this.#replicas.all.find(({ name }) => name === books.term.holder);
    if (holder?.alive === true && !holder.isPaused) holder.pause(chance.between(2_000, 40_000));
  }

  #killCustodian(): void {
    const { chance, network, timeline } = this.#world;
    network.setDown(CUSTODIAN, true);
    timeline.after(chance.between(1_000, 60_000), () => {
      network.setDown(CUSTODIAN, false);
      this.#world.custodian = new Custodian(this.#world, this.#world.custodian);
    });
  }

  #storm(): void {
    const { chance, network, timeline } = this.#world;
    const usual = network.weather;
    if (usual.dropPercent > 10) return;
    network.weather = { dropPercent: chance.between(20, 60), duplicatePercent: 30, straggleMs: 20_000 };
    timeline.after(chance.between(5_000, 60_000), () => {
      network.weather = usual;
    });
  }

  #put(id: OfferId, change: object): void {
    const { books } = this.#world;
    const offer = books.offers.get(id);
    if (offer === undefined) return;
    books.offers.set(id, { ...offer, ...change });
    this.#refresh(id);
  }

  #refresh(id: OfferId): void {
    const { controlPlane } = this.#world;
    if (controlPlane.alive) controlPlane.refresh(id);
  }
}
