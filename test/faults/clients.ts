import type { AdminActs } from '../harness/admin-acts.ts';
import type { TestAuthority } from '../harness/authority.ts';
import type { EstAnswer } from '../harness/est-client.ts';
import { TestDevice } from '../harness/test-device.ts';
import type { Random } from './random.ts';
import type { Victim } from './victim.ts';
import { wait } from './waiting.ts';
import type { Witness } from './witness.ts';

/** How long a device asks before its owner complains, milliseconds. */
const patience = 60_000;

/** Devices and an operator that keep asking, of whatever node answers, until they have what they asked for. */
export class Clients {
  readonly #nodes: readonly Victim[];
  readonly #witness: Witness;
  readonly #random: Random;
  readonly #enrolled: TestDevice[] = [];
  #made = 0;
  #givenUp = false;

  constructor(nodes: readonly Victim[], witness: Witness, random: Random) {
    this.#nodes = nodes;
    this.#witness = witness;
    this.#random = random;
  }

  /** Made while the authority runs, before anything goes wrong. */
  async devices(count: number, approved = true): Promise<TestDevice[]> {
    const made: TestDevice[] = [];
    await inParallel(count, 8, async () => {
      this.#made += 1;
      const id = `device-${this.#made}`;
      const authority = this.#authority;
      made.push(await (approved ? TestDevice.expected(authority, id) : TestDevice.unapproved(authority, id)));
    });
    return made;
  }

  /** Devices that have a certificate, each given out once, and enrolled now where there are too few. */
  async enrolled(count: number): Promise<TestDevice[]> {
    const known = this.#enrolled.splice(0, count);
    const more = await this.devices(count - known.length);
    await Promise.all(more.map((device) => this.enroll(device)));
    return [...known, ...this.#enrolled.splice(0, more.length)];
  }

  async enroll(device: TestDevice, nodes = this.#nodes): Promise<void> {
    await this.#ask(device, nodes, (est) => device.enroll({ est }));
  }

  /** With the certificate that it has now, and the same request until it is answered. */
  async renew(device: TestDevice, nodes = this.#nodes): Promise<void> {
    await this.#ask(device, nodes, renewal(device));
  }

  /** One request to one node, whatever comes of it; every answer counts. */
  async askOnce(node: Victim, device: TestDevice, what: 'enroll' | 'renew' | 'malformed'): Promise<void> {
    const { est } = node.served!;
    const ask = {
      enroll: () => device.enroll({ est }),
      renew: () => renewal(device)(est),
      malformed: () => device.enroll({ est, csr: Buffer.from('no request') }),
    }[what];
    const answer = await ask().catch(() => null);
    if (answer !== null) this.#witness.saw(device.id, answer);
  }

  /** Enrolls, is held, is approved, and enrolls. */
  async enrollHeld(device: TestDevice): Promise<void> {
    await this.#ask(device, this.#nodes, (est) => device.enroll({ est }), 202);
    await this.#operate(`approving ${device.id}`, async ({ client }) => {
      const { items } = await client.perform('listRequests', { state: 'pending', limit: 200 });
      const request = items.find((item) => item.device === device.id);
      if (request !== undefined) await client.perform('approveRequest', { id: request.id });
    });
    await this.enroll(device);
  }

  /** The certificate that the device was given last. */
  async revoke(device: TestDevice): Promise<void> {
    await this.#operate(`revoking ${device.id}`, async ({ client }) => {
      const { items } = await client.perform('listCertificates', { device: device.id });
      const { sha256 } = items.at(-1)!;
      await client.perform('revokeCertificate', { id: sha256 }).catch((error: unknown) => {
        // The answer to an earlier attempt was lost.
        if (!String(error).includes('revoked already')) throw error;
      });
      this.#witness.revoked.add(sha256);
    });
  }

  /** What still asks gives up: the run is over. */
  giveUp(): void {
    this.#givenUp = true;
  }

  get #authority(): TestAuthority {
    const running = this.#nodes.flatMap(({ served }) => served ?? []);
    if (running.length === 0) throw new Error('no node runs');
    return this.#random.pick(running);
  }

  async #ask(
    device: TestDevice,
    nodes: readonly Victim[],
    ask: (est: string) => Promise<EstAnswer>,
    wanted: 200 | 202 = 200,
  ): Promise<void> {
    for (const end = performance.now() + patience; !this.#givenUp;) {
      const running = nodes.flatMap(({ served }) => served ?? []);
      const answer =
        running.length === 0 ? null : await ask(this.#random.pick(running).est).catch(() => null);
      if (answer !== null) {
        this.#witness.saw(device.id, answer);
        if (answer.status === 200) this.#enrolled.push(device);
        if (answer.status === wanted || answer.status === 200) return;
        // 202: the approval is in the hands of an intent that a crash left open.
        if (![202, 503].includes(answer.status)) {
          this.#witness.findings.push(`${device.id} was answered ${answer.status}: ${answer.text}`);
          return;
        }
      }
      if (performance.now() > end) {
        const last = answer === null ? 'no answer' : `${answer.status}: ${answer.text}`;
        this.#witness.findings.push(`${device.id} has no certificate after ${patience} ms; last ${last}`);
        return;
      }
      await wait(20 + this.#random.below(80));
    }
  }

  async #operate(what: string, act: (admin: AdminActs) => Promise<void>): Promise<void> {
    let last: unknown = null;
    for (const end = performance.now() + patience; !this.#givenUp;) {
      const running = this.#nodes.flatMap(({ served }) => served ?? []);
      try {
        if (running.length > 0) return await act(this.#random.pick(running).admin);
      } catch (error) {
        last = error;
      }
      if (performance.now() > end) {
        this.#witness.findings.push(`${what} failed for ${patience} ms: ${String(last)}`);
        return;
      }
      await wait(50);
    }
  }
}

/** A renewed device has another certificate: what it asks again with is the one that it began with. */
function renewal(device: TestDevice): (est: string) => Promise<EstAnswer> {
  const { certificate } = device;
  return (est) => {
    device.certificate = certificate;
    return device.renew({ est });
  };
}

/** So many times, and so many at once. */
export async function inParallel(
  count: number,
  workers: number,
  work: (at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const at = next;
      next += 1;
      await work(at);
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
}
