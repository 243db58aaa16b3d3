import { Command } from 'commander';
import type { ActResult } from '#admin';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach, wrap } from '../teach.ts';

export function deviceErase(run: Run): Command {
  return teach(new Command('erase'), {
    summary: 'Take the names of a retired device out of the database and the log, for good',
    when:
      'When whoever used it may have it forgotten. Its id, serial number, names, addresses and remarks go, with its certification requests and the bytes of its certificates; the tree ' +
      'of the log stays, `log verify` judges what is left by the recorded facts, and CRLs go on listing what is revoked. Before, each of its entries is verified whole: where one does ' +
      'not verify, nothing is erased. The log says who erased which entries, and not whose they were. There is no way back.\n' +
      'Certificates it has stay valid until they end: revoke them before. What others keep is theirs to erase: backups, the SIEM, exports with personal fields, receipts.',
    examples: ['sallyport device erase laptop-7'],
    exits: [3, 4],
  })
    .argument('<device>', 'its id')
    .action(
      run(async (session: Session, id: string) => {
        const erased = await session.perform('eraseDevice', { id });
        const { database } = await session.configuration();
        session.print(erased, () => words(erased, database.kind));
      }),
    );
}

function words(
  { as, entries, certificates, staying, logIndex }: ActResult<'eraseDevice'>,
  database: 'sqlite' | 'postgres',
): string {
  const copies =
    database === 'sqlite'
      ? 'The database overwrites what was erased, and its WAL is emptied as soon as nobody reads from it.'
      : 'PostgreSQL keeps what was erased until `vacuum` of the tables blob, certificate, device, secret and request, and archived WAL for as long as it is kept.';
  const version1 =
    staying === 0
      ? ''
      : `${staying} entries of version 1 name it in the tree itself, and cannot be erased.\n`;
  return (
    `Erased: ${entries} entries and ${certificates} certificates. What is left is device ${as}; entry ${logIndex} says who did it.\n${version1}` +
    `${wrap(`${copies} Backups, exports with personal fields and the SIEM keep theirs: the entry names by index what they are to purge.`)}\n`
  );
}
