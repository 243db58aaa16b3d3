import { Command } from 'commander';
import type { AttestationKeyInfo } from '#admin';
import { printable } from '../render/printable.ts';
import { formatTable } from '../render/table.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';
import { parseWholeNumber } from '../whole-number.ts';

export function attestationKeys(run: Run): Command {
  return teach(new Command('keys'), {
    summary: 'Keys that attest, and how many devices got certificates by each',
    when:
      'To see which hardware vouches for whom, those with the most devices first: one attestation key of a TPM on two devices was copied or certified twice, and a key of ' +
      'an Android factory with far more devices than the others may have leaked. A key is its SHA-256 (SubjectPublicKeyInfo); of its devices the first few are named.',
    examples: ['sallyport attestation keys', 'sallyport attestation keys --limit 100 --json'],
    exits: [3, 4],
  })
    .option('--limit <n>', 'no more than so many, 20 unless it is said', parseWholeNumber)
    .action(run(list));
}

async function list(session: Session, { limit = 20 }: { readonly limit?: number }): Promise<void> {
  const keys = await session.perform('listAttestationKeys', { limit });
  session.print(keys, () => (keys.length === 0 ? 'No device has a certificate on evidence.\n' : table(keys)));
}

function table(keys: readonly AttestationKeyInfo[]): string {
  const columns = [
    { title: 'DEVICES' },
    { title: 'FORMAT' },
    { title: 'KEY', shrinkTo: 16 },
    { title: 'NAMED', shrinkTo: 16 },
  ];
  const row = ({ spki, format, devices, deviceIds }: AttestationKeyInfo) => [
    String(devices),
    format,
    spki,
    printable(`${deviceIds.join(' ')}${devices > deviceIds.length ? ' …' : ''}`),
  ];
  return formatTable(columns, keys.map(row));
}
