import { hash } from 'node:crypto';
import { inParallel } from '../../bench/workers.ts';
import { statusOf, typeOf } from '../harness/acme-answers.ts';
import type { AcmeSurroundings } from '../harness/acme-authority.ts';
import type { AcmeAnswer } from '../harness/acme-client.ts';
import type { ServedAuthority } from '../harness/authority.ts';
import { AcmeDevice } from './acme-device.ts';
import type { Asking, Verdict } from './asking.ts';
import type { Victim } from './victim.ts';
import type { Witness } from './witness.ts';

/** What a client waits for, and the states of its order before that. */
const before = {
  valid: ['pending', 'ready', 'processing'],
  processing: ['pending', 'ready'],
  invalid: ['pending'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Devices that order over ACME, and an operator who does what they need, until they have what they asked for. */
export class AcmeClients {
  readonly #asking: Asking;
  readonly #witness: Witness;
  readonly #surroundings: AcmeSurroundings;
  readonly #enrolled: AcmeDevice[] = [];
  #made = 0;

  constructor(asking: Asking, witness: Witness, surroundings: AcmeSurroundings) {
    this.#asking = asking;
    this.#witness = witness;
    this.#surroundings = surroundings;
  }

  /** Made while the authority runs, before anything goes wrong. */
  async devices(count: number, approved = true): Promise<AcmeDevice[]> {
    const numbers = Array.from({ length: count }, () => (this.#made += 1));
    const made: AcmeDevice[] = [];
    await inParallel(numbers, 8, async (number) => {
      const { admin } = this.#asking.authority;
      const [id, name] = [`owner-${number}`, `host-${number}.example.org`];
      await admin.device(id);
      const key = await admin.client.perform('createExternalAccountKey', {
        device: id,
        templates: ['web'],
        names: [name],
        approve: approved,
      });
      this.#surroundings.dns.addresses(name, '127.0.0.1');
      made.push(new AcmeDevice(id, name, key));
    });
    return made;
  }

  /** Devices that have a certificate, each given out once, and enrolled now where there are too few. */
  async enrolled(count: number): Promise<AcmeDevice[]> {
    const known = this.#enrolled.splice(0, count);
    const more = await this.devices(count - known.length);
    await Promise.all(more.map((device) => this.enroll(device)));
    return [...known, ...this.#enrolled.splice(0, more.length)];
  }

  async enroll(device: AcmeDevice, nodes?: readonly Victim[]): Promise<void> {
    await this.#until('valid', device, (node) => this.#advance(device, node), nodes);
  }

  /** Another order of the same account for the same name. */
  async renew(device: AcmeDevice): Promise<void> {
    await this.enroll(device);
  }

  /** Orders, is held, is approved, and polls. */
  async enrollHeld(device: AcmeDevice): Promise<void> {
    await this.#until('processing', device, (node) => this.#advance(device, node));
    await this.#asking.approve(device.id);
    await this.enroll(device);
  }

  /** Wants a certificate for what it cannot prove. */
  async presume(device: AcmeDevice): Promise<void> {
    await this.#until('invalid', device, (node) => device.presume(node));
  }

  async revoke(device: AcmeDevice): Promise<void> {
    const sha256 = hash('sha256', device.certificate!.der);
    await this.#asking.until(
      device.id,
      (node) => device.revoke(node),
      (answer) => {
        this.#saw(device, answer);
        // The answer to an earlier attempt was lost.
        if (answer.status !== 200 && typeOf(answer.body) !== 'alreadyRevoked') return onProblem(answer);
        this.#witness.revoked.add(sha256);
        return 'done';
      },
    );
  }

  /** One node is asked, whatever comes of it; every answer counts. */
  async askOnce(node: Victim, device: AcmeDevice): Promise<void> {
    const answer = await this.#advance(device, node.served!).catch(() => null);
    if (answer !== null) this.#saw(device, answer);
  }

  #advance(device: AcmeDevice, node: ServedAuthority): Promise<AcmeAnswer> {
    return device.advance(node, ({ token, keyAuthorization }) => {
      this.#surroundings.proofs.set(token, keyAuthorization);
    });
  }

  async #until(
    wanted: keyof typeof before,
    device: AcmeDevice,
    ask: (node: ServedAuthority) => Promise<AcmeAnswer>,
    nodes?: readonly Victim[],
  ): Promise<void> {
    await this.#asking.until(
      device.id,
      ask,
      (answer) => {
        const status = this.#saw(device, answer);
        if (status === 'valid') this.#enrolled.push(device);
        if (status === wanted) return 'done';
        if (answer.status >= 400) return onProblem(answer);
        return before[wanted].some((each) => each === status) ? 'again' : 'wrong';
      },
      nodes,
    );
  }

  /** What its order is by this answer; `valid` where it is the certificate itself. */
  #saw({ id, certificate }: AcmeDevice, answer: AcmeAnswer): unknown {
    const isDelivered = answer.text === certificate?.pem;
    this.#witness.saw(id, { ...answer, certificates: isDelivered ? [certificate.der] : [] });
    if (!isDelivered) return statusOf(answer);
    this.#witness.ordered(certificate.order, hash('sha256', certificate.der));
    return 'valid';
  }
}

/** RFC 8555 section 6.5, of badNonce: "a client SHOULD retry the request using the new nonce". */
function onProblem({ status, body }: AcmeAnswer): Verdict {
  return status === 503 || typeOf(body) === 'badNonce' ? 'again' : 'wrong';
}
