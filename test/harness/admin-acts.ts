import type { AdminClient } from '#cli';

/** The acts of an operator that tests need, over the admin socket. */
export class AdminActs {
  readonly client: AdminClient;

  constructor(client: AdminClient) {
    this.client = client;
  }

  async device(
    id: string,
    more: { deviceClass?: string; approveFor?: string[]; identifiers?: Record<string, string> } = {},
  ): Promise<void> {
    const list = JSON.stringify([{ id, class: more.deviceClass ?? 'laptop', ...more.identifiers }]);
    const report = await this.client.perform('importDevices', {
      format: 'json',
      list,
      approveFor: more.approveFor ?? [],
    });
    if (!report.imported) throw new Error(`the device was not imported: ${JSON.stringify(report.problems)}`);
  }

  /** A device that is approved beforehand, and a secret for it. */
  async expected(id: string, template = 'device'): Promise<string> {
    await this.device(id, { approveFor: [template] });
    return this.secret(id, template);
  }

  async secret(device: string, template = 'device'): Promise<string> {
    const { secret } = await this.client.perform('createSecret', { device, template });
    return secret;
  }

  async entry(id: string) {
    return this.client.perform('showEntry', { id });
  }
}
