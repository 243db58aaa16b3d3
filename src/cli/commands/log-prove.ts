import { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { SallyportError } from '#errors';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';

interface ProveOptions {
  readonly out?: string;
  readonly entry?: string;
  readonly document?: string;
}

export function logProve(run: Run): Command {
  return teach(new Command('prove'), {
    summary: 'Give a receipt that an entry is in the log',
    when:
      "When somebody else is to believe it: the receipt (C2SP tlog-proof) holds the path to a signed checkpoint. With it, the entry's bytes (--entry) and " +
      "the log's public key anyone can check it, without asking this authority. Names, serial numbers and addresses are in none of them: the entry has the hash of a " +
      'salted document, and who is to see that too gets it with --document.',
    examples: ['sallyport log prove R-7K2M-9QXT-4B1D-E8WV --out receipt.tlog-proof --entry entry.json'],
    exits: [3, 4],
  })
    .argument('<entry>', "its index, or a request's support code, or an act's id")
    .option('--out <file>', 'write the receipt to this file')
    .option('--entry <file>', "write the entry's bytes to this file")
    .option('--document <file>', "write the entry's personal fields, and their salt, to this file")
    .action(run(prove));
}

async function prove(session: Session, id: string, { out, entry, document }: ProveOptions): Promise<void> {
  const proof = await session.perform('proveEntry', { id });
  if (entry !== undefined) await writeFile(session.path(entry), proof.entry);
  if (document !== undefined) {
    if (proof.document === null) {
      throw new SallyportError(
        'not-found',
        `entry ${proof.index} has no personal fields, or they were erased`,
      );
    }
    await writeFile(session.path(document), `${JSON.stringify(proof.document)}\n`, { mode: 0o600 });
  }
  if (out !== undefined) await writeFile(session.path(out), proof.receipt);
  const checkpoint = `Entry ${proof.index} is proven against the checkpoint over ${proof.size} entries.`;
  session.print(proof, () =>
    out === undefined ? proof.receipt : `${checkpoint}\nThe log's public key: ${proof.verifierKey}\n`,
  );
}
