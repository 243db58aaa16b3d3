import { parseBase64Certificate } from '#x509';
import { ActivationClient } from '../harness/activating-authority.ts';
import type { ServedAuthority } from '../harness/authority.ts';
import { EndorsedTpm, type PlayedKey } from '../harness/endorsed-tpm.ts';
import type { HttpAnswer } from '../harness/http.ts';
import type { TestCa } from '../harness/pki.ts';
import type { Asking } from './asking.ts';
import type { Victim } from './victim.ts';
import type { Witness } from './witness.ts';

export interface ActivatingDevice {
  readonly id: string;
  readonly tpm: EndorsedTpm;
  readonly key: PlayedKey;
}

/** Devices that have an attestation key certified, each the same key however often it begins anew. */
export class ActivatingClients {
  readonly #asking: Asking;
  readonly #witness: Witness;
  readonly #maker: TestCa;
  #made = 0;

  constructor(asking: Asking, witness: Witness, maker: TestCa) {
    this.#asking = asking;
    this.#witness = witness;
    this.#maker = maker;
  }

  /** Made while the authority runs, before anything goes wrong. */
  async devices(count: number): Promise<ActivatingDevice[]> {
    const made: ActivatingDevice[] = [];
    for (let i = 0; i < count; i += 1) {
      const id = `endorsed-${(this.#made += 1)}`;
      const tpm = new EndorsedTpm(this.#maker);
      const identifiers = { ekSha256: tpm.ekSha256 };
      await this.#asking.authority.admin.device(id, { deviceClass: 'attested-laptop', identifiers });
      made.push({ id, tpm, key: tpm.createKey() });
    }
    return made;
  }

  /** Both messages, the second to any of the nodes, and from the first one again where either was not answered, as a client does. */
  async activate(device: ActivatingDevice, nodes?: readonly Victim[]): Promise<void> {
    await this.#asking.until(
      device.id,
      (node) => this.#attempt(device, node, () => this.#asking.nodeOf(nodes)),
      ({ status, isSecond }) => {
        if (status === 200 && isSecond) return 'done';
        return status === 503 ? 'again' : 'wrong';
      },
      nodes,
    );
  }

  /** One node is asked, whatever comes of it. */
  async askOnce(node: Victim, device: ActivatingDevice): Promise<void> {
    const served = node.served!;
    await this.#attempt(device, served, () => served).catch(() => null);
  }

  async #attempt(
    { id, tpm, key }: ActivatingDevice,
    first: ServedAuthority,
    second: () => ServedAuthority,
  ): Promise<HttpAnswer & { readonly isSecond: boolean }> {
    const challenge = await new ActivationClient(first).attest(tpm, key);
    this.#saw(id, challenge, []);
    if (challenge.status !== 200) return { ...challenge, isSecond: false };
    const secret = tpm.activate(key, JSON.parse(challenge.text) as { credential: string; secret: string });
    const answer = await new ActivationClient(second()).secret(secret);
    const { chain = [] } =
      answer.status === 200 ? (JSON.parse(answer.text) as { readonly chain?: readonly string[] }) : {};
    this.#saw(id, answer, chain.slice(0, 1));
    return { ...answer, isSecond: true };
  }

  #saw(id: string, { status, text }: HttpAnswer, certificates: readonly string[]): void {
    this.#witness.saw(id, {
      status,
      text,
      certificates: certificates.map((each) => parseBase64Certificate(each).der),
    });
  }
}
