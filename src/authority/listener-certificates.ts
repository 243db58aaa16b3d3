import { isIP } from 'node:net';
import type { Configuration } from '#config';
import type { Authority } from '#enrollment';
import { isSallyportError } from '#errors';
import { type Certificate, equalBytes } from '#x509';
import {
  type ChosenCertificate,
  chooseListenerCertificate,
  type ListenerCertificatePorts,
  type WantedCertificate,
} from './listener-certificate.ts';
import { listenersWithTls, type TransportKeys } from './transport-keys.ts';

/** What listeners that say `issued` are to have follows from these. */
export interface ListenerState {
  readonly configuration: Configuration;
  readonly transportKeys: TransportKeys;
  readonly authority: Authority;
}

/** By the name of their listener. */
export type IssuedCertificates = ReadonlyMap<string, Certificate>;

/** For some listeners, none of it saved or in force yet. */
export class ChosenCertificates {
  readonly #all: readonly ChosenCertificate[];
  readonly certificates: IssuedCertificates;

  constructor(all: readonly ChosenCertificate[]) {
    this.#all = all;
    this.certificates = new Map(all.map(({ listener, certificate }) => [listener, certificate]));
  }

  get savings() {
    return this.#all.flatMap(({ saving }) => (saving === null ? [] : [saving]));
  }

  get faults() {
    return this.#all.flatMap(({ fault }) => (fault === null ? [] : [fault]));
  }

  /** Names of the issuers whose list has more on it once this is saved. */
  get revokedOf(): ReadonlySet<string> {
    return new Set(this.savings.flatMap(({ replaced }) => replaced.map(({ issuer }) => issuer)));
  }
}

/** The certificates that the authority issues to its own listeners, and which of them are in force. */
export class ListenerCertificates {
  readonly #ports: ListenerCertificatePorts;
  #inForce: IssuedCertificates = new Map();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(ports: ListenerCertificatePorts) {
    this.#ports = ports;
  }

  get inForce(): IssuedCertificates {
    return this.#inForce;
  }

  /** A reload and a renewal wait for one another: what the one chose the other must not put out of force. */
  async exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Before any listener is there. Throws 'config' where one can have none. */
  async start(state: ListenerState): Promise<ChosenCertificates> {
    for (;;) {
      const chosen = await this.choose(state);
      try {
        await this.save(chosen);
        this.putInForce(chosen);
        return chosen;
      } catch (error) {
        // A process that had the node's name just before did it meanwhile.
        if (!isSallyportError(error, 'conflict')) throw error;
      }
    }
  }

  /** Throws 'config' where a listener can have none. */
  async choose(state: ListenerState): Promise<ChosenCertificates> {
    const choosing = wantedBy(state).map((wanted) => chooseListenerCertificate(wanted, this.#ports));
    return new ChosenCertificates(await Promise.all(choosing));
  }

  /** All or none. Throws 'conflict' where a listener has got another one meanwhile. */
  async save({ savings }: ChosenCertificates): Promise<void> {
    if (savings.length > 0) await this.#ports.store.saveListenerCertificates(savings);
  }

  /** For all listeners that are to have one. */
  putInForce({ certificates }: ChosenCertificates): void {
    this.#inForce = certificates;
  }

  /**
   * What has another certificate by now gets it, one listener after the other: none keeps the others from theirs. Returns the issuers whose list has more on it, and what failed, by
   * which nothing is taken out of force.
   */
  async renew(
    state: ListenerState,
    prepare: (listener: string, certificates: IssuedCertificates) => Promise<() => void>,
  ): Promise<{ revokedOf: ReadonlySet<string>; faults: readonly unknown[] }> {
    const revokedOf = new Set<string>();
    const faults: unknown[] = [];
    for (const wanted of wantedBy(state)) {
      const { listener } = wanted;
      try {
        const chosen = new ChosenCertificates([await chooseListenerCertificate(wanted, this.#ports)]);
        faults.push(...chosen.faults);
        const certificate = chosen.certificates.get(listener)!;
        const current = this.#inForce.get(listener);
        if (current !== undefined && equalBytes(current.der, certificate.der)) continue;
        const putInForce = await prepare(listener, chosen.certificates);
        await this.save(chosen);
        for (const issuer of chosen.revokedOf) revokedOf.add(issuer);
        putInForce();
        this.#inForce = new Map([...this.#inForce, [listener, certificate]]);
      } catch (error) {
        faults.push(error);
      }
    }
    return { revokedOf, faults };
  }
}

function wantedBy({ configuration, transportKeys, authority }: ListenerState): WantedCertificate[] {
  return listenersWithTls(configuration).flatMap(({ name, tls: { issued } }) =>
    issued === null
      ? []
      : [
          {
            listener: name,
            key: transportKeys.get(name)!,
            issuer: authority.issuers.get(issued.issuer)!,
            names: issued.names.map((value) => ({ kind: isIP(value) === 0 ? 'dns' : 'ip', value }) as const),
          },
        ],
  );
}
