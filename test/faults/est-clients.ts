import { inParallel } from '../../bench/workers.ts';
import { csrFor } from '../harness/csr.ts';
import type { EstAnswer } from '../harness/est-client.ts';
import type { PlayedTpm } from '../harness/played-tpm.ts';
import { TestDevice } from '../harness/test-device.ts';
import type { Asking } from './asking.ts';
import type { Victim } from './victim.ts';
import type { Witness } from './witness.ts';

export interface AttestedDevice {
  readonly device: TestDevice;
  readonly csr: Uint8Array;
}

/** Devices that ask over EST, and an operator who does what they need, until they have what they asked for. */
export class EstClients {
  readonly #asking: Asking;
  readonly #witness: Witness;
  readonly #tpm: (deviceId: string) => PlayedTpm;
  readonly #enrolled: TestDevice[] = [];
  #made = 0;

  constructor(asking: Asking, witness: Witness, tpm: (deviceId: string) => PlayedTpm) {
    this.#asking = asking;
    this.#witness = witness;
    this.#tpm = tpm;
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

  /** As `devices`, of a class that must attest, each with the request that it has made with its nonce. */
  async attested(count: number): Promise<AttestedDevice[]> {
    const made: AttestedDevice[] = [];
    for (let i = 0; i < count; i += 1) {
      const { authority } = this.#asking;
      const id = `device-${(this.#made += 1)}`;
      const device = await TestDevice.unapproved(authority, id, { deviceClass: 'attested-laptop' });
      const nonce = await device.nonce();
      made.push({
        device,
        csr: csrFor(id, device.key, { attributes: [this.#tpm(id).attribute(nonce, device.key)] }),
      });
    }
    return made;
  }

  /** With the same request, and so the same evidence, until it is answered. */
  async enrollAttested({ device, csr }: AttestedDevice): Promise<void> {
    await this.#ask(device, (est) => device.enroll({ est, csr }), undefined);
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
    if (device.certificate !== null) this.#enrolled.push(device);
  }

  /** With the certificate that it has now, and the same request until it is answered. */
  async renew(device: TestDevice, nodes?: readonly Victim[]): Promise<void> {
    await this.#ask(device, renewal(device), nodes);
    if (device.certificate !== null) this.#enrolled.push(device);
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
