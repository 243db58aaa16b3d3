import { inParallel } from '../../bench/workers.ts';
import type { EstAnswer } from '../harness/est-client.ts';
import { TestDevice } from '../harness/test-device.ts';
import type { Asking } from './asking.ts';
import type { Victim } from './victim.ts';
import type { Witness } from './witness.ts';

/** Devices that ask over EST, and an operator who does what they need, until they have what they asked for. */
export class EstClients {
  readonly #asking: Asking;
  readonly #witness: Witness;
  readonly #enrolled: TestDevice[] = [];
  #made = 0;

  constructor(asking: Asking, witness: Witness) {
    this.#asking = asking;
    this.#witness = witness;
  }

  /** Made while the authority runs, before anything goes wrong. */
  async devices(count: number, approved = true): Promise<TestDevice[]> {
    const ids = Array.from({ length: count }, () => `device-${(this.#made += 1)}`);
    const made: TestDevice[] = [];
    await inParallel(ids, 8, async (id) => {
      const { authority } = this.#asking;
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

  async enroll(device: TestDevice, nodes?: readonly Victim[]): Promise<void> {
    await this.#ask(device, (est) => device.enroll({ est }), nodes);
  }

  /** With the certificate that it has now, and the same request until it is answered. */
  async renew(device: TestDevice, nodes?: readonly Victim[]): Promise<void> {
    await this.#ask(device, renewal(device), nodes);
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
    await this.#ask(device, (est) => device.enroll({ est }), undefined, 202);
    await this.#asking.approve(device.id);
    await this.enroll(device);
  }

  /** The certificate that the device was given last. */
  async revoke(device: TestDevice): Promise<void> {
    await this.#asking.operate(`revoking ${device.id}`, async ({ client }) => {
      const { items } = await client.perform('listCertificates', { device: device.id });
      const { sha256 } = items.at(-1)!;
      await client.perform('revokeCertificate', { id: sha256 }).catch((error: unknown) => {
        // The answer to an earlier attempt was lost.
        if (!String(error).includes('revoked already')) throw error;
      });
      this.#witness.revoked.add(sha256);
    });
  }

  async #ask(
    device: TestDevice,
    ask: (est: string) => Promise<EstAnswer>,
    nodes?: readonly Victim[],
    wanted: 200 | 202 = 200,
  ): Promise<void> {
    await this.#asking.until(
      device.id,
      ({ est }) => ask(est),
      (answer) => {
        this.#witness.saw(device.id, answer);
        if (answer.status === 200) this.#enrolled.push(device);
        if (answer.status === wanted || answer.status === 200) return 'done';
        // 202: the approval is in the hands of an intent that a crash left open.
        return [202, 503].includes(answer.status) ? 'again' : 'wrong';
      },
      nodes,
    );
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
